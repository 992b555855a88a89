// The catalogue of events: what each one says, what the reference systems call it, and whether it is kept.

import type { EventType } from './event.ts'

/** One row of `docs/events.md`. `ephemeral` events are delivered live and never stored. */
export interface EventEntry {
  readonly meaning: string
  readonly payload: string
  /** The name in the reference systems; empty where there is none. */
  readonly reference: string
  readonly ephemeral: boolean
}

const kept = (meaning: string, payload: string, reference = ''): EventEntry => ({
  meaning,
  payload,
  reference,
  ephemeral: false,
})
const live = (meaning: string, payload: string, reference = ''): EventEntry => ({
  meaning,
  payload,
  reference,
  ephemeral: true,
})

export const eventCatalogue = {
  'run.started': kept('A run began.', 'agent', 'RUN_STARTED'),
  'run.waiting': kept('A run waits for a person.', 'interactions'),
  'run.succeeded': kept('A run came to its end.', 'stopReason', 'RUN_SUCCEEDED'),
  'run.failed': kept('A run failed.', 'stopReason, error', 'RUN_FAILED'),
  'run.cancelled': kept('A run was cancelled.', '', 'RUN_CANCELLED'),
  'model.called': kept('A model is being asked.', 'entity, model'),
  'model.replied': kept('A model answered.', 'entity, model, usage, finishReason, responseId?'),
  'message.added': kept('A message joined a conversation.', 'entity, message', 'ASSISTANT_MESSAGE'),
  'stream.started': kept('A reply begins to stream.', 'entity', 'StreamStartEvent'),
  'text.delta': live('A piece of a reply’s text.', 'entity, text', 'StreamDeltaEvent, ASSISTANT_DELTA'),
  'reasoning.delta': live('A piece of a reply’s reasoning.', 'entity, text'),
  'tool.delta': live('A piece of a tool call’s arguments.', 'entity, toolCallId, toolName, delta'),
  'stream.restarted': live('What has streamed so far is void; the reply begins anew.', 'entity, failure'),
  'stream.ended': kept('A reply has ended, whole or partial.', 'entity, message?, failure?', 'StreamEndEvent'),
  'tool.called': kept('A tool starts.', 'entity, toolCallId, toolName, input', 'TOOL_CALL'),
  'tool.progress': live('A running tool reports.', 'entity, toolCallId, toolName, progress'),
  'tool.ended': kept(
    'A tool call has its result.',
    'entity, toolCallId, toolName, content, isError, code?, artifact?',
    'TOOL_RESULT',
  ),
  'tool.approved': kept('A tool call was allowed by a rule or a person.', 'entity, toolCallId, by', 'ToolApproved'),
  'tool.denied': kept('A tool call was denied by a rule or a person.', 'entity, toolCallId, reason, by', 'ToolDenied'),
  'interaction.requested': kept(
    'A person is asked.',
    'entity, interaction',
    'ToolApprovalRequested, UserInputRequested',
  ),
  'interaction.answered': kept('A person answered.', 'entity, id, by'),
  'conversation.truncated': kept('Old messages were trimmed.', 'entity, removedCount', 'ConversationTruncatedEvent'),
  'failure.occurred': kept('A system failed on an entity.', 'entity, error, system', 'ErrorOccurredEvent'),
  'component.large': kept(
    'A value over 16 kB was written; what grows should be a log or entities of its own.',
    'entity, component, size',
  ),
  'subscriber.failed': kept('A subscriber of events threw; the others were served.', 'event, error'),
} as const satisfies Record<EventType, EventEntry>

const ephemeral: ReadonlySet<string> = new Set(
  Object.entries(eventCatalogue).flatMap(([type, entry]) => (entry.ephemeral ? [type] : [])),
)

/** Whether events of this type are delivered live and never stored. */
export function isEphemeral(type: string): boolean {
  return ephemeral.has(type)
}

/** Whether this type is one of the catalogue. */
export function isBuiltIn(type: string): boolean {
  return Object.hasOwn(eventCatalogue, type)
}
