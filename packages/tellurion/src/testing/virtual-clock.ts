// A clock that stands still until it is told to move. Tests on it never sleep and always take the same course.

import type { Clock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'

/** A `Clock` whose time moves only by `advance` and `runAll`. */
export interface VirtualClock extends Clock {
  /** Timers that have been set and neither fired nor cancelled. Zero at the end of a test means nothing leaked. */
  readonly pending: number
  /** Lets all work that waits for no timer come to rest. */
  settle(): Promise<void>
  /** Moves on by `ms`: fires each due timer at its own instant, in order, and lets what it woke come to rest first. */
  advance(ms: number): Promise<void>
  /** Moves from timer to timer until none is left, and returns how many fired. Rejects after `limit`, default 10,000. */
  runAll(limit?: number): Promise<number>
}

/** Makes a virtual clock that shows `start` (default 0) milliseconds. Timers of one instant fire in the order they were set. */
export function virtualClock(start = 0): VirtualClock {
  let now = start
  let order = 0
  const timers = new Map<number, { readonly due: number; readonly fn: () => void }>()

  const nextBefore = (limit: number): number | undefined => {
    let found: number | undefined
    let least = Infinity
    for (const [id, { due }] of timers) {
      if (due <= limit && due < least) {
        found = id
        least = due
      }
    }
    return found
  }
  const fire = (id: number): void => {
    const timer = timers.get(id)
    if (!timer) return
    timers.delete(id)
    now = Math.max(now, timer.due)
    timer.fn()
  }

  return {
    now: () => now,
    monotonic: () => now - start,
    timer(ms, fn) {
      const id = ++order
      timers.set(id, { due: now + Math.max(0, Number.isNaN(ms) ? 0 : ms), fn })
      return () => void timers.delete(id)
    },
    get pending() {
      return timers.size
    },
    settle: macrotask,
    async advance(ms) {
      const end = now + ms
      await macrotask()
      for (let id = nextBefore(end); id !== undefined; id = nextBefore(end)) {
        fire(id)
        await macrotask()
      }
      now = end
    },
    async runAll(limit = 10_000) {
      await macrotask()
      for (let fired = 0; ; fired++) {
        const id = nextBefore(Infinity)
        if (id === undefined) return fired
        if (fired >= limit) {
          throw new TellurionError('run_limit', `The clock fired ${limit} timers and there are more; raise the limit.`)
        }
        fire(id)
        await macrotask()
      }
    },
  }
}

/** Resolves once every promise job that is ready has run, and those that they made. Works in browsers too. */
export function macrotask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.addEventListener('message', () => {
      port1.close()
      resolve()
    })
    port1.start()
    port2.postMessage(null)
  })
}
