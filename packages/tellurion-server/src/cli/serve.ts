// `tellurion serve`: a server with a runtime behind it, on the configuration, until it is told to stop. What it accepted
// and could not end by then stays in the store for the next one.

import { TellurionError } from 'tellurion'
import { createRuntime, type Runtime } from 'tellurion/runtime'
import type { Log } from 'tellurion/trace'
import { systemClock } from 'tellurion/world'
import type { LoadedConfig } from '../config/load.ts'
import { isOpenToOthers, localToken, type LocalToken } from '../config/token.ts'
import { usersOf } from '../config/user.ts'
import { limitsOf } from '../server/limit.ts'
import { createServer, type Server } from '../server/server.ts'
import { inertLine } from '../terminal/inert.ts'
import { shellWord } from '../terminal/shell-word.ts'
import { configurationOf, type ConfigFlags } from './configuration.ts'
import { crewOf, runtimeOptionsOf, storeOf, toolProblems, type Crew, type CrewFlags } from './crew.ts'
import { UsageError, type ExitCode } from './fault.ts'
import { endings, interrupted, onInterrupt, type Interrupt } from './interrupt.ts'
import { openLog } from './log-choice.ts'
import { describeChoice } from './model-choice.ts'
import { checkSandboxLevel } from './sandbox-level.ts'
import { Screen } from './screen.ts'
import { describeServer, healthOf, openToolServers } from './tool-server.ts'
import { answerLines, bringsLines } from './served-lines.ts'
import type { Host } from './setting.ts'
import { version } from './version.ts'

/** Options of `serve`. */
export interface ServeFlags extends ConfigFlags, CrewFlags {
  readonly debug?: boolean
  readonly lines?: boolean
  readonly json?: boolean
  readonly verbose?: boolean
}

/** Milliseconds until a process that cannot even close is ended. */
const patience = 9500

/**
 * Serves until SIGINT, SIGTERM or SIGHUP, then takes no more, ends or gives back what is at work, and flushes, within 10 s: 0. A
 * second signal ends the process at once. Rejects when it cannot begin.
 */
export async function serve(flags: ServeFlags, host: Host): Promise<ExitCode> {
  const interrupt = onInterrupt(host, endings)
  try {
    const loaded = await configurationOf(flags, host)
    await using opened = await open(loaded, flags, host)
    opened.tell()
    await (flags.lines === true && bringsLines(host) ? opened.answer(interrupt) : interrupted(interrupt))
    opened.remarks.line('Ending: no new requests, and what is at work has 8 s. Ctrl-C again ends at once.', 'faint')
    opened.log.info('server.closing')
  } finally {
    interrupt.close()
  }
  leaveSoon(host)
  return 0
}

/** What was opened, to be closed in the reverse order. */
interface Opened extends AsyncDisposable {
  readonly log: Log
  readonly remarks: Screen
  tell(): void
  /** Answers lines of standard input until it ends, or the signal comes. */
  answer(interrupt: Interrupt): Promise<void>
}

async function open(loaded: LoadedConfig, flags: ServeFlags, host: Host): Promise<Opened> {
  const remarks = new Screen(host.stderr, host.env)
  const store = storeOf(loaded)
  const token = configured(() => localToken(loaded.settings.server))
  const identities = configured(() => usersOf(loaded, token.token))
  const limits = configured(() => limitsOf(loaded.settings.server.limits))
  const logging = openLog(loaded, host, { debug: flags.debug ?? flags.verbose })
  const { log, redactor } = logging
  redactor.add(token.token)
  await using stack = new AsyncDisposableStack()
  stack.defer(logging.close)
  const { settings } = loaded
  const servers = await openToolServers(loaded, { log })
  if (servers !== undefined) stack.use(servers)
  const crew = await crewOf(loaded, flags, servers)
  const options = { ...runtimeOptionsOf(settings), ports: { log, redactor } }
  const runtime = stack.use(await createRuntime({ store: store.open, agents: crew.agents, ...options }))
  const sandbox = stack.use(checkSandboxLevel())
  const server = configured(() => {
    const { hosts, origins } = settings.server
    const { mcp: withTools, askClient } = settings.tools
    const mcp = withTools ? { tools: crew.found.tools, askClient } : {}
    const checks = () => ({
      ...sandbox.current(),
      ...(servers === undefined ? {} : { mcp: healthOf(servers.mcp.status()) }),
    })
    const network = { hosts, origins }
    const ports = { redactor }
    return createServer({ runtime, identities, limits, network, log, version: version(), mcp, ports, checks })
  })
  stack.defer(() => closeWithin(server, host))
  const { url } = await listen(server, settings.server)
  for (const problem of toolProblems(crew, loaded)) {
    remarks.line(inertLine(problem), 'warning')
    log.warn('tools.skipped', { problem })
  }
  for (const status of servers?.mcp.status() ?? []) {
    if (status.state !== 'ready' || status.quarantined.length > 0) {
      remarks.line(`MCP server ${inertLine(status.server)}: ${inertLine(describeServer(status))}`, 'warning')
    }
  }
  log.info('server.listening', { url, store: store.path, agents: runtime.agents.keys(), version: version() })
  warn(loaded, token, remarks)
  const place: Place = { url, token, crew, runtime, store: store.path, logFile: logging.file }
  const closing = stack.move()
  return {
    log,
    remarks,
    answer: ({ signal }) =>
      answerLines(host, { server, token: token.token.reveal(), out: new Screen(host.stdout, host.env), signal }),
    tell: () => (flags.json === true ? tellMachine(place, host) : tellPerson(place, host)),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}

async function listen(server: Server, { host, port }: { host: string; port: number }): Promise<{ url: string }> {
  try {
    return await server.listen({ host, port })
  } catch (error) {
    if (!(error instanceof TellurionError)) throw error
    const isPort = ['EADDRINUSE', 'EACCES'].includes((error.cause as NodeJS.ErrnoException | undefined)?.code ?? '')
    const mend = isPort
      ? "Choose another port with --port, or 0 for a free one; 'tellurion status' says what is there."
      : 'Choose an address of this machine with --host, or 0.0.0.0 for all of them.'
    const text = `${error.message} ${mend}`
    throw new TellurionError(error.code, text, { cause: error })
  }
}

/** Closes the server and its runtime; a process that cannot even do that is ended. */
async function closeWithin(server: Server, host: Host): Promise<void> {
  const cancel = systemClock.timer(patience, () => host.exit?.(1))
  try {
    await server.close()
  } finally {
    cancel()
  }
}

/** What agents of the operator have left open, such as a timer, must not keep the process. The wait itself does not. */
function leaveSoon(host: Host): void {
  AbortSignal.timeout(300).addEventListener('abort', () => host.exit?.(0))
}

/** Where the server is, and what it stands on. */
interface Place {
  readonly url: string
  readonly token: LocalToken
  readonly crew: Crew
  readonly runtime: Runtime
  readonly store: string
  readonly logFile: string | undefined
}

function tellMachine({ url, token, runtime, store, logFile }: Place, host: Host): void {
  const line = { type: 'listening', url, tokenFile: token.file, agents: runtime.agents.keys(), store, logFile }
  host.stdout.write(`${JSON.stringify(line)}\n`)
}

function tellPerson({ url, token, crew, runtime, store, logFile }: Place, host: Host): void {
  const screen = new Screen(host.stdout, host.env)
  const names = runtime.agents.keys().map(inertLine)
  screen.line(`Tellurion ${version()} listens on ${url}`, 'strong')
  if (crew.root === undefined) screen.line(`Agents: ${names.join(', ')}.`)
  else {
    for (const text of describeChoice(crew.choice)) screen.line(text)
    screen.line(`It may read files under ${inertLine(crew.root)} (others: --root DIR).`)
  }
  screen.line(`Runs are kept in ${inertLine(store)}${logFile === undefined ? '' : `, logs in ${inertLine(logFile)}`}.`)
  const source = token.file === undefined ? 'of TELLURION_TOKEN' : `in ${inertLine(token.file)}`
  screen.line(`Who asks needs the token ${source}${token.made ? ', made just now' : ''}.`)
  screen.line('')
  screen.line('To chat, in another terminal:', 'strong')
  screen.line(`  npx tellurion chat --server ${url}`)
  const secret = token.file === undefined ? '$TELLURION_TOKEN' : `$(cat ${shellWord(token.file)})`
  screen.line('or, from any program:', 'strong')
  screen.line(`  curl ${url}/api/v1/messages -H "Authorization: Bearer ${secret}" \\`)
  const words = crew.root === undefined ? 'hello' : 'what is 12*7?'
  screen.line(`    -H 'Content-Type: application/json' -d '{"content": "${words}"}'`)
  screen.line('')
  screen.line('Ctrl-C ends.', 'faint')
}

/** What an operator should know before others find out. */
function warn({ settings }: LoadedConfig, { file }: LocalToken, remarks: Screen): void {
  if (file !== undefined && isOpenToOthers(file)) {
    remarks.line(`Others on this machine can read ${inertLine(file)}: chmod 600 ${shellWord(file)}`, 'warning')
  }
  if (settings.store.redis !== undefined) {
    remarks.line('REDIS_URL is set, but there is no store on Redis yet: it is not used.', 'warning')
  }
}

function configured<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}
