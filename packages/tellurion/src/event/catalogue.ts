// The catalogue of events: what each one says, and what the reference systems call it. Running code does not
// load it; which events are kept stands in `kind.ts`.

import type { EventType } from './event.ts'

/** One row of `docs/events.md`. Which events are kept stands in `kind.ts`. */
export interface EventEntry {
  readonly meaning: string
  readonly payload: string
  /** The name in the reference systems; empty where there is none. */
  readonly reference: string
}

const row = (meaning: string, payload: string, reference = ''): EventEntry => ({ meaning, payload, reference })

/** The texts of the catalogue: type → row. */
export const eventCatalogue = {
  'run.started': row('A run began.', 'agent', 'RUN_STARTED'),
  'run.waiting': row('A run waits for a person.', 'interactions'),
  'run.resumed': row('A run goes on after a crash, a wait or a retry.', 'agent, attempt'),
  'run.paused': row('A run was paused.', ''),
  'run.retrying': row('A run failed and will be tried again.', 'error, availableAt'),
  'run.timed_out': row('A run was at work longer than it may be.', 'error', 'RUN_TIMED_OUT'),
  'run.succeeded': row('A run came to its end.', 'stopReason', 'RUN_SUCCEEDED'),
  'run.failed': row('A run failed.', 'stopReason, error', 'RUN_FAILED'),
  'run.checkpointed': row('An agent of any make kept a state to go on from.', 'number', 'CHECKPOINT'),
  'run.heartbeat': row('A worker still holds the run.', 'attempt', 'RUN_HEARTBEAT'),
  'run.cancelled': row('A run was cancelled.', '', 'RUN_CANCELLED'),
  'step.started': row('A step begins.', 'entity, name, index, total, description?', 'STEP_STARTED'),
  'step.completed': row('A step is done.', 'entity, name, index, total, duration', 'STEP_COMPLETED'),
  'step.failed': row('A step failed for good.', 'entity, name, index, total, error, attempts', 'STEP_FAILED'),
  'step.retrying': row(
    'A step failed and will be tried again.',
    'entity, name, index, total, error, attempt, delay',
    'STEP_RETRYING',
  ),
  'step.skipped': row('A step was done before.', 'entity, name, index, total', 'STEP_SKIPPED'),
  'progress.updated': row('How far the steps have come.', 'entity, percent, done, total', 'PROGRESS_UPDATE'),
  'model.called': row('A model is being asked.', 'entity, model, system?'),
  'model.replied': row('A model answered.', 'entity, model, usage, finishReason, responseId?, system?'),
  'message.added': row('A message joined a conversation.', 'entity, message', 'ASSISTANT_MESSAGE'),
  'stream.started': row('A reply begins to stream.', 'entity', 'StreamStartEvent'),
  'text.delta': row('A piece of a reply’s text.', 'entity, text', 'StreamDeltaEvent, ASSISTANT_DELTA'),
  'reasoning.delta': row('A piece of a reply’s reasoning.', 'entity, text'),
  'tool.delta': row('A piece of a tool call’s arguments.', 'entity, toolCallId, toolName, delta'),
  'stream.restarted': row('What has streamed so far is void; the reply begins anew.', 'entity, failure'),
  'stream.ended': row('A reply has ended, whole or partial.', 'entity, message?, failure?', 'StreamEndEvent'),
  'tool.called': row('The model called a tool.', 'entity, toolCallId, toolName, input', 'TOOL_CALL'),
  'tool.started': row('An allowed call begins to run.', 'entity, toolCallId, toolName'),
  'tool.progress': row('A running tool reports.', 'entity, toolCallId, toolName, progress'),
  'tool.ended': row(
    'A tool call has its result.',
    'entity, toolCallId, toolName, content, isError, code?, artifact?, kept?',
    'TOOL_RESULT',
  ),
  'tool.approved': row(
    'A tool call was allowed by a rule or a person.',
    'entity, toolCallId, by, permission?',
    'ToolApproved',
  ),
  'tool.denied': row(
    'A tool call was denied by a rule or a person.',
    'entity, toolCallId, reason, by, permission?',
    'ToolDenied',
  ),
  'interaction.requested': row(
    'A person is asked.',
    'entity, interaction',
    'ToolApprovalRequested, UserInputRequested',
  ),
  'interaction.answered': row('A person answered.', 'entity, id, by'),
  'interaction.refused': row('An answer came too late or did not fit.', 'id, by, error'),
  'interaction.expired': row('Nobody answered in time.', 'entity, id'),
  'message.delivered': row(
    'A message of another agent was read.',
    'entity, from, sender, text',
    'MessageDeliveredEvent',
  ),
  'agent.handed_over': row('A conversation goes on with another agent.', 'entity, from, to, history'),
  'child.spawned': row('A sub-agent begins to work for a call.', 'entity, toolCallId, toolName, child, agent'),
  'child.progress': row('Something happened in a sub-agent.', 'entity, toolCallId, child, agent, event'),
  'child.ended': row('A sub-agent has ended.', 'entity, toolCallId, child, status'),
  'checkpoint.created': row(
    'A tick was labelled, to be gone back to.',
    'entity, label, tick, timestamp',
    'CheckpointCreated',
  ),
  'checkpoint.restored': row(
    'What follows goes on from an earlier tick.',
    'entity, label?, tick, timestamp',
    'CheckpointRestored',
  ),
  'todo.changed': row('A todo was added or changed.', 'entity, id, title, status, progress?'),
  'facts.recalled': row('What is known about the user was looked up.', 'entity, count, error?'),
  'facts.remembered': row('Facts about the user were extracted from a turn.', 'entity, count, refused, error?'),
  'conversation.truncated': row('Old messages were trimmed.', 'entity, removedCount', 'ConversationTruncatedEvent'),
  'plan.step_completed': row(
    'A step of a plan is done.',
    'entity, stepIndex, stepDescription',
    'PlanStepCompletedEvent',
  ),
  'plan.revised': row(
    'A plan was made, or its coming steps changed.',
    'entity, oldSteps, newSteps',
    'PlanRevisedEvent',
  ),
  'search.node_scored': row('A tree search has scored a node.', 'entity, nodeId, score', 'MCTSNodeScored'),
  'compaction.completed': row(
    'A conversation was made shorter.',
    'entity, originalTokens, compactedTokens, stages, messages, fallback?, error?',
    'CompactionComplete',
  ),
  'retrieval.completed': row('Documents were retrieved.', 'entity, query, count', 'RAGRetrievalCompleted'),
  'failure.occurred': row('A system failed on an entity.', 'entity, error, system', 'ErrorOccurredEvent'),
  'component.large': row(
    'A value over 16 kB was written; what grows should be a log or entities of its own.',
    'entity, component, size',
  ),
  'subscriber.failed': row('A subscriber of events threw; the others were served.', 'event, error'),
} as const satisfies Record<EventType, EventEntry>
