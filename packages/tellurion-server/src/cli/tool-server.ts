// The MCP servers that a configuration names, connected for as long as a command works: what they offer is handed to the
// agents, what waits for the operator is told.

import { existsSync } from 'node:fs'
import type { Mcp, McpOptions, McpServerOptions, McpServerStatus } from 'tellurion/mcp'
import type { KeyValue } from 'tellurion/tool'
import type { Log } from 'tellurion/trace'
import type { LoadedConfig } from '../config/load.ts'
import { Secret } from 'tellurion/secret'
import type { Configuration } from '../config/schema.ts'
import { UsageError } from './fault.ts'
import { asUsage } from './setting.ts'

/** Connected servers. Disposing ends them. */
export interface ToolServers extends AsyncDisposable {
  readonly mcp: Mcp
}

/** How servers are opened. */
export interface ToolServerOptions {
  readonly log?: Log
  /** Look only: what is pinned is read, and nothing is pinned. Default false. */
  readonly look?: boolean
  /** One server alone. Default: all. */
  readonly only?: string
}

/**
 * Connects to the configured servers; undefined where there are none. One that fails holds up nobody: it is tried again.
 * Throws a `UsageError` for what is wrong with the configuration.
 */
export async function openToolServers(
  loaded: LoadedConfig,
  { log, look = false, only }: ToolServerOptions = {},
): Promise<ToolServers | undefined> {
  const named = Object.entries(loaded.settings.mcpServers).filter(([name]) => only === undefined || name === only)
  if (named.length === 0) return undefined
  const servers = Object.fromEntries(named.map(([name, server]) => [name, serverOf(name, server, loaded)]))
  // Loaded for those who have servers alone.
  const [{ createMcp }, { sqliteKeyValueFile }] = await Promise.all([
    import('tellurion/mcp'),
    import('tellurion/sqlite'),
  ])
  await using stack = new AsyncDisposableStack()
  const place = loaded.settings.tools.pins
  const file = look && !existsSync(place) ? undefined : await sqliteKeyValueFile(place)
  if (file !== undefined) stack.defer(() => file.close())
  const pins = file === undefined ? undefined : look ? unwritten(file) : file
  const options: McpOptions = {
    servers,
    ...(pins === undefined ? {} : { pins }),
    ...(log === undefined ? {} : { log }),
  }
  const mcp = stack.use(asUsage(() => createMcp(options), 'mcpServers: '))
  await mcp.connect()
  const closing = stack.move()
  return { mcp, [Symbol.asyncDispose]: () => closing.disposeAsync() }
}

/** One line for a person: how a server stands, and what it offers. */
export function describeServer({ state, tools, unfit, protocol, error, quarantined }: McpServerStatus): string {
  if (state !== 'ready') return `${state}${error === undefined ? '' : `: ${error.message}`}`
  const parts = [count(tools.length, 'tool'), `protocol ${protocol}`]
  if (quarantined.length > 0) parts.push(`${count(quarantined.length, 'tool')} waiting to be accepted`)
  if (unfit.length > 0) parts.push(`${count(unfit.length, 'tool')} unfit`)
  return parts.join(', ')
}

/** How all servers stand together: their names and errors are nobody's business who asks without a token. */
export function healthOf(all: readonly McpServerStatus[]): { readonly ok: boolean; readonly detail: string } {
  const ready = all.filter(({ state }) => state === 'ready').length
  return { ok: ready === all.length, detail: `${ready} of ${count(all.length, 'server')} ready` }
}

/** What an operator can do about tools that wait: a command for each. */
export function acceptLines({ server, quarantined }: McpServerStatus): readonly string[] {
  return quarantined.map(({ tool, hash }) => `tellurion mcp-servers accept ${server} ${JSON.stringify(tool)} ${hash}`)
}

function count(many: number, what: string): string {
  return `${many} ${what}${many === 1 ? '' : 's'}`
}

type Configured = Configuration['mcpServers'][string]

/** A server as the library takes it: variables are looked up here, where `.env` is known. */
function serverOf(
  name: string,
  { passEnv, headerVariables, ...rest }: Configured,
  { env }: LoadedConfig,
): McpServerOptions {
  const secretOf = (variable: string): Secret => {
    const value = env[variable]?.trim()
    if (value) return new Secret(value)
    throw new UsageError(`mcpServers.${name}: the variable ${variable} is not set.`)
  }
  const passed = Object.fromEntries((passEnv ?? []).map((variable) => [variable, secretOf(variable)]))
  const told = Object.fromEntries(
    Object.entries(headerVariables ?? {}).map(([header, variable]) => [header, secretOf(variable)]),
  )
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  return {
    ...given,
    ...(passEnv === undefined ? {} : { env: { ...rest.env, ...passed } }),
    ...(headerVariables === undefined ? {} : { headers: { ...rest.headers, ...told } }),
  } as McpServerOptions
}

/** A store that is only read: whoever looks changes nothing. */
function unwritten(store: KeyValue): KeyValue {
  return { ...store, set: async () => 1, delete: async () => false }
}
