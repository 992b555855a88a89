// Why a model call failed, as data. Classified by the type of what was thrown, never by the words of a message; what a
// provider answered is read in `provider-failure.ts`. Secrets and line breaks never get into one.

import { isAbort } from '../abort/abort.ts'
import type { Clock } from '../clock/clock.ts'
import type { ErrorCode } from '../error/catalogue.ts'
import { messageOf, TellurionError } from '../error/error.ts'
import { networkGuidance, timeoutGuidance } from '../error/connection-guidance.ts'
import { isRetryableCode } from '../error/retryable.ts'
import type { ModelErrorKind, ModelFailure } from '../port/model.ts'

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

const maxMessageLength = 600

/** A failure of one kind. `code` defaults to the kind's own, `retryable` to what the error catalogue says of the code. */
export function failure(
  kind: ModelErrorKind,
  message: string,
  options: FailureContext & Partial<Pick<ModelFailure, 'code' | 'retryable' | 'status' | 'retryAfter'>> = {},
): ModelFailure {
  const { code = `model_${kind}`, status, retryAfter, model } = options
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
    return failure('timeout', `no answer in time from${where || ' the provider'}. ${timeoutGuidance}`, context)
  }
  if (code !== undefined || context.connection) {
    const why = code === undefined ? messageOf(rootCause(error)) : (systemCodes[code] ?? code)
    return failure('network', `cannot reach${where || ' the provider'}: ${why}. ${networkGuidance}`, context)
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
  if (code.startsWith('model_')) return code.slice(6) as ModelErrorKind
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
