// The server: a runtime behind HTTP. It answers requests with or without a socket, and builds nothing of durability again.

import { TellurionError } from 'tellurion'
import type { HealthResource, JsonObject } from 'tellurion/protocol'
import { systemIds, type Ids, type Runtime } from 'tellurion/runtime'
import type { Redactor } from 'tellurion/secret'
import { createLog, type Log } from 'tellurion/trace'
import { systemClock, type Clock } from 'tellurion/world'
import { createAdmission } from './admission.ts'
import { createHandler, type HandleOptions } from './handler.ts'
import { createIdentities, type KnownIdentity } from './identity.ts'
import { limitsOf, type Limits } from './limit.ts'
import type { Address, Listener } from './address.ts'
import { listen } from './listen.ts'
import { createManualCalls } from './manual-call.ts'
import { checkOffer, type McpOffer } from './mcp-offer.ts'
import { mcpServer } from './mcp-server.ts'
import { createMeter } from './meter.ts'
import { openApiDocument } from './openapi.ts'
import { operations } from './operations.ts'
import { namesOf, networkOf } from './network.ts'
import type { Network, ServerSetting } from './setting.ts'
import { createPulse } from './pulse.ts'
import { createRoutes } from './routing.ts'
import { createSeats } from './seat.ts'
import { createSockets } from './socket.ts'
import { StreamHub } from './stream-hub.ts'
import { createUpgrade } from './upgrade.ts'

/** What makes a server. */
export interface ServerOptions {
  /** What is behind every route; the server's `close` closes it. */
  readonly runtime: Runtime
  /** The agents that it offers, by name; the first is asked where a request names none. Default: all of the runtime. */
  readonly agents?: readonly string[]
  /** Who may ask. There is no way in without a token but `handle` with an `identity`. */
  readonly identities?: readonly KnownIdentity[]
  readonly limits?: Partial<Limits>
  /** From where requests may come. Default hosts: this machine's own names, and the one it listens on; no origins. */
  readonly network?: Partial<Network>
  /** Default: warnings and errors on standard error. */
  readonly log?: Log
  readonly version?: string
  /** What else `/health` tells, by name, asked at each look; nothing of it makes the server unwell. Everybody can read it. */
  readonly checks?: () => HealthResource['checks']
  /** What the route `/mcp` offers. Default: the agents, as tools. */
  readonly mcp?: McpOffer
  /** `redactor` takes secrets out of every answer; give the runtime the same. */
  readonly ports?: { readonly clock?: Clock; readonly ids?: Ids; readonly redactor?: Redactor }
}

/** A server, made by `createServer`. */
export interface Server {
  /** Answers a request, without any socket; never rejects. */
  handle(request: Request, options?: HandleOptions): Promise<Response>
  /** Listens; default 127.0.0.1 and a free port. Rejects with `invalid_option` when that cannot be had. */
  listen(options?: { readonly host?: string; readonly port?: number }): Promise<Address>
  /**
   * Takes no new requests, ends streams and sockets, waits for what is being answered, a fifth of `grace` milliseconds
   * (default 10,000) at most, then closes the runtime, which has its own grace. Closing twice waits for the first.
   */
  close(options?: { readonly grace?: number }): Promise<void>
}

/** Names of this machine. */
const ownHosts = ['localhost', '127.0.0.1', '[::1]']
const known = ['runtime', 'agents', 'identities', 'limits', 'network', 'log', 'version', 'checks', 'mcp', 'ports']

/** Makes a server. Throws `invalid_option`, `unknown_option`, `unknown_agent`. */
export function createServer(options: ServerOptions): Server {
  const { setting, hosts, closing } = settle(options)
  const admission = createAdmission(setting)
  const routes = createRoutes(setting, admission)
  const handle = createHandler(setting, operations, routes)
  const sockets = createSockets(setting, admission)
  const listeners: Listener[] = []
  let closed: Promise<void> | undefined

  return {
    handle,
    listen: async ({ host = '127.0.0.1', port = 0 } = {}) => {
      const listener = await listen(setting, {
        host,
        port,
        handle,
        upgrade: createUpgrade(setting, routes, sockets),
      })
      hosts.push(...namesOf(host))
      listeners.push(listener)
      return { url: listener.url, port: listener.port }
    },
    close: ({ grace = 10_000 } = {}) => {
      closed ??= (async () => {
        closing.abort()
        setting.meter.close()
        setting.streams.hub.close()
        await setting.mcp.close()
        // Whoever waits is told at once; the runs get the rest of the time.
        const share = Math.min(grace / 5, 2000)
        await Promise.all([sockets.close(share), ...listeners.map((listener) => listener.close(share))])
        await setting.runtime.close()
      })()
      return closed
    },
  }
}

/** What a server is made of, out of its options. */
export function settle(options: ServerOptions): { setting: ServerSetting; hosts: string[]; closing: AbortController } {
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw new TellurionError('unknown_option', `createServer has no option '${key}'. Known: ${known.join(', ')}.`)
    }
  }
  const { runtime, identities = [], network = {}, ports = {}, version = '0.0.0' } = options
  const { clock = systemClock, ids = systemIds, redactor } = ports
  const agents = options.agents ?? runtime.agents.keys()
  for (const agent of agents) runtime.agents.get(agent)
  const reached = networkOf(network)
  const hosts = [...ownHosts, ...reached.hosts]
  const closing = new AbortController()
  const log = options.log ?? createLog({ level: 'warn' })
  let document: JsonObject | undefined
  const limits = limitsOf(options.limits)
  const seats = createSeats(limits.streams)
  const pulse = createPulse(clock, limits.silence)
  const offer = checkOffer(options.mcp ?? {}, { runtime, agents })
  const meter = createMeter({ runtime, clock, log })
  const manual = createManualCalls({ clock, read: meter.read })
  const setting: ServerSetting = {
    runtime,
    agents,
    identities: createIdentities(identities),
    limits,
    network: { hosts, origins: reached.origins },
    log,
    clock,
    redactor,
    ids,
    version,
    began: clock.monotonic(),
    checks: options.checks ?? (() => ({})),
    closing: closing.signal,
    connections: { http: 0, streams: 0, sockets: 0 },
    trust: { doubted: false },
    meter,
    manual,
    streams: {
      hub: new StreamHub({ clock }),
      pulse,
      seats,
    },
    mcp: mcpServer({
      name: 'tellurion',
      version,
      offer,
      runtime,
      limits,
      clock,
      ids,
      log,
      redactor,
      manual,
      seats,
      pulse,
    }),
    document: () => (document ??= openApiDocument(operations, version)),
  }
  return { setting, hosts, closing }
}
