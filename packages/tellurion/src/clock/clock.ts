// Time as a port. Everything that waits or stamps takes a Clock, so tests never sleep and a run can be simulated.

import { abortReason } from '../abort/abort.ts'

/** A source of time. All durations and instants are milliseconds. */
export interface Clock {
  /** Wall time: milliseconds since the Unix epoch. */
  now(): number
  /** A counter that never goes back, for measuring spans. */
  monotonic(): number
  /** Calls `fn` once after `ms`; returns a function that cancels the call. Never throws. */
  timer(ms: number, fn: () => void): () => void
}

/** The machine's own clock. Its timers keep the process alive, as `setTimeout` does. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer(ms, fn) {
    // Longer delays overflow the platform's 32-bit timer and would fire at once.
    const limit = 2_147_483_647
    let cancelled = false
    let handle: ReturnType<typeof setTimeout>
    const arm = (rest: number): void => {
      handle = setTimeout(
        () => {
          if (cancelled) return
          if (rest > limit) arm(rest - limit)
          else fn()
        },
        Math.min(Math.max(rest, 0), limit),
      )
    }
    arm(ms)
    return () => {
      cancelled = true
      clearTimeout(handle)
    }
  },
}

/**
 * Resolves after `ms`. Rejects with the signal's reason as soon as the signal aborts, and leaves no timer behind.
 */
export function sleep(ms: number, options: { clock?: Clock; signal?: AbortSignal | undefined } = {}): Promise<void> {
  const { clock = systemClock, signal } = options
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(abortReason(signal))
      return
    }
    const onAbort = (): void => {
      cancel()
      reject(abortReason(signal))
    }
    const cancel = clock.timer(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
