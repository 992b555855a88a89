// `tellurion doctor`: what is on, what is missing, and how to mend it. It changes nothing.

import type { LoadedConfig } from '../config/load.ts'
import { limitsOf } from '../server/limit.ts'
import { networkOf } from '../server/network.ts'
import { inertLine } from '../terminal/inert.ts'
import { configurationOf, type ConfigFlags } from './configuration.ts'
import {
  checkAgents,
  checkConfiguration,
  checkLog,
  checkNode,
  checkRedis,
  checkServer,
  checkStore,
  checkToken,
  checkTokenizer,
  checkToolServers,
  type Finding,
} from './doctor-check.ts'
import { checkSandbox } from './doctor-sandbox.ts'
import type { ExitCode } from './fault.ts'
import { Screen } from './screen.ts'
import type { Host } from './setting.ts'

/** Options of `doctor`. */
export interface DoctorFlags extends ConfigFlags {
  readonly json?: boolean
}

/** Looks at everything. 0 where nothing is a problem, else 1. */
export async function doctor(flags: DoctorFlags, host: Host): Promise<ExitCode> {
  const findings = await findingsOf(flags, host)
  const sound = findings.every(({ state }) => state !== 'problem')
  if (flags.json === true) host.stdout.write(`${JSON.stringify({ ok: sound, checks: findings })}\n`)
  else tellPerson(findings, new Screen(host.stdout, host.env))
  return sound ? 0 : 1
}

async function findingsOf(flags: DoctorFlags, host: Host): Promise<readonly Finding[]> {
  let loaded: LoadedConfig
  try {
    loaded = await configurationOf(flags, host)
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    const mend = 'docs/configuration.md lists every setting; the rest is looked at when this is mended.'
    return [checkNode(), { name: 'configuration', state: 'problem', detail, mend }]
  }
  return [
    checkNode(),
    unmeant(loaded) ?? checkConfiguration(loaded),
    await checkStore(loaded),
    ...checkRedis(loaded),
    checkLog(loaded),
    checkToken(loaded),
    await checkServer(loaded),
    ...(await checkAgents(loaded)),
    ...(await checkToolServers(loaded)),
    await checkTokenizer(),
    ...(await checkSandbox()),
  ]
}

/** Settings that are well-formed and that no server takes. */
function unmeant({ settings: { server } }: LoadedConfig): Finding | undefined {
  try {
    limitsOf(server.limits)
    networkOf(server)
    return undefined
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return {
      name: 'configuration',
      state: 'problem',
      detail,
      mend: 'Mend server.limits, SERVER_HOSTS or SERVER_ORIGINS.',
    }
  }
}

const marks = { ok: ['ok     ', 'plain'], warning: ['note   ', 'plain'], problem: ['PROBLEM', 'warning'] } as const

function tellPerson(findings: readonly Finding[], screen: Screen): void {
  const width = Math.max(...findings.map(({ name }) => name.length))
  for (const { name, state, detail, mend } of findings) {
    const [mark, style] = marks[state]
    screen.line(`${mark}  ${name.padEnd(width)}  ${inertLine(detail)}`, style)
    if (mend !== undefined) screen.line(`${' '.repeat(mark.length + width + 4)}${inertLine(mend)}`)
  }
  const problems = findings.filter(({ state }) => state === 'problem').length
  screen.line('')
  const many = problems === 1 ? 'There is one problem' : `There are ${problems} problems`
  if (problems === 0) screen.line("All is well: 'tellurion serve' starts the server.", 'strong')
  else screen.line(`${many}.`, 'strong')
}
