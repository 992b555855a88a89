// The port between an attempt and a make of agent: how it gets into a world, what it does with mail, what it brings.
// Everything else of an attempt is the same for all.

import type { AgentResult } from '../agent/result.ts'
import type { Component } from '../world/component.ts'
import type { Entity } from '../world/entity.ts'
import type { Stop } from '../world/runner.ts'
import type { World } from '../world/world.ts'
import type { Taker } from './inbox.ts'

/** An agent of some make, as an attempt works with it. */
export interface Work extends Taker {
  /** The name under which runs ask for it. */
  readonly name: string
  /** Most ticks of a run; the runner's default where undefined, null for no limit. */
  maxTicks(world: World, entity: Entity): number | null | undefined
  readonly components: readonly Component[]
  /** Binds what is live to a world and adds the systems. */
  bindTo(world: World): void
  /** Makes its entity in a world that has none. */
  spawn(world: World): Entity
  /** The result; rejects with the run's error, which carries the result, when it failed. */
  result(world: World, entity: Entity, stop: Stop): Promise<AgentResult<unknown>>
}
