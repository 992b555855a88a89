// Going on from a checkpoint: the world of a file becomes the beginning of a session of its own, and a run goes on there.
// Everything is checked before anything is stored.

import { Agent } from '../agent/agent.ts'
import { TellurionError } from '../error/error.ts'
import { checkOptions } from '../error/option.ts'
import type { UserInput } from '../message/message.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { restore, snapshot } from '../world/snapshot.ts'
import type { World } from '../world/world.ts'
import { readCheckpoint, type CheckpointFile } from './checkpoint-file.ts'
import { restoredTo } from './checkpoint.ts'
import { entityOf } from './foreign-component.ts'
import type { ForkPayload } from './inbox.ts'
import type { NewRun } from './run-store.ts'
import type { Setting } from './setting.ts'
import { checkPlace, inputFor } from './submission.ts'

/** How a checkpoint is gone on from. */
export interface RestoreRunOptions {
  /** The id of the new session; default one that only this run has. It must not be there yet. */
  readonly session?: string
  /** The agent that goes on; default the one it was made of. */
  readonly agent?: string
  /** Changes the world before it goes on. */
  readonly edit?: (world: World) => void
  /** Says something new, instead of going on where it stood. */
  readonly input?: UserInput
  readonly user?: string
  readonly tenant?: string
  readonly priority?: number
  readonly metadata?: JsonObject
}

const known = ['session', 'agent', 'edit', 'input', 'user', 'tenant', 'priority', 'metadata']

/** A run that begins with a state. */
type RestoredRun = Pick<NewRun, 'agent' | 'input' | 'user' | 'priority' | 'metadata' | 'ownSession' | 'state'> &
  Partial<Pick<NewRun, 'session' | 'tenant' | 'limits'>>

/**
 * The run that goes on from a checkpoint, ready to be stored. Throws what `readCheckpoint` and `restore` throw,
 * `unknown_agent`, and `invalid_snapshot` when the world has no such agent.
 */
export async function restoredRun(
  setting: Setting,
  from: string | CheckpointFile,
  options: RestoreRunOptions,
): Promise<RestoredRun> {
  checkOptions('restore', options, known)
  checkPlace(options)
  const { snapshot: stored, run } = typeof from === 'string' ? await readCheckpoint(from) : { ...from }
  const { components, retired, registry } = setting
  const world = restore(stored, { components, retired })
  const agent = options.agent ?? run?.agent ?? onlyAgent(setting, world)
  const found = registry.get(agent)
  const limits = found instanceof Agent ? found.limits : undefined
  if (entityOf(world, agent) === undefined) {
    throw new TellurionError('invalid_snapshot', `This checkpoint has no agent '${agent}'; name the one that it has.`)
  }
  options.edit?.(world)
  const {
    input,
    session,
    tenant,
    user = run?.user ?? 'local',
    priority = run?.priority ?? 0,
    metadata = run?.metadata ?? {},
  } = options
  const payload: ForkPayload = {
    fork: true,
    restored: restoredTo(setting, world.header.tick, undefined),
    ...(input === undefined ? {} : { input: inputFor(found, input) }),
  }
  const state = snapshot(world)
  return {
    agent,
    input: payload as unknown as Json,
    user,
    priority,
    metadata,
    ownSession: session === undefined,
    state,
    ...(session === undefined ? {} : { session }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(limits === undefined ? {} : { limits }),
  }
}

/** The one agent of the runtime that lives in a world, for a checkpoint that no run has written. */
function onlyAgent({ registry }: Setting, world: World): string {
  const found = registry.keys().filter((key) => entityOf(world, key) !== undefined)
  if (found.length === 1) return found[0]!
  const which = found.length === 0 ? 'none of this runtime' : found.join(', ')
  throw new TellurionError('invalid_snapshot', `Agents in this checkpoint: ${which}; name the one that goes on.`)
}
