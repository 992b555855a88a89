// The data dictionary of agents: every component that built-in systems read or write, with `plan-component.ts` and
// `context-component.ts`. Names are the reference's 24 without `Component`; `Failure`, `Halted`, `Terminal` and `Wait`
// belong to the kernel, and `RunnerState` is a view of the world's header.

import type { ErrorData } from '../error/error.ts'
import type { Message, UserMessage } from '../message/message.ts'
import type { TaintSource } from '../message/trust.ts'
import type { FinishReason, ToolChoice, Usage } from '../port/model.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import type { Decision } from '../tool/decide.ts'
import type { ToolOutcome } from '../tool/result.ts'
import type { ToolLimits } from '../tool/tool.ts'
import { defineComponent, defineLog } from '../world/component.ts'
import type { Snapshot } from '../world/snapshot.ts'
import type { World } from '../world/world.ts'
import type { Todo } from './todo.ts'
import {
  CompactionConfig,
  ConversationArchive,
  Embedding,
  RAGTrigger,
  Reminders,
  Retrieval,
  Retrieved,
  VectorStore,
} from './context-component.ts'
import { FactExtraction, FactRecall, Recalled } from './fact-component.ts'
import { Plan, Planner, PlanSearch, Reflection, SearchNode, SearchTree } from './plan-component.ts'

/** Which model thinks for the entity, by the name it is bound under in the resource `models`. */
export const LLM = defineComponent<{
  readonly model: string
  readonly systemPrompt?: string
  /** The entry of the resource `agents` that instructions, tools and conditions are read from. */
  readonly agent?: string
  /** The agent that it was before it handed over. */
  readonly home?: string
  readonly settings?: ModelSettings
}>('LLM')

/** How a model is asked; the vendor's defaults where absent. */
export interface ModelSettings {
  readonly temperature?: number
  readonly topP?: number
  readonly maxOutputTokens?: number
  readonly stopSequences?: readonly string[]
  readonly seed?: number
  readonly toolChoice?: ToolChoice
  readonly parallelToolCalls?: boolean
  readonly providerOptions?: { readonly [vendor: string]: JsonObject }
}

/** What has been said, oldest first. Append with `say`, which keeps calls and results together. */
export const Conversation = defineLog<Message>('Conversation')

/** How long a conversation may grow: past `max` messages it is trimmed; null never. */
export const ConversationLimit = defineComponent<{
  readonly max: number | null
  /** Trim to this fraction of `max`. Default 0.8, so that a provider's prompt cache lives; 1 trims to `max` exactly. */
  readonly keep?: number
}>('ConversationLimit')

/** A separate system prompt; it goes before the one of `LLM`. */
export const SystemPrompt = defineComponent<{ readonly text: string }>('SystemPrompt')

/** The tools the entity may use, by name, of those that are bound. Without this component: all of them; empty: none. */
export const ToolRegistry = defineComponent<{ readonly names: readonly string[] }>('ToolRegistry')

/** One call that has no result in the conversation yet. `key` is its idempotency key, made once. */
export interface PendingToolCall {
  readonly toolCallId: string
  readonly toolName: string
  readonly input: Json
  readonly invalidInput?: string
  readonly key: string
  readonly decision?: Decision
  /** Set, and committed, before a call that must never be repeated begins. */
  readonly started?: true
}

/** The calls of the newest reply that wait to be decided, performed, or moved to the conversation, in call order. */
export const PendingToolCalls = defineComponent<readonly PendingToolCall[]>('PendingToolCalls')

/** The results of the newest batch of calls, in the order in which they came. */
export const ToolResults = defineLog<ToolOutcome>('ToolResults')

/** Where the words in the entity's context came from that nobody vouches for: at most eight sources of each level. */
export const Taint = defineComponent<readonly TaintSource[]>('Taint')

/** A mailbox between entities. `taint` is what the sender had read when it wrote. */
export const Collaboration = defineLog<{
  readonly from: number
  readonly text: string
  readonly taint?: readonly TaintSource[]
}>('Collaboration')

/** The entity this one works for. */
export const Owner = defineComponent<{ readonly entity: number }>('Owner')

/** Scratch data by key. */
export const KVStore = defineComponent<{ readonly [key: string]: Json }>('KVStore')

/** How tool calls are approved beyond the rules: how long a question to a person stays open, in milliseconds. */
export const ToolApproval = defineComponent<{ readonly timeout?: number }>('ToolApproval')

/** What each of the entity's tool calls may take: milliseconds, bytes of memory, characters of its result. */
export const SandboxConfig = defineComponent<ToolLimits>('SandboxConfig')

/** The skills that the model is told of by name; it reads one when it needs it. */
export const Skills = defineComponent<readonly { readonly name: string; readonly description: string }[]>('Skills')

/** What the entity has set out to do, by id, ascending. Change it with `addTodos`, `updateTodos` and `clearTodos`. */
export const Todos = defineLog<Todo>('Todos')

/** Switches the live events of replies on. */
export const Streaming = defineComponent<{ readonly enabled: boolean }>('Streaming')

/** Labels of ticks that can be gone back to, never states. */
export const Checkpoint = defineComponent<{
  readonly labels: { readonly [label: string]: number }
  /** A label that the system `checkpoint` is to give to the tick in which it meets this. */
  readonly wish?: string
  /** Label every tick whose number this divides, as `tick-12`. */
  readonly every?: number
  /** Most labels; the oldest go first. Default 20. */
  readonly keep?: number
}>('Checkpoint')

/** What a person said in the middle of the work: taken into the conversation at the next safe point. */
export const Steering = defineLog<UserMessage>('Steering')

/** A question to a person, and how long it stays open in milliseconds; without a timeout for ever. */
export const UserInput = defineComponent<{
  readonly prompt: string
  readonly timeout?: number
  readonly choices?: readonly string[]
  /** Set when the question was opened. */
  readonly asked?: { readonly id: string; readonly due?: number }
}>('UserInput')

/** The shape that the entity's final text must have, and how often it was asked to mend it. */
export const Output = defineComponent<{
  readonly name: string
  readonly schema: JsonObject
  readonly repairs: number
  /** The schema is a stranger's: it is applied in a bounded number of steps, and without its patterns. */
  readonly bounded?: true
}>('Output')

/** What a turn may spend at most; absent means no limit. */
export interface BudgetLimits {
  readonly modelCalls?: number
  readonly toolCalls?: number
  /** Input and output tokens together; before each call its input is estimated and its longest output counted. */
  readonly tokens?: number
  /** In the unit of the price function. */
  readonly cost?: number
  /** Milliseconds since the first model call of the turn. */
  readonly wallTime?: number
  readonly ticks?: number
  /** Levels of sub-agents below this one. Default 3. */
  readonly depth?: number
}

/**
 * The budget of a turn; `since` is set by its first model call. `lent` is what sub-agents and searches at work may spend
 * at most: it is set aside until they say what they have spent.
 */
export const Budget = defineComponent<{
  readonly limits: BudgetLimits
  readonly since?: number
  readonly lent?: { readonly [borrower: string]: BudgetLimits }
}>('Budget')

/** What the present turn has spent: model calls, and tokens of all of them. */
export const TurnUsage = defineComponent<{
  readonly steps: number
  readonly usage: Usage
  /** Why the newest reply ended. */
  readonly finishReason?: FinishReason
  /** Tool calls that the model made, those of its sub-agents included. */
  readonly toolCalls?: number
  /** Model calls beside the conversation: summaries, plans, searches, those of sub-agents. */
  readonly asides?: number
  /** Length of the conversation when the turn began, where a runtime keeps it. */
  readonly from?: number
  /** The run whose turn it is, under a runtime. */
  readonly run?: string
}>('TurnUsage')

/** A sub-agent at work for a call. */
export interface Child {
  /** Of its run; unique, and the same after a crash. */
  readonly id: string
  /** The call that it answers. */
  readonly toolCallId: string
  readonly agent: string
  readonly prompt: string
  /** What it may spend: set aside in the parent's budget. */
  readonly limits: BudgetLimits
  /** Of its own tools, those it may use; all of them where this is absent. */
  readonly tools?: readonly string[]
  /** What its parent had read when it gave the task. */
  readonly taint?: readonly TaintSource[]
  /** Wall time in milliseconds at which it is given up. */
  readonly due?: number
  /** It was given up and told to end: its call is answered when it has said what it spent. */
  readonly late?: true
  /** How it ended, until its call has the result. */
  readonly end?: ChildEnd
  /** The entity that keeps its world while it waits for a person, and what they have answered. */
  readonly parked?: number
  readonly answers?: readonly { readonly interaction: string; readonly answer: Json; readonly by: string }[]
}

/** How a child ended. */
export interface ChildEnd {
  /** Id of the child. */
  readonly run: string
  readonly status: 'succeeded' | 'failed' | 'cancelled' | 'timed_out'
  readonly text: string
  readonly error?: ErrorData
  readonly usage?: Usage
  /** Model calls and tool calls, those of its own children included; absent where nobody knows. */
  readonly modelCalls?: number
  readonly toolCalls?: number
  /** What it had read that nobody vouches for; absent where nobody knows. */
  readonly taint?: readonly TaintSource[]
  /** What it had lent to children of its own that have not said what they spent. */
  readonly unsettled?: BudgetLimits
}

/** The sub-agents that are at work for an entity. */
export const Children = defineComponent<readonly Child[]>('Children')

/** The world of a sub-agent that waits for a person, on an entity of its own. */
export const ChildWorld = defineComponent<{ readonly snapshot: Snapshot }>('ChildWorld')

/** The runner's state as the reference shows it: ticks finished, and whether the world is paused. */
export function runnerState(world: World): { readonly tick: number; readonly paused: boolean } {
  const { tick, paused } = world.header
  return { tick, paused }
}

/** Every component of this floor, for `restore`. */
export const agentComponents = [
  LLM,
  Conversation,
  ConversationLimit,
  SystemPrompt,
  Plan,
  Planner,
  ToolRegistry,
  PendingToolCalls,
  ToolResults,
  Taint,
  Collaboration,
  Owner,
  KVStore,
  ToolApproval,
  SandboxConfig,
  PlanSearch,
  SearchTree,
  SearchNode,
  Reflection,
  RAGTrigger,
  Retrieval,
  Retrieved,
  FactRecall,
  Recalled,
  FactExtraction,
  Reminders,
  Skills,
  Todos,
  Embedding,
  VectorStore,
  Streaming,
  Checkpoint,
  CompactionConfig,
  ConversationArchive,
  UserInput,
  Steering,
  Output,
  Budget,
  TurnUsage,
  Children,
  ChildWorld,
] as const
