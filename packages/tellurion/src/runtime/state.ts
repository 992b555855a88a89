// States of branches as they are stored: the world of any tick, for whoever looks.

import { TellurionError } from '../error/error.ts'
import type { World } from '../world/world.ts'
import { revive } from './revival.ts'
import type { Setting } from './setting.ts'

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
