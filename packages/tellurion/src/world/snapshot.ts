// Snapshots: a whole world as JSON, and back. Loading applies old deltas in their own shapes, then migrates once.

import { messageOf, TellurionError } from '../error/error.ts'
import type { Json } from '../schema/json.ts'
import { applyOperation } from './apply.ts'
import type { Component } from './component.ts'
import type { Delta, Header } from './delta.ts'
import { worldEntity, type Entity } from './entity.ts'
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
  const { core } = world[$inside]
  const components: Record<string, ColumnSnapshot> = {}
  for (const component of [...core.components.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const values: [number, Json][] = []
    core.root.columns[component.index]?.each((entity, value) => {
      values.push([entity, (value instanceof LogView ? value.toArray() : value) as Json])
    })
    if (values.length > 0) components[component.name] = { version: component.version, kind: component.kind, values }
  }
  return { format, header: core.header, next: core.nextEntity, entities: world.entities(), components }
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
  const raw = own(checkShape(stored), 'Snapshot')
  const world = new World(options)
  const { core } = world[$inside]
  for (const system of options.systems ?? []) for (const component of system.query) core.declare(component)
  const retired = new Set(options.retired)
  for (const [name, column] of Object.entries(raw.components)) checkColumn(name, column, { core, retired })

  for (const entity of raw.entities) core.put(entity as Entity)
  core.nextEntity = Math.max(core.nextEntity, raw.next)
  core.header = raw.header
  for (const [name, column] of Object.entries(raw.components)) {
    const component = core.components.get(name)
    if (component === undefined) continue
    for (const [entity, value] of column.values) {
      if (!core.exists(entity as Entity)) throw torn(`${name} belongs to entity ${entity}, which does not exist`)
      core.place(entity as Entity, component, column.kind === 'log' ? LogView.from(value as Json[]) : value)
    }
  }
  for (const delta of options.deltas ?? []) {
    for (const operation of delta.operations) applyOperation(core, own(operation, 'Delta'), retired)
  }
  for (const [name, column] of Object.entries(raw.components)) {
    const component = core.components.get(name)
    if (component !== undefined && column.version < component.version) migrate(world, component, column.version)
  }
  core.takeDelta()
  return world
}

function checkShape(stored: Snapshot): Snapshot {
  if (typeof stored !== 'object' || stored === null) throw torn('it is not an object')
  if (typeof stored.format !== 'number') throw torn('it has no format number')
  if (stored.format > format) {
    throw new TellurionError('newer_version', `The snapshot has format ${stored.format}; this code reads ${format}.`)
  }
  const { header, next, entities, components } = stored
  const whole = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0
  if (typeof header !== 'object' || header === null) throw torn('it has no header')
  if (!whole(header.tick) || !whole(header.runTicks) || typeof header.paused !== 'boolean')
    throw torn('its header is bad')
  if (!Array.isArray(entities) || !entities.every((entity) => whole(entity) && entity > 0))
    throw torn('its entities are bad')
  if (!whole(next) || entities.some((entity) => entity >= next)) throw torn('its next id was used before')
  if (typeof components !== 'object' || components === null || Array.isArray(components))
    throw torn('it has no components')
  return stored
}

function checkColumn(
  name: string,
  column: ColumnSnapshot,
  { core, retired }: { core: World[typeof $inside]['core']; retired: ReadonlySet<string> },
): void {
  if (!Array.isArray(column?.values) || !Number.isInteger(column.version)) throw torn(`component ${name} is bad`)
  const seen = new Set<unknown>()
  for (const entry of column.values) {
    const bad = !Array.isArray(entry) || entry.length !== 2 || (column.kind === 'log' && !Array.isArray(entry[1]))
    if (bad || seen.has(entry[0])) throw torn(`component ${name} has a bad entry`)
    seen.add(entry[0])
  }
  const component = core.components.get(name)
  if (component === undefined) {
    if (retired.has(name)) return
    throw new TellurionError(
      'unknown_component',
      `The snapshot holds ${name}, which is not declared: pass it in components, or its name in retired.`,
    )
  }
  if (component.kind !== column.kind) throw torn(`${name} is a ${component.kind}, the snapshot holds a ${column.kind}`)
  if (column.version > component.version) {
    throw new TellurionError(
      'newer_version',
      `The snapshot holds ${name} version ${column.version}; this code knows ${component.version}.`,
    )
  }
}

function migrate(world: World, component: Component, from: number): void {
  const { core } = world[$inside]
  const change = (stored: unknown): unknown => {
    if (component.migrate === undefined) {
      throw new TellurionError('migration_failed', `${component.name} has no migrate for version ${from}; add one.`)
    }
    try {
      const owned = own(component.migrate(stored, from), component.name)
      component.check?.(owned)
      return owned
    } catch (error) {
      const text = `${component.name} could not be migrated from version ${from}: ${messageOf(error)}`
      throw new TellurionError('migration_failed', text, { cause: error })
    }
  }
  for (const entity of [worldEntity, ...world.entities()]) {
    const value = core.read(entity, component)
    if (value === undefined) continue
    core.place(entity, component, value instanceof LogView ? LogView.from(value.toArray().map(change)) : change(value))
  }
}

function torn(problem: string): TellurionError {
  return new TellurionError('invalid_snapshot', `This is no snapshot of a world: ${problem}.`)
}
