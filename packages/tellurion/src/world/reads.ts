// What one invocation of a system has read, so that a stale write is found where it is made.

import { TellurionError } from '../error/error.ts'
import type { Component } from './component.ts'
import type { State } from './state.ts'
import type { Entity } from './entity.ts'

/** Remember at most this many reads; older ones are forgotten, and then not checked. */
const limit = 64

/** The reads of one invocation: entity, component and the value seen, three slots each. */
export class Reads {
  #seen: unknown[] | undefined

  saw(entity: Entity, component: Component, value: unknown): void {
    const seen = this.#seen
    if (seen === undefined || seen.length >= limit * 3) this.#seen = [entity, component, value]
    else seen.push(entity, component, value)
  }

  /** Throws `stale_write` when the value is not the one this invocation last read or wrote. */
  check(state: State, entity: Entity, component: Component): void {
    const at = this.#last(entity, component)
    if (at < 0 || this.#seen![at + 2] === state.read(entity, component)) return
    throw new TellurionError(
      'stale_write',
      `${component.name} of entity ${entity} has changed since this system read it: use world.update after an await.`,
    )
  }

  /** This invocation wrote: what is there now is what it knows. */
  wrote(state: State, entity: Entity, component: Component): void {
    const at = this.#last(entity, component)
    if (at >= 0) this.#seen![at + 2] = state.read(entity, component)
  }

  #last(entity: Entity, component: Component): number {
    const seen = this.#seen
    if (seen === undefined) return -1
    for (let at = seen.length - 3; at >= 0; at -= 3) if (seen[at] === entity && seen[at + 1] === component) return at
    return -1
  }
}
