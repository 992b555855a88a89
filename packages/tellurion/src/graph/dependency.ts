// Dependencies: what must be done before what, over names of any kind. Pure, without recursion, and linear in what is
// there, however long a chain gets.

import { TellurionError } from '../error/error.ts'

/** Something with a name that other things must come before. */
export interface Dependent<Id> {
  readonly id: Id
  /** Names of what must be done first. */
  readonly dependsOn?: readonly Id[] | undefined
}

/** Names that a message shows of a long circle. */
const shown = 8

/**
 * A circle among the dependencies that can be reached from `starts`: names along it, the first again at its end.
 * Undefined when there is none.
 */
export function findCycle<Id>(
  starts: Iterable<Id>,
  dependenciesOf: (id: Id) => Iterable<Id> | undefined,
): readonly Id[] | undefined {
  return walk(starts, dependenciesOf, () => {})
}

/**
 * The names in an order in which each comes after all it depends on; what does not matter stays as given. Throws
 * `invalid_dependency` for a circle and for a name that nothing has, and `duplicate_name`.
 */
export function dependencyOrder<Id>(items: Iterable<Dependent<Id>>): Id[] {
  const byId = new Map<Id, Dependent<Id>>()
  for (const item of items) {
    if (byId.has(item.id))
      throw new TellurionError('duplicate_name', `There are two of '${String(item.id)}'; rename one.`)
    byId.set(item.id, item)
  }
  for (const { id, dependsOn = [] } of byId.values()) {
    for (const other of dependsOn) if (!byId.has(other)) throw unknownDependency(id, other)
  }
  const order: Id[] = []
  const cycle = walk(
    byId.keys(),
    (id) => byId.get(id)?.dependsOn,
    (id) => order.push(id),
  )
  if (cycle !== undefined) throw circularDependency(cycle)
  return order
}

/**
 * Items in stages: each depends only on what earlier stages have, and stands in the first where that is so; within a stage
 * as given. Throws as `dependencyOrder` does.
 */
export function dependencyStages<Item extends Dependent<unknown>>(items: readonly Item[]): Item[][] {
  const byId = new Map<unknown, Item>(items.map((item) => [item.id, item]))
  const stageOf = new Map<unknown, number>()
  for (const id of dependencyOrder<unknown>(items)) {
    let stage = 0
    for (const other of byId.get(id)?.dependsOn ?? []) stage = Math.max(stage, stageOf.get(other)! + 1)
    stageOf.set(id, stage)
  }
  const stages: Item[][] = []
  for (const item of items) (stages[stageOf.get(item.id)!] ??= []).push(item)
  return stages
}

/** Those that are not done and have nothing to wait for, in the order given. */
export function readyOf<Item extends Dependent<unknown>>(
  items: Iterable<Item>,
  isDone: (id: Item['id']) => boolean,
): Item[] {
  const ready: Item[] = []
  for (const item of items) {
    if (!isDone(item.id) && (item.dependsOn ?? []).every((id) => isDone(id))) ready.push(item)
  }
  return ready
}

/** The error of a dependency that leads to nothing. */
export function unknownDependency(id: unknown, other: unknown): TellurionError {
  const text = `'${String(id)}' depends on '${String(other)}', which is not there.`
  return new TellurionError('invalid_dependency', text)
}

/** The error of a circle. */
export function circularDependency(cycle: readonly unknown[]): TellurionError {
  const names = cycle.length <= shown ? cycle : [...cycle.slice(0, shown - 1), '…', cycle.at(-1)]
  return new TellurionError('invalid_dependency', `Dependencies run in a circle: ${names.join(' → ')}. Leave one out.`)
}

/** Depth first, each name once; `leave` is called when all that a name depends on has been left. */
function walk<Id>(
  starts: Iterable<Id>,
  dependenciesOf: (id: Id) => Iterable<Id> | undefined,
  leave: (id: Id) => void,
): Id[] | undefined {
  // True once a name has been left, false while it is on the trail.
  const seen = new Map<Id, boolean>()
  const trail: { readonly id: Id; readonly rest: Iterator<Id> }[] = []
  const enter = (id: Id): void => {
    seen.set(id, false)
    trail.push({ id, rest: (dependenciesOf(id) ?? [])[Symbol.iterator]() })
  }
  for (const start of starts) {
    if (seen.has(start)) continue
    enter(start)
    for (let at = trail.at(-1); at !== undefined; at = trail.at(-1)) {
      const next = at.rest.next()
      if (next.done === true) {
        seen.set(at.id, true)
        trail.pop()
        leave(at.id)
        continue
      }
      const known = seen.get(next.value)
      if (known === undefined) enter(next.value)
      else if (!known)
        return [...trail.slice(trail.findIndex(({ id }) => id === next.value)).map(({ id }) => id), next.value]
    }
  }
  return undefined
}
