// Stored states brought back to life: snapshot, rows behind it, and migration, in one place.

import { TellurionError } from '../error/error.ts'
import type { Delta } from '../world/delta.ts'
import { restore, snapshot } from '../world/snapshot.ts'
import { World } from '../world/world.ts'
import type { StoredState } from './run-store.ts'
import type { Setting } from './setting.ts'

/** A world from what a store gave, without any agent bound to it. Throws what `restore` throws. */
export function revive(
  { snapshot: stored, rows }: StoredState,
  { components, retired }: Pick<Setting, 'components' | 'retired'>,
): World {
  const deltas = rows.map(({ operations, versions }): Delta => {
    return { operations, records: [], ...(versions === undefined ? {} : { versions }) }
  })
  return restore(stored ?? snapshot(new World()), { components, retired, deltas })
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
