// Queries: the entities that carry all of some components and none of others, kept up to date at each write.

import type { Component } from './component.ts'
import type { Entity } from './entity.ts'

/** Below this many entities a plain scan beats an index. */
const scanLimit = 16

/** A set of entities that lists them in ascending order, whatever the order of the writes. */
export class EntitySet {
  #list: Entity[] = []
  #position: Map<Entity, number> | undefined
  #sorted = true

  get size(): number {
    return this.#list.length
  }

  has(entity: Entity): boolean {
    return this.#indexOf(entity) >= 0
  }

  add(entity: Entity): void {
    const { length } = this.#list
    if (length > 0 && entity < this.#list[length - 1]!) this.#sorted = false
    this.#list.push(entity)
    if (this.#position !== undefined) this.#position.set(entity, length)
    else if (length + 1 > scanLimit) this.#position = new Map(this.#list.map((item, index) => [item, index]))
  }

  delete(entity: Entity): void {
    const index = this.#indexOf(entity)
    if (index < 0) return
    this.#position?.delete(entity)
    const last = this.#list.pop()!
    if (last === entity) return
    this.#list[index] = last
    this.#position?.set(last, index)
    this.#sorted = false
  }

  /** The entities, ascending. The array is the set's own: valid until the next write. */
  list(): readonly Entity[] {
    if (!this.#sorted) {
      this.#list.sort((a, b) => a - b)
      if (this.#position !== undefined) {
        for (let index = 0; index < this.#list.length; index++) this.#position.set(this.#list[index]!, index)
      }
      this.#sorted = true
    }
    return this.#list
  }

  #indexOf(entity: Entity): number {
    if (this.#position !== undefined) return this.#position.get(entity) ?? -1
    return this.#list.indexOf(entity)
  }
}

/** One live query of one world. */
export class Query {
  readonly all: readonly Component[]
  readonly none: readonly Component[]
  readonly entities: EntitySet = new EntitySet()

  constructor(all: readonly Component[], none: readonly Component[]) {
    this.all = all
    this.none = none
  }
}

/** The key under which equal queries are found again: the same components, in whatever order they were named. */
export function queryKey(all: readonly Component[], none: readonly Component[]): string {
  const numbers = (list: readonly Component[]): string =>
    list
      .map((component) => component.index)
      .sort((a, b) => a - b)
      .join(',')
  return none.length === 0 ? numbers(all) : `${numbers(all)}!${numbers(none)}`
}
