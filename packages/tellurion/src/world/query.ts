// Queries: which entities carry all of some components and none of others. A query belongs to a layout and is shared by
// worlds; `Matches` are the entities of one world that match it, kept up to date at each write.

import type { Component } from './component.ts'
import type { Entity } from './entity.ts'
import { EntityMap, newOwner } from './entity-map.ts'

/** What one entity carries: the row's owner, then the value of each component in the slot its layout gives it. */
export type Row = unknown[]

/** A question to rows. The order in which components are named is the order of the answers. */
export class Query {
  readonly all: readonly Component[]
  readonly none: readonly Component[]
  /** Where the components of `all` and of `none` lie in a row. */
  readonly slots: readonly number[]
  readonly noneSlots: readonly number[]

  constructor(all: readonly Component[], none: readonly Component[], slots: readonly number[]) {
    const slot = ({ index }: Component): number => slots[index]!
    this.all = all
    this.none = none
    this.slots = all.map(slot)
    this.noneSlots = none.map(slot)
  }

  matches(row: Row): boolean {
    const { slots, noneSlots } = this
    for (let index = 0; index < slots.length; index++) if (row[slots[index]!] === undefined) return false
    for (let index = 0; index < noneSlots.length; index++) if (row[noneSlots[index]!] !== undefined) return false
    return true
  }

  /** Whether it asks for exactly these, in this order. */
  asks(all: readonly Component[], none: readonly Component[]): boolean {
    return sameList(this.all, all) && sameList(this.none, none)
  }
}

function sameList(a: readonly Component[], b: readonly Component[]): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false
  return true
}

/** The entities of one world that match one query. */
class Matches {
  readonly query: Query
  readonly #members: EntityMap<true> = new EntityMap(newOwner())
  #list: Entity[] | undefined = []

  constructor(query: Query, rows: EntityMap<Row>) {
    this.query = query
    rows.each((entity, row) => this.update(entity, row))
  }

  get size(): number {
    return this.#members.size
  }

  /** The entities, ascending. The array is its own: valid until the next write. */
  list(): readonly Entity[] {
    if (this.#list === undefined) {
      const list: Entity[] = (this.#list = [])
      this.#members.each((entity) => list.push(entity))
    }
    return this.#list
  }

  /** The row of an entity has changed. */
  update(entity: Entity, row: Row): void {
    if (this.query.matches(row)) this.#join(entity)
    else this.leave(entity)
  }

  /** Forgets an entity that is gone, or does not match any more. */
  leave(entity: Entity): void {
    if (!this.#members.delete(entity)) return
    if (this.#list !== undefined && this.#list[this.#list.length - 1] === entity) this.#list.pop()
    else this.#list = undefined
  }

  #join(entity: Entity): void {
    const before = this.#members.size
    this.#members.set(entity, true)
    if (this.#members.size === before || this.#list === undefined) return
    if (before === 0 || entity > this.#list[before - 1]!) this.#list.push(entity)
    else this.#list = undefined
  }
}

/** The matches of all queries that were asked of one world of some size. */
export class LiveQueries {
  readonly #matches: Map<Query, Matches> = new Map()
  readonly #bySlot: (Matches[] | undefined)[] = []

  /** The entities that match, ascending; found at the first question and kept from then on. */
  of(query: Query, rows: EntityMap<Row>): Matches {
    let matches = this.#matches.get(query)
    if (matches === undefined) {
      this.#matches.set(query, (matches = new Matches(query, rows)))
      for (const slot of new Set([...query.slots, ...query.noneSlots])) {
        while (this.#bySlot.length <= slot) this.#bySlot.push(undefined)
        const list = this.#bySlot[slot]
        if (list === undefined) this.#bySlot[slot] = [matches]
        else list.push(matches)
      }
    }
    return matches
  }

  /** The entity gained or lost what lies in `slot`. */
  changed(entity: Entity, row: Row, slot: number): void {
    const concerned = this.#bySlot[slot]
    if (concerned !== undefined) for (const matches of concerned) matches.update(entity, row)
  }

  gone(entity: Entity): void {
    for (const matches of this.#matches.values()) matches.leave(entity)
  }
}
