// Maps from entities to anything, as trees of pages that worlds share until one of them writes. What they cost follows
// what is in them, never how many ids have been used before.

import type { Entity } from './entity.ts'

const bits = 7
const pageSize = 1 << bits
const mask = pageSize - 1

/** Who may write in place. A fork takes a new one on both sides, so that what they share belongs to neither. */
export type Owner = number

/** Whether a number can be the id of an entity: 1 to 2,147,483,647. */
export function isEntity(id: unknown): id is Entity {
  return typeof id === 'number' && (id | 0) === id && id > 0
}

let owners = 0

/** An owner that nobody else is. */
export function newOwner(): Owner {
  return ++owners
}

/** An array of so many empty places, without the slack that growing would leave. */
export function places(count: number): unknown[] {
  // oxlint-disable-next-line unicorn/no-new-array -- nothing else makes one of exactly this size at once
  return new Array<unknown>(count)
}

interface Page {
  readonly owner: Owner
  items: unknown[]
  /** How many items are there; an empty page leaves the tree. */
  count: number
}

/** A map from entities. `set` and `delete` are for its owner alone; everybody else takes a copy first. */
export class EntityMap<T> {
  readonly owner: Owner
  size: number
  #top: Page
  /** How many bits of an id lie below the top page; 0 when the top is the only one. */
  #shift: number

  /** An empty map, or a copy of `from` that shares its pages. */
  constructor(owner: Owner, from?: EntityMap<T>) {
    this.owner = owner
    this.size = from === undefined ? 0 : from.size
    this.#top = from === undefined ? { owner, items: [], count: 0 } : from.#top
    this.#shift = from === undefined ? 0 : from.#shift
  }

  /** The value of an entity; undefined also for what is no entity at all. */
  get(entity: Entity): T | undefined {
    let shift = this.#shift
    if ((entity | 0) !== entity || entity >>> shift > mask) return undefined
    let page = this.#top
    for (; shift > 0; shift -= bits) {
      const next = page.items[(entity >>> shift) & mask] as Page | undefined
      if (next === undefined) return undefined
      page = next
    }
    return page.items[entity & mask] as T | undefined
  }

  /** Puts a value, which must not be undefined. */
  set(entity: Entity, value: T & {}): void {
    while (entity >>> this.#shift > mask) this.#raise()
    let page = this.#top.owner === this.owner ? this.#top : (this.#top = this.#copy(this.#top))
    for (let shift = this.#shift; shift > 0; shift -= bits) {
      const index = (entity >>> shift) & mask
      const next = page.items[index] as Page | undefined
      if (next !== undefined && next.owner === this.owner) {
        page = next
        continue
      }
      const own: Page = next === undefined ? { owner: this.owner, items: [], count: 0 } : this.#copy(next)
      place(page, index, own)
      page = own
    }
    if (place(page, entity & mask, value)) this.size++
  }

  /** Takes a value out; false when there was none. */
  delete(entity: Entity): boolean {
    if (this.get(entity) === undefined) return false
    this.#top = this.#without(this.#top, entity, this.#shift)
    this.size--
    return true
  }

  /** The first entity at or after `from` that has a value. */
  next(from: number): Entity | undefined {
    if (from >>> this.#shift > mask) return undefined
    if (this.#shift > 0) return nextOn(this.#top, { start: 0, shift: this.#shift, from })
    const { items } = this.#top
    for (let index = from; index < items.length; index++) if (items[index] !== undefined) return index as Entity
    return undefined
  }

  /** Calls `fn` for every entity that has a value, in ascending order. */
  each(fn: (entity: Entity, value: T) => void): void {
    walk(this.#top, { start: 0, shift: this.#shift, fn: fn as (entity: Entity, value: unknown) => void })
  }

  #raise(): void {
    const { owner } = this
    this.#top = this.#top.count === 0 ? { owner, items: [], count: 0 } : { owner, items: [this.#top], count: 1 }
    this.#shift += bits
  }

  #without(page: Page, entity: Entity, shift: number): Page {
    const own = page.owner === this.owner ? page : this.#copy(page)
    const index = (entity >>> shift) & mask
    const next = shift === 0 ? undefined : this.#without(own.items[index] as Page, entity, shift - bits)
    if (next === undefined || next.count === 0) {
      own.items[index] = undefined
      own.count--
    } else own.items[index] = next
    return own
  }

  #copy(page: Page): Page {
    return { owner: this.owner, items: page.items.slice(), count: page.count }
  }
}

/** Puts an item on a page of one's own; whether there was none. Pages grow from 4 places by steps, without slack. */
function place(page: Page, index: number, item: unknown): boolean {
  if (index >= page.items.length) {
    let size = 4
    while (size <= index) size *= 4
    const items = places(Math.min(size, pageSize))
    for (let at = 0; at < page.items.length; at++) items[at] = page.items[at]
    page.items = items
  }
  const isNew = page.items[index] === undefined
  page.items[index] = item
  if (isNew) page.count++
  return isNew
}

/** The first entity at or after `from` on a page whose ids begin at `start`; `from` may lie before the page. */
function nextOn(
  page: Page,
  { start, shift, from }: { start: number; shift: number; from: number },
): Entity | undefined {
  const { items } = page
  for (let index = from > start ? (from - start) >>> shift : 0; index < items.length; index++) {
    const item = items[index]
    if (item === undefined) continue
    const at = start + (index << shift)
    const found = shift === 0 ? (at as Entity) : nextOn(item as Page, { start: at, shift: shift - bits, from })
    if (found !== undefined) return found
  }
  return undefined
}

function walk(
  page: Page,
  { start, shift, fn }: { start: number; shift: number; fn: (entity: Entity, value: unknown) => void },
): void {
  const { items } = page
  for (let index = 0; index < items.length; index++) {
    const item = items[index]
    if (item === undefined) continue
    const at = start + (index << shift)
    if (shift === 0) fn(at as Entity, item)
    else walk(item as Page, { start: at, shift: shift - bits, fn })
  }
}
