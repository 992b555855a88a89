// Columns: the values of one component, by entity, in pages that worlds share until one of them writes.

import type { Entity } from './entity.ts'

const shift = 6
const pageSize = 1 << shift
const mask = pageSize - 1

/** Who may write in place. A fork takes a new one on both sides, so that what they share belongs to neither. */
export type Owner = object

interface Page {
  readonly owner: Owner
  readonly items: unknown[]
  count: number
}

/** The values of one component. `size` is the number of entities that have it. */
export class Column {
  readonly owner: Owner
  readonly #pages: (Page | undefined)[]
  size: number

  constructor(owner: Owner, pages: (Page | undefined)[] = [], size = 0) {
    this.owner = owner
    this.#pages = pages
    this.size = size
  }

  get(entity: Entity): unknown {
    return this.#pages[entity >> shift]?.items[entity & mask]
  }

  /** This column, or a copy that `owner` may write. The pages stay shared. */
  writable(owner: Owner): Column {
    return this.owner === owner ? this : new Column(owner, this.#pages.slice(), this.size)
  }

  /** Puts a value; this column must be writable. */
  set(entity: Entity, value: unknown): void {
    const page = this.#page(entity >> shift)
    if (page.items[entity & mask] === undefined) {
      page.count++
      this.size++
    }
    page.items[entity & mask] = value
  }

  /** Removes a value that is there; this column must be writable. */
  delete(entity: Entity): void {
    const index = entity >> shift
    const page = this.#page(index)
    page.items[entity & mask] = undefined
    page.count--
    this.size--
    if (page.count === 0) this.#pages[index] = undefined
  }

  /** Calls `fn` for each entity that has a value, in ascending order. */
  each(fn: (entity: Entity, value: unknown) => void): void {
    for (let index = 0; index < this.#pages.length; index++) {
      const page = this.#pages[index]
      if (page === undefined) continue
      for (let offset = 0; offset < pageSize; offset++) {
        const value = page.items[offset]
        if (value !== undefined) fn(((index << shift) | offset) as Entity, value)
      }
    }
  }

  #page(index: number): Page {
    const page = this.#pages[index]
    if (page !== undefined && page.owner === this.owner) return page
    const own: Page =
      page === undefined
        ? { owner: this.owner, items: [], count: 0 }
        : { owner: this.owner, items: page.items.slice(), count: page.count }
    while (this.#pages.length < index) this.#pages.push(undefined)
    this.#pages[index] = own
    return own
  }
}
