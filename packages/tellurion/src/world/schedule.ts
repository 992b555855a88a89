// The schedule: systems in groups of equal priority, ascending. A group's systems run concurrently, over all entities
// they match, under one bound; what throws becomes a `Failure` and stops nobody else.

import { errorData } from '../error/error.ts'
import { worldEntity, type Entity } from './entity.ts'
import { Failure, Halted } from './lifecycle.ts'
import { $inside, detach, invocation, type Registered, type System, type SystemContext, type World } from './world.ts'

const grouped = new WeakMap<readonly Registered[], readonly (readonly System[])[]>()

/** Systems by ascending priority; inside a group in order of registration. */
export function groupsOf(list: readonly Registered[]): readonly (readonly System[])[] {
  const known = grouped.get(list)
  if (known !== undefined) return known
  const groups = new Map<number, System[]>()
  for (const { system, priority } of list) {
    const group = groups.get(priority)
    if (group === undefined) groups.set(priority, [system])
    else group.push(system)
  }
  const result = [...groups].sort(([a], [b]) => a - b).map(([, group]) => group)
  grouped.set(list, result)
  return result
}

/** One run of a group. Kept in one object so that an aborted run can leave what does not end. */
export class GroupRun {
  readonly #world: World
  readonly #context: SystemContext
  readonly #bound: number
  readonly #live: Set<World> = new Set()

  constructor(world: World, context: SystemContext, bound: number) {
    this.#world = world
    this.#context = context
    this.#bound = bound
  }

  /** Runs the group; a promise only where a system returned one. Never rejects. */
  start(group: readonly System[]): Promise<unknown> | undefined {
    const { core } = this.#world[$inside]
    let pending: Promise<unknown>[] | undefined
    let backlog: [System, Entity][] | undefined
    for (const system of group) {
      if (system.run !== undefined) {
        const work = this.#call(system, worldEntity)
        if (work !== undefined) (pending ??= []).push(work)
        continue
      }
      const { entities } = core.queryOf(system)
      if (entities.size === 0) continue
      const list = entities.size === 1 ? entities.list() : [...entities.list()]
      for (const entity of list) {
        if (pending !== undefined && pending.length >= this.#bound) {
          ;(backlog ??= []).push([system, entity])
          continue
        }
        if (!entities.has(entity)) continue
        const work = this.#call(system, entity)
        if (work !== undefined) (pending ??= []).push(work)
      }
    }
    if (pending === undefined) return undefined
    if (backlog !== undefined) return this.#drain(pending, backlog)
    return pending.length === 1 ? pending[0] : Promise.all(pending)
  }

  /** Cuts off every invocation that has not ended. */
  abandon(): void {
    for (const handle of this.#live) detach(handle)
    this.#live.clear()
  }

  /** As each started invocation ends, the next of the backlog begins. */
  async #drain(pending: readonly Promise<unknown>[], backlog: readonly [System, Entity][]): Promise<void> {
    let next = 0
    const lane = async (first: Promise<unknown>): Promise<void> => {
      await first
      while (next < backlog.length && !this.#context.signal.aborted) {
        const [system, entity] = backlog[next++]!
        if (!this.#world[$inside].core.queryOf(system).entities.has(entity)) continue
        await this.#call(system, entity)
      }
    }
    await Promise.all(pending.map(lane))
  }

  #call(system: System, entity: Entity): Promise<void> | undefined {
    const handle = invocation(this.#world)
    try {
      const result =
        system.each === undefined ? system.run?.(handle, this.#context) : system.each(entity, handle, this.#context)
      if (result === undefined || typeof result.then !== 'function') return undefined
      this.#live.add(handle)
      return result.then(
        () => {
          this.#live.delete(handle)
        },
        (error: unknown) => {
          if (this.#live.delete(handle)) this.#fail(system, entity, error)
        },
      )
    } catch (error) {
      this.#fail(system, entity, error)
      return undefined
    }
  }

  /** The first failure stands until it is handled, and one that repeats itself on a halted entity is no news. */
  #fail(system: System, entity: Entity, error: unknown): void {
    const target = this.#world.exists(entity) ? entity : worldEntity
    if (this.#world.has(target, Failure)) return
    const data = failureData(error)
    const halted = this.#world.get(target, Halted)?.error
    if (halted !== undefined && halted.code === data.code && halted.message === data.message) return
    this.#world.set(target, Failure, { error: data, system: system.name, tick: this.#context.tick })
  }
}

function failureData(error: unknown): ReturnType<typeof errorData> {
  const data = errorData(error, 'system_failed')
  return { ...data, message: data.message.slice(0, 10_000).toWellFormed() }
}
