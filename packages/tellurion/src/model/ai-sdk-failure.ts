// Errors of the AI SDK and failures of ours, each in the other's form. Told apart by the SDK's names and fields, never by
// the words of a message.

import type { ModelErrorKind, ModelFailure } from '../port/model.ts'
import type { ErrorCode } from '../error/catalogue.ts'
import { messageOf, TellurionError } from '../error/error.ts'
import { failure, failureError, failureFromError } from './failure.ts'
import { failureFromBody, failureFromStatus } from './provider-failure.ts'

/** What an `APICallError` carries, as far as anything is there. */
interface CallErrorFields {
  readonly name?: unknown
  readonly statusCode?: unknown
  readonly responseBody?: unknown
  readonly responseHeaders?: unknown
  readonly isRetryable?: unknown
}

const callErrorName = 'AI_APICallError'

const named: Readonly<Record<string, readonly [ModelErrorKind, ErrorCode?]>> = {
  AI_LoadAPIKeyError: ['authentication', 'missing_key'],
  AI_NoSuchModelError: ['not_found'],
  AI_UnsupportedFunctionalityError: ['validation'],
  AI_InvalidPromptError: ['validation'],
  AI_InvalidArgumentError: ['validation'],
  AI_JSONParseError: ['service', 'invalid_reply'],
  AI_TypeValidationError: ['service', 'invalid_reply'],
  AI_InvalidResponseDataError: ['service', 'invalid_reply'],
  AI_EmptyResponseBodyError: ['service', 'invalid_reply'],
}

/** The failure behind anything that an AI SDK provider throws, or puts into an `error` part. */
export function failureFromAISDK(error: unknown, model: string): ModelFailure {
  if (error instanceof TellurionError) return failureFromError(error)
  const { name, statusCode, responseBody, responseHeaders, isRetryable } = fieldsOf(error)
  if (typeof statusCode === 'number' && statusCode >= 400) {
    const body = typeof responseBody === 'string' && responseBody !== '' ? responseBody : messageOf(error)
    const failed = failureFromStatus(statusCode, body, headersOf(responseHeaders), { model })
    return isRetryable === false ? { ...failed, retryable: false } : failed
  }
  const known = typeof name === 'string' && Object.hasOwn(named, name) ? named[name] : undefined
  if (known) return failure(known[0], messageOf(error), { model, ...(known[1] && { code: known[1] }) })
  if (name === callErrorName) {
    // Without a status either nothing was reached, which is worth another try, or a good status had a bad body.
    if (isRetryable) return failureFromError(error, { model, connection: true })
    return failure('service', messageOf(error), { model, code: 'invalid_reply' })
  }
  return error instanceof Error ? failureFromError(error, { model }) : failureFromBody(error, { model })
}

/**
 * Our error with the marks by which the AI SDK knows its `APICallError`: it retries when `isRetryable`, and waits as
 * long as `retry-after-ms` says.
 */
export function callErrorOf(failed: ModelFailure): TellurionError {
  const { status, retryAfter, retryable, message, model = '' } = failed
  return Object.assign(failureError(failed), {
    [Symbol.for('vercel.ai.error')]: true,
    [Symbol.for(`vercel.ai.error.${callErrorName}`)]: true,
    name: callErrorName,
    url: model,
    requestBodyValues: {},
    responseBody: message,
    isRetryable: retryable,
    ...(status !== undefined && { statusCode: status }),
    responseHeaders: retryAfter === undefined ? {} : { 'retry-after-ms': String(retryAfter) },
  })
}

function fieldsOf(error: unknown): CallErrorFields {
  return typeof error === 'object' && error !== null ? error : {}
}

function headersOf(value: unknown): Pick<Headers, 'get'> {
  const headers: Readonly<Record<string, unknown>> = typeof value === 'object' && value !== null ? { ...value } : {}
  return {
    get(name) {
      const found = headers[name]
      return typeof found === 'string' ? found : null
    },
  }
}
