// The commands around a server: `serve`, `worker`, `mcp`, `mcp-servers`, `status`, `doctor`, `init`, `completion`, with their options.
// What they do is loaded when they are called, for most of it is large.

import { Argument, type Command } from 'commander'
import { completionScript, shells, type Shell } from './completion.ts'
import type { DoctorFlags } from './doctor.ts'
import type { ConfigFlags } from './configuration.ts'
import type { McpFlags } from './mcp.ts'
import type { McpServersFlags } from './mcp-servers.ts'
import type { RunCommandContext } from './runs.ts'
import type { ServeFlags } from './serve.ts'
import type { StatusFlags } from './status.ts'
import { defaultStore } from './store-choice.ts'
import type { WorkerFlags } from './worker.ts'

/** Adds them. */
export function addServerCommands(program: Command, { host, end, agentOptions }: RunCommandContext): void {
  agentOptions(configOption(program.command('serve')))
    .description('start the server: HTTP, streams and WebSocket')
    .option('--host <address>', 'the address to listen on; default: SERVER_HOST, else 127.0.0.1')
    .option('--port <n>', 'the port, 0 for a free one; default: SERVER_PORT, else 8000')
    .option('--concurrency <n>', 'runs at one time; default: MAX_CONCURRENT_TASKS, else 10')
    .option('--debug', 'log everything, on standard error too')
    .option('--lines', 'answer the lines of a pipe or a file on standard input, and end with it')
    .option('--json', 'print where it listens as a line of JSON')
    .action(async (flags: ServeFlags) => end(await (await import('./serve.ts')).serve(flags, host)))

  agentOptions(configOption(program.command('worker')))
    .description('work on the queued runs of a store until Ctrl-C')
    .option('--concurrency <n>', 'runs at one time; default: MAX_CONCURRENT_TASKS, else 10')
    .option('--json', 'print what happens as lines of JSON')
    .action(async (flags: WorkerFlags) => end(await (await import('./worker.ts')).work(flags, host)))

  agentOptions(configOption(program.command('mcp')))
    .description('the agents for one MCP client, over standard input and output')
    .option('--agent <names...>', 'the agents that are offered; default: all')
    .option('--tools', 'offer the tools of the folder TOOLS_DIR; alone, unless agents are named')
    .option('--ask-client', 'let the person at the client decide on calls that ask one')
    .option('--concurrency <n>', 'runs at one time; default: MAX_CONCURRENT_TASKS, else 10')
    .action(async (flags: McpFlags) => end(await (await import('./mcp.ts')).mcp(flags, host)))

  addMcpServers(program, { host, end })

  configOption(program.command('status'))
    .description('how a running server is; without one, what its store holds')
    .option('--server <url>', 'the server; default: TELLURION_URL, else that of SERVER_HOST and SERVER_PORT')
    .option('--json', 'print JSON')
    .action(async (flags: StatusFlags) => end(await (await import('./status.ts')).status(flags, host)))

  configOption(program.command('doctor'))
    .description('what is on, what is missing, and how to mend it; changes nothing')
    .option('--json', 'print JSON')
    .action(async (flags: DoctorFlags) => end(await (await import('./doctor.ts')).doctor(flags, host)))

  program
    .command('init')
    .description('a new project with an agent, its test and a configuration; overwrites nothing')
    .argument('[dir]', 'its folder', '.')
    .action(async (folder: string) => end(await (await import('./init.ts')).init(folder, host)))

  program
    .command('completion')
    .description('a script that completes commands and options, for your shell to read')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .action((shell: Shell) => void host.stdout.write(completionScript(shell, program)))
}

/** `mcp-servers`, and `mcp-servers accept`. */
function addMcpServers(program: Command, { host, end }: Pick<RunCommandContext, 'host' | 'end'>): void {
  const servers = configOption(program.command('mcp-servers'))
    .description('the configured MCP servers: how they stand, what they offer, what waits to be accepted')
    .option('--json', 'print JSON')
    .action(async (flags: McpServersFlags) => end(await (await import('./mcp-servers.ts')).mcpServers(flags, host)))
  servers
    .command('accept')
    .description('let in a tool that waits, by the hash that mcp-servers shows')
    .argument('<server>', 'the name of the server')
    .argument('<tool>', 'the name of the tool')
    .argument('<hash>', 'the hash of what it is now')
    .action(async (server: string, tool: string, hash: string) => {
      const flags: ConfigFlags = servers.opts()
      end(await (await import('./mcp-servers.ts')).acceptTool({ server, tool, hash }, flags, host))
    })
}

function configOption(command: Command): Command {
  return command
    .option('--config <file>', 'the configuration; default: tellurion.config.ts, .js or .json, if there is one')
    .option('--store <url>', `where runs are kept; default: DATABASE_URL, else ${defaultStore}`)
}
