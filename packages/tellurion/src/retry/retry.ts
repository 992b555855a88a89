// Trying a function again. Works on anything that returns or rejects; models, whose failures are data, have their own
// wrapper. Around a breaker, not inside it: `withRetry(() => breaker.call(fn))` waits until the breaker lets a probe in.

import { abortReason, isAbort, throwIfAborted } from '../abort/abort.ts'
import type { Clock } from '../clock/clock.ts'
import { sleep, systemClock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import type { Random } from '../id/random.ts'
import { backoff, retryPolicy, type RetryPolicy } from './backoff.ts'

/** What `onRetry` is told: which retry comes (from 1), what went wrong, and the wait before it in milliseconds. */
export interface RetryNotice {
  readonly retry: number
  readonly error: unknown
  readonly wait: number
}

/** How `withRetry` behaves beside its policy. */
export interface RetryOptions {
  /** Cancels the wait, and is handed to `fn`. */
  readonly signal?: AbortSignal | undefined
  readonly clock?: Clock
  readonly random?: Random
  /** Which errors are worth another try. Default: `isRetryable`. Cancelling never is. */
  readonly retryIf?: (error: unknown) => boolean
  readonly onRetry?: (notice: RetryNotice) => void
}

/** Our own errors say themselves whether trying again may help; any other error is taken to be worth it. */
export function isRetryable(error: unknown): boolean {
  return error instanceof TellurionError ? error.retryable : true
}

/**
 * Calls `fn` until it succeeds, at most `policy.maxRetries` times more than once, and returns what it gave. Rejects with
 * the last error, or with the signal's reason as soon as the signal aborts. An error's `data.retryAfter` (milliseconds)
 * lengthens the wait.
 */
export async function withRetry<T>(
  fn: (context: { readonly attempt: number; readonly signal: AbortSignal | undefined }) => Promise<T> | T,
  policy: Partial<RetryPolicy> = {},
  options: RetryOptions = {},
): Promise<T> {
  const { signal, clock = systemClock, random, retryIf = isRetryable, onRetry } = options
  const rules = retryPolicy(policy)
  for (let attempt = 1; ; attempt++) {
    throwIfAborted(signal)
    try {
      return await fn({ attempt, signal })
    } catch (error) {
      if (signal?.aborted) throw abortReason(signal)
      if (attempt > rules.maxRetries || isAbort(error) || !retryIf(error)) throw error
      const wait = backoff(attempt, rules, { random, retryAfter: askedWait(error) })
      onRetry?.({ retry: attempt, error, wait })
      await sleep(wait, { clock, signal })
    }
  }
}

function askedWait(error: unknown): number | undefined {
  const asked = error instanceof TellurionError ? error.data?.['retryAfter'] : undefined
  return typeof asked === 'number' ? asked : undefined
}
