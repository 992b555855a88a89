// What everything in a server stands on: its runtime, who may ask, its caps, time and log.

import type { HealthResource, JsonObject } from 'tellurion/protocol'
import type { Runtime, Ids } from 'tellurion/runtime'
import type { Redactor } from 'tellurion/secret'
import type { Log } from 'tellurion/trace'
import type { Clock } from 'tellurion/world'
import type { Identities, Identity } from './identity.ts'
import type { Limits } from './limit.ts'
import type { ManualCalls } from './manual-call.ts'
import type { McpServer } from './mcp-serving.ts'
import type { Meter } from './meter.ts'
import type { Pulse } from './pulse.ts'
import type { Seats } from './seat.ts'
import type { StreamHub } from './stream-hub.ts'

/** What is open now. */
export interface Connections {
  http: number
  streams: number
  sockets: number
}

/** Whether the store keeps what it is given, as far as is known. */
export interface StoreTrust {
  /** Set when it has refused something; the next look at the server's health tries again. */
  doubted: boolean
}

/** The setting of a server. */
export interface ServerSetting {
  readonly runtime: Runtime
  /** The agents that it offers; the first is asked where a request names none. */
  readonly agents: readonly string[]
  readonly identities: Identities
  readonly limits: Limits
  readonly network: Network
  readonly log: Log
  readonly clock: Clock
  readonly redactor: Redactor | undefined
  readonly ids: Ids
  readonly version: string
  /** When the server began, on the clock. */
  readonly began: number
  /** Aborts when the server begins to close: streams end. */
  readonly closing: AbortSignal
  readonly connections: Connections
  readonly trust: StoreTrust
  readonly meter: Meter
  readonly streams: OpenStreams
  /** What else is told of the server's health. */
  readonly checks: () => HealthResource['checks']
  /** Tool calls by hand, whichever way they come. */
  readonly manual: ManualCalls
  /** What speaks MCP. */
  readonly mcp: McpServer
  /** The interface as an OpenAPI document. */
  readonly document: () => JsonObject
}

/** What all streams and sockets share. */
export interface OpenStreams {
  readonly hub: StreamHub
  readonly pulse: Pulse
  readonly seats: Seats
}

/** From where requests may come. */
export interface Network {
  /** Names under which the server is called, with or without a port: what `Host` may say. */
  readonly hosts: readonly string[]
  /** Origins of other pages that may call it, such as `https://app.example.com`. They get CORS headers. */
  readonly origins: readonly string[]
}

/** One request that may be answered: who asks, and what about. */
export interface Call<Parameters = unknown, Query = unknown, Body = unknown> {
  readonly setting: ServerSetting
  readonly identity: Identity
  readonly requestId: string
  readonly request: Request
  /** Aborts when the client has gone or the server closes. */
  readonly signal: AbortSignal
  readonly parameters: Parameters
  readonly query: Query
  readonly body: Body
}
