// `tellurion runs cancel | pause | resume | steer | retry | undo | fork | edit | regenerate`: telling a stored run what
// to do. Orders are kept; whoever works on the run takes them in.

import type { Client } from 'tellurion/client'
import type { EffectResource, ForkResource, RunResource } from 'tellurion/protocol'
import { hasEnded } from 'tellurion/runtime'
import { UsageError, type ExitCode } from './fault.ts'
import { inertLine } from '../terminal/inert.ts'
import { atDesk, findRun, shortId, untilWorked, type DeskFlags, type RunDesk } from './run-desk.ts'
import { tickOrLabel, wholeNumber } from './run-list.ts'
import type { Host } from './setting.ts'

/** How long a worker may take to hear of a cancel, in milliseconds. */
const cancelPatience = 10_000

/** Where an order comes from. */
export interface OrderContext<Flags extends DeskFlags = DeskFlags> {
  readonly flags: Flags
  readonly host: Host
}

export function cancelRun(id: string, context: OrderContext): Promise<ExitCode> {
  return order(id, context, async ({ id: run }, { client, runtime }) => {
    const cancelled = client.runs.cancel(run)
    // Its worker may be dead: then the cancel is taken in here, as soon as the lease has lapsed.
    runtime
      ?.run(run)
      .work({ signal: AbortSignal.timeout(cancelPatience) })
      .catch(() => {})
    const { status } = await cancelled
    return hasEnded(status) ? `is ${status}` : 'will be cancelled when its worker looks'
  })
}

export function pauseRun(id: string, context: OrderContext): Promise<ExitCode> {
  return order(id, context, async (run, { client }) => {
    await client.runs.pause(run.id)
    const { status } = await client.runs.get(run.id)
    return status === 'paused' ? 'is paused' : 'pauses after its present tick'
  })
}

export function resumeRun(id: string, context: OrderContext): Promise<ExitCode> {
  return order(id, context, async (run, desk) => {
    await desk.client.runs.resume(run.id)
    return `goes on${untilWorked(desk)}`
  })
}

export function steerRun(id: string, words: readonly string[], context: OrderContext): Promise<ExitCode> {
  const text = words.join(' ').trim()
  if (text === '') throw new UsageError('There is nothing to say: write it behind the id.')
  return order(id, context, async (run, { client }) => {
    await client.runs.steer(run.id, text)
    return 'reads that before its next model call'
  })
}

export function retryRun(id: string, context: OrderContext): Promise<ExitCode> {
  return order(id, context, async (run, desk) => {
    await desk.client.runs.retry(run.id)
    return `gets another try${untilWorked(desk)}`
  })
}

/** Options of `runs undo`. */
export interface UndoFlags extends DeskFlags {
  readonly ticks: string
  readonly to?: string
  readonly cancel?: boolean
}

export function undoRun(id: string, context: OrderContext<UndoFlags>): Promise<ExitCode> {
  const { cancel = false } = context.flags
  const ticks = wholeNumber('--ticks', context.flags.ticks, { least: 1 })
  const to = context.flags.to === undefined ? undefined : tickOrLabel('--to', context.flags.to)
  return order(id, context, async (run, { client, remarks }) => {
    const request = to === undefined ? { ticks, cancel } : { to, cancel }
    const { outsideEffects } = await client.runs.undo(run.id, request)
    warn(outsideEffects, { remarks })
    if (to !== undefined) return `is put back to ${inertLine(String(to))}: later runs of its session go on from there`
    return `is undone by ${ticks} ${ticks === 1 ? 'tick' : 'ticks'}: later runs of its session go on from there`
  })
}

/** Options of `runs fork`. */
export interface ForkFlags extends DeskFlags {
  readonly tick: string
  readonly say?: string
}

export function forkRun(id: string, { flags, host }: OrderContext<ForkFlags>): Promise<ExitCode> {
  const tick = tickOrLabel('--tick', flags.tick)
  const said = flags.say === undefined ? {} : { input: flags.say }
  return branch(id, { flags, host }, (run, client) => client.runs.fork(run, { tick, ...said }))
}

/** Options of `runs edit` and `runs regenerate`. */
export interface AnewFlags extends DeskFlags {
  readonly cancel?: boolean
}

export function editMessage(
  message: string,
  words: readonly string[],
  context: OrderContext<AnewFlags>,
): Promise<ExitCode> {
  const text = words.join(' ').trim()
  if (text === '') throw new UsageError('There is no new text: write it behind the id of the message.')
  const { cancel = false } = context.flags
  return branch(runOf(message), context, (run, client) => client.runs.edit(run, message, { input: text, cancel }))
}

export function regenerateMessage(message: string, context: OrderContext<AnewFlags>): Promise<ExitCode> {
  const { cancel = false } = context.flags
  return branch(runOf(message), context, (run, client) => client.runs.regenerate(run, message, { cancel }))
}

/** The id of a message is that of its run and a number. */
function runOf(message: string): string {
  return message.replace(/-\d+$/, '')
}

/** Gives an order and says what comes of it; as JSON, the run as it is then. */
function order(
  id: string,
  { flags, host }: OrderContext,
  give: (run: RunResource, desk: RunDesk) => Promise<string>,
): Promise<ExitCode> {
  return atDesk(flags, host, async (desk) => {
    const run = await findRun(desk.client, id)
    const outcome = await give(run, desk)
    desk.tell(await desk.client.runs.get(run.id), () => desk.remarks.note(`${shortId(run.id, desk.out)} ${outcome}.`))
    return 0
  })
}

/** Makes another run out of one, and says which. */
function branch(
  id: string,
  { flags, host }: OrderContext,
  make: (run: string, client: Client) => Promise<ForkResource>,
): Promise<ExitCode> {
  return atDesk(flags, host, async (desk) => {
    const made = await make((await findRun(desk.client, id)).id, desk.client)
    warn(made.outsideEffects, desk)
    desk.tell(made, () => {
      desk.out.line(made.id)
      if (desk.runtime !== undefined) desk.remarks.note("It is queued: 'tellurion worker' works on it.")
    })
    return 0
  })
}

function warn(effects: readonly EffectResource[], { remarks }: Pick<RunDesk, 'remarks'>): void {
  for (const { toolName, toolCallId } of effects) {
    remarks.note(`Not undone: what ${inertLine(toolName)} (${inertLine(toolCallId)}) did outside.`, 'warning')
  }
}
