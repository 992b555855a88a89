// The failure that a provider answered with. Classified by HTTP status and by the vendors' structured error codes, never
// by the words of a message.

import { systemClock, type Clock } from '../clock/clock.ts'
import { modelGuidance } from '../error/model-guidance.ts'
import { isRetryableCode } from '../error/retryable.ts'
import type { ModelErrorKind, ModelFailure } from '../port/model.ts'
import { errorBody, type ErrorBody } from './error-body.ts'
import { failure, type FailureContext } from './failure.ts'

/** The longest wait that a provider's `Retry-After` may ask for, in milliseconds; longer ones are cut to it. */
export const maxRetryAfter = 300_000

const codeOfKind = {
  network: 'model_network',
  timeout: 'model_timeout',
  rate_limit: 'model_rate_limit',
  validation: 'model_validation',
  permission: 'model_permission',
  authentication: 'model_authentication',
  service: 'model_service',
  not_found: 'model_not_found',
  unknown: 'model_unknown',
} as const satisfies { readonly [kind in ModelErrorKind]: `model_${kind}` }

/** What helps against each kind of failure: one sentence for a person. */
export function recoveryGuidance(kind: ModelErrorKind): string {
  return modelGuidance[codeOfKind[kind]]
}

/**
 * The failure behind an HTTP answer that is not 2xx. The status decides; a structured code in the body refines it
 * (`error-body.ts`). 413 counts as `context_overflow`: the request was too large, and a shorter one mends it.
 */
export function failureFromStatus(
  status: number,
  body: string,
  headers?: Pick<Headers, 'get'>,
  context: FailureContext = {},
): ModelFailure {
  const error = errorBody(body)
  const found = error.refined ?? {
    kind: kindOfStatus(status),
    ...(status === 413 && { code: 'context_overflow' as const }),
  }
  const retryAfter = headers && retryAfterOf(headers, context.clock)
  return failure(found.kind, sentence(`HTTP ${status}`, error, found.kind, context), {
    ...context,
    ...found,
    status,
    retryable: found.retryable ?? (found.code ? isRetryableCode(found.code) : retryableStatus(status)),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  })
}

/** The failure behind an error object that came where a reply was expected: `{ error: { type, code, message } }`. */
export function failureFromBody(body: unknown, context: FailureContext = {}): ModelFailure {
  const error = errorBody(body)
  if (error.refined === undefined && error.status !== undefined) {
    const { status } = error
    const kind = kindOfStatus(status)
    const retryable = retryableStatus(status)
    return failure(kind, sentence('the provider reports an error', error, kind, context), {
      ...context,
      status,
      retryable,
    })
  }
  const found = error.refined ?? { kind: error.kind ?? 'service' }
  return failure(found.kind, sentence('the provider reports an error', error, found.kind, context), {
    ...context,
    ...found,
  })
}

/**
 * The wait that an answer asks for, in milliseconds: `retry-after-ms`, or `Retry-After` as seconds or as an HTTP date.
 * A past date is 0, more than `maxRetryAfter` is cut, anything unreadable is undefined.
 */
export function retryAfterOf(headers: Pick<Headers, 'get'>, clock: Clock = systemClock): number | undefined {
  const exact = headers.get('retry-after-ms')?.trim()
  if (exact && /^\d+(\.\d+)?$/.test(exact)) return capped(Number(exact))
  const text = headers.get('retry-after')?.trim()
  if (!text) return undefined
  if (/^[+-]?\d+(\.\d+)?$/.test(text)) return capped(Number(text) * 1000)
  const date = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(date) ? undefined : capped(date - clock.now())
}

function capped(ms: number): number {
  return Math.min(Math.max(Math.ceil(ms), 0), maxRetryAfter)
}

/** What kind of failure a status of HTTP stands for. */
function kindOfStatus(status: number): ModelErrorKind {
  if (status === 401 || status === 407) return 'authentication'
  if (status === 402 || status === 403 || status === 451) return 'permission'
  if (status === 404 || status === 410) return 'not_found'
  if (status === 408 || status === 504) return 'timeout'
  if (status === 429) return 'rate_limit'
  if (status >= 500) return 'service'
  if (status >= 400) return 'validation'
  return 'unknown'
}

function retryableStatus(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505)
}

function sentence(where: string, error: ErrorBody, kind: ModelErrorKind, context: FailureContext): string {
  const code = error.refined?.code
  const mend = code === 'context_overflow' ? modelGuidance.context_overflow : recoveryGuidance(kind)
  const from = context.url === undefined ? '' : ` from ${context.url}`
  const said = error.message.replace(/[.\s]+$/, '')
  return `${where}${from}${said && `: ${said}`}. ${mend}`
}
