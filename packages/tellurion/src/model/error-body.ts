// What providers write into the body of an error, brought to one shape. Reads the fields that are meant for machines
// (type, code, status, reason); the message is for people and decides nothing.

import type { ErrorCode } from '../error/catalogue.ts'
import type { ModelErrorKind } from '../port/model.ts'

/** A meaning that a structured code carries beyond the HTTP status. */
export interface RefinedError {
  readonly kind: ModelErrorKind
  readonly code?: ErrorCode
  readonly retryable?: boolean
}

/** An error body as far as it could be read. */
export interface ErrorBody {
  /** The provider's own words, possibly empty. */
  readonly message: string
  /** What its codes mean, where that is more precise than a status. */
  readonly refined?: RefinedError
  /** The kind that its type names: used where there is no status, as in mid-stream. */
  readonly kind?: ModelErrorKind
  /** A status that the body itself names (`code: 429`). */
  readonly status?: number
}

// An overflow can only be known from a code. Anthropic has none for it (a plain invalid_request_error), so there it
// stays a validation failure, unless the request was too large as such.
const overflow: RefinedError = { kind: 'validation', code: 'context_overflow' }
// Money does not come back by waiting a second.
const unpaid: RefinedError = { kind: 'rate_limit', retryable: false }

const refinedCodes: Readonly<Record<string, RefinedError>> = {
  context_length_exceeded: overflow,
  context_window_exceeded: overflow,
  model_context_window_exceeded: overflow,
  exceed_context_size_error: overflow,
  request_too_large: overflow,
  insufficient_quota: unpaid,
  billing_hard_limit_reached: unpaid,
  invalid_api_key: { kind: 'authentication' },
  API_KEY_INVALID: { kind: 'authentication' },
  model_not_found: { kind: 'not_found' },
  content_policy_violation: { kind: 'validation' },
}

const typeKinds: Readonly<Record<string, ModelErrorKind>> = {
  invalid_request_error: 'validation',
  invalid_request: 'validation',
  BadRequestError: 'validation',
  INVALID_ARGUMENT: 'validation',
  authentication_error: 'authentication',
  UNAUTHENTICATED: 'authentication',
  billing_error: 'permission',
  permission_error: 'permission',
  PERMISSION_DENIED: 'permission',
  not_found_error: 'not_found',
  NotFoundError: 'not_found',
  NOT_FOUND: 'not_found',
  rate_limit_error: 'rate_limit',
  rate_limit_exceeded: 'rate_limit',
  requests: 'rate_limit',
  tokens: 'rate_limit',
  RESOURCE_EXHAUSTED: 'rate_limit',
  timeout_error: 'timeout',
  DEADLINE_EXCEEDED: 'timeout',
  api_error: 'service',
  server_error: 'service',
  internal_error: 'service',
  overloaded_error: 'service',
  service_unavailable: 'service',
  INTERNAL: 'service',
  UNAVAILABLE: 'service',
}

const own = <Value>(table: Readonly<Record<string, Value>>, key: string): Value | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined

/** Reads an error body: its text, or JSON that is already parsed. Never throws. */
export function errorBody(body: unknown): ErrorBody {
  const parsed = typeof body === 'string' ? parsedOrText(body) : body
  const outer = Array.isArray(parsed) ? (parsed as readonly unknown[])[0] : parsed
  if (typeof outer !== 'object' || outer === null) return { message: textMessage(outer) }
  const inner = (outer as { error?: unknown }).error
  const error = (typeof inner === 'object' && inner !== null ? inner : outer) as Readonly<Record<string, unknown>>
  const names = machineNames(error)
  let refined: RefinedError | undefined
  let kind: ModelErrorKind | undefined
  for (const name of names) {
    refined ??= own(refinedCodes, name)
    kind ??= own(typeKinds, name)
  }
  const status = Number(error['code'] ?? error['status'])
  return {
    message: typeof inner === 'string' ? inner : firstText(error['message'], error['detail'], error['title']),
    ...(refined ? { refined } : {}),
    ...(kind ? { kind } : {}),
    ...(Number.isInteger(status) && status >= 400 && status < 600 ? { status } : {}),
  }
}

function machineNames(error: Readonly<Record<string, unknown>>): string[] {
  const names = [error['code'], error['type'], error['status']]
  const details = error['details']
  if (Array.isArray(details)) {
    for (const detail of details as readonly unknown[]) {
      if (typeof detail === 'object' && detail !== null) names.push((detail as { reason?: unknown }).reason)
    }
  } else if (typeof details === 'object' && details !== null)
    names.push((details as { error_code?: unknown }).error_code)
  return names.filter((name) => typeof name === 'string')
}

function parsedOrText(body: string): unknown {
  try {
    return JSON.parse(body) as unknown
  } catch {
    return body
  }
}

/** A page of HTML tells a reader nothing; plain text may. */
function textMessage(body: unknown): string {
  if (typeof body !== 'string') return ''
  return /^\s*</.test(body) ? 'an HTML page instead of JSON' : body.trim().slice(0, 500)
}

function firstText(...values: readonly unknown[]): string {
  for (const value of values) {
    if (typeof value === 'string' && value !== '') return value
    if (typeof value === 'object' && value !== null) return JSON.stringify(value).slice(0, 500)
  }
  return ''
}
