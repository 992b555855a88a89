import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { TellurionError } from '../error/error.ts'
import { apply } from './apply.ts'
import { defineComponent, defineLog } from './component.ts'
import type { Delta } from './delta.ts'
import { worldEntity, type Entity } from './entity.ts'
import { Halted } from './lifecycle.ts'
import { restore, snapshot, type RestoreOptions, type Snapshot } from './snapshot.ts'
import { defineSystem } from './system.ts'
import { World } from './world.ts'

const Mood = defineComponent<number>('Mood')
const Notes = defineLog<string>('Notes')
const components = [Mood, Notes]
const one = 1 as Entity
const json = <T>(value: T): T => JSON.parse(JSON.stringify(value))

function furnished(): World {
  const world = new World()
  world.spawn(Mood(1), Notes(['a', 'b']))
  world.spawn(Mood(2))
  world.destroy(world.spawn())
  world.set(worldEntity, Mood, 9)
  world.pause()
  return world
}

describe('snapshots', () => {
  test('are JSON, and come back as the same world', () => {
    const world = furnished()
    const stored = json(snapshot(world))
    const again = restore(stored, { components })
    assert.deepEqual(snapshot(again), stored)
    assert.deepEqual(again.takeDelta(), { operations: [], records: [] })
    assert.equal(again.spawn(), 4, 'ids are not used again')
    assert.equal(again.header.paused, true)
    assert.equal(again.get(worldEntity, Mood), 9)
  })

  test('hold what is as deep, and as much, as a world holds', () => {
    const Deep = defineComponent<unknown>('Deep')
    const Many = defineLog<unknown>('Many')
    const nest = (depth: number): unknown => (depth === 0 ? 1 : [nest(depth - 1)])
    const world = new World()
    world.spawn(Deep(nest(64)), Many([nest(64)]))
    for (let part = 0; part < 12; part++) {
      world.append(one, Many, ...Array.from({ length: 100 }, () => Array.from({ length: 1000 }, () => 1)))
    }
    const options = { components: [Deep, Many] }
    assert.equal(restore(snapshot(world), options).get(one, Many)?.length, 1201)
    const replica = new World(options)
    apply(replica, world.takeDelta())
    assert.deepEqual(replica.get(one, Deep), nest(64))
  })

  test('do not change with the world, nor the world with them', () => {
    const world = furnished()
    const stored = snapshot(world)
    const text = JSON.stringify(stored)
    world.append(one, Notes, 'c')
    world.set(one, Mood, 7)
    assert.equal(JSON.stringify(stored), text)
    assert.throws(() => ((stored.header as { tick: number }).tick = 5), TypeError)
    const again = restore(stored, { components })
    ;(stored.entities as number[]).length = 0
    assert.deepEqual(again.entities(), [1, 2])
  })

  test('know the components of the systems, of the runner, and those that are named', () => {
    const world = furnished()
    const error = { code: 'system_failed', message: 'no', retryable: false } as const
    world.set(one, Halted, { error })
    const system = defineSystem({ name: 's', query: [Mood], without: [Notes], each() {} })
    assert.deepEqual(snapshot(restore(snapshot(world), { systems: [system] })), snapshot(world))
    assert.throws(() => restore(snapshot(world), { components: [Mood] }), {
      code: 'unknown_component',
      message: /Notes.*retired/,
    })
    const without = restore(snapshot(world), { components: [Mood], retired: ['Notes'] })
    assert.deepEqual(Object.keys(snapshot(without).components), ['Halted', 'Mood'])
  })

  test('of a newer version are left to newer code', () => {
    const stored = json(snapshot(furnished())) as { format: number }
    assert.throws(() => restore({ ...stored, format: 2 } as Snapshot, { components }), { code: 'newer_version' })
    const Newer = defineComponent<number>('Mood', undefined, { version: 3 })
    const world = new World()
    world.spawn(Newer(1))
    assert.throws(() => restore(snapshot(world), { components }), { code: 'newer_version', message: /Mood version 3/ })
    assert.throws(() => restore(snapshot(new World()), { components, deltas: [world.takeDelta()] }), {
      code: 'newer_version',
    })
  })
})

describe('versions', () => {
  const Old = defineComponent<string>('Name')
  const OldLog = defineLog<string>('Said')
  const New = defineComponent('Name', z.object({ first: z.string() }), {
    version: 2,
    migrate: (stored) => ({ first: stored as string }),
  })
  const NewLog = defineLog<{ text: string }>('Said', undefined, {
    version: 3,
    migrate: (stored, from) => ({ text: `${stored as string} from ${from}` }),
  })
  const upgraded: RestoreOptions = { components: [New, NewLog] }

  test('a value is migrated as a whole, a log item by item, the shape checked', () => {
    const world = new World()
    world.spawn(Old('Ada'), OldLog(['x', 'y']))
    const again = restore(json(snapshot(world)), upgraded)
    assert.deepEqual(again.get(one, New), { first: 'Ada' })
    assert.deepEqual(again.get(one, NewLog)?.toArray(), [{ text: 'x from 1' }, { text: 'y from 1' }])
    assert.deepEqual(restore(json(snapshot(again)), upgraded).get(one, New), { first: 'Ada' })
  })

  test('old deltas are applied in their own shapes, then the state is migrated once', () => {
    const world = new World()
    world.spawn(Old('Ada'), OldLog(['x']))
    const stored = json(snapshot(world))
    world.takeDelta()
    world.append(one, OldLog, 'y')
    const second = world.spawn(Old('Bob'))
    world.splice(one, OldLog, { start: 0, deleteCount: 1 })
    const deltas = [json(world.takeDelta())]
    world.set(second, Old, 'Cy')
    deltas.push(json(world.takeDelta()))
    const again = restore(stored, { ...upgraded, deltas })
    assert.deepEqual(again.get(one, NewLog)?.toArray(), [{ text: 'y from 1' }])
    assert.deepEqual(again.get(second, New), { first: 'Cy' })
  })

  test('what first appears in a delta is migrated from the version the delta names', () => {
    const world = new World()
    world.spawn(Old('Ada'))
    const first = restore(snapshot(new World()), { ...upgraded, deltas: [json(world.takeDelta())] })
    assert.deepEqual(first.get(one, New), { first: 'Ada' })

    const modern = new World()
    modern.spawn(New({ first: 'Eve' }))
    const delta = json(modern.takeDelta())
    assert.deepEqual(delta.versions, { Name: 2 })
    const second = restore(snapshot(new World()), { ...upgraded, deltas: [delta] })
    assert.deepEqual(second.get(one, New), { first: 'Eve' })
    assert.throws(
      () => restore(snapshot(world), { ...upgraded, deltas: [{ ...delta, operations: delta.operations.slice(1) }] }),
      { code: 'invalid_snapshot', message: /Name in version 1, a delta in 2/ },
    )
  })

  test('a live world takes only deltas of its own versions', () => {
    const world = new World()
    world.spawn(Old('Ada'))
    const target = new World(upgraded)
    assert.throws(() => apply(target, json(world.takeDelta())), { code: 'invalid_snapshot', message: /restore/ })
    assert.deepEqual(target.entities(), [])
  })

  test('a migration that is missing, throws, or makes what does not fit is one clear error', () => {
    const world = new World()
    world.spawn(Old('Ada'))
    const stored = snapshot(world)
    const makes = (migrate?: (stored: unknown) => unknown) =>
      defineComponent(
        'Name',
        z.unknown().refine((value) => value !== 'bad'),
        { version: 2, ...(migrate && { migrate }) },
      )
    const cases: [ReturnType<typeof makes>, RegExp][] = [
      [makes(), /Name has no migrate for version 1/],
      [
        makes(() => {
          throw new Error('boom')
        }),
        /Name could not be migrated from version 1: boom/,
      ],
      [makes(() => new Date()), /is a Date/],
      [makes(() => undefined), /is undefined/],
      [makes(() => 'bad'), /Invalid input/],
    ]
    for (const [component, message] of cases) {
      assert.throws(() => restore(stored, { components: [component] }), { code: 'migration_failed', message })
    }
  })
})

/** Damage: one part of a JSON value taken out or replaced. */
const damage = fc.record({
  at: fc.nat(200),
  by: fc.constantFrom<unknown>(
    undefined,
    null,
    -1,
    0,
    1,
    1.5,
    2 ** 31,
    2 ** 40,
    '',
    'Mood',
    'spawn',
    true,
    [],
    {},
    [[]],
    Number.NaN,
  ),
})

/** Every place of a JSON value, as its holder and key. */
function places(value: unknown): [Record<string, unknown>, string][] {
  if (typeof value !== 'object' || value === null) return []
  const holder = value as Record<string, unknown>
  return Object.keys(holder).flatMap(
    (key) => [[holder, key], ...places(holder[key])] as [Record<string, unknown>, string][],
  )
}

function damaged<T>(value: T, { at, by }: { at: number; by: unknown }): T {
  const copy = json(value)
  const all = places(copy)
  const [holder, key] = all[at % all.length]!
  if (by !== undefined) holder[key] = by
  else if (Array.isArray(holder)) holder.splice(Number(key), 1)
  else delete holder[key]
  return copy
}

describe('what is torn or foreign', () => {
  test('loads as exactly what it says, or not at all', () => {
    const stored = json(snapshot(furnished()))
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (damages) => {
        const torn = damages.reduce(damaged, stored)
        let world: World
        try {
          world = restore(torn, { components })
        } catch (error) {
          assert.ok(error instanceof TellurionError, String(error))
          return
        }
        const { format, header, next, entities, components: columns } = snapshot(world)
        assert.deepEqual({ format, next, entities }, { format: torn.format, next: torn.next, entities: torn.entities })
        assert.deepEqual(header, { tick: torn.header.tick, runTicks: torn.header.runTicks, paused: torn.header.paused })
        const full = Object.entries(torn.components).filter(([, { values }]) => values.length > 0)
        assert.equal(
          JSON.stringify(Object.values(columns).map(({ values }) => values)),
          JSON.stringify(full.map(([, { values }]) => values)),
        )
      }),
      { numRuns: 2000 },
    )
  })

  test('a delta is applied whole or not at all', () => {
    const source = furnished()
    const base = json(snapshot(source))
    source.takeDelta()
    source.append(one, Notes, 'c')
    source.spawn(Mood(3), Notes())
    source.splice(one, Notes, { start: 0, deleteCount: 2, items: ['z'] })
    source.remove(2 as Entity, Mood)
    source.destroy(2 as Entity)
    source.pause(false)
    const delta = json(source.takeDelta())
    const count = (world: World): number => world.count(Mood) + world.count(Notes)
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 2 }), (damages) => {
        const torn = damages.reduce<Delta>(damaged, delta)
        const world = restore(base, { components })
        world.set(one, Mood, 77)
        const before = JSON.stringify(snapshot(world))
        const counted = count(world)
        try {
          apply(world, torn)
        } catch (error) {
          assert.ok(error instanceof TellurionError, String(error))
          assert.equal(JSON.stringify(snapshot(world)), before)
          assert.equal(count(world), counted)
        }
        assert.deepEqual(world.takeDelta().operations, [['set', 1, 'Mood', 77]])
        assert.equal(
          JSON.stringify(snapshot(restore(json(snapshot(world)), { components }))),
          JSON.stringify(snapshot(world)),
        )
      }),
      { numRuns: 1000 },
    )
  })

  const foreign: [string, unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['text', 'snapshot'],
    ['an array', []],
    ['no format', { header: {}, entities: [] }],
    [
      'an id that is used up',
      { format: 1, header: { tick: 0, runTicks: 0, paused: false }, next: 2 ** 31, entities: [], components: {} },
    ],
    [
      'a prototype as a component',
      JSON.parse(
        '{"format":1,"header":{"tick":0,"runTicks":0,"paused":false},"next":1,"entities":[],"components":{"__proto__":{"version":1,"kind":"value","values":[]}}}',
      ),
    ],
    [
      'throwing getters',
      {
        get format(): never {
          throw new TellurionError('invalid_snapshot', 'mine')
        },
      },
    ],
  ]
  for (const [name, stored] of foreign) {
    test(`${name} is no snapshot`, () => {
      assert.throws(() => restore(stored as Snapshot, { components }), TellurionError)
    })
    test(`${name} is no delta`, () => {
      assert.throws(() => apply(new World(), stored as Delta), TellurionError)
      assert.throws(() => apply(new World(), { operations: [stored], records: [] } as unknown as Delta), TellurionError)
    })
  }

  test('entities that stand twice or out of order are torn', () => {
    const stored = json(snapshot(furnished()))
    for (const entities of [
      [1, 1, 2],
      [2, 1],
      [1, 2, 2],
    ]) {
      assert.throws(() => restore({ ...stored, entities }, { components }), { code: 'invalid_snapshot' })
    }
  })

  test('a delta is applied once', () => {
    const source = new World()
    source.spawn(Mood(1))
    const delta = json(source.takeDelta())
    const target = new World({ components })
    apply(target, delta)
    assert.throws(() => apply(target, delta), { code: 'invalid_snapshot', message: /'spawn 1/ })
    target.destroy(one)
    assert.throws(() => apply(target, delta), { code: 'invalid_snapshot' })
  })

  test('ids can be used up, which is said', () => {
    const header = { tick: 0, runTicks: 0, paused: false }
    const world = restore({ format: 1, header, next: 2 ** 31 - 1, entities: [], components: {} })
    assert.equal(world.spawn(), 2 ** 31 - 1)
    assert.throws(() => world.spawn(), { code: 'write_forbidden' })
    assert.deepEqual(world.entities(), [2 ** 31 - 1])
  })
})
