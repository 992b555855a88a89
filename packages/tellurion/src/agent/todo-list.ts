// The todo list of an entity: checked when it is changed, all of a change or nothing of it, and bounded. What a change
// costs does not grow with the list, but for the check that new dependencies run in no circle.

import { suggestion, TellurionError } from '../error/error.ts'
import { checkOptions } from '../error/option.ts'
import { circularDependency, findCycle, unknownDependency } from '../graph/dependency.ts'
import type { Entity } from '../world/entity.ts'
import type { LogView } from '../world/log.ts'
import type { World } from '../world/world.ts'
import { Todos } from './component.ts'
import { clockOf } from './configuration.ts'
import { oneLine } from './one-line.ts'
import { isFinished, todoStatuses, type Todo, type TodoStatus } from './todo.ts'

/** Todos that a list holds. */
export const maxTodos = 100_000
const maxTitle = 200
const maxNote = 2_000
const maxDependencies = 100

/** A todo to be. */
export interface NewTodo {
  /** At most 200 characters; becomes one line. */
  readonly title: string
  /** 1 to 5; higher first. Default 3. */
  readonly priority?: number
  /** Default `pending`. */
  readonly status?: 'pending' | 'blocked' | 'deferred'
  /** What must be finished first: ids, or the `ref` of a todo that is added at the same time. At most 100. */
  readonly dependsOn?: readonly (number | string)[]
  /** A name for `dependsOn` of todos that are added at the same time. It is not kept. */
  readonly ref?: string
  /** At most 2,000 characters. */
  readonly note?: string
}

/** What is to be different about a todo. */
export interface TodoChange {
  readonly id: number
  readonly title?: string
  readonly status?: TodoStatus
  readonly priority?: number
  readonly dependsOn?: readonly number[]
  /** Percent, 0 to 100. */
  readonly progress?: number
  /** An empty text takes the note off. */
  readonly note?: string
}

type Known = LogView<Todo> | undefined
type Refs = ReadonlyMap<string, number>

/**
 * Adds todos to the list of an entity, which begins with them; returns them with their ids. Throws `invalid_option` for a
 * wrong field or a full list and `invalid_dependency` for an unknown or circular one; then none was added.
 */
export function addTodos(world: World, entity: Entity, todos: readonly NewTodo[]): readonly Todo[] {
  checkList(todos, 'addTodos')
  const known = world.get(entity, Todos)
  const length = known?.length ?? 0
  if (length + todos.length > maxTodos) {
    throw invalid(`A list holds ${maxTodos} todos; clear finished ones first (clearTodos).`)
  }
  const first = (known?.at(-1)?.id ?? 0) + 1
  const refs = refsOf(todos, first)
  const isNew = (id: number): boolean => Number.isInteger(id) && id >= first && id < first + todos.length
  const updated = clockOf(world).now()
  const added = todos.map((given, index): Todo => {
    const what = `todo ${index + 1}`
    checkOptions(what, given, ['title', 'priority', 'status', 'dependsOn', 'ref', 'note'])
    const { priority = 3, status = 'pending', note = '' } = given
    const dependsOn = dependenciesOf(given, { refs, known, isNew, what })
    if (status !== 'pending' && status !== 'blocked' && status !== 'deferred') {
      throw invalid(`${what}: a new one is pending, blocked or deferred, not ${JSON.stringify(status)}.`)
    }
    return {
      id: first + index,
      title: titleOf(given.title, what),
      status,
      priority: priorityOf(priority, what),
      ...(dependsOn.length === 0 ? {} : { dependsOn }),
      ...(note === '' ? {} : { note: noteOf(note, what) }),
      updated,
    }
  })
  // What is there already cannot depend on what is new, so only the new ones can run in a circle.
  const cycle = findCycle(
    added.map(({ id }) => id),
    (id) => added[id - first]?.dependsOn,
  )
  if (cycle !== undefined) throw circularDependency(cycle)
  // An argument list has an end that a list of todos has not.
  for (let from = 0; from < added.length; from += 1_000) {
    world.append(entity, Todos, ...added.slice(from, from + 1_000))
  }
  for (const todo of added) tell(world, entity, todo)
  return added
}

/**
 * Changes todos; returns them as they are now. A todo is begun or completed only when all it depends on is finished, or
 * becomes so at the same time. Throws `invalid_option` and `invalid_dependency`; then none was changed.
 */
export function updateTodos(world: World, entity: Entity, changes: readonly TodoChange[]): readonly Todo[] {
  checkList(changes, 'updateTodos')
  const known = world.get(entity, Todos)
  const updated = clockOf(world).now()
  const changed = new Map<number, { readonly place: number; readonly todo: Todo }>()
  for (const change of changes) {
    checkOptions('a change', change, ['id', 'title', 'status', 'priority', 'dependsOn', 'progress', 'note'])
    const place = placeOf(known, change.id)
    if (place === undefined) throw invalid(`There is no todo ${String(change.id)}; list them to see which there are.`)
    const before = changed.get(change.id)?.todo ?? known!.at(place)!
    changed.set(change.id, { place, todo: { ...changedTodo(before, change, known), updated } })
  }
  const at = (id: number): Todo | undefined => changed.get(id)?.todo ?? todoOf(known, id)
  const linked = changes.filter(({ dependsOn }) => dependsOn !== undefined).map(({ id }) => id)
  const cycle = findCycle(linked, (id) => at(id)?.dependsOn)
  if (cycle !== undefined) throw circularDependency(cycle)
  for (const { id, status } of changes) {
    if (status !== 'in_progress' && status !== 'completed') continue
    const open = at(id)?.dependsOn?.filter((other) => !isFinished(at(other) ?? { status: 'cancelled' })) ?? []
    if (open.length > 0) {
      throw new TellurionError(
        'invalid_dependency',
        `Todo ${id} waits for ${open.slice(0, 10).join(', ')}; finish that first.`,
      )
    }
  }
  for (const { place, todo } of changed.values()) {
    world.splice(entity, Todos, { start: place, deleteCount: 1, items: [todo] })
    tell(world, entity, todo)
  }
  return [...changed.values()].map(({ todo }) => todo)
}

/**
 * Takes finished todos out of the list and says how many went. The newest one stays, whatever it is, so that no id is
 * given twice; what depended on one that went waits for it no more.
 */
export function clearTodos(world: World, entity: Entity): number {
  const known = world.get(entity, Todos)
  if (known === undefined) return 0
  const left = known.toArray().filter((todo, place) => !isFinished(todo) || place === known.length - 1)
  const removed = known.length - left.length
  if (removed > 0) world.splice(entity, Todos, { start: 0, deleteCount: known.length, items: left })
  return removed
}

/** The todo of an id. */
export function todoOf(todos: Known, id: number): Todo | undefined {
  const place = placeOf(todos, id)
  return place === undefined ? undefined : todos?.at(place)
}

/** Where a todo stands: ids ascend. */
function placeOf(todos: Known, id: number): number | undefined {
  let [low, high] = [0, (todos?.length ?? 0) - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    const found = todos!.at(middle)!.id
    if (found === id) return middle
    if (found < id) low = middle + 1
    else high = middle - 1
  }
  return undefined
}

/** The names that new todos go by among themselves, with the ids they get. */
function refsOf(todos: readonly NewTodo[], first: number): Refs {
  const refs = new Map<string, number>()
  for (const [index, { ref }] of todos.entries()) {
    if (ref === undefined) continue
    if (refs.has(ref)) throw new TellurionError('duplicate_name', `Two todos have the ref '${ref}'; rename one.`)
    refs.set(ref, first + index)
  }
  return refs
}

function dependenciesOf(
  { dependsOn = [], title }: NewTodo,
  { refs, known, isNew, what }: { refs: Refs; known: Known; isNew: (id: number) => boolean; what: string },
): readonly number[] {
  checkDependencies(dependsOn, what)
  const ids = dependsOn.map((name) => {
    if (typeof name === 'number') {
      if (!isNew(name) && placeOf(known, name) === undefined) throw unknownDependency(title, name)
      return name
    }
    const id = refs.get(name)
    if (id === undefined) throw unknownDependency(title, name)
    return id
  })
  return [...new Set(ids)]
}

function changedTodo(before: Todo, change: TodoChange, known: Known): Todo {
  const what = `todo ${change.id}`
  const { title = before.title, priority = before.priority, status = before.status } = change
  const { note = before.note ?? '', dependsOn = before.dependsOn ?? [] } = change
  if (!todoStatuses.includes(status)) {
    throw invalid(`${what}: there is no status '${String(status)}'.${suggestion(String(status), todoStatuses)}`)
  }
  if (change.dependsOn !== undefined) checkDependencies(dependsOn, what)
  for (const id of change.dependsOn ?? []) if (placeOf(known, id) === undefined) throw unknownDependency(before.id, id)
  const progress = progressOf(change.progress ?? before.progress ?? 0, what)
  return {
    id: before.id,
    title: titleOf(title, what),
    status,
    priority: priorityOf(priority, what),
    ...(dependsOn.length === 0 ? {} : { dependsOn: [...new Set(dependsOn)] }),
    ...(progress === 0 || isFinished({ status }) ? {} : { progress }),
    ...(note === '' ? {} : { note: noteOf(note, what) }),
    updated: before.updated,
  }
}

function checkList(list: readonly unknown[], what: string): void {
  const whole = Array.isArray(list) && list.every((item) => typeof item === 'object' && item !== null)
  if (!whole) throw invalid(`${what}(world, entity, list) takes a list of objects.`)
}

function checkDependencies(dependsOn: readonly unknown[], what: string): void {
  if (Array.isArray(dependsOn) && dependsOn.length <= maxDependencies) return
  throw invalid(`${what}: dependsOn is a list of at most ${maxDependencies} ids.`)
}

function titleOf(title: unknown, what: string): string {
  const line = typeof title === 'string' ? oneLine(title) : ''
  if (line !== '' && line.length <= maxTitle) return line
  throw invalid(`${what}: its title is a text of 1 to ${maxTitle} characters.`)
}

function noteOf(note: unknown, what: string): string {
  if (typeof note === 'string' && note.length <= maxNote) return note.toWellFormed()
  throw invalid(`${what}: its note is a text of at most ${maxNote} characters.`)
}

function priorityOf(priority: number, what: string): number {
  if (Number.isInteger(priority) && priority >= 1 && priority <= 5) return priority
  throw invalid(`${what}: its priority is 1 to 5 (higher first), not ${String(priority)}.`)
}

function progressOf(progress: number, what: string): number {
  if (typeof progress === 'number' && progress >= 0 && progress <= 100) return progress
  throw invalid(`${what}: its progress is 0 to 100 percent, not ${String(progress)}.`)
}

function invalid(message: string): TellurionError {
  return new TellurionError('invalid_option', message)
}

function tell(world: World, entity: Entity, { id, title, status, progress }: Todo): void {
  world.emit({ type: 'todo.changed', entity, id, title, status, ...(progress === undefined ? {} : { progress }) })
}
