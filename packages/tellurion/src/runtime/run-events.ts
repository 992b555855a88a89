// The events of a run as somebody reads them: stored ones from a number on, then live ones while they happen. A reader
// that cannot keep up is dropped, never the run.

import { createChannel } from '../channel/channel.ts'
import { TellurionError } from '../error/error.ts'
import type { Event } from '../event/event.ts'
import { hasEnded, type RunRecord } from './run.ts'
import type { Setting } from './setting.ts'

/** Stored events that are read at one time. */
const page = 256
/** Most that may be asked for at one time. */
const mostAtOnce = 10_000
/** Events that a reader may be behind before it is dropped. */
export const eventsBehind = 10_000
/** How long a reader waits before it looks by itself, in milliseconds. */
const lookAgain = 1000

/** An event of a run. Kept ones have a number and a time; live ones have neither. */
export type RunEvent = Event & { readonly seq?: number; readonly at?: number }

/** From where on a run is read, and how its record is found. */
export interface EventReading {
  readonly after?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly record: () => Promise<RunRecord>
}

/**
 * The events of a run; ends with the run. Throws `slow_reader`, `events_dropped`, `invalid_option`, and what `record`
 * throws.
 */
export async function* runEvents(
  { backend, live, clock }: Setting,
  run: string,
  options: EventReading,
): AsyncGenerator<RunEvent, void> {
  const { signal } = options
  let { after = 0 } = options
  checkAfter(after)
  const channel = createChannel<RunEvent | 'look'>({ capacity: eventsBehind, overflow: 'error', signal })
  const push = (item: RunEvent | 'look'): void => {
    if (channel.closed) return
    try {
      void channel.send(item)
    } catch {
      channel.close(new TellurionError('slow_reader', `This reader was ${eventsBehind} events behind and was dropped.`))
    }
  }
  const stops = [
    live.listen(run, push),
    backend.hints.listen((hint) => {
      if (hint.type === 'run' && hint.run === run) push('look')
    }),
  ]
  let stopTimer = (): void => {}
  const lookLater = (): void => {
    stopTimer = clock.timer(lookAgain, () => {
      push('look')
      lookLater()
    })
  }
  lookLater()
  try {
    push('look')
    for await (const item of channel) {
      if (item !== 'look') {
        yield item
        continue
      }
      const { status, events } = await options.record()
      const ended = hasEnded(status)
      for (;;) {
        const stored = await backend.store.readEvents(run, { after, limit: page })
        const next = stored[0]?.seq ?? (ended ? events + 1 : after + 1)
        if (next > after + 1) throw dropped(run, next)
        for (const { seq, at, event } of stored) {
          after = seq
          yield { ...(event as Event), seq, at }
        }
        if (stored.length < page) break
      }
      if (ended) return
    }
  } finally {
    stopTimer()
    for (const stop of stops) stop()
  }
}

/**
 * Kept events after a number, at most `limit`, as they stand now. Throws `events_dropped`, `invalid_option`, and what
 * `record` throws.
 */
export async function keptEvents(
  { backend }: Setting,
  run: string,
  { after = 0, limit = page, record }: Omit<EventReading, 'signal'> & { readonly limit?: number | undefined },
): Promise<readonly RunEvent[]> {
  if (!Number.isInteger(limit) || limit < 1 || limit > mostAtOnce) {
    throw new TellurionError('invalid_option', `limit must be a whole number from 1 to ${mostAtOnce}, got ${limit}.`)
  }
  checkAfter(after)
  const { events } = await record()
  const stored = await backend.store.readEvents(run, { after, limit })
  const next = stored[0]?.seq ?? Math.max(events, after) + 1
  if (next > after + 1) throw dropped(run, next)
  return stored.map(({ seq, at, event }) => ({ ...(event as Event), seq, at }))
}

function checkAfter(after: number): void {
  if (Number.isSafeInteger(after) && after >= 0) return
  throw new TellurionError('invalid_option', `after must be the number of an event, from 0, not ${String(after)}.`)
}

function dropped(run: string, oldest: number): TellurionError {
  const text = `Run ${run} keeps its events from number ${oldest} on: read after ${oldest - 1}.`
  return new TellurionError('events_dropped', text, { data: { oldest } })
}
