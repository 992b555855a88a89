// The schedule: systems in groups of equal priority, ascending. A group's systems run concurrently, over all entities
// they match, under one bound; what throws becomes a `Failure` and stops nobody else.

import { errorData, type ErrorData } from '../error/error.ts'
import type { State } from './state.ts'
import { worldEntity, type Entity } from './entity.ts'
import { Failure, Halted } from './lifecycle.ts'
import type { Query } from './query.ts'
import { Reads } from './reads.ts'
import { own } from './value.ts'
import {
  $inside,
  detach,
  ended,
  invocation,
  type Registered,
  type System,
  type SystemContext,
  type World,
} from './world.ts'

/** A system and the query it is called for; none for a whole-world system. */
interface Scheduled {
  readonly system: System
  readonly query: Query | undefined
}

/** Systems of equal priority, in order of registration. */
export type Group = readonly Scheduled[]

const scheduled = new WeakMap<readonly Registered[], readonly Group[]>()

/**
 * The groups of a world's systems, by ascending priority. Worlds with the same list of systems share them: whatever
 * else such worlds came to know later, the systems' components lie in the same slots.
 */
export function groupsOf(systems: readonly Registered[], state: State): readonly Group[] {
  const known = scheduled.get(systems)
  if (known !== undefined) return known
  const groups = new Map<number, Scheduled[]>()
  for (const { system, priority } of systems) {
    const query = system.each === undefined ? undefined : state.query(system.query, system.without)
    const group = groups.get(priority)
    if (group === undefined) groups.set(priority, [{ system, query }])
    else group.push({ system, query })
  }
  const sorted = [...groups].sort(([a], [b]) => a - b).map(([, group]) => group)
  scheduled.set(systems, sorted)
  return sorted
}

/** Runs groups, one at a time. An aborted run can leave behind what does not end. */
export class GroupRun {
  /** Set when the run is aborted: nothing more begins. */
  aborted = false
  readonly #world: World
  readonly #context: SystemContext
  readonly #bound: number
  /** The invocations that have not ended. */
  readonly #live: World[] = []
  /** How many of them are of `each`, which the bound is about. */
  #busy = 0
  readonly #backlog: [system: System, query: Query, entity: Entity][] = []
  #done: (() => void) | undefined
  /** The memory of an invocation that has ended, for the next one. */
  #spare: Reads | undefined

  constructor(world: World, context: SystemContext, bound: number) {
    this.#world = world
    this.#context = context
    this.#bound = bound
  }

  /** Runs the group; a promise only where a system returned one. Never rejects. */
  start(group: Group): Promise<void> | undefined {
    const { state } = this.#world[$inside]
    for (const { system, query } of group) {
      if (query === undefined) {
        this.#call(system, worldEntity)
        continue
      }
      const entities = state.matching(query)
      for (const entity of entities.length > 1 ? entities.slice() : entities) this.#offer(system, query, entity)
    }
    if (this.#live.length === 0) return undefined
    return new Promise((resolve) => {
      this.#done = resolve
    })
  }

  /** Cuts off every invocation that has not ended. */
  abandon(): void {
    for (const handle of this.#live) detach(handle)
    this.#live.length = 0
    this.#done?.()
  }

  #offer(system: System, query: Query, entity: Entity): void {
    if (this.#busy >= this.#bound) this.#backlog.push([system, query, entity])
    else if (!this.aborted && this.#world[$inside].state.matches(query, entity)) this.#call(system, entity)
  }

  #call(system: System, entity: Entity): void {
    const handle = invocation(this.#world, this.#spare ?? new Reads())
    this.#spare = undefined
    try {
      const result: unknown =
        system.each === undefined ? system.run?.(handle, this.#context) : system.each(entity, handle, this.#context)
      if (isThenable(result)) return this.#follow(result, handle, { system, entity })
    } catch (error) {
      this.#fail(system, entity, error)
    }
    this.#spare = ended(handle)
  }

  /** Waits for an invocation without a promise of its own. */
  #follow(result: PromiseLike<unknown>, handle: World, call: { system: System; entity: Entity }): void {
    this.#live.push(handle)
    if (call.system.each !== undefined) this.#busy++
    // A thenable of a foreign kind may do anything in its `then`.
    const promise = result instanceof Promise ? result : Promise.resolve(result)
    promise.then(
      () => this.#end(handle, call.system),
      (error: unknown) => {
        if (this.#live.includes(handle)) this.#fail(call.system, call.entity, error)
        this.#end(handle, call.system)
      },
    )
  }

  #end(handle: World, system: System): void {
    const index = this.#live.indexOf(handle)
    // It was left behind.
    if (index < 0) return
    const last = this.#live.pop()!
    if (last !== handle) this.#live[index] = last
    this.#spare = ended(handle)
    if (system.each !== undefined) this.#busy--
    this.#refill()
    if (this.#live.length === 0) this.#done?.()
  }

  /** As invocations end, those of the backlog begin. */
  #refill(): void {
    while (this.#backlog.length > 0 && this.#busy < this.#bound) this.#offer(...this.#backlog.shift()!)
  }

  /** The first failure stands until it is handled, and one that repeats itself on a halted entity is no news. */
  #fail(system: System, entity: Entity, thrown: unknown): void {
    const world = this.#world
    const target = world.exists(entity) ? entity : worldEntity
    if (world.has(target, Failure)) return
    const error = failureData(thrown)
    const halted = world.get(target, Halted)?.error
    if (halted !== undefined && halted.code === error.code && halted.message === error.message) return
    world.set(target, Failure, { error, system: system.name, tick: this.#context.tick })
  }
}

/** What a world can hold of whatever was thrown. */
function failureData(thrown: unknown): ErrorData {
  try {
    const data = errorData(thrown, 'system_failed')
    return own({ ...data, message: data.message.slice(0, 10_000).toWellFormed() }, 'Failure')
  } catch {
    return { code: 'system_failed', message: 'The system threw something that cannot be told.', retryable: false }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
