// What the commands about runs have in common: whom they ask, which run is meant, and where they write.

import { TellurionError } from 'tellurion'
import type { Client } from 'tellurion/client'
import { demoModel } from 'tellurion/model'
import type { RunResource } from 'tellurion/protocol'
import type { AnyAgent, RunRecord, Runtime } from 'tellurion/runtime'
import type { LoadedConfig } from '../config/load.ts'
import { demoAgent } from '../demo/demo-agent.ts'
import { openFileRoot } from '../demo/file-root.ts'
import { exactJson, inertLine } from '../terminal/inert.ts'
import { connectTo, embed, placeOf, type Connection, type ConnectionFlags } from './connection.ts'
import { crewOf, storeOf } from './crew.ts'
import type { ExitCode } from './fault.ts'
import { redactorOf } from './redaction.ts'
import { Screen } from './screen.ts'
import type { Host } from './setting.ts'
import { mustExist } from './store-choice.ts'

/** Options of every command about runs. */
export interface DeskFlags extends ConnectionFlags {
  readonly json?: boolean
}

/** Whom to ask about runs, and where to write about them. */
export interface RunDesk {
  readonly client: Client
  /** What is at work in this process; undefined where a server elsewhere is asked. */
  readonly runtime: Runtime | undefined
  readonly out: Screen
  readonly remarks: Screen
  /** Writes a value as one line of JSON when `--json` asks for that; else calls `people`. */
  tell(value: unknown, people: () => void): void
}

/** How many of the newest runs the beginning of an id is looked for in. */
const searched = 1000

/** Does something with the runs of a server, or of a store, which must be there; works on none. */
export async function atDesk(
  flags: DeskFlags,
  host: Host,
  work: (desk: RunDesk) => Promise<ExitCode>,
  user = 'local',
): Promise<ExitCode> {
  const { loaded, url } = await placeOf(flags, host)
  await using connection = url === undefined ? await lookInto(loaded, flags, { host, user }) : connectTo(url, loaded)
  const tell = (value: unknown, people: () => void): void => {
    if (flags.json === true) host.stdout.write(`${exactJson(value)}\n`)
    else people()
  }
  const { client, runtime } = connection
  const screens = { out: new Screen(host.stdout, host.env), remarks: new Screen(host.stderr, host.env) }
  return await work({ client, runtime, ...screens, tell })
}

async function lookInto(
  loaded: LoadedConfig,
  flags: DeskFlags,
  { host, user }: { readonly host: Host; readonly user: string },
): Promise<Connection> {
  const store = storeOf(loaded)
  mustExist(store)
  const agents = await namesOf(loaded)
  const ports = { redactor: redactorOf(loaded) }
  return embed({ store: store.open, agents, work: false, patience: { grace: 0 }, user, ports }, flags, host)
}

/** The agents as they are known by name: which of their tools only read is needed to say what a fork does not undo. */
async function namesOf(loaded: LoadedConfig): Promise<readonly AnyAgent[]> {
  if (loaded.settings.agents !== undefined) return (await crewOf(loaded, {})).agents
  return [demoAgent({ model: demoModel(), root: await openFileRoot('.') })]
}

/** The run of an id, or of the beginning of one. Throws `unknown_run`, `invalid_option`. */
export async function findRun(client: Client, given: string): Promise<RunResource> {
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(given)) {
    throw new TellurionError('invalid_option', "A run id is 1 to 64 letters, digits, '_' and '-'.")
  }
  try {
    return await client.runs.get(given)
  } catch (error) {
    if (!(error instanceof TellurionError) || error.code !== 'unknown_run') throw error
    const { items } = await client.runs.list({ limit: searched }).page()
    const found = items.filter(({ id }) => id.startsWith(given))
    if (found.length === 1) return found[0]!
    const many = `${found.length} runs begin with '${given}': give more of the id.`
    throw found.length === 0 ? error : new TellurionError('unknown_run', many)
  }
}

/** What a run was asked, in one line; of a stored one, out of what its inbox carries. */
export function askedOf({ input }: Pick<RunResource | RunRecord, 'input'>): string {
  if (input === null) return '(goes on from the past of another)'
  const carried = typeof input === 'object' && !Array.isArray(input) && ('input' in input || 'fork' in input)
  const asked = carried ? (input as { readonly input?: RunResource['input'] }).input : input
  if (asked === undefined) return '(goes on from the past of another)'
  return inertLine(typeof asked === 'string' ? asked : exactJson(asked))
}

/** How a run is called at a terminal: the beginning of its id is enough for every command. */
export function shortId(id: string, screen: Screen): string {
  return screen.columns === Infinity ? id : id.slice(0, 12)
}

/** How a person hears that a run waits for somebody to work on it: nothing, where a server does. */
export function untilWorked({ runtime }: Pick<RunDesk, 'runtime'>): string {
  return runtime === undefined ? '' : " as soon as a worker takes it ('tellurion worker')"
}
