// Which events there are, and which of them are kept: what running code knows of the catalogue.

import type { EventType } from './event.ts'

/** Kept events belong to the log of their run; live ones are delivered while they happen and never stored. */
export type EventKind = 'kept' | 'live'

const kinds = {
  'run.started': 'kept',
  'run.resumed': 'kept',
  'run.waiting': 'kept',
  'run.paused': 'kept',
  'run.retrying': 'kept',
  'run.timed_out': 'kept',
  'run.succeeded': 'kept',
  'run.failed': 'kept',
  'run.checkpointed': 'kept',
  'run.heartbeat': 'live',
  'run.cancelled': 'kept',
  'step.started': 'kept',
  'step.completed': 'kept',
  'step.failed': 'kept',
  'step.retrying': 'kept',
  'step.skipped': 'kept',
  'progress.updated': 'kept',
  'model.called': 'kept',
  'model.replied': 'kept',
  'message.added': 'kept',
  'stream.started': 'kept',
  'text.delta': 'live',
  'reasoning.delta': 'live',
  'tool.delta': 'live',
  'stream.restarted': 'live',
  'stream.ended': 'kept',
  'tool.called': 'kept',
  'tool.started': 'live',
  'tool.progress': 'live',
  'tool.ended': 'kept',
  'tool.approved': 'kept',
  'tool.denied': 'kept',
  'interaction.requested': 'kept',
  'interaction.answered': 'kept',
  'interaction.refused': 'kept',
  'interaction.expired': 'kept',
  'message.delivered': 'kept',
  'agent.handed_over': 'kept',
  'child.spawned': 'kept',
  'child.progress': 'live',
  'child.ended': 'kept',
  'checkpoint.created': 'kept',
  'checkpoint.restored': 'kept',
  'todo.changed': 'kept',
  'facts.recalled': 'kept',
  'facts.remembered': 'kept',
  'conversation.truncated': 'kept',
  'plan.step_completed': 'kept',
  'plan.revised': 'kept',
  'search.node_scored': 'kept',
  'compaction.completed': 'kept',
  'retrieval.completed': 'kept',
  'failure.occurred': 'kept',
  'component.large': 'kept',
  'subscriber.failed': 'kept',
} as const satisfies Record<EventType, EventKind>

const byType: ReadonlyMap<string, EventKind> = new Map(Object.entries(kinds))

/** What becomes of events of this type; undefined for a type of a program's own, which is kept. */
export function eventKind(type: string): EventKind | undefined {
  return byType.get(type)
}

/** Whether events of this type are delivered live and never stored. */
export function isEphemeral(type: string): boolean {
  return byType.get(type) === 'live'
}

/** Whether this type is one of the catalogue. */
export function isBuiltIn(type: string): boolean {
  return byType.has(type)
}
