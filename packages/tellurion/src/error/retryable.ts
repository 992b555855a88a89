// Which errors are worth trying again. The texts about them stand in the catalogue, which running code does not load.

import type { ErrorCode } from './catalogue.ts'

const retryable: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'model_network',
  'model_timeout',
  'model_rate_limit',
  'model_service',
  'breaker_open',
  'invalid_reply',
  'tool_timeout',
  'egress_timeout',
  'channel_full',
  'store_locked',
  'store_full',
  'rate_limited',
  'request_timeout',
  'server_unreachable',
  'mcp_unavailable',
])

/** Whether the same call may succeed later when it failed with this code. */
export function isRetryableCode(code: ErrorCode): boolean {
  return retryable.has(code)
}
