// Checkpoints of stored runs: names of ticks, in the scope of their session. A label belongs to the branch whose row
// ended its tick, so that every branch that shares this past knows it, and no other. Journal and worlds are not touched.

import { Checkpoint } from '../agent/component.ts'
import { tickOf, type Checkpoints } from '../agent/checkpoint-label.ts'
import { messageOf, TellurionError } from '../error/error.ts'
import type { KeyScope, KeyValueEntry } from '../port/key-value.ts'
import type { Json } from '../schema/json.ts'
import { checkName } from '../world/value.ts'
import { entityOf } from './foreign-component.ts'
import type { Labelled, Restored } from './inbox.ts'
import type { RunRecord } from './run.ts'
import type { Setting } from './setting.ts'
import { newestTick, worldAt } from './state.ts'

/** A past that labels name: that of a run, or of a session as it stands. */
export type Past = Pick<RunRecord, 'session' | 'branch' | 'agent'>

/** A label as it is kept: its tick, and the row that ended it. */
interface Label {
  readonly tick: number
  readonly seq: number
}

const prefix = 'checkpoint/'
const restoredName = 'checkpoint-restored'

/** What is to be labelled; `tick` is by default the newest finished one. `run` is told of it in its log, if it is live. */
export interface Labelling {
  readonly label: string
  readonly tick?: number | undefined
  readonly run?: string | undefined
}

/** Labels a finished tick; the same label of a branch moves. Gives back the tick. Throws `invalid_name`, `unknown_tick`. */
export async function labelTick(setting: Setting, past: Past, labelling: Labelling): Promise<number> {
  const { label, tick: asked, run } = labelling
  checkName('checkpoint', label)
  const { backend, clock } = setting
  const tick = asked ?? (await newestTick(setting, past.branch))
  const state = await backend.store.load(past.branch, { tick })
  if (state === undefined) {
    throw new TellurionError('unknown_tick', `Branch ${past.branch} has no tick ${tick}, or not any more.`)
  }
  const timestamp = clock.now()
  const kept: Label = { tick, seq: state.seq }
  const owner = await ownerOf(setting, past.branch, state.seq)
  await backend.keyValue.set(scopeOf(past), `${prefix}${owner}/${label}`, encode(kept))
  await dropOldest(setting, past)
  if (run !== undefined) {
    const payload: Labelled = { label, tick, timestamp }
    const id = setting.ids('checkpoint')
    await backend.store.send({ run, id, kind: 'checkpoint', payload: payload as unknown as Json, now: timestamp })
    backend.hints.send({ type: 'run', run })
  }
  return tick
}

/** The labels of a past, and those that its world gave itself, in the order of their ticks. */
export async function labelsOf(setting: Setting, past: Past): Promise<Checkpoints> {
  const world = await worldAt(setting, past.branch)
  const entity = entityOf(world, past.agent)
  const found = new Map(
    Object.entries((entity === undefined ? undefined : world.get(entity, Checkpoint)?.labels) ?? {}),
  )
  const near = new Set<string>()
  for await (const { branch, last } of lineage(setting, past.branch)) {
    const mine = `${prefix}${branch}/`
    for (const entry of await setting.backend.keyValue.list(scopeOf(past), { prefix: mine })) {
      const { tick, seq } = decode<Label>(entry)
      const label = entry.name.slice(mine.length)
      if (seq > last || near.has(label)) continue
      near.add(label)
      found.set(label, tick)
    }
  }
  return Object.fromEntries([...found].sort(([, a], [, b]) => a - b))
}

/** The tick that a number or a label names. Throws `unknown_tick` for a label that this past does not have. */
export async function tickAt(setting: Setting, past: Past, at: number | string): Promise<number> {
  return typeof at === 'number' ? at : tickOf(await labelsOf(setting, past), at)
}

/** What a log says of a tick that is gone on from, and of the label that named it. */
export function restoredTo({ clock }: Setting, tick: number, at: number | string | undefined): Restored {
  return { ...(typeof at === 'string' ? { label: at } : {}), tick, timestamp: clock.now() }
}

/** Keeps that a session was put back, for the log of the run that goes on from there. */
export async function noteRestored({ backend }: Setting, past: Past, restored: Restored): Promise<void> {
  await backend.keyValue.set(scopeOf(past), restoredName, encode(restored))
}

/** What the next run of a session is to say about where it begins. */
export async function restoredNote({ backend }: Setting, session: string): Promise<Restored | undefined> {
  const entry = await backend.keyValue.get(scopeOf({ session }), restoredName)
  return entry && decode<Restored>(entry)
}

/** Forgets it: a run was accepted that says so. */
export async function dropRestoredNote({ backend }: Setting, session: string): Promise<void> {
  await backend.keyValue.delete(scopeOf({ session }), restoredName)
}

function scopeOf({ session }: Pick<Past, 'session'>): KeyScope {
  return { scope: 'session', owner: session }
}

/** A branch and its ancestors, newest first, each with its last row that they share. */
async function* lineage(
  { backend }: Setting,
  id: string,
): AsyncGenerator<{ branch: string; first: number; last: number }> {
  let last = Infinity
  for (let branch = await backend.store.getBranch(id); branch !== undefined;) {
    const { parent } = branch
    yield { branch: branch.id, first: (parent?.seq ?? -2) + 1, last }
    if (parent === undefined) return
    last = Math.min(last, parent.seq)
    branch = await backend.store.getBranch(parent.branch)
  }
}

/** The branch that a row of a past is a row of. */
async function ownerOf(setting: Setting, id: string, seq: number): Promise<string> {
  for await (const { branch, first } of lineage(setting, id)) if (seq >= first) return branch
  return id
}

/** A session has at most so many labels; those that were made first go first. */
async function dropOldest({ backend: { keyValue }, retention }: Setting, past: Past): Promise<void> {
  const scope = scopeOf(past)
  const entries = await keyValue.list(scope, { prefix, limit: retention.checkpoints + 100 })
  const oldest = [...entries].sort((a, b) => a.version - b.version).slice(0, -retention.checkpoints)
  for (const { name } of oldest) await keyValue.delete(scope, name)
}

function encode(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

function decode<T>({ name, value }: KeyValueEntry): T {
  try {
    return JSON.parse(new TextDecoder().decode(value)) as T
  } catch (error) {
    throw new TellurionError('store_corrupt', `The record '${name}' is damaged: ${messageOf(error)}`, { cause: error })
  }
}
