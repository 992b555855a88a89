// The events of a run as somebody reads them: stored ones from a number on, then live ones while they happen. A reader
// that cannot keep up is dropped, never the run.

import { createChannel, type Channel } from '../channel/channel.ts'
import { TellurionError } from '../error/error.ts'
import type { Event } from '../event/event.ts'
import { hasEnded, type RunRecord } from './run.ts'
import type { LiveEvent } from './live.ts'
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
  /** Gives what was live before and is remembered, too. */
  readonly recent?: boolean | undefined
  readonly record: () => Promise<RunRecord>
}

/** What wakes a reader: a live event and how many kept ones stood before it, or that there may be kept ones. */
type News = 'look' | LiveEvent

/**
 * The events of a run; ends with the run. What is live stands where it happened between kept ones, and what a slow reader
 * would see only after it was kept is left out. Throws `slow_reader`, `events_dropped`, `invalid_option`, and what
 * `record` throws.
 */
export async function* runEvents(setting: Setting, run: string, options: EventReading): AsyncGenerator<RunEvent, void> {
  let { after = 0 } = options
  checkAfter(after)
  const { channel, stop } = newsOf(setting, run, options)
  async function* kept(last: number): AsyncGenerator<RunEvent, void> {
    while (after < last) {
      const stored = await setting.backend.store.readEvents(run, { after, limit: Math.min(page, last - after) })
      if (stored.length === 0) return
      if (stored[0]!.seq > after + 1) throw dropped(run, stored[0]!.seq)
      for (const { seq, at, event } of stored) {
        after = seq
        yield { ...(event as Event), seq, at }
      }
    }
  }
  try {
    for (let looking = false; ;) {
      const news: News | undefined = looking ? 'look' : await channel.receive()
      if (news === undefined) return
      if (news !== 'look') {
        if (news.since !== undefined && news.since > after) yield* kept(news.since)
        if (news.since === undefined || news.since === after) yield news.event
        continue
      }
      looking = false
      const { status, events } = await options.record()
      // What was live before these were kept is here by now.
      for (let next = channel.poll(); next !== undefined; next = channel.poll()) {
        if (next === 'look') looking = true
        else {
          if (next.since !== undefined && next.since > after) yield* kept(next.since)
          if (next.since === undefined || next.since === after) yield next.event
        }
      }
      yield* kept(events)
      if (!hasEnded(status)) continue
      if (after < events) throw dropped(run, events + 1)
      return
    }
  } finally {
    stop()
  }
}

/** What happens in a run, as it happens. Closes with `slow_reader` when nobody takes it. */
function newsOf(
  { backend, live, clock }: Setting,
  run: string,
  { signal, recent = false }: Pick<EventReading, 'signal' | 'recent'>,
): { readonly channel: Channel<News>; readonly stop: () => void } {
  const channel = createChannel<News>({ capacity: eventsBehind, overflow: 'error', signal })
  const push = (item: News): void => {
    if (channel.closed) return
    try {
      void channel.send(item)
    } catch {
      channel.close(new TellurionError('slow_reader', `This reader was ${eventsBehind} events behind and was dropped.`))
    }
  }
  const stops = [
    live.listen(run, push, { recent }),
    backend.hints.listen((hint) => {
      if (hint.type === 'run' && hint.run === run) push('look')
    }, run),
  ]
  let stopTimer = (): void => {}
  const lookLater = (): void => {
    push('look')
    stopTimer = clock.timer(lookAgain, lookLater)
  }
  lookLater()
  return {
    channel,
    stop: () => {
      stopTimer()
      for (const each of stops) each()
      channel.close()
    },
  }
}

/**
 * Kept events after a number, at most `limit`, as they stand now. Throws `events_dropped`, `invalid_option`, and what
 * `record` throws.
 */
export async function keptEvents(
  { backend }: Setting,
  run: string,
  {
    after = 0,
    limit = page,
    record,
  }: Omit<EventReading, 'signal' | 'recent'> & { readonly limit?: number | undefined },
): Promise<readonly RunEvent[]> {
  if (!Number.isInteger(limit) || limit < 1 || limit > mostAtOnce) {
    throw new TellurionError('invalid_option', `limit must be a whole number from 1 to ${mostAtOnce}, got ${limit}.`)
  }
  checkAfter(after)
  let stored = await backend.store.readEvents(run, { after, limit })
  // Only where the next one is not among them it has to be known whether there is a next one.
  if (stored[0]?.seq !== after + 1) {
    const { events } = await record()
    if (after >= events) return []
    stored = await backend.store.readEvents(run, { after, limit })
    const next = stored[0]?.seq ?? events + 1
    if (next > after + 1) throw dropped(run, next)
  }
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
