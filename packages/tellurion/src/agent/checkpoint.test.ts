import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { TellurionError } from '../error/error.ts'
import type { Event } from '../event/event.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { defineComponent } from '../world/component.ts'
import type { Entity } from '../world/entity.ts'
import { History } from '../world/history.ts'
import { run } from '../world/runner.ts'
import { snapshot } from '../world/snapshot.ts'
import { defineSystem } from '../world/system.ts'
import { World } from '../world/world.ts'
import { checkpoint } from './checkpoint.ts'
import { checkpointsOf, restoreCheckpoint, saveCheckpoint, wishCheckpoint } from './checkpoint-label.ts'
import { Checkpoint, Conversation } from './component.ts'

const main = 1 as Entity
const Count = defineComponent<number>('Count')
const code = (expected: string) => (error: unknown) => error instanceof TellurionError && error.code === expected

/** Counts up to a goal and then rests. */
const counting = (goal: number) =>
  defineSystem({
    name: 'counting',
    query: [Count],
    each: (entity, world) => world.update(entity, Count, (count) => Math.min(goal, count + 1)),
  })

function counter(goal: number) {
  const clock = virtualClock()
  const world = new World({ systems: [counting(goal), checkpoint], resources: { clock } })
  world.spawn(Count(0))
  const events: Event[] = []
  for (const type of ['checkpoint.created', 'checkpoint.restored'] as const) world.on(type, (it) => events.push(it))
  return { world, clock, events, history: new History(world) }
}

describe('the system checkpoint', () => {
  test('labels the tick in which it meets a wish', async () => {
    const { world, clock, events, history } = counter(5)
    await run(world, { history, maxTicks: 2 })
    wishCheckpoint(world, main, 'third')
    await run(world, { history })
    assert.deepEqual(world.get(main, Checkpoint), { labels: { third: 3 } })
    assert.deepEqual(events, [
      { type: 'checkpoint.created', entity: main, label: 'third', tick: 3, timestamp: clock.now() },
    ])
    assert.equal(restoreCheckpoint(world, main, { label: 'third', history }), 3)
    assert.equal(world.get(main, Count), 3)
  })

  test('labels the ticks that `every` divides, and none in which nothing changes', async () => {
    const { world, events } = counter(5)
    world.set(main, Checkpoint, { labels: {}, every: 2 })
    assert.deepEqual(await run(world), { reason: 'idle', ticks: 5 })
    assert.deepEqual(checkpointsOf(world, main), { 'tick-2': 2, 'tick-4': 4 })
    assert.deepEqual(await run(world), { reason: 'idle', ticks: 0 })
    assert.equal(events.length, 2)
  })

  test('drops the oldest labels past the bound', async () => {
    const { world } = counter(60)
    world.set(main, Checkpoint, { labels: {}, every: 1 })
    await run(world)
    const newest = Array.from({ length: 20 }, (_, index) => index + 41)
    assert.deepEqual(checkpointsOf(world, main), Object.fromEntries(newest.map((tick) => [`tick-${tick}`, tick])))
    world.update(main, Checkpoint, (old) => ({ ...old, keep: 2 }))
    wishCheckpoint(world, main, 'last')
    await run(world)
    assert.deepEqual(checkpointsOf(world, main), { 'tick-60': 60, last: 61 })
  })

  test('changes nothing else, and not when a world comes to rest', async () => {
    const goals = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 4 })
    const wishes = fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined })
    await fc.assert(
      fc.asyncProperty(goals, wishes, async (rounds, every) => {
        const { world } = counter(100)
        const twin = world.fork()
        twin.removeSystem('checkpoint')
        world.set(main, Checkpoint, every === undefined ? { labels: {} } : { labels: {}, every })
        for (const goal of rounds) {
          for (const each of [world, twin]) {
            each.removeSystem('counting')
            each.addSystem(counting(goal))
          }
          assert.deepEqual(await run(world), await run(twin))
          const { Checkpoint: _labels, ...others } = snapshot(world).components
          assert.deepEqual({ ...snapshot(world), components: others }, snapshot(twin))
        }
      }),
    )
  })
})

describe('a checkpoint between two runs', () => {
  test('names how things stand, and can be gone back to again and again', async () => {
    const { world, events, history } = counter(9)
    await run(world, { history, maxTicks: 3 })
    const before = snapshot(world)
    assert.equal(saveCheckpoint(world, main, { label: 'safe', history }), 3)
    const { Checkpoint: labels, ...others } = snapshot(world).components
    assert.deepEqual({ ...before, components: others }, before)
    assert.deepEqual(labels?.values, [[main, { labels: { safe: 3 } }]])
    for (const ticks of [2, 4]) {
      await run(world, { history, maxTicks: ticks })
      saveCheckpoint(world, main, { label: `after-${ticks}`, history })
      assert.equal(restoreCheckpoint(world, main, { label: 'safe', history }), 3)
      assert.equal(world.get(main, Count), 3)
      assert.deepEqual(checkpointsOf(world, main), { safe: 3 }, 'what came later is forgotten')
    }
    assert.deepEqual(
      events.map(({ type }) => type.slice(11)),
      ['created', 'created', 'restored', 'created', 'restored'],
    )
  })

  test('the same label moves', async () => {
    const { world, history } = counter(9)
    saveCheckpoint(world, main, { label: 'here', history })
    await run(world, { history, maxTicks: 2 })
    saveCheckpoint(world, main, { label: 'here', history })
    assert.deepEqual(checkpointsOf(world, main), { here: 2 })
  })

  test('costs what it says, whatever the world holds', () => {
    const { world, history } = counter(9)
    world.append(main, Conversation, ...Array.from({ length: 1_000 }, () => ({ role: 'user' as const, content: 'hi' })))
    world.takeDelta()
    saveCheckpoint(world, main, { label: 'large', history })
    const delta = world.takeDelta()
    assert.deepEqual(delta.operations, [['set', 1, 'Checkpoint', { labels: { large: 0 } }]])
    assert.equal(delta.records.length, 1)
  })

  test('is refused where the name is none, or there is none of that name', async () => {
    const { world, history } = counter(9)
    for (const label of ['', '7', '__proto__', 'constructor', 'a b', 'x'.repeat(65)]) {
      assert.throws(() => saveCheckpoint(world, main, { label, history }), code('invalid_name'))
      assert.throws(() => wishCheckpoint(world, main, label), code('invalid_name'))
    }
    saveCheckpoint(world, main, { label: 'before', history })
    assert.throws(
      () => restoreCheckpoint(world, main, { label: 'befor', history }),
      /labelled 'befor'. Did you mean 'before'/,
    )
    assert.throws(() => restoreCheckpoint(world, main, { label: 'toString', history }), code('unknown_tick'))
    const short = new History(world, { limit: 2 })
    await run(world, { history: short, maxTicks: 4 })
    assert.throws(() => restoreCheckpoint(world, main, { label: 'before', history: short }), code('unknown_tick'))
    assert.equal(world.get(main, Count), 4)
  })
})
