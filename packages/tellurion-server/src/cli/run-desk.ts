// What the commands about stored runs have in common: a runtime that only looks and tells, and where they write.

import { createRuntime, type RunHandle, type RunRecord, type Runtime } from 'tellurion/runtime'
import { TellurionError, type UserInput } from 'tellurion'
import { demoModel } from 'tellurion/model'
import { demoAgent } from '../demo/demo-agent.ts'
import { openFileRoot } from '../demo/file-root.ts'
import type { ExitCode } from './fault.ts'
import { exactJson, inertLine } from '../terminal/inert.ts'
import { commandEnvironment } from './model-choice.ts'
import { Screen } from './screen.ts'
import { asUsage, type Host } from './setting.ts'
import { chooseStore, mustExist } from './store-choice.ts'

/** Options of every command about stored runs. */
export interface StoreFlags {
  readonly store?: string
  readonly json?: boolean
  readonly verbose?: boolean
}

/** An open store and where to write about it. */
export interface RunDesk {
  readonly runtime: Runtime
  readonly out: Screen
  readonly remarks: Screen
  /** Writes a value as one line of JSON when `--json` asks for that; else calls `people`. */
  tell(value: unknown, people: () => void): void
}

/** How many of the newest runs the beginning of an id is looked for in. */
const searched = 1000

/** Does something with the stored runs; works on none. The store must be there. */
export async function atStore(
  flags: StoreFlags,
  host: Host,
  work: (desk: RunDesk) => Promise<ExitCode>,
): Promise<ExitCode> {
  const store = asUsage(() => chooseStore(flags.store, commandEnvironment(host.env)))
  mustExist(store)
  // Known by name only: which of its tools only read is needed to say what a fork does not undo.
  const agents = [demoAgent({ model: demoModel(), root: await openFileRoot('.') })]
  await using runtime = await createRuntime({ store: store.open, agents, work: false, patience: { grace: 0 } })
  const out = new Screen(host.stdout, host.env)
  const tell = (value: unknown, people: () => void): void => {
    if (flags.json === true) host.stdout.write(`${exactJson(value)}\n`)
    else people()
  }
  return await work({ runtime, out, remarks: new Screen(host.stderr, host.env), tell })
}

/** The run of an id, or of the beginning of one. Throws `unknown_run`, `invalid_option`. */
export async function findRun(runtime: Runtime, given: string): Promise<RunHandle> {
  const exact = runtime.run(given)
  const missing = await exact.record().then(
    () => undefined,
    (error: unknown) => error,
  )
  if (missing === undefined) return exact
  if (!(missing instanceof TellurionError) || missing.code !== 'unknown_run') throw missing
  const found = (await runtime.runs({ limit: searched })).filter(({ id }) => id.startsWith(given))
  if (found.length === 1) return runtime.run(found[0]!.id)
  const many = `${found.length} runs begin with '${given}': give more of the id.`
  throw found.length === 0 ? missing : new TellurionError('unknown_run', many)
}

/** What a run was asked, in one line. */
export function askedOf({ input }: RunRecord): string {
  const payload = input as { readonly fork?: boolean; readonly input?: UserInput } | null
  const asked = payload?.input
  if (asked === undefined) return payload?.fork === true ? '(goes on from a fork)' : ''
  return inertLine(typeof asked === 'string' ? asked : exactJson(asked))
}

/** How a run is called at a terminal: the beginning of its id is enough for every command. */
export function shortId(id: string, screen: Screen): string {
  return screen.columns === Infinity ? id : id.slice(0, 12)
}
