// The state of a world: rows, queries and the pending delta. `World` is the handle through which it is used. Whatever
// foreign code a write may run (getters, schemas) has run before the present values are looked at, so nothing is ever
// half-written.

import { TellurionError } from '../error/error.ts'
import type { EventRecord } from '../event/event.ts'
import type { Component } from './component.ts'
import type { Delta, Header, Operation } from './delta.ts'
import { worldEntity, type Entity } from './entity.ts'
import { EntityMap, isEntity, newOwner, places, type Owner } from './entity-map.ts'
import type { Layout } from './layout.ts'
import { LogView } from './log.ts'
import { LiveQueries, type Query, type Row } from './query.ts'
import { equal, lastSize, own } from './value.ts'
import type { Watchers } from './watch.ts'

/** A value above this many characters is reported once a component: what grows should be a log, or entities. */
const largeValue = 16_384

/** Up to so many entities a world is scanned; beyond it keeps live queries, until it is down to half as many. */
const scanned = 8

const nobody: readonly Entity[] = []
const noComponents: readonly Component[] = []

declare const kept: unique symbol

/** What a state was: shared with whoever goes on from it, and written by nobody. A state itself is none. */
export interface Kept {
  readonly [kept]: true
  readonly layout: Layout
  readonly rows: EntityMap<Row>
  readonly header: Header
  readonly nextEntity: number
}

/** State and bookkeeping of one world. Only this room sees it. */
export class State {
  owner: Owner = newOwner()
  layout: Layout
  rows: EntityMap<Row>
  header: Header = { tick: 0, runTicks: 0, paused: false }
  nextEntity = 1
  watchers: Watchers | undefined
  /** Counts every change, so that two moments can be compared. */
  changes = 0
  /** True while a run ticks this world. */
  running = false
  /** True while kept events wait for their commit before anybody sees them. */
  holding = false
  /** How many of the pending records subscribers have been shown. */
  shown = 0
  #operations: Operation[] = []
  #records: EventRecord[] = []
  #versions: Record<string, number> | undefined
  #live: LiveQueries | undefined
  #reportedLarge: Set<string> | undefined

  constructor(layout: Layout, rows?: EntityMap<Row>) {
    this.layout = layout
    this.rows = rows ?? new EntityMap(this.owner)
  }

  /** What this state is now. From here on it writes to copies. */
  keep(): Kept {
    const { layout, rows, header, nextEntity } = this
    this.owner = newOwner()
    return { layout, rows, header, nextEntity } as Kept
  }

  /** A state that shares what was kept until it writes. */
  static from({ layout, rows, header, nextEntity }: Kept): State {
    const state = new State(layout, rows)
    state.header = header
    state.nextEntity = nextEntity
    return state
  }

  /** A state that shares everything until either side writes. */
  fork(): State {
    return State.from(this.keep())
  }

  /**
   * Becomes what was kept, of this state or of a fork of it. Ids that were used stay used; pending stays pending.
   */
  adopt({ rows, header, nextEntity }: Kept): void {
    this.forbid()
    this.owner = newOwner()
    this.rows = rows
    this.header = header
    this.nextEntity = Math.max(this.nextEntity, nextEntity)
    this.changes++
    this.#live = undefined
  }

  /** Makes a component known; throws `duplicate_name` when another one has its name. */
  declare(component: Component): void {
    if (this.layout.slots[component.index]) return
    this.layout = this.layout.with(component)
    // Queries belong to a layout, and so do those that live.
    this.#live = undefined
  }

  exists(entity: Entity): boolean {
    return entity === worldEntity || this.rows.get(entity) !== undefined
  }

  read(entity: Entity, component: Component): unknown {
    const slot = this.layout.slots[component.index]
    return slot ? this.rows.get(entity)?.[slot] : undefined
  }

  /** Makes an entity with these components: all of them, or none when one is refused. */
  spawn(inits: readonly { readonly component: Component; readonly value: unknown }[]): Entity {
    const sizes: number[] = []
    const values: unknown[] = []
    for (const { component, value } of inits) {
      values.push(component.kind === 'log' ? this.#ownItems(component, value as []) : this.#ownValue(component, value))
      sizes.push(lastSize())
      this.declare(component)
    }
    const entity = this.nextEntity as Entity
    this.put(entity)
    this.#operations.push(['spawn', entity])
    for (let index = 0; index < inits.length; index++) {
      const { component } = inits[index]!
      if (component.kind === 'log') this.#append(entity, component, values[index] as unknown[])
      else this.#set(entity, component, values[index], sizes[index]!)
    }
    return entity
  }

  destroy(entity: Entity): void {
    if (entity === worldEntity) {
      throw new TellurionError('write_forbidden', "The world's own entity cannot be destroyed.")
    }
    this.drop(entity)
    this.#operations.push(['destroy', entity])
  }

  /** Puts a value; one that is structurally equal to the present one is no write. */
  set(entity: Entity, component: Component, value: unknown): void {
    if (value !== undefined && this.read(entity, component) === value) return
    const owned = own(value, component.name)
    const size = lastSize()
    if (equal(this.read(entity, component), owned)) return
    component.check?.(owned)
    this.#set(entity, component, owned, size)
  }

  /** Puts items behind a log, which is made when the entity has none. */
  append(entity: Entity, component: Component, items: readonly unknown[]): void {
    this.#append(entity, component, this.#ownItems(component, items))
  }

  splice(entity: Entity, component: Component, change: readonly [number, number, readonly unknown[]]): void {
    const [start, deleteCount] = change
    const items = this.#ownItems(component, change[2])
    const old = this.read(entity, component) as LogView<unknown> | undefined
    if (old === undefined) throw missing(entity, component)
    if (!Number.isInteger(start) || start < 0 || start > old.length) {
      throw new TellurionError('invalid_option', `${component.name}: start must be 0 to ${old.length}, got ${start}.`)
    }
    if (!Number.isInteger(deleteCount) || deleteCount < 0 || start + deleteCount > old.length) {
      throw new TellurionError('invalid_option', `${component.name}: deleteCount must be 0 to ${old.length - start}.`)
    }
    if (equal(old.slice(start, start + deleteCount), items)) return
    this.place(entity, component, old.splice(start, deleteCount, items))
    this.#record(['splice', entity, component.name, start, deleteCount, items as never], component)
  }

  remove(entity: Entity, component: Component): boolean {
    if (!this.take(entity, component)) return false
    this.#operations.push(['remove', entity, component.name])
    return true
  }

  setHeader(header: Partial<Header>): void {
    this.forbid()
    this.header = Object.freeze({ ...this.header, ...header })
    this.#operations.push(['header', header])
    this.changes++
  }

  /** Makes an entity exist. Like the next three it records no operation and checks no value. */
  put(entity: Entity): void {
    this.forbid()
    if (!isEntity(entity)) throw new TellurionError('write_forbidden', 'All entity ids are used up.')
    const row: Row = places(this.layout.components.length + 1)
    row[0] = this.owner
    this.#rows().set(entity, row)
    if (entity >= this.nextEntity) this.nextEntity = entity + 1
    this.changes++
  }

  /** Makes an entity not exist. */
  drop(entity: Entity): void {
    if (!this.exists(entity)) throw unknownEntity(entity)
    this.forbid()
    this.#rows().delete(entity)
    this.changes++
    if (this.rows.size <= scanned / 2) this.#live = undefined
    else this.#live?.gone(entity)
  }

  /** Puts a value that is owned already. */
  place(entity: Entity, component: Component, value: unknown): void {
    let row = this.#row(entity)
    let slot = this.layout.slots[component.index]
    if (!slot) {
      this.declare(component)
      slot = this.layout.slots[component.index]!
    }
    if (slot >= row.length) row = this.#grown(entity, row)
    const isNew = row[slot] === undefined
    row[slot] = value
    this.changes++
    if (isNew) this.#live?.changed(entity, row, slot)
  }

  /** Takes a component off an entity; false when it had none. */
  take(entity: Entity, component: Component): boolean {
    if (this.read(entity, component) === undefined) return false
    const row = this.#row(entity)
    const slot = this.layout.slots[component.index]!
    row[slot] = undefined
    this.changes++
    this.#live?.changed(entity, row, slot)
    return true
  }

  /** The query for these components, which are declared by it. */
  query(all: readonly Component[], none: readonly Component[] = noComponents): Query {
    if (all.length === 0) {
      throw new TellurionError('invalid_option', 'A query names at least one component; world.entities() has them all.')
    }
    for (const component of all) this.declare(component)
    for (const component of none) this.declare(component)
    return this.layout.query(all, none)
  }

  /** The entities that match, ascending. The array is valid until the next write. */
  matching(query: Query): readonly Entity[] {
    if (this.#live === undefined) {
      if (this.rows.size <= scanned) return this.#scan(query)
      this.#live = new LiveQueries()
    }
    return this.#live.of(query, this.rows).list()
  }

  matches(query: Query, entity: Entity): boolean {
    const row = this.rows.get(entity)
    return row !== undefined && query.matches(row)
  }

  /**
   * Calls `fn` for each entity that matches a query without `none`, with its values; passes over those that `fn` itself
   * has taken out.
   */
  each(query: Query, fn: (entity: Entity, ...values: unknown[]) => void): void {
    const { slots } = query
    const [first = 0, second = first] = slots
    for (const entity of this.matching(query).slice()) {
      const row = this.rows.get(entity)
      if (row === undefined) continue
      const value = row[first]
      const other = row[second]
      if (value === undefined || other === undefined) continue
      if (slots.length === 1) fn(entity, value)
      else if (slots.length === 2) fn(entity, value, other)
      else if (query.matches(row)) fn(entity, ...slots.map((slot) => row[slot]))
    }
  }

  #scan(query: Query): readonly Entity[] {
    let found: Entity[] | undefined
    for (let entity = this.rows.next(0); entity !== undefined; entity = this.rows.next(entity + 1)) {
      if (!query.matches(this.rows.get(entity)!)) continue
      if (found === undefined) found = [entity]
      else found.push(entity)
    }
    return found ?? nobody
  }

  /** Whether there is anything that `takeDelta` would bring. */
  get pending(): boolean {
    return this.#operations.length > 0 || this.#records.length > 0
  }

  takeDelta(): Delta {
    // What stays here goes on growing, so an empty list is not handed out.
    const operations = this.#operations.length > 0 ? this.#operations : []
    const records = this.#records.length > 0 ? this.#records : []
    const versions = this.#versions
    this.dropDelta()
    return versions === undefined ? { operations, records } : { operations, records, versions }
  }

  /** Forgets what is pending. */
  dropDelta(): void {
    if (this.#operations.length > 0) this.#operations = []
    if (this.#records.length > 0) this.#records = []
    this.#versions = undefined
    this.shown = 0
  }

  /** Records an event. Subscribers see it at once or, while they are held, after the commit. */
  emit(record: EventRecord): void {
    this.#records.push(record)
    if (this.holding) return
    this.shown = this.#records.length
    this.watchers?.deliver(record)
  }

  /** Throws while subscribers are being called: they only watch. */
  forbid(): void {
    if (this.watchers !== undefined && this.watchers.delivering) {
      throw new TellurionError('write_forbidden', 'A subscriber of events only watches; write from a system instead.')
    }
  }

  #ownValue(component: Component, value: unknown): unknown {
    const owned = own(value, component.name)
    component.check?.(owned)
    return owned
  }

  #ownItems(component: Component, items: readonly unknown[]): unknown[] {
    return items.map((item) => this.#ownValue(component, item))
  }

  #set(entity: Entity, component: Component, value: unknown, size: number): void {
    this.place(entity, component, value)
    this.#record(['set', entity, component.name, value as never], component)
    if (size > largeValue) this.#reportLarge(entity, component.name, size)
  }

  #append(entity: Entity, component: Component, items: unknown[]): void {
    const old = this.read(entity, component) as LogView<unknown> | undefined
    if (items.length === 0 && old !== undefined) return
    this.place(entity, component, (old ?? LogView.empty<unknown>()).append(items))
    this.#record(['append', entity, component.name, items as never], component)
  }

  #record(operation: Operation, component: Component): void {
    this.#operations.push(operation)
    if (component.version !== 1) (this.#versions ??= {})[component.name] = component.version
  }

  /** The row of an entity, free to be written. */
  #row(entity: Entity): Row {
    this.forbid()
    const row = this.rows.get(entity)
    if (row !== undefined && row[0] === this.owner) return row
    if (row === undefined && entity !== worldEntity) throw unknownEntity(entity)
    const own: Row = row === undefined ? [] : row.slice()
    own[0] = this.owner
    this.#rows().set(entity, own)
    return own
  }

  /** The row with room for every component that the world knows. */
  #grown(entity: Entity, row: Row): Row {
    const grown: Row = places(this.layout.components.length + 1)
    for (let slot = 0; slot < row.length; slot++) grown[slot] = row[slot]
    this.#rows().set(entity, grown)
    return grown
  }

  #rows(): EntityMap<Row> {
    if (this.rows.owner !== this.owner) this.rows = new EntityMap(this.owner, this.rows)
    return this.rows
  }

  #reportLarge(entity: Entity, component: string, size: number): void {
    this.#reportedLarge ??= new Set()
    if (this.#reportedLarge.has(component)) return
    this.#reportedLarge.add(component)
    this.emit({ type: 'component.large', entity, component, size } as EventRecord)
  }
}

/** The error for a component that an entity does not have. */
export function missing(entity: Entity, component: Component): TellurionError {
  return new TellurionError('missing_component', `Entity ${entity} has no ${component.name}.`)
}

function unknownEntity(entity: Entity): TellurionError {
  return new TellurionError('unknown_entity', `Entity ${String(entity)} does not exist in this world, or not any more.`)
}
