// What one invocation of a system has read, so that a stale write is found where it is made.

import { TellurionError } from '../error/error.ts'
import type { Component } from './component.ts'
import type { State } from './state.ts'
import type { Entity } from './entity.ts'
import { places } from './entity-map.ts'

/** Remember at most this many reads; older ones are forgotten, and then not checked. */
const limit = 64

/** The reads of one invocation: entity, component and the value seen, three places each. Another may take it over. */
export class Reads {
  /** With room for a third of them from the start, which is more than most invocations make. */
  readonly #seen: unknown[] = places(limit)
  #length = 0

  saw(entity: Entity, component: Component, value: unknown): void {
    const seen = this.#seen
    let at = this.#length
    if (at >= limit * 3) at = 0
    seen[at] = entity
    seen[at + 1] = component
    seen[at + 2] = value
    this.#length = at + 3
  }

  /** Nothing has been read. */
  forget(): void {
    this.#length = 0
  }

  /** Throws `stale_write` when the value is not the one this invocation last read or wrote. */
  check(state: State, entity: Entity, component: Component): void {
    const at = this.#last(entity, component)
    if (at < 0 || this.#seen[at + 2] === state.read(entity, component)) return
    throw new TellurionError(
      'stale_write',
      `${component.name} of entity ${entity} has changed since this system read it: use world.update after an await.`,
    )
  }

  /** This invocation wrote: what is there now is what it knows. */
  wrote(state: State, entity: Entity, component: Component): void {
    const at = this.#last(entity, component)
    if (at >= 0) this.#seen[at + 2] = state.read(entity, component)
  }

  #last(entity: Entity, component: Component): number {
    const seen = this.#seen
    for (let at = this.#length - 3; at >= 0; at -= 3) if (seen[at] === entity && seen[at + 1] === component) return at
    return -1
  }
}
