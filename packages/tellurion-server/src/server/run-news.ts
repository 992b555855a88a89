// News of runs: which were made, stand otherwise, or have ended, of this and of other processes. It looks only while
// somebody listens, and at a run only when it may have changed.

import { hasEnded, type RunRecord, type Runtime } from 'tellurion/runtime'
import type { Clock } from 'tellurion/world'

/** A run that is new, stands otherwise, or has ended. */
export interface RunNews {
  readonly kind: 'created' | 'updated' | 'completed'
  readonly record: RunRecord
}

/** Tells of runs. */
export interface NewsDesk {
  /** Calls `fn` with all news from now on; gives what ends that. */
  listen(fn: (news: RunNews) => void): () => void
}

/** Milliseconds in which changes gather before they are looked at. */
const gather = 20
/** Runs whose status is remembered; past it those go that changed longest ago. */
const mostKnown = 10_000

/** Makes a desk. */
export function createNewsDesk({ runtime, clock }: { readonly runtime: Runtime; readonly clock: Clock }): NewsDesk {
  const listeners = new Set<(news: RunNews) => void>()
  const known = new Map<string, RunRecord['status']>()
  const changed = new Set<string>()
  let began = 0
  let stopHints: (() => void) | undefined
  let stopTimer: (() => void) | undefined

  const remember = ({ id, status }: RunRecord): void => {
    known.delete(id)
    known.set(id, status)
    for (const oldest of known.keys()) {
      if (known.size <= mostKnown) break
      known.delete(oldest)
    }
  }
  const look = async (id: string): Promise<void> => {
    const record = await runtime.run(id).record()
    const before = known.get(id)
    if (before === record.status) return
    remember(record)
    const tell = (kind: RunNews['kind']): void => {
      for (const listener of listeners) listener({ kind, record })
    }
    // One that was made in the very millisecond of the beginning may be told again; none is left out.
    if (before === undefined && record.createdAt >= began) tell('created')
    if (hasEnded(record.status)) tell('completed')
    else if (before !== undefined || record.createdAt < began || record.status !== 'queued') tell('updated')
  }
  const lookAll = async (): Promise<void> => {
    stopTimer = undefined
    const runs = [...changed]
    changed.clear()
    // A run that is gone has no news.
    for (const run of runs) await look(run).catch(() => {})
  }
  const begin = (): void => {
    began = clock.now()
    stopHints = runtime.changes((run) => {
      changed.add(run)
      stopTimer ??= clock.timer(gather, () => void lookAll())
    })
  }
  const end = (): void => {
    stopHints?.()
    stopTimer?.()
    stopTimer = undefined
    changed.clear()
    known.clear()
  }
  return {
    listen(fn) {
      if (listeners.size === 0) begin()
      const listener = (news: RunNews): void => fn(news)
      listeners.add(listener)
      return () => {
        if (listeners.delete(listener) && listeners.size === 0) end()
      }
    },
  }
}
