// Why a model call failed, as data. Classified by HTTP status, by the vendors' structured error codes and by the type
// of what was thrown, never by the words of a message. Secrets and line breaks never get into one.

import { isAbort } from '../abort/abort.ts'
import { systemClock, type Clock } from '../clock/clock.ts'
import type { ErrorCode } from '../error/catalogue.ts'
import { messageOf, TellurionError } from '../error/error.ts'
import { modelGuidance } from '../error/model-guidance.ts'
import { isRetryableCode } from '../error/retryable.ts'
import type { ModelErrorKind, ModelFailure } from '../port/model.ts'
import { errorBody, type ErrorBody } from './error-body.ts'

/** What a failure is told about the call it belongs to. */
export interface FailureContext {
  /** `vendor/model` of the model that failed. */
  readonly model?: string
  /** The base URL, for the message. */
  readonly url?: string
  /** Texts that must not show: each is replaced by `[redacted]`. */
  readonly secrets?: readonly string[]
  /** Whose wall time an HTTP date is measured against. Default: the machine's. */
  readonly clock?: Clock
}

/** The longest wait that a provider's `Retry-After` may ask for, in milliseconds; longer ones are cut to it. */
export const maxRetryAfter = 300_000

const maxMessageLength = 600

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
} as const satisfies Record<ModelErrorKind, ErrorCode>

/** What helps against each kind of failure: one sentence for a person. */
export function recoveryGuidance(kind: ModelErrorKind): string {
  return modelGuidance[codeOfKind[kind]]
}

/** A failure of one kind. `code` defaults to the kind's own, `retryable` to what the error catalogue says of the code. */
export function failure(
  kind: ModelErrorKind,
  message: string,
  options: FailureContext & Partial<Pick<ModelFailure, 'code' | 'retryable' | 'status' | 'retryAfter'>> = {},
): ModelFailure {
  const { code = codeOfKind[kind], status, retryAfter, model } = options
  return {
    kind,
    code,
    message: cleanLine(model === undefined ? message : `${model}: ${message}`, options.secrets),
    retryable: options.retryable ?? isRetryableCode(code),
    ...(status === undefined ? {} : { status }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(model === undefined ? {} : { model }),
  }
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
 * The failure behind anything thrown. `connection: true` says that `fetch` or its body threw it, so that what has no
 * type of its own is a network failure; otherwise that is `unknown`.
 */
export function failureFromError(
  error: unknown,
  context: FailureContext & { readonly connection?: boolean } = {},
): ModelFailure {
  if (error instanceof TellurionError) return failureOfOurs(error, context)
  const code = systemCodeOf(error)
  const where = context.url === undefined ? '' : ` ${context.url}`
  if (isTimeout(error, code)) {
    return failure(
      'timeout',
      `no answer in time from${where || ' the provider'}. ${recoveryGuidance('timeout')}`,
      context,
    )
  }
  if (code !== undefined || context.connection) {
    const why = code === undefined ? messageOf(rootCause(error)) : (systemCodes[code] ?? code)
    return failure(
      'network',
      `cannot reach${where || ' the provider'}: ${why}. ${recoveryGuidance('network')}`,
      context,
    )
  }
  return failure('unknown', messageOf(error), context)
}

/** The throwable form; `data` holds kind, status, retryAfter and model. */
export function failureError(failed: ModelFailure, cause?: unknown): TellurionError {
  const { kind, code, message, retryable, status, retryAfter, model, data } = failed
  return new TellurionError(code, message, {
    retryable,
    data: {
      ...data,
      kind,
      ...(status === undefined ? {} : { status }),
      ...(retryAfter === undefined ? {} : { retryAfter }),
      ...(model === undefined ? {} : { model }),
    },
    ...(cause === undefined ? {} : { cause }),
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

function cleanLine(text: string, secrets: readonly string[] = []): string {
  let line = text
  for (const secret of secrets) if (secret.length > 3) line = line.replaceAll(secret, '[redacted]')
  // Controls could forge a second line in a log or colour a terminal.
  line = line
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
  return line.length > maxMessageLength ? `${line.slice(0, maxMessageLength).toWellFormed()}…` : line
}

function failureOfOurs(error: TellurionError, context: FailureContext): ModelFailure {
  const { code, data, retryable } = error
  const model = context.model ?? (typeof data?.['model'] === 'string' ? data['model'] : undefined)
  const retryAfter = data?.['retryAfter']
  const status = data?.['status']
  return {
    kind: kindOfCode(code),
    code,
    message: cleanLine(error.message, context.secrets),
    retryable,
    ...(typeof status === 'number' ? { status } : {}),
    ...(typeof retryAfter === 'number' ? { retryAfter } : {}),
    ...(model === undefined ? {} : { model }),
  }
}

/** The kind that a code of the catalogue belongs to. */
export function kindOfCode(code: ErrorCode): ModelErrorKind {
  for (const [kind, known] of Object.entries(codeOfKind)) if (known === code) return kind as ModelErrorKind
  if (code === 'missing_key') return 'authentication'
  if (code === 'breaker_open' || code === 'invalid_reply') return 'service'
  if (code === 'unknown_provider' || code === 'unknown_model') return 'not_found'
  return code === 'context_overflow' || /^(invalid|unknown)_/.test(code) ? 'validation' : 'unknown'
}

const systemCodes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name could not be resolved',
  EPIPE: 'the connection was closed',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'the network is unreachable',
  UND_ERR_SOCKET: 'the connection broke',
}

/** The code that the platform gave to an error or to what caused it (`ECONNREFUSED`, `UND_ERR_SOCKET`). */
function systemCodeOf(error: unknown): string | undefined {
  let at: unknown = error
  for (let depth = 0; depth < 5 && typeof at === 'object' && at !== null; depth++) {
    const { code, cause } = at as { code?: unknown; cause?: unknown }
    if (typeof code === 'string' && /^(E[A-Z]|UND_ERR_|HPE_|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(code)) {
      // Errors of Node's own argument checks are ours, not the network's.
      return code.startsWith('ERR_') ? undefined : code
    }
    at = cause
  }
  return undefined
}

function rootCause(error: unknown): unknown {
  let at = error
  for (let depth = 0; depth < 5 && at instanceof Error && at.cause instanceof Error; depth++) at = at.cause
  return at
}

function isTimeout(error: unknown, code: string | undefined): boolean {
  if (error instanceof Error && error.name === 'TimeoutError') return true
  return code === 'ETIMEDOUT' || (code !== undefined && /^UND_ERR_.*_TIMEOUT$/.test(code))
}

/** True when a thrown value means that somebody cancelled, which is an outcome and not a failure. */
export function isCancelled(error: unknown, signal?: AbortSignal): boolean {
  return isAbort(error, signal) || (error instanceof TellurionError && error.code === 'aborted')
}
