// MCP servers of the operator's list, and what they offer: tools for agents, resources and prompts for programs. No server
// comes in by any other way, and none is believed more than the operator says.

import { systemClock, type Clock } from '../clock/clock.ts'
import { TellurionError, suggestion } from '../error/error.ts'
import { checkOptions, checkWhole } from '../error/option.ts'
import { systemRandom, type Random } from '../id/random.ts'
import type { KeyValue } from '../port/key-value.ts'
import type { Log } from '../port/log.ts'
import { memoryKeyValue } from '../port/memory-key-value.ts'
import { retryPolicy, type RetryPolicy } from '../retry/backoff.ts'
import type { AnyTool } from '../tool/tool.ts'
import { createToolbox, type Toolbox, type Tools } from '../tool/toolbox.ts'
import { livingToolbox } from './living-toolbox.ts'
import type { Offer } from './offer.ts'
import { Pins, isKeyValue, type PinnedHashes } from './pin.ts'
import { getPrompt, listPrompts } from './prompt.ts'
import { listResources, readResource, resourceTools } from './resource.ts'
import { McpServer } from './server.ts'
import { createServerLog } from './server-log.ts'
import { checkServer, type McpServerOptions } from './server-options.ts'
import { serverTool } from './server-tool.ts'
import type { McpPrompt, McpPromptMessage, McpResource, McpResourceContent, McpResourceTemplate } from './shown.ts'
import type { McpServerStatus } from './status.ts'

/** The options of `createMcp`. */
export interface McpOptions {
  /** Servers by name: 1 to 30 letters, digits and '-'. Their tools are offered as `name_tool`. */
  readonly servers: Readonly<Record<string, McpServerOptions>>
  /**
   * Where it is kept which tools were let in: what a server offers first is pinned there, and what differs later waits for
   * `accept`. Or the hashes themselves, by server and tool: nothing else is let in. Default: pinned in memory.
   */
  readonly pins?: KeyValue | PinnedHashes
  /** Where servers' logs, their standard error, and what happens to them go. Default nowhere. */
  readonly log?: Log
  /** Milliseconds between two pings of a server; `Infinity` for none. Default 30,000. */
  readonly pingEvery?: number
  /** When a server that was lost is tried again. Default after 1 s, 2 s, 4 s… up to a minute, jittered; for ever. */
  readonly retry?: Pick<Partial<RetryPolicy>, 'initialWait' | 'factor' | 'maxWait' | 'jitter'>
  readonly clock?: Clock
  readonly random?: Random
}

/** What one request of a program may bring. */
export interface McpRequest {
  readonly signal?: AbortSignal | undefined
}

/** Servers, connected. */
export interface Mcp {
  /**
   * Connects to all servers at once; resolves when each is ready or has failed once, with how they stand. A server that
   * failed is tried again by itself. Without this, a server is connected to when it is first asked for something.
   */
  connect(options?: McpRequest): Promise<readonly McpServerStatus[]>
  /** The tools as they stand now, by name, to be spread into an agent's `tools`. */
  tools(): Record<string, AnyTool>
  /** A toolbox that follows what servers offer, with tools of one's own beside: an agent's `tools` that never grows stale. */
  toolbox(own?: Tools): Toolbox
  status(): readonly McpServerStatus[]
  /** Lets in a tool that waits, by the hash that `status()` shows. */
  accept(change: { readonly server: string; readonly tool: string; readonly hash: string }): Promise<void>
  resources(
    server: string,
    options?: McpRequest,
  ): Promise<{ readonly resources: readonly McpResource[]; readonly templates: readonly McpResourceTemplate[] }>
  readResource(server: string, uri: string, options?: McpRequest): Promise<readonly McpResourceContent[]>
  prompts(server: string, options?: McpRequest): Promise<readonly McpPrompt[]>
  prompt(
    server: string,
    name: string,
    options?: McpRequest & { readonly arguments?: Readonly<Record<string, string>> },
  ): Promise<readonly McpPromptMessage[]>
  /** Ends every connection, and every process that was started. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Reads the list of servers; nothing is started before it is asked for. Throws `invalid_option`, `unknown_option`, `invalid_name`. */
export function createMcp(options: McpOptions): Mcp {
  checkOptions('createMcp', options, ['servers', 'pins', 'log', 'pingEvery', 'retry', 'clock', 'random'])
  const { servers: given, pins = memoryKeyValue(), log, pingEvery = 30_000, retry = {} } = options
  const { clock = systemClock, random = systemRandom } = options
  if (typeof given !== 'object' || given === null) {
    throw new TellurionError(
      'invalid_option',
      "createMcp needs servers by name: { servers: { files: { command: 'mcp-files' } } }.",
    )
  }
  if (pingEvery !== Infinity) checkWhole('pingEvery', pingEvery, { least: 100 })
  checkOptions('retry of createMcp', retry, ['initialWait', 'factor', 'maxWait', 'jitter'])
  if (typeof pins !== 'object' || pins === null) {
    throw new TellurionError('invalid_option', 'pins must be a key-value store, or hashes by server and tool.')
  }
  if (!isKeyValue(pins)) checkHashes(pins, Object.keys(given))
  const policy = retryPolicy({ maxWait: 60_000, ...retry, maxRetries: 0 })
  let version = 0
  const servers = new Map<string, McpServer>()
  for (const [name, server] of Object.entries(given)) {
    checkServer(name, server)
    servers.set(
      name,
      new McpServer(name, server, {
        clock,
        random,
        log,
        pins: new Pins(name, pins, { acceptNew: server.acceptNew === true }),
        lines: createServerLog(name, { log, clock }),
        retry: policy,
        pingEvery,
        onChanged: () => version++,
      }),
    )
  }
  return assembled(servers, { version: () => version, log })
}

function assembled(
  servers: ReadonlyMap<string, McpServer>,
  { version, log }: { readonly version: () => number; readonly log: Log | undefined },
): Mcp {
  const onDuplicate = (name: string): void =>
    log?.warn('mcp.duplicate', { tool: name, detail: 'an own tool has this name' })
  const named = (name: string): McpServer => {
    const server = servers.get(name)
    if (server !== undefined) return server
    throw new TellurionError('invalid_value', `There is no MCP server '${name}'.${suggestion(name, servers.keys())}`)
  }
  const all = [...servers.values()]
  const tools = toolsOf(all)
  const mcp: Mcp = {
    async connect({ signal } = {}) {
      signal?.throwIfAborted()
      const onAbort = (): void => void mcp.close()
      signal?.addEventListener('abort', onAbort, { once: true })
      await Promise.all(all.map((server) => server.start()))
      signal?.removeEventListener('abort', onAbort)
      signal?.throwIfAborted()
      return mcp.status()
    },
    tools,
    toolbox: (own = {}) => livingToolbox(createToolbox(own), { tools, version, onDuplicate }),
    status: () => all.map((server) => server.status()),
    accept: async ({ server, tool, hash }) => named(server).accept(tool, hash),
    resources: async (server, request = {}) => listResources(named(server), request),
    readResource: async (server, uri, request = {}) => readResource(named(server), uri, request),
    prompts: async (server, request = {}) => listPrompts(named(server), request),
    prompt: async (server, name, { arguments: args = {}, ...request } = {}) =>
      getPrompt(named(server), { name, args }, request),
    async close() {
      await Promise.all(all.map((server) => server.close()))
    },
    [Symbol.asyncDispose]: () => mcp.close(),
  }
  return mcp
}

/** All tools by name; the tool of an offer stays the same object as long as the offer does. */
function toolsOf(servers: readonly McpServer[]): () => Record<string, AnyTool> {
  const made = new WeakMap<Offer, AnyTool>()
  const reading = new Map<McpServer, Record<string, AnyTool>>()
  return () => {
    const tools: Record<string, AnyTool> = {}
    for (const server of servers) {
      if (server.hasResources === true && server.options.resourceTools !== false)
        reading.set(server, resourceTools(server))
      Object.assign(tools, reading.get(server))
      for (const offer of server.offers) {
        // Our own tools about a server's resources come before one of its tools with the same name.
        if (Object.hasOwn(tools, offer.name)) continue
        let tool = made.get(offer)
        if (tool === undefined) made.set(offer, (tool = serverTool(server, offer)))
        tools[offer.name] = tool
      }
    }
    return tools
  }
}

function checkHashes(pins: PinnedHashes, servers: readonly string[]): void {
  for (const [server, tools] of Object.entries(pins)) {
    if (!servers.includes(server)) {
      throw new TellurionError(
        'unknown_option',
        `pins name the server '${server}', which is not there.${suggestion(server, servers)}`,
      )
    }
    const sound =
      typeof tools === 'object' &&
      tools !== null &&
      Object.values(tools).every((hash) => /^[0-9a-f]{64}$/.test(String(hash)))
    if (!sound)
      throw new TellurionError('invalid_option', `pins of '${server}' must be SHA-256 hashes in hex, by tool.`)
  }
}
