import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { virtualClock } from '../testing/virtual-clock.ts'
import { apply } from './apply.ts'
import { defineComponent } from './component.ts'
import type { Entity } from './entity.ts'
import { History } from './history.ts'
import { snapshot } from './snapshot.ts'
import { World } from './world.ts'

const Mood = defineComponent<number>('Mood')
const one = 1 as Entity
const started = { type: 'run.started', agent: 'a' } as const

describe('subscribers', () => {
  test('see events of their type, or all, in order', () => {
    const world = new World()
    const seen: unknown[] = []
    world.on('run.started', (event) => seen.push(event.agent))
    world.on('*', (event) => seen.push(event.type))
    world.emit(started)
    world.emit({ type: 'own.event', detail: { a: 1 } })
    world.emit({ type: 'run.cancelled' })
    assert.deepEqual(seen, ['a', 'run.started', 'own.event', 'run.cancelled'])
  })

  test('may leave twice, and while they are called', () => {
    const world = new World()
    let first = 0
    let second = 0
    const leave = world.on('*', () => {
      first++
      leave()
    })
    const same = (): number => second++
    const leaveSecond = world.on('*', same)
    world.on('*', same)
    world.emit(started)
    leave()
    leaveSecond()
    leaveSecond()
    world.emit(started)
    assert.deepEqual([first, second], [1, 3])
  })

  test('cannot write in any way', () => {
    const world = new World({ components: [Mood] })
    world.spawn(Mood(1))
    const history = new History(world)
    const delta = world.takeDelta()
    const ways: ((world: World) => unknown)[] = [
      () => world.spawn(),
      () => world.destroy(one),
      () => world.set(one, Mood, 2),
      () => world.update(one, Mood, () => 3),
      () => world.remove(one, Mood),
      () => world.pause(),
      () => world.emit(started),
      () => world.emit({ type: 'text.delta', entity: 1, text: 'x' }),
      () => apply(world, { ...delta, operations: [['spawn', 9]] }),
      () => history.rewind(0),
    ]
    const before = JSON.stringify(snapshot(world))
    let codes: unknown[] = []
    world.on('run.started', () => {
      codes = ways.map((way) => {
        try {
          way(world)
          return 'written'
        } catch (error) {
          return (error as { code?: unknown }).code
        }
      })
    })
    world.emit(started)
    assert.deepEqual(
      codes,
      ways.map(() => 'write_forbidden'),
    )
    assert.equal(JSON.stringify(snapshot(world)), before)
    world.set(one, Mood, 2)
    assert.equal(world.get(one, Mood), 2)
  })

  test('that throw hurt no other, and each failure is one event', async () => {
    const world = new World()
    const failures: unknown[] = []
    let served = 0
    world.on('run.started', () => {
      throw new Error('sync')
    })
    world.on('run.started', () => Promise.reject(new Error('async')))
    world.on('run.started', () => {
      throw null
    })
    world.on('run.started', () => served++)
    world.on('subscriber.failed', ({ event, error }) => {
      failures.push([event, error.code, error.message])
      throw new Error('again')
    })
    world.emit(started)
    await virtualClock().settle()
    assert.equal(served, 1)
    assert.deepEqual(failures, [
      ['run.started', 'subscriber_failed', 'sync'],
      ['run.started', 'subscriber_failed', 'null'],
      ['run.started', 'subscriber_failed', 'async'],
    ])
    assert.equal(world.takeDelta().records.length, 4)
  })

  test('of a world are not those of its forks', () => {
    const world = new World()
    let seen = 0
    world.on('*', () => seen++)
    world.fork().emit(started)
    assert.equal(seen, 0)
  })
})

describe('events', () => {
  test('kept ones join the delta, live ones do not', () => {
    const world = new World()
    world.emit(started)
    world.emit({ type: 'text.delta', entity: 1, text: 'x' })
    assert.deepEqual(world.takeDelta(), { operations: [], records: [started] })
  })

  test('of a program are plain JSON under a name', () => {
    const world = new World()
    assert.throws(() => world.emit({ type: 'own.event', at: new Date() }), { code: 'invalid_value' })
    assert.throws(() => world.emit({ type: 'own event' }), { code: 'invalid_name' })
    assert.throws(() => world.emit({ type: '__proto__' }), { code: 'invalid_name' })
    const detail = { list: [1] }
    world.emit({ type: 'own.event', detail })
    detail.list.push(2)
    assert.deepEqual(world.takeDelta().records, [{ type: 'own.event', detail: { list: [1] } }])
  })

  test('a large value is told of once a component', () => {
    const world = new World()
    const Note = defineComponent<string>('Note')
    const large = 'x'.repeat(17_000)
    world.spawn(Note(large), Mood(1))
    world.set(world.spawn(), Note, large)
    world.spawn(Note('small'))
    const told = world.takeDelta().records
    assert.equal(told.length, 1)
    assert.deepEqual({ ...told[0], size: 0 }, { type: 'component.large', entity: 1, component: 'Note', size: 0 })
  })
})
