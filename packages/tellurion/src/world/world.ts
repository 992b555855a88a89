// The world: entities, their components and what happens to them, as plain data that can be kept, forked and wound on.
// An instance is a thin handle on a core; systems get a handle of their own, which remembers what it has read.

import { suggestion, TellurionError } from '../error/error.ts'
import { isBuiltIn, isEphemeral } from '../event/catalogue.ts'
import type { Event, EventOf, EventRecord, EventType } from '../event/event.ts'
import type { Component, ComponentInit, LogComponent, ReadOf, ValueComponent } from './component.ts'
import { Core, missing } from './core.ts'
import type { Delta, Header } from './delta.ts'
import type { Entity } from './entity.ts'
import { Failure, Halted, Terminal, Wait } from './lifecycle.ts'
import type { LogView } from './log.ts'
import { Reads } from './reads.ts'
import { checkName, own } from './value.ts'
import { Watchers } from './watch.ts'

/** What a system is given besides the world. */
export interface SystemContext {
  /** Number of the tick that is running; finished ticks are counted from 1. */
  readonly tick: number
  /** Aborts when the run is cancelled or its commit was refused. */
  readonly signal: AbortSignal
  /** Saves everything pending in the world. In memory it does nothing; under a sink it resolves when it is saved. */
  commit(): void | Promise<void>
}

/** A system as the schedule sees it: exactly one of `each` and `run` is there. */
export interface System {
  readonly name: string
  /** Lower runs earlier; equal ones run concurrently. Any finite number. */
  readonly priority: number
  readonly query: readonly Component[]
  /** Entities that have one of these are left out. */
  readonly without: readonly Component[]
  readonly each: ((entity: Entity, world: World, context: SystemContext) => void | Promise<void>) | undefined
  readonly run: ((world: World, context: SystemContext) => void | Promise<void>) | undefined
}

/** What a new world begins with. Components used anywhere are declared by their first use. */
export interface WorldOptions {
  readonly components?: readonly Component[]
  readonly resources?: Readonly<Record<string, unknown>>
  readonly systems?: readonly System[]
}

/** A system and the priority it was registered with. */
export interface Registered {
  readonly system: System
  readonly priority: number
}

/** The room's own key to a world. */
export const $inside = Symbol('inside')

/** What a handle stands on. */
export interface Inside {
  core: Core
  readonly resources: { map: Map<string, unknown> }
  readonly systems: { list: readonly Registered[] }
  readonly reads: Reads | undefined
}

/** A world. Reading never copies; what is read is frozen. Every write throws rather than let in what is not JSON. */
export class World {
  readonly [$inside]: Inside

  constructor(options: WorldOptions | { readonly [$inside]: Inside } = {}) {
    if ($inside in options) {
      this[$inside] = options[$inside]
      return
    }
    const core = new Core(new Map([Failure, Halted, Terminal, Wait].map((component) => [component.name, component])))
    for (const component of options.components ?? []) core.declare(component)
    const resources = { map: new Map(Object.entries(options.resources ?? {})) }
    this[$inside] = { core, resources, systems: { list: [] }, reads: undefined }
    for (const system of options.systems ?? []) this.addSystem(system)
  }

  /** Number of finished ticks, ticks of the present run, and whether the world is paused. */
  get header(): Header {
    return this[$inside].core.header
  }

  /** Makes an entity with these components. Ids begin at 1, ascend, and are never used again. */
  spawn(...inits: readonly ComponentInit[]): Entity {
    const { core } = this[$inside]
    const entity = core.spawn()
    for (const { component, value } of inits) {
      if (component.kind === 'log') core.append(entity, component, value as readonly unknown[])
      else core.set(entity, component, value)
    }
    return entity
  }

  /** Removes an entity and its components. Throws `unknown_entity`. */
  destroy(entity: Entity): void {
    this[$inside].core.destroy(entity)
  }

  exists(entity: Entity): boolean {
    return this[$inside].core.exists(entity)
  }

  /** All entities but the world's own, ascending. */
  entities(): Entity[] {
    const result: Entity[] = []
    this[$inside].core.root.entities.each((entity) => result.push(entity))
    return result
  }

  /** The value or log of an entity; undefined when it has none. */
  get<T>(entity: Entity, component: LogComponent<T>): LogView<T> | undefined
  get<T>(entity: Entity, component: ValueComponent<T>): T | undefined
  get(entity: Entity, component: Component): unknown {
    const { core, reads } = this[$inside]
    const value = core.read(entity, component)
    reads?.saw(entity, component, value)
    return value
  }

  /** Like `get`; throws `missing_component` when there is none. */
  require<T>(entity: Entity, component: LogComponent<T>): LogView<T>
  require<T>(entity: Entity, component: ValueComponent<T>): T
  require(entity: Entity, component: Component): unknown {
    const value = this.get(entity, component as ValueComponent<unknown>)
    if (value === undefined) throw missing(entity, component)
    return value
  }

  has(entity: Entity, component: Component): boolean {
    return this[$inside].core.read(entity, component) !== undefined
  }

  /**
   * Puts a value, adding the component where it is missing. A structurally equal value is no write. In a system it
   * throws `stale_write` when the value has changed since this invocation read it: after an await use `update`.
   */
  set<T>(entity: Entity, component: ValueComponent<T>, value: T): void {
    const { core, reads } = this[$inside]
    requireKind(component, 'value', 'world.append or world.splice')
    reads?.check(core, entity, component)
    core.set(entity, component, value)
    reads?.wrote(core, entity, component)
  }

  /** Replaces a value by what `change` makes of the present one. Throws `missing_component` when there is none. */
  update<T>(entity: Entity, component: ValueComponent<T>, change: (old: T) => T): void {
    const { core, reads } = this[$inside]
    requireKind(component, 'value', 'world.append or world.splice')
    const old = core.read(entity, component)
    if (old === undefined) throw missing(entity, component)
    core.set(entity, component, change(old as T))
    reads?.wrote(core, entity, component)
  }

  /** Puts items at the end of a log, adding the log where it is missing. */
  append<T>(entity: Entity, component: LogComponent<T>, ...items: readonly T[]): void {
    const { core, reads } = this[$inside]
    requireKind(component, 'log', 'world.set or world.update')
    core.append(entity, component, items)
    reads?.wrote(core, entity, component)
  }

  /** Replaces `change.deleteCount` items from `change.start` by `change.items`. Costs what lies behind `start`. */
  splice<T>(
    entity: Entity,
    component: LogComponent<T>,
    change: { readonly start: number; readonly deleteCount: number; readonly items?: readonly T[] },
  ): void {
    const { core, reads } = this[$inside]
    requireKind(component, 'log', 'world.set or world.update')
    reads?.check(core, entity, component)
    core.splice(entity, component, [change.start, change.deleteCount, change.items ?? []])
    reads?.wrote(core, entity, component)
  }

  /** Takes a component off an entity; false when it had none. */
  remove(entity: Entity, component: Component): boolean {
    const { core, reads } = this[$inside]
    const removed = core.remove(entity, component)
    reads?.wrote(core, entity, component)
    return removed
  }

  /** The entities that have all of these components, ascending, with their values in the order asked for. */
  query<const C extends readonly Component[]>(...components: C): [Entity, { [K in keyof C]: ReadOf<C[K]> }][] {
    const { core } = this[$inside]
    return core
      .query(components, [])
      .entities.list()
      .map((entity) => [entity, components.map((component) => core.read(entity, component)) as never])
  }

  /** How many entities have all of these components. */
  count(...components: readonly Component[]): number {
    return this[$inside].core.query(components, []).entities.size
  }

  /**
   * Emits an event. Kept ones join the pending delta; ephemeral ones (`docs/events.md`) are only delivered. Emitting
   * is not a change of state. A program's own event must be plain JSON.
   */
  emit(record: Event | (EventRecord & Readonly<Record<string, unknown>>)): void {
    const { core } = this[$inside]
    if (isEphemeral(record.type)) {
      core.watchers?.deliver(record)
      return
    }
    if (isBuiltIn(record.type)) core.emit(record)
    else {
      checkName('event', record.type)
      core.emit(own(record, `Event ${record.type}`))
    }
  }

  /**
   * Watches events of one type, or of all with `*`. Called at the emit in memory, after the commit under a sink;
   * ephemeral events always at once. Handlers cannot write; one that throws hurts no other and is itself an event.
   * Returns the function that unsubscribes.
   */
  on<T extends EventType>(type: T, fn: (event: EventOf<T>) => unknown): () => void
  on(type: '*', fn: (event: Event) => unknown): () => void
  on(type: string, fn: (event: EventRecord & Readonly<Record<string, unknown>>) => unknown): () => void
  on(type: string, fn: (event: never) => unknown): () => void {
    const { core } = this[$inside]
    core.watchers ??= new Watchers((record) => core.emit(record))
    return core.watchers.add(type, fn)
  }

  /** Registers a system; `priority` overrides its own. Throws `duplicate_name`. */
  addSystem(system: System, options: { readonly priority?: number } = {}): void {
    const { systems } = this[$inside]
    const { priority = system.priority } = options
    checkPriority(system.name, priority)
    if (systems.list.some((entry) => entry.system.name === system.name)) {
      throw new TellurionError('duplicate_name', `A system named ${system.name} is registered already; rename one.`)
    }
    systems.list = [...systems.list, { system, priority }]
  }

  /** Takes a system out; false when none has that name. */
  removeSystem(name: string): boolean {
    const { systems } = this[$inside]
    const rest = systems.list.filter((entry) => entry.system.name !== name)
    if (rest.length === systems.list.length) return false
    systems.list = rest
    return true
  }

  /** The names of the registered systems, in order of registration. */
  systemNames(): string[] {
    return this[$inside].systems.list.map((entry) => entry.system.name)
  }

  /** Binds a live thing (a model, a toolbox, a clock) beside the state; it is never stored. */
  bind(name: string, value: unknown): void {
    checkName('resource', name)
    const { resources } = this[$inside]
    resources.map = new Map(resources.map).set(name, value)
  }

  /** The live thing of that name; the caller says its type. Throws `unknown_resource` with the nearest name. */
  resource<T>(name: string): T {
    const { map } = this[$inside].resources
    const value = map.get(name)
    if (value === undefined) {
      throw new TellurionError('unknown_resource', `No resource is named '${name}'.${suggestion(name, map.keys())}`)
    }
    return value as T
  }

  /** The live thing of that name, or undefined. */
  findResource<T>(name: string): T | undefined {
    return this[$inside].resources.map.get(name) as T | undefined
  }

  /** Stops the runner after the present tick, or lets it go on. */
  pause(paused = true): void {
    const { core } = this[$inside]
    if (core.header.paused !== paused) core.setHeader({ paused })
  }

  /** Everything since the last call, and begins anew. */
  takeDelta(): Delta {
    return this[$inside].core.takeDelta()
  }

  /**
   * A world that shares this one's state until either writes: constant time, nothing copied. It has the same systems
   * and resources, no subscribers, and nothing pending.
   */
  fork(): World {
    const { core, resources, systems } = this[$inside]
    return new World({
      [$inside]: {
        core: core.fork(),
        resources: { map: resources.map },
        systems: { list: systems.list },
        reads: undefined,
      },
    })
  }
}

function requireKind(component: Component, kind: 'value' | 'log', instead: string): void {
  if (component.kind === kind) return
  throw new TellurionError('invalid_option', `${component.name} is a ${component.kind}: use ${instead}.`)
}

/** A handle for one invocation of a system: the same world, with a memory of what was read. */
export function invocation(world: World): World {
  const { core, resources, systems } = world[$inside]
  return new World({ [$inside]: { core, resources, systems, reads: new Reads() } })
}

/** Cuts an invocation that outlived its run off from the world: what it writes from now on reaches nobody. */
export function detach(handle: World): void {
  handle[$inside].core = handle[$inside].core.fork()
}

/** Throws `invalid_option` unless a priority is a finite number. */
export function checkPriority(system: string, priority: number): void {
  if (Number.isFinite(priority)) return
  throw new TellurionError('invalid_option', `System ${system}: priority must be a finite number, got ${priority}.`)
}
