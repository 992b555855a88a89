// The world: entities, their components and what happens to them, as plain data that can be kept, forked and wound on.
// An instance is a thin handle on a state; systems get a handle of their own, which remembers what it has read.

import { suggestion, TellurionError } from '../error/error.ts'
import { eventKind } from '../event/kind.ts'
import type { Event, EventOf, EventRecord, EventType } from '../event/event.ts'
import type { Component, ComponentInit, LogComponent, ReadOf, ValueComponent } from './component.ts'
import { State, missing, type Kept } from './state.ts'
import type { Delta, Header } from './delta.ts'
import { worldEntity, type Entity } from './entity.ts'
import { Layout } from './layout.ts'
import { Failure, Halted, Terminal, Wait } from './lifecycle.ts'
import type { LogView } from './log.ts'
import { Reads } from './reads.ts'
import { boundNames, findBound, withBound, type Resource } from './resource.ts'
import { checkName, own } from './value.ts'
import { Watchers } from './watch.ts'

/** What a system is given besides the world. */
export interface SystemContext {
  /** Number of the tick that is running; finished ticks are counted from 1. */
  readonly tick: number
  /** Whether anything has changed in this tick so far: one in which nothing does is no tick, and ends the run. */
  readonly changed: boolean
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
  /** What the entity of an agent that brings this system begins with. */
  readonly initial?: readonly ComponentInit[]
  /** Live things that such an agent binds, by the name of the resource and their own: `{ models: { summary } }`. */
  readonly resources?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
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
/** The room's own key to what an invocation has read. */
const $reads = Symbol('reads')

/** What the handles of one world stand on together. Lists and maps in it are replaced, so that forks may share them. */
export interface Inside {
  readonly state: State
  resources: Resource | undefined
  systems: readonly Registered[]
}

/** What every world knows from the start: the runner reads these. */
const firstLayout = [Failure, Halted, Terminal, Wait].reduce((layout: Layout, it) => layout.with(it), Layout.empty)

/** A world. Reading never copies; what is read is frozen. Every write throws rather than let in what is not JSON. */
export class World {
  readonly [$inside]: Inside
  readonly [$reads]: Reads | undefined

  constructor(options: WorldOptions | Handle = {}) {
    if ($inside in options) {
      this[$inside] = options[$inside]
      this[$reads] = options.reads
      return
    }
    const { components = [], resources, systems = [] } = options
    const state = new State(firstLayout)
    for (const component of components) state.declare(component)
    this[$inside] = { state, resources: undefined, systems: [] }
    for (const name of Object.keys(resources ?? {})) this.bind(name, resources?.[name])
    for (const system of systems) this.addSystem(system)
  }

  /** Number of finished ticks, ticks of the present run, and whether the world is paused. */
  get header(): Header {
    return this[$inside].state.header
  }

  /**
   * Makes an entity with these components; none is made when one of them is refused. Ids begin at 1, ascend, and are
   * never used again.
   */
  spawn(...inits: readonly ComponentInit[]): Entity {
    return this[$inside].state.spawn(inits)
  }

  /** Removes an entity and its components. Throws `unknown_entity`. */
  destroy(entity: Entity): void {
    this[$inside].state.destroy(entity)
  }

  exists(entity: Entity): boolean {
    return this[$inside].state.exists(entity)
  }

  /** All entities but the world's own, ascending. */
  entities(): Entity[] {
    const result: Entity[] = []
    this[$inside].state.rows.each((entity) => {
      if (entity !== worldEntity) result.push(entity)
    })
    return result
  }

  /** The value or log of an entity; undefined when it has none. */
  get<T>(entity: Entity, component: LogComponent<T>): LogView<T> | undefined
  get<T>(entity: Entity, component: ValueComponent<T>): T | undefined
  get(entity: Entity, component: Component): unknown {
    const { state } = this[$inside]
    const value = state.read(entity, component)
    this[$reads]?.saw(entity, component, value)
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
    return this[$inside].state.read(entity, component) !== undefined
  }

  /**
   * Puts a value, adding the component where it is missing. A structurally equal value is no write. In a system it
   * throws `stale_write` when the value has changed since this invocation read it: after an await use `update`.
   */
  set<T>(entity: Entity, component: ValueComponent<T>, value: NoInfer<T>): void {
    const { state } = this[$inside]
    requireKind(component, 'value', 'world.append or world.splice')
    this[$reads]?.check(state, entity, component)
    state.set(entity, component, value)
    this[$reads]?.wrote(state, entity, component)
  }

  /** Replaces a value by what `change` makes of the present one. Throws `missing_component` when there is none. */
  update<T>(entity: Entity, component: ValueComponent<T>, change: (old: T) => NoInfer<T>): void {
    const { state } = this[$inside]
    requireKind(component, 'value', 'world.append or world.splice')
    const old = state.read(entity, component)
    if (old === undefined) throw missing(entity, component)
    state.set(entity, component, change(old as T))
    this[$reads]?.wrote(state, entity, component)
  }

  /** Puts items at the end of a log, adding the log where it is missing. */
  append<T>(entity: Entity, component: LogComponent<T>, ...items: readonly NoInfer<T>[]): void {
    const { state } = this[$inside]
    requireKind(component, 'log', 'world.set or world.update')
    state.append(entity, component, items)
    this[$reads]?.wrote(state, entity, component)
  }

  /** Replaces `change.deleteCount` items from `change.start` by `change.items`. Costs what lies behind `start`. */
  splice<T>(
    entity: Entity,
    component: LogComponent<T>,
    change: { readonly start: number; readonly deleteCount: number; readonly items?: readonly NoInfer<T>[] },
  ): void {
    const { state } = this[$inside]
    requireKind(component, 'log', 'world.set or world.update')
    this[$reads]?.check(state, entity, component)
    state.splice(entity, component, [change.start, change.deleteCount, change.items ?? []])
    this[$reads]?.wrote(state, entity, component)
  }

  /** Takes a component off an entity; false when it had none. */
  remove(entity: Entity, component: Component): boolean {
    const { state } = this[$inside]
    const removed = state.remove(entity, component)
    this[$reads]?.wrote(state, entity, component)
    return removed
  }

  /** The entities that have all of these components, ascending, with their values in the order asked for. */
  query<const C extends readonly Component[]>(...components: C): [Entity, { [K in keyof C]: ReadOf<C[K]> }][] {
    const result: [Entity, never][] = []
    this.each(components, (entity, ...values) => result.push([entity, values as never]))
    return result
  }

  /**
   * Calls `fn` for every entity that has all of these components, ascending, with their values in the order asked for.
   * The way to go through many entities: nothing is allocated for them. What `fn` writes may take entities out that
   * have not had their turn; entities that it adds have none.
   */
  each<const C extends readonly Component[]>(
    components: C,
    fn: (entity: Entity, ...values: { [K in keyof C]: ReadOf<C[K]> }) => void,
  ): void {
    const { state } = this[$inside]
    state.each(state.query(components), fn as unknown as (entity: Entity, ...values: unknown[]) => void)
  }

  /** How many entities have all of these components. */
  count(...components: readonly Component[]): number {
    const { state } = this[$inside]
    return state.matching(state.query(components)).length
  }

  /**
   * Emits an event. Kept ones join the pending delta; ephemeral ones (`docs/events.md`) are only delivered. Emitting
   * is not a change of state. A program's own event must be plain JSON.
   */
  emit(record: Event | (EventRecord & Readonly<Record<string, unknown>>)): void {
    const { state } = this[$inside]
    state.forbid()
    const kind = eventKind(record.type)
    if (kind === 'live') state.watchers?.deliver(record)
    else if (kind === 'kept') state.emit(record)
    else {
      checkName('event', record.type)
      state.emit(own(record, `Event ${record.type}`))
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
    const { state } = this[$inside]
    state.watchers ??= new Watchers((record) => state.emit(record))
    return state.watchers.add(type, fn)
  }

  /** Registers a system; `priority` overrides its own. Throws `duplicate_name`. */
  addSystem(system: System, options: { readonly priority?: number } = {}): void {
    const inside = this[$inside]
    const { priority = system.priority } = options
    checkPriority(system.name, priority)
    if (inside.systems.some((entry) => entry.system.name === system.name)) {
      throw new TellurionError('duplicate_name', `A system named ${system.name} is registered already; rename one.`)
    }
    for (const component of [...system.query, ...system.without]) inside.state.declare(component)
    inside.systems = [...inside.systems, { system, priority }]
  }

  /** Takes a system out; false when none has that name. */
  removeSystem(name: string): boolean {
    const inside = this[$inside]
    const rest = inside.systems.filter((entry) => entry.system.name !== name)
    if (rest.length === inside.systems.length) return false
    inside.systems = rest
    return true
  }

  /** The names of the registered systems, in order of registration. */
  systemNames(): string[] {
    return this[$inside].systems.map((entry) => entry.system.name)
  }

  /** Binds a live thing (a model, a toolbox, a clock) beside the state; it is never stored. */
  bind(name: string, value: unknown): void {
    checkName('resource', name)
    const inside = this[$inside]
    inside.resources = withBound(inside.resources, name, value)
  }

  /** The live thing of that name; the caller says its type. Throws `unknown_resource` with the nearest name. */
  resource<T>(name: string): T {
    const { resources } = this[$inside]
    const value = findBound(resources, name)
    if (value === undefined) {
      throw new TellurionError(
        'unknown_resource',
        `No resource is named '${name}'.${suggestion(name, boundNames(resources))}`,
      )
    }
    return value as T
  }

  /** The live thing of that name, or undefined. */
  findResource<T>(name: string): T | undefined {
    return findBound(this[$inside].resources, name) as T | undefined
  }

  /** Stops the runner after the present tick, or lets it go on. */
  pause(paused = true): void {
    const { state } = this[$inside]
    if (state.header.paused !== paused) state.setHeader({ paused })
  }

  /** Everything since the last call, and begins anew. */
  takeDelta(): Delta {
    return this[$inside].state.takeDelta()
  }

  /**
   * A world that shares this one's state until either writes: constant time, nothing copied. It has the same systems
   * and resources, no subscribers, and nothing pending.
   */
  fork(): World {
    return new World({ [$inside]: forked(this[$inside]) })
  }
}

/** How this room makes a handle on a world that is there already. */
interface Handle {
  readonly [$inside]: Inside
  readonly reads?: Reads
}

function forked({ state, resources, systems }: Inside): Inside {
  return { state: state.fork(), resources, systems }
}

/** A world of its own in a state that was kept of this one or of a fork, with the same systems and resources. */
export function worldOf({ [$inside]: { resources, systems } }: World, kept: Kept): World {
  return new World({ [$inside]: { state: State.from(kept), resources, systems } })
}

function requireKind(component: Component, kind: 'value' | 'log', instead: string): void {
  if (component.kind === kind) return
  throw new TellurionError('invalid_option', `${component.name} is a ${component.kind}: use ${instead}.`)
}

/** A handle for one invocation of a system: the same world, with a memory of what was read. */
export function invocation(world: World, reads: Reads): World {
  return new World({ [$inside]: world[$inside], reads })
}

/** Gives back the memory of an invocation that has ended. Whoever keeps its handle goes on without one. */
export function ended(handle: World): Reads | undefined {
  const reads = handle[$reads]
  ;(handle as { [$reads]: Reads | undefined })[$reads] = undefined
  reads?.forget()
  return reads
}

/** Cuts an invocation that outlived its run off from the world: what it writes from now on reaches nobody. */
export function detach(handle: World): void {
  ;(handle as { [$inside]: Inside })[$inside] = forked(handle[$inside])
}

/** Throws `invalid_option` unless a priority is a finite number. */
export function checkPriority(system: string, priority: number): void {
  if (Number.isFinite(priority)) return
  throw new TellurionError('invalid_option', `System ${system}: priority must be a finite number, got ${priority}.`)
}
