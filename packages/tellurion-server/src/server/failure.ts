// What goes wrong, as an answer: one error shape, and one table of which code is which status.

import { TellurionError, type ErrorCode } from 'tellurion'
import type { ErrorResource, JsonObject } from 'tellurion/protocol'

/** Statuses by code. What is not in here is the server's own failure: 500, without its words. */
const statuses: Partial<Record<ErrorCode, number>> = {
  malformed_request: 400,
  unauthenticated: 401,
  forbidden: 403,
  tool_denied: 403,
  unknown_route: 404,
  unknown_run: 404,
  unknown_session: 404,
  unknown_interaction: 404,
  unknown_message: 404,
  unknown_tick: 404,
  unknown_tool: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  run_live: 409,
  invalid_transition: 409,
  duplicate_name: 409,
  already_running: 409,
  open_tool_calls: 409,
  newer_version: 409,
  events_dropped: 410,
  request_too_large: 413,
  unsupported_media_type: 415,
  invalid_request: 422,
  invalid_option: 422,
  invalid_name: 422,
  invalid_value: 422,
  invalid_schema: 422,
  invalid_answer: 422,
  unknown_option: 422,
  unknown_agent: 422,
  unknown_component: 422,
  invalid_snapshot: 422,
  migration_failed: 422,
  tool_input_invalid: 422,
  upgrade_required: 426,
  session_limit: 429,
  budget_exceeded: 429,
  rate_limited: 429,
  aborted: 503,
  runtime_closed: 503,
  store_closed: 503,
  store_unavailable: 503,
  store_gone: 503,
  store_read_only: 503,
  store_locked: 503,
  store_full: 503,
}

/** What the words of these would tell about the machine, a client is not told. */
const silent: Partial<Record<ErrorCode, string>> = {
  store_unavailable: 'The store cannot be reached now; try again later.',
  store_gone: 'The file of the store was deleted or replaced; nothing is kept until that is mended.',
  store_read_only: 'The store may not be written now.',
  store_locked: 'The store is busy; try again.',
  store_full: 'The store has no room left.',
  store_closed: 'The server is closing.',
  runtime_closed: 'The server is closing.',
}

/** A failure as it is answered. */
export interface Failure {
  readonly status: number
  readonly body: ErrorResource
  readonly headers: Readonly<Record<string, string>>
}

/** A failed request. `headers` such as `Allow` and `Retry-After` go out with it. */
export class RequestError extends TellurionError {
  readonly headers: Readonly<Record<string, string>>

  constructor(code: ErrorCode, message: string, headers: Readonly<Record<string, string>> = {}, data?: JsonObject) {
    super(code, message, data === undefined ? {} : { data })
    this.headers = headers
  }
}

/**
 * Anything thrown as an answer; what nobody foresaw is `internal_error` and keeps its words for the log. `candid`: it is
 * the embedding program that asks, which is told everything.
 */
export function failureOf(
  error: unknown,
  requestId: string,
  { candid = false }: { readonly candid?: boolean } = {},
): Failure {
  const status = error instanceof TellurionError ? (statuses[error.code] ?? 500) : 500
  if (!(error instanceof TellurionError) || (status === 500 && !candid)) {
    const message = `The server failed; its log has the reason under the request id ${requestId}.`
    return {
      status: 500,
      body: { error: { code: 'internal_error', message, retryable: false, requestId } },
      headers: {},
    }
  }
  const { code, data, retryable } = error
  const message = candid ? error.message : (silent[code] ?? error.message)
  return {
    status,
    body: { error: { code, message, retryable, requestId, ...(data === undefined ? {} : { data }) } },
    headers: {
      ...(status === 503 ? { 'retry-after': '1' } : status === 429 ? { 'retry-after': '60' } : {}),
      ...(error instanceof RequestError ? error.headers : {}),
    },
  }
}
