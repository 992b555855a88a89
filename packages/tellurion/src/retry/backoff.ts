// How long to wait before trying again: exponential, with full jitter, within a bound. Pure arithmetic; it starts no timer.

import { TellurionError } from '../error/error.ts'
import type { Random } from '../id/random.ts'
import { systemRandom } from '../id/random.ts'

/** When to try again. All waits in milliseconds. */
export interface RetryPolicy {
  /** How many times to try after the first time. Default 3. */
  readonly maxRetries: number
  /** Upper bound of the first wait. Default 1,000. */
  readonly initialWait: number
  /** How much the bound grows with each retry. Default 2. */
  readonly factor: number
  /** No wait is longer, whoever asks for it. Default 30,000. */
  readonly maxWait: number
  /** `full`: anywhere between nothing and the bound; `none`: the bound itself. Default `full`. */
  readonly jitter: 'full' | 'none'
}

/** The policy of `withRetry` and of `retry` models: 3 retries after at most 1, 2 and 4 s, jittered. */
export const defaultRetryPolicy: RetryPolicy = Object.freeze({
  maxRetries: 3,
  initialWait: 1_000,
  factor: 2,
  maxWait: 30_000,
  jitter: 'full',
})

/** The default policy with some values replaced. Throws `invalid_option` for one that cannot be meant. */
export function retryPolicy(options: Partial<RetryPolicy> = {}): RetryPolicy {
  const policy = { ...defaultRetryPolicy, ...options }
  for (const [name, least] of [
    ['maxRetries', 0],
    ['initialWait', 0],
    ['factor', 1],
    ['maxWait', 0],
  ] as const) {
    const value = policy[name]
    if (!(value >= least)) {
      throw new TellurionError('invalid_option', `'${name}' must be a number of at least ${least}, not ${value}.`)
    }
  }
  return policy
}

/**
 * The wait in milliseconds before retry number `retry` (from 1). With `retryAfter`, the time the other side asked for,
 * it is at least that; a value that is no positive number is ignored, and `maxWait` caps it too. Full jitter after
 * Marc Brooker, "Exponential Backoff And Jitter" (2015).
 */
export function backoff(
  retry: number,
  policy: RetryPolicy = defaultRetryPolicy,
  options: { random?: Random | undefined; retryAfter?: number | undefined } = {},
): number {
  const { random = systemRandom, retryAfter } = options
  // The power of a large exponent is Infinity; the minimum brings it back.
  const bound = Math.min(policy.maxWait, policy.initialWait * policy.factor ** (retry - 1))
  const wait = policy.jitter === 'full' ? random() * bound : bound
  if (retryAfter === undefined || !(retryAfter > wait)) return wait
  return Math.min(retryAfter, policy.maxWait)
}
