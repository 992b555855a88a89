// `tellurion runs checkpoint | checkpoints | export | import`: names for ticks of a stored run, and one of its ticks as a
// file that goes on elsewhere.

import { readCheckpoint, writeCheckpoint } from 'tellurion/runtime'
import { UsageError, type ExitCode } from './fault.ts'
import { inertLine } from '../terminal/inert.ts'
import { atDesk, findRun, shortId, type DeskFlags } from './run-desk.ts'
import { tickOrLabel, wholeNumber } from './run-list.ts'
import type { OrderContext } from './run-order.ts'

/** Options of the commands about one tick. */
export interface TickFlags extends DeskFlags {
  readonly tick?: string
}

export function labelRun(id: string, label: string, { flags, host }: OrderContext<TickFlags>): Promise<ExitCode> {
  const tick = flags.tick === undefined ? {} : { tick: wholeNumber('--tick', flags.tick, { least: 0 }) }
  return atDesk(flags, host, async ({ client, out, remarks, tell }) => {
    const run = await findRun(client, id)
    const labelled = await client.runs.label(run.id, { label, ...tick })
    tell(labelled, () => remarks.note(`Tick ${labelled.tick} of ${shortId(run.id, out)} is '${inertLine(label)}'.`))
    return 0
  })
}

export function listLabels(id: string, { flags, host }: OrderContext): Promise<ExitCode> {
  return atDesk(flags, host, async ({ client, out, remarks, tell }) => {
    const { labels } = await client.runs.ticks((await findRun(client, id)).id)
    tell(labels, () => {
      for (const [label, tick] of Object.entries(labels)) out.line(`${tick}  ${inertLine(label)}`)
      if (Object.keys(labels).length === 0) remarks.note("No tick of it is labelled: 'tellurion runs checkpoint'.")
    })
    return 0
  })
}

export function exportRun(id: string, path: string, { flags, host }: OrderContext<TickFlags>): Promise<ExitCode> {
  const tick = flags.tick === undefined ? {} : { tick: tickOrLabel('--tick', flags.tick) }
  return atDesk(flags, host, async ({ client, out, remarks, tell }) => {
    const run = await findRun(client, id)
    const checkpoint = await client.runs.export(run.id, tick)
    const { snapshot } = checkpoint
    await writeCheckpoint(path, checkpoint)
    tell({ run: run.id, tick: snapshot.header.tick, path }, () =>
      remarks.note(`Tick ${snapshot.header.tick} of ${shortId(run.id, out)} is in ${inertLine(path)}.`),
    )
    return 0
  })
}

/** Options of `runs import`. */
export interface ImportFlags extends DeskFlags {
  readonly session?: string
  readonly say?: string
}

export function importRun(path: string, { flags, host }: OrderContext<ImportFlags>): Promise<ExitCode> {
  const { session, say } = flags
  if (say?.trim() === '') throw new UsageError('There is nothing to say: give --say a text.')
  const options = { ...(session === undefined ? {} : { session }), ...(say === undefined ? {} : { input: say }) }
  return atDesk(flags, host, async ({ client, runtime, out, remarks, tell }) => {
    const run = await client.runs.import({ checkpoint: await readCheckpoint(path), ...options })
    tell(run, () => {
      out.line(run.id)
      if (runtime !== undefined) remarks.note("It is queued: 'tellurion worker' works on it.")
    })
    return 0
  })
}
