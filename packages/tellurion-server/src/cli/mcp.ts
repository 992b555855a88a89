// `tellurion mcp`: the agents of the configuration for one MCP client, which has started this process and talks to it over
// standard input and output. It ends with its client; what it accepted and could not end stays in the store.

import type { Readable, Writable } from 'node:stream'
import { Console } from 'node:console'
import { createRuntime } from 'tellurion/runtime'
import { inertLine } from '../terminal/inert.ts'
import { createMcpServer } from '../server/mcp-server.ts'
import { limitsOf } from '../server/limit.ts'
import { configurationOf, type ConfigFlags } from './configuration.ts'
import { crewOf, runtimeOptionsOf, storeOf, toolProblems, type CrewFlags } from './crew.ts'
import { UsageError, type ExitCode } from './fault.ts'
import { interrupted, onInterrupt } from './interrupt.ts'
import { openLog } from './log-choice.ts'
import { asUsage, type Host } from './setting.ts'
import { openToolServers } from './tool-server.ts'
import { version } from './version.ts'

/** Options of `mcp`. */
export interface McpFlags extends ConfigFlags, CrewFlags {
  /** The agents that are offered; default: all. */
  readonly agent?: readonly string[]
  /** Whether the tools of the configured folder are offered: alone, unless agents are named. */
  readonly tools?: boolean
  /** Whether the person at the client is asked about calls of these tools that ask one. */
  readonly askClient?: boolean
  readonly verbose?: boolean
}

/** Serves until the client closes its end, or SIGINT or SIGTERM: 0. Rejects when it cannot begin. */
export async function mcp(flags: McpFlags, host: Host): Promise<ExitCode> {
  const interrupt = onInterrupt(host, ['SIGINT', 'SIGTERM'])
  const restoreConsole = quietConsole(host)
  try {
    const loaded = await configurationOf(flags, host)
    const store = storeOf(loaded)
    const limits = asUsage(() => limitsOf(loaded.settings.server.limits))
    await using stack = new AsyncDisposableStack()
    const logging = openLog(loaded, host, { debug: flags.verbose })
    stack.defer(logging.close)
    const { log, redactor } = logging
    const servers = await openToolServers(loaded, { log })
    if (servers !== undefined) stack.use(servers)
    const crew = await crewOf(loaded, flags, servers)
    const options = { ...runtimeOptionsOf(loaded.settings), ports: { log, redactor } }
    const runtime = stack.use(await createRuntime({ store: store.open, agents: crew.agents, ...options }))
    for (const problem of toolProblems(crew, loaded)) log.warn('tools.skipped', { problem })
    const { mcp: withTools, askClient, folder } = loaded.settings.tools
    if (flags.tools === true && folder === undefined) {
      throw new UsageError('--tools: there is no folder of tools; name one with TOOLS_DIR.')
    }
    const offer = {
      agents: flags.agent ?? (flags.tools === true ? [] : runtime.agents.keys()),
      ...(withTools || flags.tools === true ? { tools: crew.found.tools } : {}),
      askClient: askClient || flags.askClient === true,
    }
    const server = asUsage(() =>
      createMcpServer({ offer, runtime, limits, log, version: version(), ports: { redactor } }),
    )
    stack.defer(() => server.close())
    const connection = await server.serve({
      input: host.stdin as unknown as Readable,
      output: host.stdout as unknown as Writable,
      identity: { user: 'local', scopes: ['read', 'write', 'admin'] },
    })
    log.info('mcp.serving', { agents: offer.agents.map(inertLine), store: store.path })
    await Promise.race([connection.ended, interrupted(interrupt)])
  } finally {
    restoreConsole()
    interrupt.close()
  }
  return 0
}

/** Standard output is the client's alone: what agents and tools print goes to standard error. Gives what undoes it. */
function quietConsole({ stdout, stderr }: Host): () => void {
  if (stdout !== (process.stdout as unknown)) return () => {}
  const before = globalThis.console
  globalThis.console = new Console(stderr as unknown as Writable, stderr as unknown as Writable) as typeof console
  return () => void (globalThis.console = before)
}
