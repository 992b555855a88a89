// Tellings: in which words a client hears of a run. Each makes JSON texts of events, the same for every client.

import type { ServerFrame } from 'tellurion/protocol'
import type { RunEvent, RunRecord } from 'tellurion/runtime'
import { shownRun } from './show.ts'

/** What is told besides an event. */
export interface Scene {
  /** The run as it stood at its newest change of status. */
  readonly record: RunRecord
  /** The number of the newest kept event, this one included. */
  readonly seq: number
}

/** How events are told. */
export interface Telling {
  /** The text that tells of an event; undefined for what is not told. */
  tell(event: RunEvent, scene: Scene): string | undefined
  /** What is told when the run has ended. */
  end(record: RunRecord): readonly string[]
  /** Whether the record must be read anew when an event changes the run's status. */
  readonly needsRecord: boolean
}

/** Events as they are: the telling of `GET /api/v1/runs/{run}/events`. */
export const plainEvents: Telling = {
  tell: (event) => JSON.stringify(event),
  end: () => [],
  needsRecord: false,
}

/** Events in frames, and `task_completed`: the telling of `subscribe_tasks`. */
export const framedEvents: Telling = {
  tell: (event, scene) => eventFrame(event, scene),
  end: (record) => [frameOf('task_completed', record)],
  needsRecord: false,
}

/**
 * A turn as a chat shows it: pieces of text, messages and the run's status each in a frame of its own, the rest as events.
 * The pieces are called `stream_data` on a WebSocket and `stream_chunk` in `POST /api/v1/messages/stream`.
 */
const chatFrames = (piece: 'stream_data' | 'stream_chunk'): Telling => ({
  tell(event, scene) {
    const { id: run_id, session: session_id } = scene.record
    if (event.type === 'text.delta') {
      return text({ type: piece, session_id, run_id, seq: scene.seq, data: { content: event.text } })
    }
    if (event.type === 'message.added') {
      return text({ type: 'message', session_id, run_id, seq: scene.seq, data: event.message })
    }
    if (changesStatus(event)) return isLast(event) ? undefined : frameOf('task_updated', scene.record)
    return eventFrame(event, scene)
  },
  end(record) {
    const { id: run_id, session: session_id } = record
    const run = shownRun(record)
    const content = run.result?.text ?? ''
    return [
      text({ type: 'task_completed', session_id, run_id, data: run }),
      text({ type: 'stream_complete', session_id, run_id, data: { content, status: run.status } }),
    ]
  },
  needsRecord: true,
})

/** The telling of `chat` and of joined sessions. */
export const chat: Telling = chatFrames('stream_data')

/** The telling of `POST /api/v1/messages/stream`. */
export const chunks: Telling = chatFrames('stream_chunk')

/** A frame that shows a run. */
export function frameOf(
  type: 'task_created' | 'task_updated' | 'task_completed',
  record: RunRecord,
  id?: string,
): string {
  return text({
    ...(id === undefined ? {} : { id }),
    type,
    session_id: record.session,
    run_id: record.id,
    data: shownRun(record),
  })
}

/** Whether an event says that the run's status is another. */
export function changesStatus({ type }: RunEvent): boolean {
  return type.startsWith('run.') && type !== 'run.heartbeat' && type !== 'run.checkpointed'
}

const last: readonly string[] = ['run.succeeded', 'run.failed', 'run.cancelled', 'run.timed_out']

function isLast({ type }: RunEvent): boolean {
  return last.includes(type)
}

function eventFrame(event: RunEvent, { record }: Scene): string {
  const { seq } = event
  return text({
    type: 'event',
    session_id: record.session,
    run_id: record.id,
    ...(seq === undefined ? {} : { seq }),
    data: event,
  })
}

const text = (frame: ServerFrame): string => JSON.stringify(frame)
