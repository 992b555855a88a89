import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { defineComponent, defineLog } from './component.ts'
import type { Entity } from './entity.ts'
import { History } from './history.ts'
import { run } from './runner.ts'
import { snapshot, type Snapshot } from './snapshot.ts'
import { defineSystem } from './system.ts'
import { World } from './world.ts'

const Count = defineComponent<number>('Count')
const Steps = defineLog<number>('Steps')

/** Each tick counts, writes, and makes and unmakes entities. */
const lives = defineSystem({
  name: 'lives',
  run(world, { tick }) {
    const [first] = world.query(Count)
    const entity = first?.[0] ?? world.spawn(Count(0))
    world.update(entity, Count, (count) => count + tick)
    world.append(entity, Steps, tick)
    const made = world.spawn(Steps([tick]))
    if (tick % 3 === 0) world.destroy((made - 1) as Entity)
  },
})

function withoutIds({ next: _next, ...rest }: Snapshot): object {
  return rest
}

describe('history', () => {
  test('rewinding k ticks gives the state then, whatever was run and rewound before; ids are never used again', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.nat(8)), { maxLength: 8 }),
        async (rounds) => {
          const world = new World({ systems: [lives] })
          const history = new History(world)
          const states = new Map<number, Snapshot>([[0, snapshot(world)]])
          const used = new Set<number>()
          for (const [ticks, back] of rounds) {
            const { tick } = world.header
            const { next } = snapshot(world)
            for (let at = 1; at <= ticks; at++) {
              await run(world, { history, maxTicks: 1 })
              states.set(tick + at, snapshot(history.at(tick + at)))
            }
            for (const entity of world.entities()) if (entity >= next) assert.ok(!used.has(entity))
            for (const entity of world.entities()) used.add(entity)
            const target = Math.max(0, world.header.tick - back)
            history.undo(world.header.tick - target)
            assert.deepEqual(withoutIds(snapshot(world)), withoutIds(states.get(target)!))
            assert.deepEqual(history.ticks(), [...Array(target + 1).keys()])
            assert.deepEqual(world.takeDelta(), { operations: [], records: [] })
          }
        },
      ),
      { numRuns: 50 },
    )
  })

  test('a past world is free: what happens to it touches neither history nor present', async () => {
    const world = new World({ systems: [lives] })
    const history = new History(world)
    await run(world, { history, maxTicks: 3 })
    const present = snapshot(world)
    const past = history.at(1)
    await run(past, { maxTicks: 5 })
    past.destroy(1 as Entity)
    assert.deepEqual(snapshot(world), present)
    assert.equal(history.at(1).get(1 as Entity, Count), 1)
    assert.deepEqual(past.systemNames(), ['lives'])
  })

  test('a run of a past world ends as the present did: nothing but components decides', async () => {
    const world = new World({ systems: [lives] })
    const history = new History(world)
    await run(world, { history, maxTicks: 5 })
    const again = history.at(2)
    await run(again, { maxTicks: 3 })
    assert.deepEqual(snapshot(again), snapshot(world))
  })

  test('a run from the past counts its ticks anew', async () => {
    const world = new World({ systems: [lives] })
    const history = new History(world)
    await run(world, { history, maxTicks: 5 })
    history.undo(2)
    assert.deepEqual(world.header, { tick: 3, runTicks: 0, paused: false })
    assert.deepEqual(await run(world, { history, maxTicks: 5 }), { reason: 'max_ticks', ticks: 5 })
  })

  test('what was pending when the world was put back is gone', () => {
    const world = new World()
    const history = new History(world)
    world.spawn(Count(1))
    world.emit({ type: 'own.event' })
    history.rewind(0)
    assert.deepEqual(world.takeDelta(), { operations: [], records: [] })
    assert.equal(world.spawn(), 2)
  })

  test('keeps as many ticks as it is told, the newest', async () => {
    const world = new World({ systems: [lives] })
    const history = new History(world, { limit: 3 })
    await run(world, { history, maxTicks: 10 })
    assert.deepEqual(history.ticks(), [8, 9, 10])
    assert.throws(() => history.at(7), { code: 'unknown_tick', message: /Tick 7 is not kept; there are 8 to 10/ })
    assert.throws(() => history.undo(3), { code: 'unknown_tick' })
    for (const limit of [0, 1.5, Number.NaN])
      assert.throws(() => new History(world, { limit }), { code: 'invalid_option' })
  })

  test('with nothing to undo, a clear error', () => {
    assert.throws(() => new History(new World()).undo(), { code: 'unknown_tick' })
  })

  test('queries are right after a rewind, also about what was first used since', async () => {
    const world = new World()
    for (let at = 0; at < 20; at++) world.spawn(Count(at))
    const history = new History(world)
    assert.equal(world.count(Count), 20)
    world.spawn(Steps([1]), Count(0))
    assert.equal(world.count(Count, Steps), 1)
    history.rewind(0)
    assert.equal(world.count(Count), 20)
    assert.equal(world.count(Count, Steps), 0)
    world.append(3 as Entity, Steps, 1)
    assert.deepEqual(
      world.query(Steps, Count).map(([entity]) => entity),
      [3],
    )
  })
})
