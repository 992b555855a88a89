// `tellurion runs checkpoint | checkpoints | export | import`: names for ticks of a stored run, and one of its ticks as a
// file that goes on elsewhere.

import { UsageError, type ExitCode } from './fault.ts'
import { inertLine } from '../terminal/inert.ts'
import { atStore, findRun, shortId, type StoreFlags } from './run-desk.ts'
import { tickOrLabel, wholeNumber } from './run-list.ts'
import type { OrderContext } from './run-order.ts'

/** Options of the commands about one tick. */
export interface TickFlags extends StoreFlags {
  readonly tick?: string
}

export function labelRun(id: string, label: string, { flags, host }: OrderContext<TickFlags>): Promise<ExitCode> {
  const tick = flags.tick === undefined ? {} : { tick: wholeNumber('--tick', flags.tick, { least: 0 }) }
  return atStore(flags, host, async ({ runtime, out, remarks, tell }) => {
    const run = await findRun(runtime, id)
    const labelled = await run.checkpoint(label, tick)
    tell({ run: run.id, label, tick: labelled }, () =>
      remarks.note(`Tick ${labelled} of ${shortId(run.id, out)} is '${inertLine(label)}'.`),
    )
    return 0
  })
}

export function listLabels(id: string, { flags, host }: OrderContext): Promise<ExitCode> {
  return atStore(flags, host, async ({ runtime, out, remarks, tell }) => {
    const labels = await (await findRun(runtime, id)).checkpoints()
    tell(labels, () => {
      for (const [label, tick] of Object.entries(labels)) out.line(`${tick}  ${inertLine(label)}`)
      if (Object.keys(labels).length === 0) remarks.note("No tick of it is labelled: 'tellurion runs checkpoint'.")
    })
    return 0
  })
}

export function exportRun(id: string, path: string, { flags, host }: OrderContext<TickFlags>): Promise<ExitCode> {
  const tick = flags.tick === undefined ? {} : { tick: tickOrLabel('--tick', flags.tick) }
  return atStore(flags, host, async ({ runtime, out, remarks, tell }) => {
    const run = await findRun(runtime, id)
    const { snapshot } = await run.export(path, tick)
    tell({ run: run.id, tick: snapshot.header.tick, path }, () =>
      remarks.note(`Tick ${snapshot.header.tick} of ${shortId(run.id, out)} is in ${inertLine(path)}.`),
    )
    return 0
  })
}

/** Options of `runs import`. */
export interface ImportFlags extends StoreFlags {
  readonly session?: string
  readonly say?: string
}

export function importRun(path: string, { flags, host }: OrderContext<ImportFlags>): Promise<ExitCode> {
  const { session, say } = flags
  if (say?.trim() === '') throw new UsageError('There is nothing to say: give --say a text.')
  const options = { ...(session === undefined ? {} : { session }), ...(say === undefined ? {} : { input: say }) }
  return atStore(flags, host, async ({ runtime, out, remarks, tell }) => {
    const run = await runtime.restore(path, options)
    tell(await run.record(), () => {
      out.line(run.id)
      remarks.note("It is queued: 'tellurion worker' works on it.")
    })
    return 0
  })
}
