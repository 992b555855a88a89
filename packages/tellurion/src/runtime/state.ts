// Stored states brought back to life: snapshot, rows behind it, and migration, in one place.

import { TellurionError } from '../error/error.ts'
import type { Component } from '../world/component.ts'
import type { Delta } from '../world/delta.ts'
import { restore, snapshot } from '../world/snapshot.ts'
import { World } from '../world/world.ts'
import type { JournalRow, StoredState } from './run-store.ts'
import type { Setting } from './setting.ts'

/** A world from what a store gave, without any agent bound to it. Throws what `restore` throws. */
export function revive(
  { snapshot: stored, rows }: StoredState,
  { components, retired }: Pick<Setting, 'components' | 'retired'>,
): World {
  return restore(stored ?? snapshot(new World()), { components, retired, deltas: rows.map(deltaOf) })
}

/** What a row of the journal changed. */
export function deltaOf({ operations, versions }: JournalRow): Delta {
  return { operations, records: [], ...(versions === undefined ? {} : { versions }) }
}

/** Whether something of a state is in an older version than the code's, so that bringing it to life migrates. */
export function isOlder({ snapshot: stored, rows }: StoredState, components: readonly Component[]): boolean {
  const present = new Map(components.filter(({ version }) => version > 1).map(({ name, version }) => [name, version]))
  if (present.size === 0) return false
  const behind = (name: unknown, version = 1): boolean => version < (present.get(name as string) ?? 1)
  return (
    Object.entries(stored?.components ?? {}).some(([name, { version }]) => behind(name, version)) ||
    rows.some(({ operations, versions }) => operations.some(([, , name]) => behind(name, versions?.[name as string])))
  )
}

/** The world of a branch, now or after a finished tick. Throws `unknown_tick`. */
export async function worldAt(setting: Setting, branch: string, tick?: number): Promise<World> {
  const state = await setting.backend.store.load(branch, tick === undefined ? {} : { tick })
  if (state !== undefined) return revive(state, setting)
  const when = tick === undefined ? 'any more' : `after tick ${tick}, or not any more`
  throw new TellurionError('unknown_tick', `Branch ${branch} has no state ${when}.`)
}

/** The newest tick of a branch; nothing is brought to life for it. Throws `unknown_tick`. */
export async function newestTick({ backend }: Setting, branch: string): Promise<number> {
  const state = await backend.store.load(branch)
  if (state === undefined) throw new TellurionError('unknown_tick', `Branch ${branch} has no state any more.`)
  return state.rows.at(-1)?.tick ?? state.snapshot?.header.tick ?? 0
}
