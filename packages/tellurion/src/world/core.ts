// The core of a world: columns, queries and the pending delta. `World` is the handle through which it is used.

import { TellurionError } from '../error/error.ts'
import type { EventRecord } from '../event/event.ts'
import { Column, type Owner } from './column.ts'
import type { Component } from './component.ts'
import type { Delta, Header, Operation } from './delta.ts'
import { worldEntity, type Entity } from './entity.ts'
import { LogView } from './log.ts'
import { Query, queryKey } from './query.ts'
import type { Watchers } from './watch.ts'
import { equal, lastSize, own } from './value.ts'

/** A value above this many characters is reported once a component: what grows should be a log, or entities. */
const largeValue = 16_384

const noQueries: readonly Query[] = []

/** What worlds share until one of them writes: a column a component, by the component's index. */
interface Root {
  readonly owner: Owner
  readonly columns: (Column | undefined)[]
  /** The entities that exist, without the world's own. */
  entities: Column
}

/** State and bookkeeping of one world. Only this room sees it. */
export class Core {
  owner: Owner = {}
  root: Root
  /** Declared components by name. Shared with forks; copied before it grows. */
  components: Map<string, Component>
  header: Header = { tick: 0, runTicks: 0, paused: false }
  nextEntity = 1
  operations: Operation[] = []
  records: EventRecord[] = []
  /** Counts every change, so that two moments can be compared. */
  changes = 0
  /** True while a run ticks this world. */
  running = false
  watchers: Watchers | undefined
  #queries: Map<string, Query> | undefined
  #bySystem: Map<object, Query> | undefined
  #queriesOf: (readonly Query[] | undefined)[] = []
  #reportedLarge: Set<string> | undefined

  constructor(components: Map<string, Component>, root?: Root) {
    this.components = components
    this.root = root ?? { owner: this.owner, columns: [], entities: new Column(this.owner) }
  }

  /** A core that shares everything until either side writes. */
  fork(): Core {
    const fork = new Core(this.components, this.root)
    this.owner = {}
    fork.header = this.header
    fork.nextEntity = this.nextEntity
    return fork
  }

  /** Takes over the state of `past`; entity ids used since then stay used. What was pending is gone. */
  adopt(past: Core): void {
    past.owner = {}
    this.owner = {}
    this.root = past.root
    this.header = past.header
    this.nextEntity = Math.max(this.nextEntity, past.nextEntity)
    this.operations = []
    this.records = []
    this.changes++
    this.#queries = undefined
    this.#bySystem = undefined
    this.#queriesOf = []
  }

  exists(entity: Entity): boolean {
    return entity === worldEntity || this.root.entities.get(entity) !== undefined
  }

  read(entity: Entity, component: Component): unknown {
    return this.root.columns[component.index]?.get(entity)
  }

  spawn(): Entity {
    const entity = this.nextEntity as Entity
    this.put(entity)
    this.operations.push(['spawn', entity])
    return entity
  }

  /** Makes an entity exist, without an operation. */
  put(entity: Entity): void {
    this.#forbid()
    const root = this.#root()
    root.entities = root.entities.writable(this.owner)
    root.entities.set(entity, true)
    if (entity >= this.nextEntity) this.nextEntity = entity + 1
    this.changes++
  }

  destroy(entity: Entity): void {
    this.#require(entity)
    if (entity === worldEntity) {
      throw new TellurionError('write_forbidden', "The world's own entity cannot be destroyed.")
    }
    for (const component of this.components.values()) {
      if (this.read(entity, component) !== undefined) this.#delete(entity, component)
    }
    const root = this.#root()
    root.entities = root.entities.writable(this.owner)
    root.entities.delete(entity)
    this.operations.push(['destroy', entity])
    this.changes++
  }

  set(entity: Entity, component: Component, value: unknown): void {
    const old = this.read(entity, component)
    if (old === value && value !== undefined) return
    this.#require(entity)
    const owned = own(value, component.name)
    const size = lastSize()
    if (old !== undefined && equal(old, owned)) return
    component.check?.(owned)
    this.#write(entity, component, owned)
    this.operations.push(['set', entity, component.name, owned as never])
    if (size > largeValue) this.#reportLarge(entity, component.name, size)
  }

  /** Puts items behind a log, which is made when the entity has none. */
  append(entity: Entity, component: Component, items: readonly unknown[]): void {
    const old = this.read(entity, component) as LogView<unknown> | undefined
    if (items.length === 0 && old !== undefined) return
    this.#require(entity)
    const owned = items.map((item) => this.#ownItem(component, item))
    this.#write(entity, component, (old ?? LogView.empty<unknown>()).append(owned))
    this.operations.push(['append', entity, component.name, owned as never])
  }

  splice(entity: Entity, component: Component, change: readonly [number, number, readonly unknown[]]): void {
    const old = this.read(entity, component) as LogView<unknown> | undefined
    if (old === undefined) throw missing(entity, component)
    const [start, deleteCount, items] = change
    if (!Number.isInteger(start) || start < 0 || start > old.length) {
      throw new TellurionError('invalid_option', `${component.name}: start must be 0 to ${old.length}, got ${start}.`)
    }
    if (!Number.isInteger(deleteCount) || deleteCount < 0 || start + deleteCount > old.length) {
      throw new TellurionError('invalid_option', `${component.name}: deleteCount must be 0 to ${old.length - start}.`)
    }
    const owned = items.map((item) => this.#ownItem(component, item))
    if (equal(old.slice(start, start + deleteCount), owned)) return
    this.#write(entity, component, old.splice(start, deleteCount, owned))
    this.operations.push(['splice', entity, component.name, start, deleteCount, owned as never])
  }

  remove(entity: Entity, component: Component): boolean {
    if (this.read(entity, component) === undefined) return false
    this.#delete(entity, component)
    this.operations.push(['remove', entity, component.name])
    this.changes++
    return true
  }

  setHeader(header: Partial<Header>): void {
    this.#forbid()
    this.header = { ...this.header, ...header }
    this.operations.push(['header', header])
    this.changes++
  }

  /** Puts a value that is already owned, without check and operation: for `apply` and `restore`. */
  place(entity: Entity, component: Component, value: unknown): void {
    if (this.root.columns[component.index] === undefined) this.declare(component)
    this.#write(entity, component, value)
  }

  /** Makes a component known; throws `duplicate_name` when another one has its name. */
  declare(component: Component): void {
    const known = this.components.get(component.name)
    if (known === component) return
    if (known !== undefined) {
      throw new TellurionError('duplicate_name', `Two components are named ${component.name}; rename one of them.`)
    }
    this.components = new Map(this.components).set(component.name, component)
  }

  /** The live query for these components, made at its first use. */
  query(all: readonly Component[], none: readonly Component[]): Query {
    const key = queryKey(all, none)
    this.#queries ??= new Map()
    let query = this.#queries.get(key)
    if (query === undefined) {
      for (const component of [...all, ...none]) this.declare(component)
      query = new Query(all, none)
      this.#fill(query)
      this.#queries.set(key, query)
      for (const component of [...all, ...none]) {
        this.#queriesOf[component.index] = [...(this.#queriesOf[component.index] ?? noQueries), query]
      }
    }
    return query
  }

  /** The live query of a system, found again without a key. */
  queryOf(system: { readonly query: readonly Component[]; readonly without: readonly Component[] }): Query {
    this.#bySystem ??= new Map()
    let query = this.#bySystem.get(system)
    if (query === undefined) this.#bySystem.set(system, (query = this.query(system.query, system.without)))
    return query
  }

  #fill(query: Query): void {
    let smallest = this.root.entities
    for (const component of query.all) {
      const column = this.root.columns[component.index]
      if (column === undefined || column.size === 0) return
      if (smallest === this.root.entities || column.size < smallest.size) smallest = column
    }
    smallest.each((entity) => {
      if (this.#matches(entity, query)) query.entities.add(entity)
    })
  }

  #matches(entity: Entity, query: Query): boolean {
    const { columns } = this.root
    for (const component of query.all) if (columns[component.index]?.get(entity) === undefined) return false
    for (const component of query.none) if (columns[component.index]?.get(entity) !== undefined) return false
    return true
  }

  /** Brings the queries about `component` up to date after the entity gained or lost it. */
  #refresh(entity: Entity, component: Component): void {
    for (const query of this.#queriesOf[component.index] ?? noQueries) {
      const matches = this.#matches(entity, query)
      if (matches !== query.entities.has(entity)) {
        if (matches) query.entities.add(entity)
        else query.entities.delete(entity)
      }
    }
  }

  #write(entity: Entity, component: Component, value: unknown): void {
    this.#forbid()
    const column = this.#column(component)
    const before = column.size
    column.set(entity, value)
    this.changes++
    if (column.size !== before) this.#refresh(entity, component)
  }

  #delete(entity: Entity, component: Component): void {
    this.#forbid()
    this.#column(component).delete(entity)
    this.#refresh(entity, component)
  }

  #column(component: Component): Column {
    const root = this.#root()
    const column = root.columns[component.index]
    if (column !== undefined && column.owner === this.owner) return column
    if (column === undefined) this.declare(component)
    const own = column === undefined ? new Column(this.owner) : column.writable(this.owner)
    root.columns[component.index] = own
    return own
  }

  #root(): Root {
    if (this.root.owner !== this.owner) {
      this.root = { owner: this.owner, columns: this.root.columns.slice(), entities: this.root.entities }
    }
    return this.root
  }

  #ownItem(component: Component, item: unknown): unknown {
    const owned = own(item, component.name)
    component.check?.(owned)
    return owned
  }

  #require(entity: Entity): void {
    if (!this.exists(entity)) {
      throw new TellurionError(
        'unknown_entity',
        `Entity ${String(entity)} does not exist in this world, or not any more.`,
      )
    }
  }

  #forbid(): void {
    if (this.watchers?.delivering) {
      throw new TellurionError('write_forbidden', 'A subscriber of events only watches; write from a system instead.')
    }
  }

  #reportLarge(entity: Entity, component: string, size: number): void {
    this.#reportedLarge ??= new Set()
    if (this.#reportedLarge.has(component)) return
    this.#reportedLarge.add(component)
    this.emit({ type: 'component.large', entity, component, size } as EventRecord)
  }

  takeDelta(): Delta {
    const delta = { operations: this.operations, records: this.records }
    this.operations = []
    this.records = []
    return delta
  }

  /** Records an event. Subscribers see it at once or, while they hold, after the commit. */
  emit(record: EventRecord): void {
    this.records.push(record)
    this.watchers?.emitted(record)
  }
}

/** The error for a component that an entity does not have. */
export function missing(entity: Entity, component: Component): TellurionError {
  return new TellurionError('missing_component', `Entity ${entity} has no ${component.name}.`)
}
