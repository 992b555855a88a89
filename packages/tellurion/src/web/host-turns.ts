// Turns at a host: so many requests at one time, and a little time between two, however many agents want something of it.

import { abortReason, throwIfAborted } from '../abort/abort.ts'
import { sleep, type Clock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'

/** How one is polite. */
export interface HostTurnsOptions {
  /** Requests at one time. */
  readonly concurrency: number
  /** Milliseconds from the start of one to the start of the next. */
  readonly delay: number
  /** How many may wait; one more is refused with `rate_limited`. */
  readonly waiting: number
  readonly clock: Clock
}

/** Waits for a turn at a host; the function that is given ends it. Rejects with the reason of the signal. */
export type TakeTurn = (host: string, options: { readonly signal?: AbortSignal | undefined }) => Promise<() => void>

interface Host {
  active: number
  next: number
  readonly queue: (() => void)[]
}

/** Makes turns. Hosts that nobody waits for are forgotten. */
export function createHostTurns({ concurrency, delay, waiting, clock }: HostTurnsOptions): TakeTurn {
  const hosts = new Map<string, Host>()
  const leave = (name: string, host: Host): void => {
    // Whoever waits takes over the place, so that nobody who comes now gets between.
    const next = host.queue.shift()
    if (next !== undefined) {
      next()
      return
    }
    if (--host.active > 0) return
    // Kept for as long as somebody who came now would have to wait.
    clock.timer(Math.max(0, host.next - clock.monotonic()), () => {
      if (host.active === 0 && host.queue.length === 0) hosts.delete(name)
    })
  }
  return async (name, { signal }) => {
    throwIfAborted(signal)
    let host = hosts.get(name)
    if (host === undefined) hosts.set(name, (host = { active: 0, next: -Infinity, queue: [] }))
    if (host.active >= concurrency) {
      if (host.queue.length >= waiting) {
        throw new TellurionError('rate_limited', `Too many requests wait for ${name}: ask for less at one time.`)
      }
      await queued(host.queue, signal)
    } else host.active++
    try {
      const now = clock.monotonic()
      const start = Math.max(now, host.next)
      host.next = start + delay
      if (start > now) await sleep(start - now, { clock, signal })
      return () => leave(name, host)
    } catch (error) {
      leave(name, host)
      throw error
    }
  }
}

function queued(queue: (() => void)[], signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const enter = (): void => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }
    const onAbort = (): void => {
      queue.splice(queue.indexOf(enter), 1)
      reject(abortReason(signal))
    }
    queue.push(enter)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
