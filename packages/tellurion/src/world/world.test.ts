import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { defineComponent, defineLog } from './component.ts'
import { worldEntity, type Entity } from './entity.ts'
import { snapshot } from './snapshot.ts'
import { defineSystem } from './system.ts'
import { World } from './world.ts'

const Mood = defineComponent('Mood', z.object({ value: z.number() }))
const Name = defineComponent<string>('Name')
const Notes = defineLog('Notes', z.string())
const gone = 99 as Entity

describe('a world', () => {
  test('gives ids from 1, and none twice', () => {
    const world = new World()
    assert.deepEqual([world.spawn(), world.spawn()], [1, 2])
    world.destroy(2 as Entity)
    assert.equal(world.spawn(), 3)
    assert.deepEqual(world.entities(), [1, 3])
    assert.deepEqual(
      [0, 1, 2, 3].map((id) => world.exists(id as Entity)),
      [true, true, false, true],
    )
  })

  test('reads what was written, frozen', () => {
    const world = new World()
    const entity = world.spawn(Mood({ value: 1 }), Notes(['a']))
    world.append(entity, Notes, 'b', 'c')
    world.update(entity, Mood, ({ value }) => ({ value: value + 1 }))
    assert.deepEqual(world.get(entity, Mood), { value: 2 })
    assert.deepEqual(world.require(entity, Notes).toArray(), ['a', 'b', 'c'])
    assert.throws(() => ((world.require(entity, Mood) as { value: number }).value = 9), TypeError)
    assert.equal(world.get(entity, Name), undefined)
    assert.throws(() => world.require(entity, Name), { code: 'missing_component', message: 'Entity 1 has no Name.' })
    assert.equal(world.has(entity, Mood), true)
    assert.equal(world.remove(entity, Mood), true)
    assert.equal(world.remove(entity, Mood), false)
    assert.equal(world.has(entity, Mood), false)
  })

  test('a reader of a log never sees what comes later', () => {
    const world = new World()
    const entity = world.spawn(Notes(['a']))
    const view = world.require(entity, Notes)
    world.append(entity, Notes, 'b')
    world.splice(entity, Notes, { start: 0, deleteCount: 1, items: ['z'] })
    assert.deepEqual(view.toArray(), ['a'])
    assert.deepEqual(world.require(entity, Notes).toArray(), ['z', 'b'])
  })

  test('makes an entity with all of its components or not at all', () => {
    const world = new World()
    assert.throws(() => world.spawn(Name('x'), Mood({ value: 'high' as never })), {
      code: 'invalid_value',
      message: /^Component Mood, at value: /,
    })
    assert.throws(() => world.spawn(Name('x'), Notes(['a', 7 as never])), { code: 'invalid_value' })
    assert.throws(() => world.spawn(Name('x'), defineComponent<number>('Name')(1)), { code: 'duplicate_name' })
    assert.deepEqual(snapshot(world), snapshot(new World()))
    assert.deepEqual(world.takeDelta().operations, [])
    assert.equal(world.spawn(Name('x')), 1)
  })

  test('checks every write against the schema', () => {
    const world = new World()
    const entity = world.spawn(Mood({ value: 1 }), Notes())
    for (const write of [
      () => world.set(entity, Mood, { value: 'x' as never }),
      () => world.update(entity, Mood, () => ({}) as never),
      () => world.append(entity, Notes, 'fits', 1 as never),
      () => world.splice(entity, Notes, { start: 0, deleteCount: 0, items: [1 as never] }),
    ]) {
      assert.throws(write, { code: 'invalid_value', message: /^Component (Mood|Notes)/ })
    }
    assert.deepEqual(world.get(entity, Mood), { value: 1 })
    assert.equal(world.get(entity, Notes)?.length, 0)
  })

  test('a structurally equal value is no write', () => {
    const world = new World()
    const entity = world.spawn(Mood({ value: 1 }), Notes(['a']))
    world.takeDelta()
    world.set(entity, Mood, { value: 1 })
    world.update(entity, Mood, (mood) => ({ ...mood }))
    world.append(entity, Notes)
    world.splice(entity, Notes, { start: 0, deleteCount: 1, items: ['a'] })
    world.pause(false)
    assert.deepEqual(world.takeDelta().operations, [])
  })

  test('writes nothing to what is not there', () => {
    const world = new World()
    for (const write of [
      () => world.set(gone, Name, 'x'),
      () => world.append(gone, Notes, 'x'),
      () => world.destroy(gone),
      () => world.set(1.5 as Entity, Name, 'x'),
      () => world.set('1' as never, Name, 'x'),
    ]) {
      assert.throws(write, { code: 'unknown_entity' })
    }
    assert.throws(() => world.update(gone, Name, () => 'x'), { code: 'missing_component' })
    assert.throws(() => world.splice(gone, Notes, { start: 0, deleteCount: 0 }), { code: 'missing_component' })
    assert.equal(world.remove(gone, Name), false)
    assert.deepEqual(world.takeDelta().operations, [])
  })

  test('its own entity is there without being listed, and stays', () => {
    const world = new World()
    world.set(worldEntity, Name, 'all')
    assert.deepEqual(world.entities(), [])
    assert.deepEqual(world.query(Name), [[0, ['all']]])
    assert.throws(() => world.destroy(worldEntity), { code: 'write_forbidden' })
  })

  test('takes values and logs each in its own way', () => {
    const world = new World()
    const entity = world.spawn(Name('x'), Notes())
    assert.throws(() => world.set(entity, Notes as never, [] as never), { code: 'invalid_option', message: /append/ })
    assert.throws(() => world.append(entity, Name as never, 'x' as never), { code: 'invalid_option', message: /set/ })
    assert.throws(() => world.splice(entity, Notes, { start: 1, deleteCount: 0 }), { message: /start must be 0 to 0/ })
    assert.throws(() => world.splice(entity, Notes, { start: 0, deleteCount: 1 }), { code: 'invalid_option' })
    assert.throws(() => world.splice(entity, Notes, { start: 0.5, deleteCount: 0 }), { code: 'invalid_option' })
  })

  test('what a getter or a schema writes meanwhile is neither lost nor written twice', () => {
    const world = new World()
    const entity = world.spawn(Notes(['a']))
    const other = world.spawn()
    const Sly = defineComponent<object>('Sly')
    const sly = {
      get a() {
        world.append(entity, Notes, 'b')
        world.destroy(other)
        return 1
      },
    }
    assert.throws(() => world.set(other, Sly, sly), { code: 'unknown_entity' })
    const Items = defineLog<object>('Items')
    const self = {
      get a() {
        world.append(entity, Items, { b: 1 })
        return 2
      },
    }
    world.append(entity, Items, self)
    assert.deepEqual(world.get(entity, Notes)?.toArray(), ['a', 'b'])
    assert.deepEqual(world.get(entity, Items)?.toArray(), [{ b: 1 }, { a: 2 }])
    const replica = new World({ components: [Notes, Sly, Items] })
    const delta = world.takeDelta()
    replica.fork()
    assert.deepEqual(delta.operations.at(-1), ['append', 1, 'Items', [{ a: 2 }]])
    assert.deepEqual(delta.operations.at(-2), ['append', 1, 'Items', [{ b: 1 }]])
  })
})

describe('queries', () => {
  test('give entities ascending, values in the order asked for', () => {
    const world = new World()
    world.spawn(Name('a'), Mood({ value: 1 }))
    world.spawn(Name('b'))
    world.spawn(Mood({ value: 3 }), Name('c'), Notes(['n']))
    assert.deepEqual(world.query(Mood, Name), [
      [1, [{ value: 1 }, 'a']],
      [3, [{ value: 3 }, 'c']],
    ])
    const seen: unknown[] = []
    world.each([Name, Mood, Notes], (entity, name, { value }, notes) => seen.push([entity, name, value, notes.length]))
    assert.deepEqual(seen, [[3, 'c', 3, 1]])
    assert.equal(world.count(Name), 3)
  })

  test('name at least one component', () => {
    assert.throws(() => new World().query(), { code: 'invalid_option', message: /world\.entities/ })
  })

  test('what is written while they are gone through is heeded', () => {
    for (const size of [4, 40]) {
      const world = new World()
      for (let at = 0; at < size; at++) world.spawn(Name(`n${at}`))
      const before = world.fork()
      const seen: [number, string][] = []
      world.each([Name], (entity, name) => {
        seen.push([entity, name])
        if (entity !== 1) return
        world.destroy(2 as Entity)
        world.set(3 as Entity, Name, 'renamed')
        world.remove(4 as Entity, Name)
        world.spawn(Name('late'))
      })
      assert.deepEqual(
        seen.slice(0, 3),
        size === 4
          ? [
              [1, 'n0'],
              [3, 'renamed'],
            ]
          : [
              [1, 'n0'],
              [3, 'renamed'],
              [5, 'n4'],
            ],
      )
      assert.equal(seen.length, size - 2)
      assert.equal(before.count(Name), size)
    }
  })
})

describe('resources', () => {
  test('stand beside the state by name; an unknown one is named, with the nearest', () => {
    const world = new World({ resources: { models: { a: 1 } } })
    world.bind('clock', 7)
    assert.equal(world.resource('clock'), 7)
    assert.deepEqual(world.resource('models'), { a: 1 })
    assert.equal(world.findResource('nope'), undefined)
    assert.throws(() => world.resource('model'), { code: 'unknown_resource', message: /Did you mean 'models'/ })
    assert.throws(() => world.bind('no name', 1), { code: 'invalid_name' })
    assert.throws(() => new World({ resources: { 'no name': 1 } }), { code: 'invalid_name' })
    assert.ok(!JSON.stringify(snapshot(world)).includes('models'))
  })

  test('of a fork are its own', () => {
    const world = new World({ resources: { a: 1 } })
    const fork = world.fork()
    fork.bind('a', 2)
    world.bind('b', 3)
    assert.deepEqual([world.resource('a'), fork.resource('a'), fork.findResource('b')], [1, 2, undefined])
  })
})

describe('declarations', () => {
  test('of components are checked at once', () => {
    assert.throws(() => defineComponent('no name'), { code: 'invalid_name' })
    assert.throws(() => defineComponent('A', undefined, { version: 0 }), { code: 'invalid_option' })
    assert.throws(() => new World({ components: [Name, defineComponent('Name')] }), { code: 'duplicate_name' })
    const Slow = defineComponent('Slow', {
      '~standard': { version: 1, vendor: 'x', validate: () => Promise.reject(new Error('late')) },
    })
    assert.throws(() => new World().spawn(Slow(1)), { code: 'invalid_schema' })
  })

  test('of systems too', () => {
    const each = (): void => {}
    assert.throws(() => defineSystem({ name: 's', query: [], each }), { code: 'invalid_option', message: /use run/ })
    assert.throws(() => defineSystem({ name: 's', priority: Number.NaN, query: [Name], each }), {
      code: 'invalid_option',
    })
    const world = new World({ systems: [defineSystem({ name: 's', query: [Name], each })] })
    assert.throws(() => world.addSystem(defineSystem({ name: 's', run: each })), { code: 'duplicate_name' })
    assert.throws(() => world.addSystem(defineSystem({ name: 't', run: each }), { priority: Infinity }), {
      code: 'invalid_option',
    })
    assert.deepEqual([world.removeSystem('s'), world.removeSystem('s')], [true, false])
  })

  test('worlds that know the same components in the same order share what they know of them', () => {
    const first = new World()
    const second = new World()
    first.spawn(Name('a'), Mood({ value: 1 }))
    second.spawn(Name('b'), Notes(['x']))
    assert.deepEqual(second.query(Name, Notes).length, 1)
    assert.deepEqual(first.query(Name, Notes).length, 0)
    assert.deepEqual(Object.keys(snapshot(second).components), ['Name', 'Notes'])
  })
})
