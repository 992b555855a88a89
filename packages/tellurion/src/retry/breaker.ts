// A circuit breaker: after repeated failures it refuses at once, for a while, instead of calling what is broken. It
// counts in memory and holds no timer; a probe that never settles keeps it half open, so put a timeout inside.

import { isAbort } from '../abort/abort.ts'
import type { Clock } from '../clock/clock.ts'
import { systemClock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { isRetryable } from './retry.ts'

/** `closed` lets everything through, `open` nothing, `half_open` one probe at a time. */
export type BreakerState = 'closed' | 'open' | 'half_open'

/** When a breaker opens and closes. */
export interface BreakerOptions {
  /** Consecutive failures that open it. Default 5. */
  readonly failures?: number
  /** How long it stays open, in milliseconds. Default 60,000. */
  readonly openFor?: number
  /** Successful probes that close it. Default 2. */
  readonly successes?: number
  /** What the error messages call it. Default `Circuit breaker`. */
  readonly name?: string
  /**
   * Which errors of `call` are a sign of ill health. Default: all but cancelling and our own errors that are not
   * retryable, since a request that is wrong says nothing about the other side.
   */
  readonly isFailure?: (error: unknown) => boolean
  readonly clock?: Clock
}

/** Leave to make one call; settle it with exactly one of the three, later calls do nothing. */
export interface BreakerPass {
  succeed(): void
  fail(): void
  /** The call said nothing about health: it was cancelled, or the request was wrong. */
  release(): void
}

/** A circuit breaker (Michael Nygard, "Release It!", 2007). */
export interface Breaker {
  readonly state: BreakerState
  /** Calls `fn`, or rejects with `breaker_open`, whose `data.retryAfter` says how many milliseconds to wait. */
  call<T>(fn: () => Promise<T> | T): Promise<T>
  /** The lower half of `call`, for work that is not one promise. Throws `breaker_open`. */
  enter(): BreakerPass
}

/** How long to wait when another probe is on its way and nobody knows its outcome. */
const probeWait = 1_000

/** Makes a breaker, closed. Results of calls that began before its last change of state are ignored. */
export function createBreaker(options: BreakerOptions = {}): Breaker {
  const { openFor = 60_000, clock = systemClock, name = 'Circuit breaker', isFailure = isIllness } = options
  const failureLimit = atLeastOne('failures', options.failures ?? 5)
  const successLimit = atLeastOne('successes', options.successes ?? 2)
  let failures = 0
  let successes = 0
  let openedAt: number | undefined
  let probing = false
  // Grows when the breaker opens or closes: older passes no longer count.
  let generation = 0

  const state = (): BreakerState => {
    if (openedAt === undefined) return 'closed'
    return clock.monotonic() - openedAt < openFor ? 'open' : 'half_open'
  }
  const open = (): void => {
    openedAt = clock.monotonic()
    successes = 0
    generation++
  }
  const close = (): void => {
    openedAt = undefined
    failures = 0
    generation++
  }
  const refuse = (wait: number): never => {
    const seconds = Math.ceil(wait / 1_000)
    throw new TellurionError('breaker_open', `${name} is open after repeated failures; try again in ${seconds} s.`, {
      data: { retryAfter: Math.ceil(wait) },
    })
  }
  const settleProbe = (outcome: 'success' | 'failure' | 'none'): void => {
    probing = false
    if (outcome === 'failure') open()
    else if (outcome === 'success' && ++successes >= successLimit) close()
  }
  const settleClosed = (outcome: 'success' | 'failure' | 'none'): void => {
    if (outcome === 'success') failures = 0
    else if (outcome === 'failure' && ++failures >= failureLimit) open()
  }

  const enter = (): BreakerPass => {
    const now = state()
    if (now === 'open') refuse(openFor - (clock.monotonic() - (openedAt ?? 0)))
    if (now === 'half_open' && probing) refuse(Math.min(probeWait, openFor))
    const probe = now === 'half_open'
    if (probe) probing = true
    const born = generation
    let settled = false
    const settle = (outcome: 'success' | 'failure' | 'none'): void => {
      if (settled) return
      settled = true
      if (born !== generation) return
      if (probe) settleProbe(outcome)
      else settleClosed(outcome)
    }
    return { succeed: () => settle('success'), fail: () => settle('failure'), release: () => settle('none') }
  }

  return {
    get state() {
      return state()
    },
    enter,
    async call(fn) {
      const pass = enter()
      try {
        const value = await fn()
        pass.succeed()
        return value
      } catch (error) {
        if (!isAbort(error) && isFailure(error)) pass.fail()
        else pass.release()
        throw error
      }
    },
  }
}

function isIllness(error: unknown): boolean {
  return isRetryable(error)
}

function atLeastOne(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value
  throw new TellurionError('invalid_option', `'${name}' must be a whole number of at least 1, not ${value}.`)
}
