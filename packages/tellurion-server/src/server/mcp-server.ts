// An MCP server: agents and tools for clients of the Model Context Protocol, over streamable HTTP and standard input and
// output. The protocol's own code is large and is loaded when the first client comes.

import { TellurionError } from 'tellurion'
import { systemIds, type Ids, type Runtime } from 'tellurion/runtime'
import type { Redactor } from 'tellurion/secret'
import { createLog, type Log } from 'tellurion/trace'
import { systemClock, type Clock } from 'tellurion/world'
import { limitsOf, type Limits } from './limit.ts'
import type { McpHttp } from './mcp-http.ts'
import { createManualCalls } from './manual-call.ts'
import { checkOffer, type McpOffer } from './mcp-offer.ts'
import type { McpConnection, McpServer } from './mcp-serving.ts'
import type { McpSetting } from './mcp-setting.ts'
import { createPulse } from './pulse.ts'
import { createSeats } from './seat.ts'

/** What makes an MCP server. */
export interface McpServerOptions {
  readonly offer: McpOffer
  /** What its agents run in; needed where agents are offered. It stays open when the server closes. */
  readonly runtime?: Runtime
  /** What it says of itself. Default `tellurion`, version `0.0.0`. */
  readonly name?: string
  readonly version?: string
  /** Caps, as those of a server; `mcpSessions`, `mcpIdle`, `mcpCalls`, `mcpText` and `mcpReplay` are about MCP alone. */
  readonly limits?: Partial<Limits>
  /** Default: warnings and errors on standard error. */
  readonly log?: Log
  /** `redactor` takes secrets out of the results of calls. */
  readonly ports?: { readonly clock?: Clock; readonly ids?: Ids; readonly redactor?: Redactor }
}

const known = ['offer', 'runtime', 'name', 'version', 'limits', 'log', 'ports']

/** Makes an MCP server. Throws `invalid_option`, `unknown_option`, `unknown_agent`, `duplicate_tool`. */
export function createMcpServer(options: McpServerOptions): McpServer {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue
    throw new TellurionError('unknown_option', `createMcpServer has no option '${key}'. Known: ${known.join(', ')}.`)
  }
  const { offer, runtime, name = 'tellurion', version = '0.0.0', ports = {} } = options
  const { clock = systemClock, ids = systemIds, redactor } = ports
  const limits = limitsOf(options.limits)
  return mcpServer({
    name,
    version,
    offer: checkOffer(offer, { runtime, agents: runtime?.agents.keys() ?? [] }),
    runtime,
    limits,
    clock,
    ids,
    redactor,
    log: options.log ?? createLog({ level: 'warn' }),
    manual: createManualCalls({ clock }),
    seats: createSeats(limits.streams),
    pulse: createPulse(clock, limits.silence),
  })
}

/** An MCP server on a setting. */
export function mcpServer(setting: McpSetting): McpServer {
  const connections = new Set<McpConnection>()
  let isClosed = false
  let instance: ReturnType<typeof prepare> | undefined
  let http: Promise<McpHttp> | undefined

  const prepare = async () => (await import('./mcp-instance.ts')).instances(setting)
  const makeInstance = () => (instance ??= prepare())
  const openHttp = async (): Promise<McpHttp> => {
    const { createMcpHttp } = await import('./mcp-http.ts')
    return createMcpHttp(setting, await makeInstance())
  }
  const checkOpen = (): void => {
    if (isClosed) throw new TellurionError('runtime_closed', 'The MCP server is closed.')
  }
  return {
    async handle(request, { identity }) {
      checkOpen()
      const { handle } = await (http ??= openHttp())
      checkOpen()
      return handle(request, identity)
    },
    async serve({ input, output, identity }) {
      checkOpen()
      const { serveMcpStdio } = await import('./mcp-stdio.ts')
      const connection = serveMcpStdio(setting, await makeInstance(), { input, output, identity })
      connections.add(connection)
      void connection.ended.then(() => connections.delete(connection))
      return connection
    },
    async close() {
      isClosed = true
      await Promise.all([...connections].map((each) => each.close()))
      await (await http)?.close()
    },
  }
}
