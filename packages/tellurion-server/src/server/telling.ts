// Tellings: in which words a client hears of a run. Each makes JSON texts of events, the same for every client.

import { textOf, type Message } from 'tellurion'
import type { ServerFrame } from 'tellurion/protocol'
import type { RunEvent, RunRecord } from 'tellurion/runtime'
import { shownRun } from './show.ts'

/** What is told besides an event. */
export interface Scene {
  /** The run as it stood at its newest change of status. */
  readonly record: RunRecord
  /** The number of the newest kept event, this one included. */
  readonly seq: number
  /** What was told before of the text that the event's entity is saying. */
  readonly streamed: string
}

/** How events are told. */
export interface Telling {
  /** The texts that tell of an event; none for what is not told. */
  tell(event: RunEvent, scene: Scene): readonly string[]
  /** What a client is told of a text in the middle of which it joins. */
  join?(scene: Scene): string
  /** What is told when the run has ended. */
  end(record: RunRecord): readonly string[]
  /** Whether the record must be read anew when an event changes the run's status. */
  readonly needsRecord: boolean
}

/** Events as they are: the telling of `GET /api/v1/runs/{run}/events`. */
export const plainEvents: Telling = {
  tell: (event) => [JSON.stringify(event)],
  end: () => [],
  needsRecord: false,
}

/** Events in frames, and `task_completed`: the telling of `subscribe_tasks`. */
export const framedEvents: Telling = {
  tell: (event, scene) => [eventFrame(event, scene)],
  end: (record) => [frameOf('task_completed', record)],
  needsRecord: false,
}

/**
 * A turn as a chat shows it: pieces of text, messages and the run's status each in a frame of its own, the rest as events.
 * The pieces are called `stream_data` on a WebSocket and `stream_chunk` in `POST /api/v1/messages/stream`.
 */
const chatFrames = (type: 'stream_data' | 'stream_chunk'): Telling => {
  const piece = ({ record, seq }: Scene, data: { readonly content: string; readonly anew?: true }): string =>
    text({ type, session_id: record.session, run_id: record.id, seq, data })

  return {
    tell(event, scene) {
      if (event.type === 'text.delta') return [piece(scene, { content: event.text })]
      if (event.type === 'stream.restarted') return [piece(scene, { content: '', anew: true })]
      if (event.type === 'message.added') {
        const missing = missingIn(event.message, scene.streamed)
        const said = messageFrame(event.message, scene)
        return missing === undefined ? [said] : [piece(scene, missing), said]
      }
      if (!changesStatus(event)) return [eventFrame(event, scene)]
      return isLast(event) ? [] : [frameOf('task_updated', scene.record)]
    },
    join: (scene) => piece(scene, { content: scene.streamed }),
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
  }
}

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

/** What was not told of a reply's text: pieces may have come before somebody listened, or in another process. */
function missingIn(message: Message, streamed: string): { readonly content: string; readonly anew?: true } | undefined {
  if (message.role !== 'assistant') return undefined
  const whole = textOf(message)
  if (whole === streamed) return undefined
  return whole.startsWith(streamed) ? { content: whole.slice(streamed.length) } : { content: whole, anew: true }
}

function messageFrame(message: Message, { record, seq }: Scene): string {
  return text({ type: 'message', session_id: record.session, run_id: record.id, seq, data: message })
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
