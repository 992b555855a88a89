// What everything in an MCP server stands on.

import type { Ids, Runtime } from 'tellurion/runtime'
import type { Redactor } from 'tellurion/secret'
import type { Log } from 'tellurion/trace'
import type { Clock } from 'tellurion/world'
import type { Limits } from './limit.ts'
import type { ManualCalls } from './manual-call.ts'
import type { CheckedOffer } from './mcp-offer.ts'
import type { Pulse } from './pulse.ts'
import type { Seats } from './seat.ts'

/** The setting of an MCP server. */
export interface McpSetting {
  readonly name: string
  readonly version: string
  readonly offer: CheckedOffer
  /** What its agents run in; undefined where it offers none. */
  readonly runtime: Runtime | undefined
  readonly limits: Limits
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly redactor?: Redactor | undefined
  readonly manual: ManualCalls
  /** Seats of streams, shared with the other streams of a server. */
  readonly seats: Seats
  readonly pulse: Pulse
}
