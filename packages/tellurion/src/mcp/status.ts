// What is known of a server at a moment: for operators, health checks and tests. Plain data.

import type { ErrorData } from '../error/error.ts'
import type { Quarantined } from './pin.ts'
import type { Unfit } from './offer.ts'

/**
 * Where a server stands: `idle` before it was first asked for, `connecting`, `ready`, `down` until it is tried again,
 * `refused` when it cannot be started as it is configured, `closed`.
 */
export type McpServerState = 'idle' | 'connecting' | 'ready' | 'down' | 'refused' | 'closed'

/** One server. Times are milliseconds since the epoch. */
export interface McpServerStatus {
  readonly server: string
  readonly state: McpServerState
  /** When it came to this state. */
  readonly since: number
  /** What it calls itself, and the protocol it speaks; absent before the first connection. */
  readonly identity?: string
  readonly protocol?: string
  /** Names under which its tools are offered. */
  readonly tools: readonly string[]
  /** Tools that wait for the operator. */
  readonly quarantined: readonly Quarantined[]
  /** Tools that cannot be offered, and why. */
  readonly unfit: readonly Unfit[]
  /** How often the connection was lost or could not be made, since it last stood. */
  readonly failures: number
  /** Why it is not ready. */
  readonly error?: ErrorData
  /** When it is tried again. */
  readonly retryAt?: number
  /** The last sign of life that was asked for: when it came, and after how many milliseconds. */
  readonly ping?: { readonly at: number; readonly took: number }
  /** The last lines that it wrote to standard error; cleaned, at most 20. */
  readonly lastLines: readonly string[]
}
