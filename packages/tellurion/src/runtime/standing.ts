// What stands in a session: the runs and messages of its present branch and of the past it shares. What was undone is
// kept, but does not stand.

import { Conversation } from '../agent/component.ts'
import { TellurionError } from '../error/error.ts'
import type { Message } from '../message/message.ts'
import { entityOf } from './foreign-component.ts'
import type { RunRecord } from './run.ts'
import type { Setting } from './setting.ts'
import { worldAt } from './state.ts'

/** The runs that stand, newest first, at most `limit`. Empty for a session that is not there. */
export async function standingRuns(setting: Setting, id: string, limit: number): Promise<readonly RunRecord[]> {
  const { store } = setting.backend
  const session = await store.getSession(id)
  if (session === undefined) return []
  const runs = await store.listRuns({ session: id, limit: 1000 })
  const standing: RunRecord[] = []
  let branch = await store.getBranch(session.branch)
  // Ticks after this one of an ancestor are not part of the past that its child took over.
  let last = Infinity
  while (branch !== undefined && standing.length < limit) {
    const { id: own, parent } = branch
    const here = runs.filter((run) => run.branch === own)
    standing.push(...here.filter((run) => run.firstTick <= last))
    if (parent === undefined) break
    const begun = here.map((run) => run.firstTick).filter((tick) => tick > 0)
    const forked = begun.length > 0 ? Math.min(...begun) - 1 : (await worldAt(setting, own)).header.tick
    last = Math.min(last, forked)
    branch = await store.getBranch(parent.branch)
  }
  return standing.slice(0, limit)
}

/** The branch that a session stands on. Throws `unknown_tick` for a session that has no past. */
export async function headOf({ backend }: Setting, id: string): Promise<string> {
  const session = await backend.store.getSession(id)
  if (session !== undefined) return session.branch
  throw new TellurionError('unknown_tick', `Session ${id} has no past yet.`)
}

/** The conversation of an agent in a session, as it stands. */
export async function standingMessages(setting: Setting, id: string, agent: string): Promise<readonly Message[]> {
  const session = await setting.backend.store.getSession(id)
  if (session === undefined) return []
  const world = await worldAt(setting, session.branch)
  const entity = entityOf(world, agent)
  return entity === undefined ? [] : (world.get(entity, Conversation)?.toArray() ?? [])
}
