// Everything that can be watched, as one union of plain JSON. Names are `noun.verb`. `catalogue.ts` says which of them
// are kept and which are delivered live only; `docs/events.md` is generated from it.

import type { ErrorData } from '../error/error.ts'
import type { AssistantMessage, KeptArtifact, Message } from '../message/message.ts'
import type { TaintSource } from '../message/trust.ts'
import type { FinishReason, ModelFailure, Usage } from '../port/model.ts'
import type { Json } from '../schema/json.ts'

/**
 * A question to a person: whether a tool call may run (`approval`), anything else (`question`), or what became of a call
 * that must never be repeated and whose process died (`outcome`).
 */
export interface Interaction {
  readonly id: string
  readonly kind: 'approval' | 'question' | 'outcome'
  readonly entity: number
  /** What the person reads. For an approval the exact arguments are in `input`. */
  readonly prompt: string
  readonly toolCallId?: string
  readonly toolName?: string
  readonly input?: Json
  /** SHA-256 of the exact arguments, hex: an approval is good for these alone. */
  readonly inputHash?: string
  /** The words of strangers that the model had read before the call: show them, for they may have asked for it. */
  readonly taint?: readonly TaintSource[]
  readonly choices?: readonly string[]
  /** The sub-agent that asks, where it is not the agent itself. */
  readonly child?: string
  /** Wall time in milliseconds at which the question lapses. */
  readonly due?: number
}

export type RunStarted = { readonly type: 'run.started'; readonly agent: string }
export type RunWaiting = { readonly type: 'run.waiting'; readonly interactions: readonly Interaction[] }
export type RunSucceeded = { readonly type: 'run.succeeded'; readonly stopReason: string }
export type RunFailed = { readonly type: 'run.failed'; readonly stopReason: string; readonly error: ErrorData }
export type RunResumed = { readonly type: 'run.resumed'; readonly agent: string; readonly attempt: number }
export type RunPaused = { readonly type: 'run.paused' }
export type RunRetrying = { readonly type: 'run.retrying'; readonly error: ErrorData; readonly availableAt: number }
export type RunTimedOut = { readonly type: 'run.timed_out'; readonly error: ErrorData }
export type RunCheckpointed = { readonly type: 'run.checkpointed'; readonly number: number }
export type RunHeartbeat = { readonly type: 'run.heartbeat'; readonly attempt: number }
export type RunCancelled = { readonly type: 'run.cancelled' }

type Of<Type extends string, Payload> = { readonly type: Type; readonly entity: number } & Readonly<Payload>

/** A step of a `StepExecutor`: its name, its place from 0, and how many there are. */
type StepEvent<Type extends string, Payload> = Of<Type, { name: string; index: number; total: number } & Payload>

export type StepStarted = StepEvent<'step.started', { description?: string }>
export type StepCompleted = StepEvent<'step.completed', { duration: number }>
export type StepFailed = StepEvent<'step.failed', { error: ErrorData; attempts: number }>
export type StepRetrying = StepEvent<'step.retrying', { error: ErrorData; attempt: number; delay: number }>
export type StepSkipped = StepEvent<'step.skipped', object>
export type ProgressUpdated = Of<'progress.updated', { percent: number; done: number; total: number }>

/** `system` names who asks aside, such as a summary; the conversation's own calls have none. */
export type ModelCalled = Of<'model.called', { model: string; system?: string }>
export type ModelReplied = Of<
  'model.replied',
  { model: string; usage: Usage; finishReason: FinishReason; responseId?: string; system?: string }
>
export type MessageAdded = Of<'message.added', { message: Message }>
export type StreamStarted = Of<'stream.started', object>
export type TextDelta = Of<'text.delta', { text: string }>
export type ReasoningDelta = Of<'reasoning.delta', { text: string }>
export type ToolDelta = Of<'tool.delta', { toolCallId: string; toolName: string; delta: string }>
export type StreamRestarted = Of<'stream.restarted', { failure: ModelFailure }>
export type StreamEnded = Of<'stream.ended', { message?: AssistantMessage; failure?: ModelFailure }>
export type ToolCalled = Of<'tool.called', { toolCallId: string; toolName: string; input: Json }>
export type ToolStarted = Of<'tool.started', { toolCallId: string; toolName: string }>
export type ToolProgress = Of<'tool.progress', { toolCallId: string; toolName: string; progress: Json }>
export type ToolEnded = Of<
  'tool.ended',
  {
    toolCallId: string
    toolName: string
    content: string
    isError: boolean
    code?: string
    artifact?: string
    kept?: readonly KeptArtifact[]
  }
>
/** `permission` is the id of the one that decided, where it was no rule and nobody was asked. */
export type ToolApproved = Of<'tool.approved', { toolCallId: string; by: string; permission?: string }>
export type ToolDenied = Of<'tool.denied', { toolCallId: string; reason: string; by: string; permission?: string }>
export type InteractionRequested = Of<'interaction.requested', { interaction: Interaction }>
export type InteractionAnswered = Of<'interaction.answered', { id: string; by: string }>
export type InteractionExpired = Of<'interaction.expired', { id: string }>
export type InteractionRefused = {
  readonly type: 'interaction.refused'
  readonly id: string
  readonly by: string
  readonly error: ErrorData
}
export type ChildSpawned = Of<'child.spawned', { toolCallId: string; toolName: string; child: string; agent: string }>
export type ChildProgress = Of<
  'child.progress',
  { toolCallId: string; child: string; agent: string; event: EventRecord }
>
export type ChildEnded = Of<
  'child.ended',
  { toolCallId: string; child: string; status: 'succeeded' | 'failed' | 'cancelled' | 'timed_out' }
>
/** `timestamp` is wall time in milliseconds. */
export type CheckpointCreated = Of<'checkpoint.created', { label: string; tick: number; timestamp: number }>
export type CheckpointRestored = Of<'checkpoint.restored', { label?: string; tick: number; timestamp: number }>
export type TodoChanged = Of<'todo.changed', { id: number; title: string; status: string; progress?: number }>
export type MessageDelivered = Of<'message.delivered', { from: number; sender: string; text: string }>
export type AgentHandedOver = Of<
  'agent.handed_over',
  { from: string; to: string; history: 'full' | 'summary' | 'message' }
>
export type FactsRecalled = Of<'facts.recalled', { count: number; error?: ErrorData }>
export type FactsRemembered = Of<'facts.remembered', { count: number; refused: number; error?: ErrorData }>
export type ConversationTruncated = Of<'conversation.truncated', { removedCount: number }>
export type PlanStepCompleted = Of<'plan.step_completed', { stepIndex: number; stepDescription: string }>
export type PlanRevised = Of<'plan.revised', { oldSteps: readonly string[]; newSteps: readonly string[] }>
export type SearchNodeScored = Of<'search.node_scored', { nodeId: number; score: number }>
export type CompactionCompleted = Of<
  'compaction.completed',
  {
    /** Tokens of the context before and after. */
    originalTokens: number
    compactedTokens: number
    stages: readonly ('shorten' | 'deduplicate' | 'summarise')[]
    /** Messages that were replaced, or made shorter. */
    messages: number
    /** No summary could be made; `error` says why. */
    fallback?: true
    error?: ErrorData
  }
>
export type RetrievalCompleted = Of<'retrieval.completed', { query: string; count: number }>
export type FailureOccurred = Of<'failure.occurred', { error: ErrorData; system: string }>
export type ComponentLarge = Of<'component.large', { component: string; size: number }>
export type SubscriberFailed = { readonly type: 'subscriber.failed'; readonly event: string; readonly error: ErrorData }

/** Every built-in event. A program's own events have a `type` of their own and travel the same way. */
export type Event =
  | RunStarted
  | RunWaiting
  | RunResumed
  | RunPaused
  | RunRetrying
  | RunTimedOut
  | RunSucceeded
  | RunFailed
  | RunCheckpointed
  | RunHeartbeat
  | RunCancelled
  | StepStarted
  | StepCompleted
  | StepFailed
  | StepRetrying
  | StepSkipped
  | ProgressUpdated
  | ModelCalled
  | ModelReplied
  | MessageAdded
  | StreamStarted
  | TextDelta
  | ReasoningDelta
  | ToolDelta
  | StreamRestarted
  | StreamEnded
  | ToolCalled
  | ToolStarted
  | ToolProgress
  | ToolEnded
  | ToolApproved
  | ToolDenied
  | InteractionRequested
  | InteractionAnswered
  | InteractionRefused
  | InteractionExpired
  | ChildSpawned
  | ChildProgress
  | ChildEnded
  | CheckpointCreated
  | CheckpointRestored
  | TodoChanged
  | FactsRecalled
  | FactsRemembered
  | MessageDelivered
  | AgentHandedOver
  | ConversationTruncated
  | PlanStepCompleted
  | PlanRevised
  | SearchNodeScored
  | CompactionCompleted
  | RetrievalCompleted
  | FailureOccurred
  | ComponentLarge
  | SubscriberFailed

/** The `type` of a built-in event. */
export type EventType = Event['type']

/** The event of one type. */
export type EventOf<Type extends EventType> = Extract<Event, { readonly type: Type }>

/** A record that a world emits: an `Event`, or a program's own JSON with a `type`. */
export interface EventRecord {
  readonly type: string
  readonly entity?: number
}
