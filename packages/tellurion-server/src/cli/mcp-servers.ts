// `tellurion mcp-servers`: how the configured MCP servers stand, what they offer and what waits; and accepting what waits.

import type { McpServerStatus } from 'tellurion/mcp'
import { inertLine } from '../terminal/inert.ts'
import { configurationOf, type ConfigFlags } from './configuration.ts'
import { UsageError, type ExitCode } from './fault.ts'
import { Screen } from './screen.ts'
import type { Host } from './setting.ts'
import { acceptLines, describeServer, openToolServers } from './tool-server.ts'

/** Options of `mcp-servers`. */
export interface McpServersFlags extends ConfigFlags {
  readonly json?: boolean
}

/** Connects to each server and tells of it; pins nothing. 0 where all are ready and nothing waits, else 1. */
export async function mcpServers(flags: McpServersFlags, host: Host): Promise<ExitCode> {
  const loaded = await configurationOf(flags, host)
  await using servers = await openToolServers(loaded, { look: true })
  const all = servers?.mcp.status() ?? []
  if (flags.json === true) host.stdout.write(`${JSON.stringify(all)}\n`)
  else {
    const screen = new Screen(host.stdout, host.env)
    if (all.length === 0) screen.line('No MCP servers: name them under mcpServers in tellurion.config.json.')
    for (const server of all) tell(server, screen)
  }
  return all.every(({ state, quarantined }) => state === 'ready' && quarantined.length === 0) ? 0 : 1
}

/** What is accepted: a tool of a server, by the hash that was shown. */
export interface Acceptance {
  readonly server: string
  readonly tool: string
  readonly hash: string
}

/** Pins a tool as its server offers it now; servers that run take it in at their next ping. */
export async function acceptTool(
  { server, tool, hash }: Acceptance,
  flags: ConfigFlags,
  host: Host,
): Promise<ExitCode> {
  const loaded = await configurationOf(flags, host)
  await using servers = await openToolServers(loaded, { only: server })
  if (servers === undefined) throw new UsageError(`There is no MCP server '${inertLine(server)}' in the configuration.`)
  const [status] = servers.mcp.status()
  if (status?.error !== undefined) throw new UsageError(status.error.message)
  await servers.mcp.accept({ server, tool, hash })
  new Screen(host.stdout, host.env).line(`Accepted: ${inertLine(tool)} of ${inertLine(server)}.`)
  return 0
}

function tell(status: McpServerStatus, screen: Screen): void {
  const { server, state, tools, quarantined, unfit, lastLines } = status
  screen.line(`${inertLine(server)}: ${inertLine(describeServer(status))}`, state === 'ready' ? 'strong' : 'warning')
  if (tools.length > 0) screen.line(`  ${tools.map(inertLine).join(', ')}`)
  for (const { tool, problem } of unfit) screen.line(`  unfit: ${inertLine(tool)}: ${inertLine(problem)}`, 'faint')
  for (const { tool, why, difference } of quarantined) {
    screen.line(`  waiting: ${inertLine(tool)}, ${why}`, 'warning')
    for (const line of difference) screen.line(`    ${inertLine(line)}`)
  }
  for (const line of acceptLines(status)) screen.line(`  npx ${inertLine(line)}`)
  if (state !== 'ready') for (const line of lastLines) screen.line(`  ${inertLine(line)}`, 'faint')
}
