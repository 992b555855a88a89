// Todos: what an agent has set out to do, as plain data, and the questions that are asked of a list of them. Pure; the
// list of an entity is the component `Todos`, and `todo-list.ts` changes it.

import { readyOf } from '../graph/dependency.ts'

/** How far a todo is. `blocked` and `deferred` wait for something outside the list and are never available. */
export type TodoStatus = 'pending' | 'in_progress' | 'completed' | 'cancelled' | 'blocked' | 'deferred'

/** One thing to do. */
export interface Todo {
  /** Counts from 1 within the list; never given twice. */
  readonly id: number
  readonly title: string
  readonly status: TodoStatus
  /** 1 to 5; higher first. */
  readonly priority: number
  /** Ids of what must be completed or cancelled first. */
  readonly dependsOn?: readonly number[]
  /** Percent that is done, while it is not finished. */
  readonly progress?: number
  readonly note?: string
  /** Wall time in milliseconds of its newest change. */
  readonly updated: number
}

/** Every status. */
export const todoStatuses = [
  'pending',
  'in_progress',
  'completed',
  'cancelled',
  'blocked',
  'deferred',
] as const satisfies readonly TodoStatus[]

/** Whether there is nothing left to do about it. */
export function isFinished({ status }: Pick<Todo, 'status'>): boolean {
  return status === 'completed' || status === 'cancelled'
}

/** Those that can be begun: pending, and all they depend on is finished. Higher priorities first, then older ones. */
export function availableTodos(todos: Iterable<Todo>): Todo[] {
  const open = new Set<number>()
  const pending: Todo[] = []
  for (const todo of todos) {
    if (!isFinished(todo)) open.add(todo.id)
    if (todo.status === 'pending') pending.push(todo)
  }
  return readyOf(pending, (id) => !open.has(id)).sort((a, b) => b.priority - a.priority || a.id - b.id)
}

/** What to do next: the first of those that can be begun. */
export function nextTodo(todos: Iterable<Todo>): Todo | undefined {
  return availableTodos(todos)[0]
}

/** How far a list is. */
export interface TodoProgress {
  /** The mean over all todos but cancelled ones, rounded down; 100 where there are none. */
  readonly percent: number
  readonly completed: number
  /** All but cancelled ones. */
  readonly total: number
}

/** How far a list is: completed todos count 100 percent, others what their `progress` says. */
export function todoProgress(todos: Iterable<Todo>): TodoProgress {
  let [sum, completed, total] = [0, 0, 0]
  for (const { status, progress = 0 } of todos) {
    if (status === 'cancelled') continue
    total++
    if (status === 'completed') completed++
    sum += status === 'completed' ? 100 : progress
  }
  return { percent: total === 0 ? 100 : Math.floor(sum / total), completed, total }
}
