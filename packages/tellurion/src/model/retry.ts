// A model that asks again. A reply is begun anew only while its reader has seen nothing of it, so nothing is ever
// repeated or retracted; a reply that dies half-way is left to a pool.

import type { Clock } from '../clock/clock.ts'
import { sleep, systemClock } from '../clock/clock.ts'
import type { Random } from '../id/random.ts'
import type { Model, ModelEvent, ModelFailure, ModelRequest } from '../port/model.ts'
import { backoff, retryPolicy, type RetryPolicy } from '../retry/backoff.ts'
import { asModel, type AnyModel } from './any-model.ts'
import { ask } from './ask.ts'

const retriedStatuses: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504, 529])

/**
 * Whether asking again may help: network, timeout, rate limit, and service failures with status 500, 502, 503, 504, 529
 * or none, unless the failure itself says that it is final (a quota that is used up).
 */
export function isRetried({ kind, status, retryable }: ModelFailure): boolean {
  if (!retryable) return false
  if (kind === 'network' || kind === 'timeout' || kind === 'rate_limit') return true
  return kind === 'service' && (status === undefined || retriedStatuses.has(status))
}

/**
 * A model that is asked again after failures that `isRetried`: by default three times, after 1, 2 and 4 seconds at
 * most, with full jitter, and no sooner than the provider's `Retry-After` within the cap.
 */
export function retry(
  model: AnyModel,
  options: Partial<RetryPolicy> & { readonly clock?: Clock; readonly random?: Random } = {},
): Model {
  const inner = asModel(model)
  const { clock = systemClock, random, ...rest } = options
  const policy = retryPolicy(rest)

  async function* stream(request: ModelRequest, signal: AbortSignal | undefined): AsyncGenerator<ModelEvent> {
    for (let retries = 0; ; retries++) {
      let failed: ModelFailure | undefined
      let delivered = false
      for await (const event of ask(inner, request, signal)) {
        if (event.type === 'error' && !delivered && retries < policy.maxRetries && isRetried(event.failure)) {
          failed = event.failure
          break
        }
        delivered = true
        yield event
      }
      if (failed === undefined) return
      const wait = backoff(retries + 1, policy, { random, retryAfter: failed.retryAfter })
      try {
        await sleep(wait, { clock, signal })
      } catch {
        yield { type: 'aborted' }
        return
      }
    }
  }

  return { name: inner.name, stream: (request, { signal }) => stream(request, signal) }
}
