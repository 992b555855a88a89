// Labels of checkpoints: names for ticks that can be gone back to. A label is a number in the world and never a state: states are
// kept by a `History`, or by the journal of a runtime. What is gone back to knows the labels that it knew then.

import { suggestion, TellurionError } from '../error/error.ts'
import type { Entity } from '../world/entity.ts'
import type { History } from '../world/history.ts'
import { checkName } from '../world/value.ts'
import type { World } from '../world/world.ts'
import { Checkpoint } from './component.ts'
import { clockOf } from './configuration.ts'

/** Labels of an entity, where it says nothing else. */
const defaultKeep = 20

/** The labels of an entity, in the order of their ticks. */
export type Checkpoints = Readonly<Record<string, number>>

/** Wishes for a label of the tick that is running or comes next; the system `checkpoint` gives it. Throws `invalid_name`. */
export function wishCheckpoint(world: World, entity: Entity, label: string): void {
  checkName('checkpoint', label)
  world.set(entity, Checkpoint, { labels: {}, ...world.get(entity, Checkpoint), wish: label })
}

/**
 * Labels the last finished tick, between two runs, and has `history` keep the present state for it. Nothing else of the
 * world changes. The same label again moves. Returns the tick. Throws `invalid_name`.
 */
export function saveCheckpoint(
  world: World,
  entity: Entity,
  { label, history }: { readonly label: string; readonly history: History },
): number {
  const { tick } = world.header
  setLabel(world, entity, { label, tick })
  history.keep()
  return tick
}

/**
 * Puts the world back to the tick of a label, between two runs, and forgets what came later. Returns the tick. Throws
 * `unknown_tick` for a label that is not there or whose tick `history` does not keep any more.
 */
export function restoreCheckpoint(
  world: World,
  entity: Entity,
  { label, history }: { readonly label: string; readonly history: History },
): number {
  const tick = tickOf(checkpointsOf(world, entity), label)
  history.rewind(tick)
  world.emit({ type: 'checkpoint.restored', entity, label, tick, timestamp: clockOf(world).now() })
  return tick
}

/** The labels of an entity. */
export function checkpointsOf(world: World, entity: Entity): Checkpoints {
  return world.get(entity, Checkpoint)?.labels ?? {}
}

/** The tick of a label. Throws `unknown_tick` with the nearest one. */
export function tickOf(checkpoints: Checkpoints, label: string): number {
  const tick = Object.hasOwn(checkpoints, label) ? checkpoints[label] : undefined
  if (tick !== undefined) return tick
  const hint = suggestion(String(label), Object.keys(checkpoints))
  throw new TellurionError('unknown_tick', `No tick of this past is labelled '${label}'.${hint}`)
}

/** Gives a tick a label; the oldest ones past the entity's bound go. Throws `invalid_name`. */
export function setLabel(world: World, entity: Entity, { label, tick }: { label: string; tick: number }): void {
  checkName('checkpoint', label)
  const { wish: _done, ...rest } = world.get(entity, Checkpoint) ?? { labels: {} }
  world.set(entity, Checkpoint, {
    ...rest,
    labels: newest({ ...rest.labels, [label]: tick }, rest.keep ?? defaultKeep),
  })
  world.emit({ type: 'checkpoint.created', entity, label, tick, timestamp: clockOf(world).now() })
}

function newest(labels: Checkpoints, keep: number): Checkpoints {
  return Object.fromEntries(Object.entries(inOrder(labels)).slice(-Math.max(1, keep)))
}

function inOrder(labels: Checkpoints): Checkpoints {
  return Object.fromEntries(Object.entries(labels).sort(([, a], [, b]) => a - b))
}
