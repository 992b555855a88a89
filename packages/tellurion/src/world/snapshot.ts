// Snapshots: a whole world as JSON, and back. Loading applies old deltas in their own shapes, then migrates once.

import { messageOf, TellurionError } from '../error/error.ts'
import type { Json } from '../schema/json.ts'
import { applyDelta, checkHeader, checkVersion } from './apply.ts'
import type { Component } from './component.ts'
import type { State } from './state.ts'
import type { Delta, Header } from './delta.ts'
import type { Entity } from './entity.ts'
import { isEntity } from './entity-map.ts'
import { LogView } from './log.ts'
import { own } from './value.ts'
import { $inside, World, type WorldOptions } from './world.ts'

/** The shape of this file's own format. */
const format = 1

/** A world as JSON. Systems, resources and subscribers are not part of it. */
export interface Snapshot {
  readonly format: number
  readonly header: Header
  /** The next entity id: ids below it were used. */
  readonly next: number
  readonly entities: readonly number[]
  readonly components: { readonly [name: string]: ColumnSnapshot }
}

/** One component's values, by entity. A log's value is the array of its items. */
export interface ColumnSnapshot {
  readonly version: number
  readonly kind: 'value' | 'log'
  readonly values: readonly (readonly [number, Json])[]
}

/** The world as JSON; nothing in it refers to the world. */
export function snapshot(world: World): Snapshot {
  const { state } = world[$inside]
  const columns = state.layout.components.map((): [number, Json][] => [])
  state.rows.each((entity, row) => {
    for (let slot = 1; slot < row.length; slot++) {
      const value = row[slot]
      if (value === undefined) continue
      columns[slot - 1]!.push([entity, (value instanceof LogView ? value.toArray() : value) as Json])
    }
  })
  const found = state.layout.components.flatMap(({ name, version, kind }, index): [string, ColumnSnapshot][] => {
    const values = columns[index]!
    return values.length === 0 ? [] : [[name, { version, kind, values }]]
  })
  const components = Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)))
  return { format, header: state.header, next: state.nextEntity, entities: world.entities(), components }
}

/** How a stored world is brought to life. */
export interface RestoreOptions extends WorldOptions {
  /** Deltas that came after the snapshot, in order, in the shapes of the snapshot's versions. */
  readonly deltas?: readonly Delta[]
  /** Names of components that the code no longer has; their values are dropped. */
  readonly retired?: readonly string[]
}

/**
 * The world that a snapshot and the deltas behind it stand for, migrated to the versions of `options.components`
 * (systems' components are known too). Throws `invalid_snapshot`, `unknown_component`, `newer_version`,
 * `migration_failed` and `invalid_value`; nothing is half-loaded.
 */
export function restore(stored: Snapshot, options: RestoreOptions = {}): World {
  const { header, next, entities, components } = checkShape(stored)
  const world = new World(options)
  const { state } = world[$inside]
  const retired = new Set(options.retired)
  const versions = new Map<Component, number>()

  for (const entity of entities) state.put(entity as Entity)
  state.nextEntity = next
  state.header = header
  for (const [name, column] of Object.entries(components)) {
    const component = columnOwner(name, column, { state, retired })
    if (component === undefined) continue
    versions.set(component, checkVersion(component, column.version))
    placeColumn(state, component, column)
  }
  const accept = (component: Component, version: number): void => {
    const present = versions.get(component) ?? version
    if (present !== version) throw torn(`it has ${component.name} in version ${present}, a delta in ${version}`)
    versions.set(component, version)
  }
  for (const delta of options.deltas ?? []) applyDelta(state, delta, { retired, accept })
  for (const [component, version] of versions) if (version < component.version) migrate(state, component, version)
  return world
}

function checkShape(stored: Snapshot): Snapshot {
  if (typeof stored !== 'object' || stored === null) throw torn('it is not an object')
  if (!Number.isInteger(stored.format) || stored.format < 1) throw torn('it has no format number')
  if (stored.format > format) {
    throw new TellurionError('newer_version', `The snapshot has format ${stored.format}; this code reads ${format}.`)
  }
  const { header, next, entities, components } = stored
  if (typeof header !== 'object' || header === null) throw torn('it has no header')
  if (!Array.isArray(entities) || !entities.every(isEntity) || !ascends(entities)) throw torn('its entities are bad')
  if (!isEntity(next) || next <= (entities.at(-1) ?? 0)) throw torn('its next id was used before')
  if (typeof components !== 'object' || components === null || Array.isArray(components)) {
    throw torn('it has no components')
  }
  return { format, header: checkHeader(header, () => torn('its header is bad')), next, entities, components }
}

function ascends(entities: readonly number[]): boolean {
  return entities.every((entity, index) => index === 0 || entity > entities[index - 1]!)
}

/** The declared component that a column belongs to; undefined when it is retired. */
function columnOwner(
  name: string,
  column: ColumnSnapshot,
  { state, retired }: { state: State; retired: ReadonlySet<string> },
): Component | undefined {
  if (!Array.isArray(column?.values)) throw torn(`component ${name} is bad`)
  const component = state.layout.find(name)
  if (component !== undefined) {
    if (component.kind === column.kind) return component
    throw torn(`${name} is a ${component.kind} and not a ${column.kind}`)
  }
  if (retired.has(name)) return undefined
  throw new TellurionError(
    'unknown_component',
    `The snapshot holds ${name}, which is not declared: pass it in components, or its name in retired.`,
  )
}

function placeColumn(state: State, component: Component, { values }: ColumnSnapshot): void {
  const { name } = component
  let last = -1
  for (const entry of values as readonly unknown[]) {
    if (!Array.isArray(entry) || entry.length !== 2) throw torn(`component ${name} has a bad entry`)
    const [entity, value] = entry as [Entity, unknown]
    if (!state.exists(entity) || entity <= last) throw torn(`${name} belongs to an entity that is not there, or twice`)
    last = entity
    if (component.kind === 'value') state.place(entity, component, own(value, name))
    else if (!Array.isArray(value)) throw torn(`component ${name} has a log that is no array`)
    else state.place(entity, component, LogView.from(Array.from(value, (item: unknown) => own(item, name))))
  }
}

function migrate(state: State, component: Component, from: number): void {
  const { name, migrate: change } = component
  const next = (stored: unknown): unknown => {
    if (change === undefined) {
      throw new TellurionError('migration_failed', `${name} has no migrate for version ${from}; add one.`)
    }
    try {
      const owned = own(change(stored, from), name)
      component.check?.(owned)
      return owned
    } catch (error) {
      const text = `${name} could not be migrated from version ${from}: ${messageOf(error)}`
      throw new TellurionError('migration_failed', text, { cause: error })
    }
  }
  const entities: Entity[] = []
  state.rows.each((entity) => entities.push(entity))
  for (const entity of entities) {
    const old = state.read(entity, component)
    if (old === undefined) continue
    state.place(entity, component, old instanceof LogView ? LogView.from(old.toArray().map(next)) : next(old))
  }
}

function torn(problem: string): TellurionError {
  return new TellurionError('invalid_snapshot', `This is no snapshot of a world: ${problem}.`)
}
