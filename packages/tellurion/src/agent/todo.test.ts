// The todo list line by line: statuses, priorities, dependencies, what is available and next, progress, its bounds; and
// as tools of a model.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { EventOf } from '../event/event.ts'
import type { Json } from '../schema/json.ts'
import { scriptedModel, type ScriptedReply } from '../testing/scripted-model.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { World } from '../world/world.ts'
import { Agent } from './agent.ts'
import { Todos } from './component.ts'
import { addTodos, clearTodos, maxTodos, todoOf, updateTodos, type NewTodo, type TodoChange } from './todo-list.ts'
import { todoTools } from './todo-tools.ts'
import { availableTodos, nextTodo, todoProgress, todoStatuses, type Todo } from './todo.ts'

function list(...todos: NewTodo[]) {
  const clock = virtualClock(1_000)
  const world = new World({ resources: { clock } })
  const entity = world.spawn()
  const changes: EventOf<'todo.changed'>[] = []
  world.on('todo.changed', (event) => changes.push(event))
  if (todos.length > 0) addTodos(world, entity, todos)
  const all = (): readonly Todo[] => world.get(entity, Todos)?.toArray() ?? []
  const update = (...given: TodoChange[]) => updateTodos(world, entity, given)
  return { world, entity, clock, changes, all, update, ids: (of: readonly Todo[]) => of.map(({ id }) => id) }
}

const todo = (title: string, ...dependsOn: (number | string)[]): NewTodo => ({ title, ref: title, dependsOn })

describe('a todo', () => {
  test('is pending, of priority 3, and counted from 1', () => {
    const { all } = list({ title: ' Buy\n milk ' }, { title: 'Rest', priority: 5, note: 'at last' })
    assert.deepEqual(all(), [
      { id: 1, title: 'Buy milk', status: 'pending', priority: 3, updated: 1_000 },
      { id: 2, title: 'Rest', status: 'pending', priority: 5, note: 'at last', updated: 1_000 },
    ])
  })

  test('takes every status, and says when it changed', async () => {
    const { update, clock, all, changes } = list({ title: 'Work' })
    for (const status of todoStatuses) {
      await clock.advance(1)
      update({ id: 1, status })
      assert.deepEqual([all()[0]?.status, all()[0]?.updated], [status, clock.now()])
    }
    assert.deepEqual(
      changes.map(({ status }) => status),
      ['pending', ...todoStatuses],
    )
  })

  test('keeps what is not changed, and drops its progress when it is finished', () => {
    const { update, all } = list({ title: 'Work', note: 'n' })
    update({ id: 1, status: 'in_progress', progress: 40 })
    assert.deepEqual(all()[0], { ...all()[0]!, title: 'Work', note: 'n', progress: 40 })
    update({ id: 1, note: '', priority: 1 })
    assert.equal(all()[0]?.note, undefined)
    assert.equal(all()[0]?.progress, 40)
    update({ id: 1, status: 'completed' })
    assert.equal(all()[0]?.progress, undefined)
  })
})

describe('dependencies', () => {
  test('lead to ids, and to refs of the same call in any order', () => {
    const { world, entity, all } = list(todo('build', 'design'), todo('design'))
    addTodos(world, entity, [todo('ship', 1, 'test', 5), todo('test', 1, 1), todo('tell')])
    assert.deepEqual(
      all().map(({ dependsOn }) => dependsOn),
      [[2], undefined, [1, 4, 5], [1], undefined],
    )
  })

  test('a circle is refused, and nothing of the call is kept', () => {
    const { world, entity, all, update } = list(todo('a'), todo('b', 1))
    assert.throws(() => addTodos(world, entity, [todo('x'), todo('y', 'z'), todo('z', 'y')]), {
      code: 'invalid_dependency',
      message: /circle: 4 → 5 → 4/,
    })
    assert.throws(() => addTodos(world, entity, [todo('x', 4), todo('y', 3)]), { message: /3 → 4 → 3/ })
    assert.throws(() => update({ id: 1, title: 'other' }, { id: 1, dependsOn: [2] }), { message: /1 → 2 → 1/ })
    assert.throws(() => update({ id: 1, dependsOn: [1] }), { message: /1 → 1/ })
    assert.deepEqual(
      all().map(({ title }) => title),
      ['a', 'b'],
    )
  })

  test('what is not there is refused', () => {
    const { world, entity, update } = list(todo('a'))
    assert.throws(() => addTodos(world, entity, [todo('b', 7)]), { message: "'b' depends on '7', which is not there." })
    assert.throws(() => addTodos(world, entity, [todo('b', 'c')]), { code: 'invalid_dependency' })
    assert.throws(() => update({ id: 1, dependsOn: [2] }), { code: 'invalid_dependency' })
    assert.throws(() => addTodos(world, entity, [todo('x'), todo('x')]), { code: 'duplicate_name' })
  })

  test('nothing is begun or completed before what it depends on', () => {
    const { update, all } = list(todo('a'), todo('b', 1), todo('c', 2))
    for (const status of ['in_progress', 'completed'] as const) {
      assert.throws(() => update({ id: 3, status }), { code: 'invalid_dependency', message: /^Todo 3 waits for 2;/ })
    }
    update({ id: 3, status: 'deferred' })
    update({ id: 1, status: 'cancelled' }, { id: 2, status: 'completed' }, { id: 3, status: 'completed' })
    assert.deepEqual(
      all().map(({ status }) => status),
      ['cancelled', 'completed', 'completed'],
    )
  })

  test('law: whatever is added and changed, no circle ever stands in the list', () => {
    const wish = fc.record({ from: fc.integer({ min: 1, max: 8 }), to: fc.integer({ min: 1, max: 8 }) })
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 40 }), (wishes) => {
        const { update, all } = list(...Array.from({ length: 8 }, (_, index) => ({ title: `t${index}` })))
        for (const { from, to } of wishes) {
          try {
            update({ id: from, dependsOn: [...(all()[from - 1]?.dependsOn ?? []), to] })
          } catch (error) {
            assert.match(String(error), /circle/)
          }
        }
        // Without a circle, taking out again and again what depends on nothing takes out everything.
        let left = all()
        for (let round = 0; round < 8; round++) {
          const names = new Set(left.map(({ id }) => id))
          left = left.filter(({ dependsOn = [] }) => dependsOn.some((id) => names.has(id)))
        }
        assert.deepEqual(left, [])
      }),
    )
  })
})

describe('available and next', () => {
  test('are pending, wait for nothing, and come by priority and age', () => {
    const { all, update, ids } = list(
      { title: 'a', priority: 2 },
      { title: 'b', priority: 5, dependsOn: [] },
      { title: 'c', priority: 5 },
      { title: 'd', priority: 5, status: 'blocked' },
      { title: 'e', priority: 5, status: 'deferred' },
      todo('f', 'a2'),
      todo('a2'),
    )
    assert.deepEqual(ids(availableTodos(all())), [2, 3, 7, 1])
    assert.equal(nextTodo(all())?.id, 2)
    update({ id: 2, status: 'in_progress' }, { id: 3, status: 'completed' }, { id: 7, status: 'cancelled' })
    assert.deepEqual(ids(availableTodos(all())), [6, 1])
    update({ id: 6, status: 'completed' }, { id: 1, status: 'completed' })
    assert.equal(nextTodo(all()), undefined)
  })
})

describe('progress', () => {
  test('is the mean of what is done, without what is cancelled', () => {
    const { all, update } = list({ title: 'a' }, { title: 'b' }, { title: 'c' }, { title: 'd' })
    assert.deepEqual(todoProgress([]), { percent: 100, completed: 0, total: 0 })
    assert.equal(todoProgress(all()).percent, 0)
    update(
      { id: 1, status: 'completed' },
      { id: 2, status: 'in_progress', progress: 50 },
      { id: 3, status: 'cancelled' },
    )
    assert.deepEqual(todoProgress(all()), { percent: 50, completed: 1, total: 3 })
    update({ id: 2, status: 'completed' }, { id: 4, progress: 99 })
    assert.deepEqual(todoProgress(all()), { percent: 99, completed: 2, total: 3 })
  })
})

describe('clearing', () => {
  test('takes out what is finished, gives no id twice, and frees what waited', () => {
    const { world, entity, all, update, ids } = list(todo('a'), todo('b', 1), todo('c'))
    assert.equal(clearTodos(world, entity), 0)
    update({ id: 1, status: 'completed' }, { id: 3, status: 'completed' })
    assert.equal(clearTodos(world, entity), 1)
    assert.deepEqual(ids(all()), [2, 3])
    assert.deepEqual(ids(availableTodos(all())), [2])
    update({ id: 2, status: 'in_progress' })
    addTodos(world, entity, [{ title: 'd' }])
    assert.deepEqual(ids(all()), [2, 3, 4])
    assert.equal(todoOf(world.get(entity, Todos), 1), undefined)
    assert.equal(todoOf(world.get(entity, Todos), 3)?.title, 'c')
  })
})

describe('bad input', () => {
  const cases: readonly [what: string, given: unknown][] = [
    ['no title', {}],
    ['an empty title', { title: ' \n' }],
    ['a long title', { title: 'x'.repeat(201) }],
    ['a title that is no text', { title: 5 }],
    ['priority 0', { title: 't', priority: 0 }],
    ['priority 6', { title: 't', priority: 6 }],
    ['priority 2.5', { title: 't', priority: 2.5 }],
    ['a status that a new one cannot have', { title: 't', status: 'completed' }],
    ['a status that is none', { title: 't', status: 'done' }],
    ['dependencies that are no list', { title: 't', dependsOn: 'a' }],
    ['too many dependencies', { title: 't', dependsOn: Array(101).fill(1) }],
    ['a long note', { title: 't', note: 'x'.repeat(2_001) }],
    ['nothing', null],
    ['a text', 'x'],
  ]
  for (const [what, given] of cases) {
    test(`${what}: one clear line, and nothing is kept`, () => {
      const { world, entity, all } = list()
      assert.throws(() => addTodos(world, entity, [{ title: 'fine' }, given as NewTodo]), { code: 'invalid_option' })
      assert.deepEqual(all(), [])
    })
  }

  const changes: readonly [what: string, change: unknown, message: RegExp][] = [
    ['an id that is not there', { id: 9 }, /no todo 9; list them/],
    ['an id that is no number', { id: '__proto__' }, /no todo __proto__/],
    ['a status that is none', { id: 1, status: 'canceled' }, /Did you mean 'cancelled'/],
    ['progress past its end', { id: 1, progress: 101 }, /0 to 100/],
    ['progress that is none', { id: 1, progress: Number.NaN }, /0 to 100/],
    ['a slip in a name', { id: 1, stauts: 'completed' }, /Did you mean 'status'/],
    ['progress that is no number', { id: 1, status: 'completed', progress: 'half' }, /0 to 100/],
  ]
  for (const [what, change, message] of changes) {
    test(`${what}: one clear line, and nothing is changed`, () => {
      const { all, update } = list({ title: 'a' }, { title: 'b' })
      const before = all()
      assert.throws(() => update({ id: 2, status: 'completed' }, change as TodoChange), { message })
      assert.deepEqual(all(), before)
    })
  }

  test('a slip in the name of what a todo says', () => {
    const { world, entity, all } = list()
    const slip = { title: 't', dependson: [1] } as NewTodo
    assert.throws(() => addTodos(world, entity, [slip]), {
      code: 'unknown_option',
      message: /Did you mean 'dependsOn'/,
    })
    assert.deepEqual(all(), [])
  })

  test('what is no list', () => {
    const { world, entity } = list()
    assert.throws(() => addTodos(world, entity, {} as NewTodo[]), { message: /takes a list/ })
    assert.throws(() => updateTodos(world, entity, 5 as never), { message: /takes a list/ })
  })
})

describe('many todos', () => {
  test('a chain of 100,000 is added, changed and finished in linear time', () => {
    const { world, entity, all, update } = list()
    const chain = Array.from({ length: maxTodos }, (_, index): NewTodo => ({
      title: `t${index}`,
      ref: `${index}`,
      dependsOn: index === 0 ? [] : [`${index - 1}`],
    }))
    addTodos(world, entity, chain)
    assert.throws(() => addTodos(world, entity, [{ title: 'one more' }]), { message: /holds 100000 todos/ })
    assert.deepEqual(
      availableTodos(all()).map(({ id }) => id),
      [1],
    )
    assert.throws(() => update({ id: 1, dependsOn: [maxTodos] }), { message: /circle/ })
    update(...all().map(({ id }) => ({ id, status: 'completed' as const })))
    assert.equal(todoProgress(all()).percent, 100)
    assert.equal(clearTodos(world, entity), maxTodos - 1)
  })

  test('20,000 are added and finished one by one', () => {
    const { world, entity, all, update } = list()
    for (let id = 1; id <= 20_000; id++)
      addTodos(world, entity, [{ title: `t${id}`, dependsOn: id === 1 ? [] : [id - 1] }])
    for (let id = 1; id <= 20_000; id++) update({ id, status: 'completed' })
    assert.equal(todoProgress(all()).completed, 20_000)
  })
})

const call = (toolName: string, input: Json): ScriptedReply => ({ calls: [{ toolName, input }] })
const results = (messages: readonly { readonly role: string; readonly content: unknown }[]): string[] =>
  messages.filter(({ role }) => role === 'tool').map(({ content }) => String(content))

const plan: readonly ScriptedReply[] = [
  call('addTodos', {
    todos: [
      { title: 'Sow', ref: 'sow', priority: 4 },
      { title: 'Reap', dependsOn: ['sow'] },
    ],
  }),
  call('updateTodos', { todos: [{ id: 2, status: 'in_progress' }] }),
  call('updateTodos', { todos: [{ id: 1, status: 'completed' }] }),
  call('listTodos', { show: 'available' }),
  'Sown.',
]

const farmer = (): Agent => new Agent({ name: 'farmer', model: scriptedModel(plan), tools: { ...todoTools() } })

describe('the tools', () => {
  test('let a model keep its list, and tell it what it cannot do', async () => {
    const session = farmer().session()
    const { messages, text } = await session.generate('Farm.')
    assert.equal(text, 'Sown.')
    const [added, refused, done, listed] = results(messages)
    assert.deepEqual(JSON.parse(added!), {
      todos: [
        { id: 1, title: 'Sow', status: 'pending', priority: 4 },
        { id: 2, title: 'Reap', status: 'pending', priority: 3, dependsOn: [1] },
      ],
      progress: { percent: 0, completed: 0, total: 2 },
      next: { id: 1, title: 'Sow' },
    })
    assert.match(refused!, /Todo 2 waits for 1/)
    assert.deepEqual(JSON.parse(done!).progress, { percent: 50, completed: 1, total: 2 })
    assert.deepEqual(
      JSON.parse(listed!).todos.map(({ id }: Todo) => id),
      [2],
    )
    assert.deepEqual(
      session.world
        .require(session.entity, Todos)
        .toArray()
        .map(({ status }) => status),
      ['completed', 'pending'],
    )
  })

  test('refuse what does not fit, and the run goes on', async () => {
    const inputs: Json[] = [
      { todos: [] },
      { todos: [{ title: 'a', status: 'completed' }] },
      { todos: Array.from({ length: 101 }, () => ({ title: 'a' })) },
      {
        todos: [
          { title: 'a', ref: 'a', dependsOn: ['b'] },
          { title: 'b', ref: 'b', dependsOn: ['a'] },
        ],
      },
      { todos: 'a' },
    ]
    const model = scriptedModel([...inputs.map((input) => call('addTodos', input)), 'Never mind.'])
    const session = new Agent({ name: 'a', model, tools: { ...todoTools() } }).session()
    const { messages } = await session.generate('Go.')
    assert.equal(messages.filter((message) => message.role === 'tool' && message.isError).length, inputs.length)
    assert.equal(session.world.get(session.entity, Todos), undefined)
  })

  test('show a long list in pieces', async () => {
    const todos = Array.from({ length: 100 }, (_, index) => ({ title: `${index} ${'x'.repeat(150)}` }))
    const model = scriptedModel([
      call('addTodos', { todos }),
      ({ messages }) => call('listTodos', { show: 'all', after: lastShown(results([...messages]).at(-1)!) }),
      call('listTodos', { show: 'finished' }),
      call('clearTodos', {}),
      'Done.',
    ])
    const lastShown = (text: string): number => (JSON.parse(text) as { todos: Todo[] }).todos.at(-1)!.id
    const { messages } = await new Agent({ name: 'a', model, tools: { ...todoTools() } }).generate('Go.')
    const [first, second, finished, cleared] = results(messages)
    assert.ok(first!.length < 10_000 && second!.length < 10_000)
    assert.match(first!, /more: list them after/)
    assert.equal((JSON.parse(second!) as { todos: Todo[] }).todos[0]?.id, lastShown(first!) + 1)
    assert.deepEqual((JSON.parse(finished!) as { todos: Todo[] }).todos, [])
    assert.deepEqual(JSON.parse(cleared!), { removed: 0 })
  })
})
