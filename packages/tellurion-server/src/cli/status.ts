// `tellurion status`: how a running server is, in a few lines; where there is none, what its store holds.

import { existsSync } from 'node:fs'
import { TellurionError } from 'tellurion'
import { createClient } from 'tellurion/client'
import type { HealthResource, StatsResource } from 'tellurion/protocol'
import { createRuntime } from 'tellurion/runtime'
import type { LoadedConfig } from '../config/load.ts'
import { inertLine } from '../terminal/inert.ts'
import { span } from '../terminal/table.ts'
import { configurationOf, type ConfigFlags } from './configuration.ts'
import { storeOf } from './crew.ts'
import type { ExitCode } from './fault.ts'
import { Screen } from './screen.ts'
import { serverAddress, type ServerAddress } from './server-address.ts'
import type { Host } from './setting.ts'

/** Options of `status`. */
export interface StatusFlags extends ConfigFlags {
  /** The address of the server. */
  readonly server?: string
  readonly json?: boolean
}

/** What is known of a server. */
type Report =
  | { readonly url: string; readonly health: HealthResource; readonly stats?: StatsResource; readonly why?: string }
  | { readonly url: string; readonly unreachable: string; readonly store?: StoreReport }

interface StoreReport {
  readonly path: string
  readonly runs: Readonly<Record<string, number>>
  readonly sessions: number
}

/** Milliseconds a server has to answer. */
const wait = 5000

/** Reports. 0 where a server answers and is well, else 1. */
export async function status(flags: StatusFlags, host: Host): Promise<ExitCode> {
  const { server } = flags
  const loaded = await configurationOf(server === undefined ? flags : { ...flags, url: server }, host)
  const report = await reportOf(loaded)
  if (flags.json === true) host.stdout.write(`${JSON.stringify(report)}\n`)
  else tellPerson(report, new Screen(host.stdout, host.env))
  return 'health' in report && report.health.status === 'ok' ? 0 : 1
}

async function reportOf(loaded: LoadedConfig): Promise<Report> {
  const address = serverAddress(loaded)
  const { url } = address
  const client = clientOf(address)
  const signal = AbortSignal.timeout(wait)
  let health: HealthResource
  try {
    health = await client.health({ signal })
  } catch (error) {
    const store = await storeReport(loaded)
    return { url, unreachable: wordsOf(error), ...(store === undefined ? {} : { store }) }
  }
  try {
    return { url, health, stats: await client.stats({ signal }) }
  } catch (error) {
    return { url, health, why: wordsOf(error) }
  }
}

/** A client that asks once. */
export function clientOf({ url, token }: ServerAddress): ReturnType<typeof createClient> {
  return createClient({
    baseURL: url,
    retry: { maxRetries: 0 },
    ...(token === undefined ? {} : { token: token.reveal() }),
  })
}

async function storeReport(loaded: LoadedConfig): Promise<StoreReport | undefined> {
  const { path, open } = storeOf(loaded)
  if (!existsSync(path)) return undefined
  await using runtime = await createRuntime({ store: open, agents: [], work: false, patience: { grace: 0 } })
  return { path, ...(await runtime.count()) }
}

function tellPerson(report: Report, screen: Screen): void {
  if ('unreachable' in report) {
    screen.line(`No server answers at ${inertLine(report.url)}: 'tellurion serve' starts one.`, 'warning')
    screen.line(inertLine(report.unreachable), 'faint')
    if (report.store !== undefined) tellStore(report.store, screen)
    return
  }
  const { url, health, stats, why } = report
  const style = health.status === 'ok' ? 'strong' : 'warning'
  screen.line(`${health.status}: Tellurion ${inertLine(health.version)} at ${url}, up ${span(health.uptime)}`, style)
  for (const [name, { ok, detail }] of Object.entries(health.checks)) {
    screen.line(`  ${inertLine(name)}: ${ok ? 'ok' : 'not ok'}${detail === undefined ? '' : `, ${inertLine(detail)}`}`)
  }
  if (stats === undefined) screen.line(`  no figures: ${inertLine(why ?? '')}`, 'faint')
  else {
    const { connections, memory } = stats
    tellCounts(stats, screen)
    screen.line(`  connections: ${connections.http}, streams ${connections.streams}, sockets ${connections.sockets}`)
    screen.line(`  memory: ${Math.round(memory.rss / 1e6)} MB`)
  }
}

function tellStore(store: StoreReport, screen: Screen): void {
  screen.line(`The store ${inertLine(store.path)} holds:`)
  tellCounts(store, screen)
}

function tellCounts({ runs, sessions }: Pick<StoreReport, 'runs' | 'sessions'>, screen: Screen): void {
  const known = Object.entries(runs).filter(([, count]) => count > 0)
  const list = known.map(([name, count]) => `${count} ${name.replace('_', ' ')}`).join(', ')
  screen.line(`  runs: ${list || 'none'}`)
  screen.line(`  sessions: ${sessions}`)
}

function wordsOf(error: unknown): string {
  return error instanceof TellurionError || error instanceof Error ? error.message : String(error)
}
