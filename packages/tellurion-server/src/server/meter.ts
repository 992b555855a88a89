// The meter: what the runs of the store have done since the server began, out of their logs. It reads behind the runs, a
// few times a minute at rest and once a second under load, and never stands in their way.

import { TellurionError, type Event } from 'tellurion'
import type { RunRecord, Runtime } from 'tellurion/runtime'
import { createMetrics, type Log, type MetricsSummary } from 'tellurion/trace'
import type { Clock } from 'tellurion/world'

/** What a meter reads, and with what. */
export interface MeterOptions {
  readonly runtime: Runtime
  readonly clock: Clock
  readonly log: Log
}

/** A meter. */
export interface Meter {
  /** Reads what is new, and gives the numbers. */
  summary(): Promise<MetricsSummary>
  /** Counts what happens in no run: calls of tools by hand. */
  read(event: Event): void
  close(): void
}

/** Milliseconds between readings while something happens. */
const every = 1000
const page = 500
/** Events before the server began that are looked through for the first that happened since. */
const lookBack = 500
/** Runs of which is known how far they were read; past it those go of which nothing was heard for longest. */
const mostRuns = 10_000

/** Makes a meter; it listens from now on. */
export function createMeter({ runtime, clock, log }: MeterOptions): Meter {
  const metrics = createMetrics({ clock })
  const began = clock.now()
  const changed = new Set<string>()
  /** How far each run was read. */
  const cursors = new Map<string, number>()
  let stopTimer: (() => void) | undefined
  let reading: Promise<void> | undefined
  let closed = false

  const follow = async (id: string): Promise<void> => {
    const run = runtime.run(id)
    const known = cursors.get(id)
    let after = known ?? 0
    // What began before the server is gone into no further than it must be.
    let events = await run.log({ after, limit: page }).catch((error: unknown) => {
      if (known === undefined && isDropped(error)) return []
      throw error
    })
    if (known === undefined && !((events[0]?.at ?? 0) >= began)) {
      after = firstCursor(await run.record())
      events = await run.log({ after, limit: page })
    }
    // A hint may come again after the end of a run, which is counted once.
    cursors.delete(id)
    cursors.set(id, after)
    for (;;) {
      for (const event of events) {
        after = event.seq ?? after
        if (event.at === undefined || event.at >= began) metrics.read(event, { run: id, ...instant(event.at) })
      }
      cursors.set(id, after)
      if (events.length < page) break
      events = await run.log({ after, limit: page })
    }
    const [oldest] = cursors.keys()
    if (cursors.size > mostRuns && oldest !== undefined) cursors.delete(oldest)
  }
  /** Where a run that was not met before is read from. */
  const firstCursor = ({ createdAt, events }: RunRecord): number =>
    createdAt >= began ? 0 : Math.max(0, events - lookBack)
  const read = async (): Promise<void> => {
    const runs = [...changed]
    changed.clear()
    for (const run of runs) {
      // A run that is gone, or whose past is not kept any more, has nothing to count.
      await follow(run).catch((error: unknown) => log.debug('metrics.skipped', { runId: run, error: String(error) }))
    }
  }
  const pump = (): Promise<void> => {
    reading ??= read().finally(() => (reading = undefined))
    return reading
  }
  const stop = runtime.changes((run) => {
    changed.add(run)
    if (closed || stopTimer !== undefined) return
    stopTimer = clock.timer(every, () => {
      stopTimer = undefined
      void pump()
    })
  })
  return {
    read: (event) => metrics.read(event, { run: 'manual' }),
    async summary() {
      await pump()
      if (changed.size > 0) await pump()
      return metrics.summary()
    },
    close() {
      closed = true
      stop()
      stopTimer?.()
    },
  }
}

const isDropped = (error: unknown): boolean => error instanceof TellurionError && error.code === 'events_dropped'

const instant = (at: number | undefined): { at?: number } => (at === undefined ? {} : { at })
