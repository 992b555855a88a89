// Tools with which a model keeps its list of todos. They change its own world, exactly once, and answer in a bounded way.

import type { JsonObject } from '../schema/json.ts'
import type { AnyTool } from '../tool/tool.ts'
import type { Entity } from '../world/entity.ts'
import type { World } from '../world/world.ts'
import { Todos } from './component.ts'
import { addTodos, clearTodos, updateTodos, type NewTodo, type TodoChange } from './todo-list.ts'
import { availableTodos, isFinished, nextTodo, todoProgress, todoStatuses, type Todo } from './todo.ts'
import { worldTool } from './world-tool.ts'

/** Todos in one call. */
const maxCall = 100
/** Characters of todos in one answer; results end at 10,000. */
const maxShown = 8_000

const title = { type: 'string', minLength: 1, maxLength: 200 }
const note = { type: 'string', maxLength: 2_000 }
const priority = { type: 'integer', minimum: 1, maximum: 5, description: '5 is the most urgent; default 3.' }

const newTodos: JsonObject = listOf(
  {
    title,
    priority,
    dependsOn: {
      type: 'array',
      maxItems: 100,
      items: { type: ['integer', 'string'] },
      description: 'What must be finished first: ids, or the ref of another todo of this call.',
    },
    ref: { type: 'string', maxLength: 64, description: 'A name for dependsOn of other todos of this call.' },
    note,
  },
  ['title'],
)

const changes: JsonObject = listOf(
  {
    id: { type: 'integer' },
    status: { type: 'string', enum: todoStatuses },
    progress: { type: 'number', minimum: 0, maximum: 100, description: 'Percent, while it is not finished.' },
    title,
    priority,
    dependsOn: { type: 'array', maxItems: 100, items: { type: 'integer' } },
    note,
  },
  ['id'],
)

const wishes: JsonObject = {
  type: 'object',
  properties: {
    show: {
      type: 'string',
      enum: ['open', 'available', 'finished', 'all'],
      description: 'available: those that can be begun now, most urgent first. Default open.',
    },
    after: { type: 'integer', description: 'Go on behind this id, where an answer said that there are more.' },
  },
  additionalProperties: false,
}

/**
 * The tools `addTodos`, `updateTodos`, `listTodos` and `clearTodos`, for `tools` of an agent: a list of what it has set
 * out to do, in the component `Todos` of its entity.
 */
export function todoTools(): Readonly<Record<'addTodos' | 'updateTodos' | 'listTodos' | 'clearTodos', AnyTool>> {
  return {
    addTodos: worldTool({
      trust: 'trusted',
      description:
        'Adds todos to your list. Use it to break a long task into steps before you begin. All are added, or none.',
      inputSchema: newTodos,
      change(world, entity, input) {
        const { todos } = input as unknown as { todos: readonly NewTodo[] }
        return answer(world, entity, addTodos(world, entity, todos))
      },
    }),
    updateTodos: worldTool({
      trust: 'trusted',
      description:
        'Changes todos: set in_progress when you begin one, completed at once when it is done, blocked or deferred when it ' +
        'cannot go on now. All are changed, or none.',
      inputSchema: changes,
      change(world, entity, input) {
        const { todos } = input as unknown as { todos: readonly TodoChange[] }
        return answer(world, entity, updateTodos(world, entity, todos))
      },
    }),
    listTodos: worldTool({
      trust: 'trusted',
      description: 'Shows your list of todos, how far it is, and what to do next.',
      inputSchema: wishes,
      change(world, entity, input) {
        const { show = 'open', after = 0 } = input as { show?: string; after?: number }
        return answer(world, entity, shown([...(world.get(entity, Todos) ?? [])], show), after)
      },
    }),
    clearTodos: worldTool({
      trust: 'trusted',
      description: 'Takes finished todos out of your list.',
      inputSchema: { type: 'object', properties: {}, additionalProperties: false },
      change: (world, entity) => ({ removed: clearTodos(world, entity) }),
    }),
  }
}

function shown(todos: Todo[], show: string): readonly Todo[] {
  if (show === 'available') return availableTodos(todos)
  if (show === 'all') return todos
  return todos.filter((todo) => isFinished(todo) === (show === 'finished'))
}

/** What a model reads: the todos, as many as fit, and where the list stands. */
function answer(world: World, entity: Entity, all: readonly Todo[], after?: number): JsonObject {
  const list = world.get(entity, Todos) ?? []
  const from = after === undefined || after <= 0 ? 0 : all.findIndex(({ id }) => id === after) + 1
  const todos: JsonObject[] = []
  let length = 0
  for (const { updated: _when, ...todo } of all.slice(from)) {
    length += JSON.stringify(todo).length
    if (length > maxShown) break
    todos.push(todo as unknown as JsonObject)
  }
  const left = all.length - from - todos.length
  const next = nextTodo(list)
  return {
    todos,
    ...(left === 0 ? {} : { more: `${left} more: list them after ${String(todos.at(-1)?.['id'])}` }),
    progress: { ...todoProgress(list) },
    ...(next === undefined ? {} : { next: { id: next.id, title: next.title } }),
  }
}

function listOf(properties: JsonObject, required: readonly string[]): JsonObject {
  return {
    type: 'object',
    properties: {
      todos: {
        type: 'array',
        minItems: 1,
        maxItems: maxCall,
        items: { type: 'object', properties, required, additionalProperties: false },
      },
    },
    required: ['todos'],
    additionalProperties: false,
  }
}
