// The past of a run: forks, and what they will not undo. A fork is a branch from a finished tick; the source goes on
// untouched.

import { TellurionError } from '../error/error.ts'
import type { MessageAdded } from '../event/event.ts'
import type { Message, UserInput } from '../message/message.ts'
import type { Operation } from '../world/delta.ts'
import type { ToolOutcome } from '../tool/result.ts'
import type { World } from '../world/world.ts'
import type { ForkPayload } from './inbox.ts'
import type { RunRecord } from './run.ts'
import type { JournalRow } from './run-store.ts'
import type { Setting } from './setting.ts'
import { worldAt } from './state.ts'

/** Rows, and sub-agents of a run, that are looked at for effects. */
const mostRows = 100_000
const mostChildren = 1_000

/** Why a call has a result that never ran. */
const neverRan: ReadonlySet<string> = new Set(['tool_denied', 'tool_input_invalid', 'unknown_tool'])

/** How a past is gone on from. */
export interface ForkOptions {
  /** A finished tick of the run's branch, or its label. */
  readonly tick: number | string
  /** Changes the world before it goes on. */
  readonly edit?: (world: World) => void
  /** Says something new, instead of going on where the run stood. */
  readonly input?: UserInput
}

/** A tool call whose effects a fork does not undo. */
export interface OutsideEffect {
  readonly toolCallId: string
  readonly toolName: string
}

/** A message with the id under which it can be edited or regenerated, and the last tick that had ended before it. */
export interface MessagePlace {
  readonly id: string
  readonly message: Message
  readonly tick: number
}

/** What the first item of a fork's inbox carries. The edit is made now, on the past, and kept as operations. */
export async function forkPayload(
  setting: Setting,
  branch: string,
  options: Omit<ForkOptions, 'tick'> & Pick<ForkPayload, 'restored'>,
): Promise<ForkPayload> {
  const { edit, input, restored } = options
  if (edit !== undefined && typeof edit !== 'function') {
    throw new TellurionError('invalid_option', 'edit is a function that changes the world it is given.')
  }
  const payload: ForkPayload = { fork: true, restored, ...(input === undefined ? {} : { input }) }
  if (edit === undefined) return payload
  const world = await worldAt(setting, branch, restored.tick)
  edit(world)
  const { operations } = world.takeDelta()
  return operations.length === 0 ? payload : { ...payload, operations }
}

/** A branch from a finished tick of a run's branch; with `head` its session stands on it. Throws `run_live`, `unknown_tick`. */
export async function branchAt(
  { backend, clock, ids }: Setting,
  { id: run, branch, session }: RunRecord,
  { tick, head }: { readonly tick: number; readonly head: boolean },
): Promise<string> {
  const id = ids('b').slice(0, 20)
  const made = await backend.store.fork({ branch, tick, id, session, head, now: clock.now() })
  if (made === 'live') throw isLive(run)
  if (made !== undefined) return made.id
  throw new TellurionError('unknown_tick', `Branch ${branch} has no tick ${tick}, or not any more.`)
}

/** Why a session cannot be put back now. */
export function isLive(run: string): TellurionError {
  return new TellurionError(
    'run_live',
    `Run ${run}, or another of its session, is live: wait for its end, or pass cancel: true.`,
  )
}

/**
 * The calls that ran after a tick and were not reads, those of sub-agents included: a fork from there will not undo what
 * they did.
 */
export async function outsideEffects(setting: Setting, record: RunRecord, tick: number): Promise<OutsideEffect[]> {
  const rows = await setting.backend.store.readRows(record.branch, { afterTick: tick, limit: mostRows })
  const since = rows[0]?.at
  return since === undefined ? [] : effectsOf(setting, record, { rows, since })
}

/** The effects of rows, and of what worked for their runs since then. */
async function effectsOf(
  setting: Setting,
  { agent: name }: RunRecord,
  { rows, since }: { readonly rows: readonly JournalRow[]; readonly since: number },
): Promise<OutsideEffect[]> {
  const { store } = setting.backend
  const agent = setting.registry.find(name)
  const toolbox = agent !== undefined && 'toolbox' in agent ? agent.toolbox : undefined
  const effects = rows
    .flatMap(({ operations }) => resultsOf(operations))
    .filter(({ toolName }) => toolbox?.get(toolName)?.effects.mode !== 'read')
    .map(({ toolCallId, toolName }) => ({ toolCallId, toolName }))
  for (const parent of new Set(rows.map(({ run }) => run))) {
    for (const child of (await store.listRuns({ parent, limit: mostChildren })).toReversed()) {
      const own = await store.readRows(child.branch, { afterTick: child.firstTick - 1, limit: mostRows })
      // What a child did before is part of the past that is gone on from.
      const later = own.filter(({ at }) => at >= since)
      effects.push(...(await effectsOf(setting, child, { rows: later, since })))
    }
  }
  return effects
}

/** Results of calls that ran, or may have. */
function resultsOf(operations: readonly Operation[]): readonly ToolOutcome[] {
  return operations
    .flatMap((operation) =>
      operation[0] === 'append' && operation[2] === 'ToolResults' ? (operation[3] as never as ToolOutcome[]) : [],
    )
    .filter(({ code }) => code === undefined || !neverRan.has(code))
}

/** The messages of a run with their places, oldest first. An id is the run's and the number of its event. */
export async function messagePlaces({ backend }: Setting, run: string): Promise<MessagePlace[]> {
  const places: MessagePlace[] = []
  for (let after = 0; ;) {
    const events = await backend.store.readEvents(run, { after, limit: 1000 })
    for (const { seq, tick, event } of events) {
      after = seq
      if (event.type !== 'message.added') continue
      const { message } = event as MessageAdded
      places.push({ id: `${run}-${seq}`, message, tick })
    }
    if (events.length < 1000) return places
  }
}

/** The place of a message. Throws `unknown_message`. */
export async function placeOf(setting: Setting, run: string, id: string): Promise<MessagePlace> {
  const place = (await messagePlaces(setting, run)).find((each) => each.id === id)
  if (place !== undefined) return place
  throw new TellurionError('unknown_message', `Run ${run} has no message '${id}'; list them with run.messages().`)
}
