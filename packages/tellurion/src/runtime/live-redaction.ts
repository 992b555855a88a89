// Live events without secrets. A secret that comes in pieces (a model spells it out, code prints it) is found as well: what
// could be its beginning is kept back until the next piece, or the end of the text it belongs to.

import type { Event, EventRecord } from '../event/event.ts'
import { isEphemeral } from '../event/kind.ts'
import type { RedactedStream } from '../secret/redacted-stream.ts'
import type { Redactor } from '../secret/redactor.ts'

/** Takes every event of one attempt, and gives those that are to be shown live, in order. */
export type LiveRedaction = (event: Event) => readonly Event[]

/** A piece of a text that is still growing. */
interface Piece {
  /** Which text. Begins with what ends it. */
  readonly key: string
  readonly text: string
  /** The same event with another text. */
  readonly with: (text: string) => Event
}

interface Held {
  readonly stream: RedactedStream
  readonly with: (text: string) => Event
}

/** What lets through all that is live, where there is nothing to hide. */
export const allThatIsLive: LiveRedaction = (event) => (isEphemeral(event.type) ? [event] : [])

/** Makes what cleans the live events of one attempt. */
export function liveRedaction(redactor: Redactor): LiveRedaction {
  const held = new Map<string, Held>()
  const ended = (prefix: string): Event[] => {
    const rest: Event[] = []
    for (const [key, { stream, with: made }] of held) {
      if (!key.startsWith(prefix)) continue
      held.delete(key)
      const text = stream.end()
      if (text !== '') rest.push(made(text))
    }
    return rest
  }
  return (event) => {
    const piece = pieceOf(event)
    if (piece === undefined) {
      const end = endOf(event)
      const rest = end === undefined ? [] : ended(end)
      return isEphemeral(event.type) ? [...rest, redactor.value(event)] : rest
    }
    const { stream } = held.get(piece.key) ?? { stream: redactor.stream() }
    // What else is in the event is cleaned by itself.
    const made = (text: string): Event => redactor.value(piece.with(text))
    held.set(piece.key, { stream, with: made })
    const text = stream.push(piece.text)
    return text === '' ? [] : [made(text)]
  }
}

function pieceOf(event: Event): Piece | undefined {
  switch (event.type) {
    case 'text.delta':
    case 'reasoning.delta':
      return { key: `reply ${event.entity} ${event.type}`, text: event.text, with: (text) => ({ ...event, text }) }
    case 'tool.delta': {
      const key = `reply ${event.entity} ${event.toolCallId}`
      return { key, text: event.delta, with: (delta) => ({ ...event, delta }) }
    }
    case 'tool.progress': {
      const { progress } = event
      if (typeof progress !== 'object' || progress === null || !('text' in progress)) return undefined
      const { text, ...rest } = progress
      if (typeof text !== 'string') return undefined
      const key = `call ${event.entity} ${event.toolCallId} ${JSON.stringify(rest)}`
      return { key, text, with: (clean) => ({ ...event, progress: { ...progress, text: clean } }) }
    }
    case 'child.progress': {
      const inner = pieceOf(event.event as Event)
      if (inner === undefined) return undefined
      // What was read out of a record goes back into one.
      const made = (text: string): Event => ({ ...event, event: inner.with(text) as unknown as EventRecord })
      return { key: `${childOf(event)}${inner.key}`, text: inner.text, with: made }
    }
    default:
      return undefined
  }
}

/** With what the keys of all texts begin that end with an event. */
function endOf(event: Event): string | undefined {
  switch (event.type) {
    case 'stream.started':
    case 'stream.restarted':
    case 'stream.ended':
      return `reply ${event.entity} `
    case 'tool.ended':
      return `call ${event.entity} ${event.toolCallId} `
    case 'child.ended':
      return childOf(event)
    case 'child.progress': {
      const inner = endOf(event.event as Event)
      return inner === undefined ? undefined : `${childOf(event)}${inner}`
    }
    default:
      return undefined
  }
}

function childOf({ entity, child }: { readonly entity: number; readonly child: string }): string {
  return `child ${entity} ${child} `
}
