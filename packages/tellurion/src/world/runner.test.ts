import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { virtualClock } from '../testing/virtual-clock.ts'
import { defineComponent, defineLog } from './component.ts'
import { worldEntity, type Entity } from './entity.ts'
import { History } from './history.ts'
import { Failure, Halted, Terminal, Wait } from './lifecycle.ts'
import { run, type RunOptions, type Stop } from './runner.ts'
import { snapshot } from './snapshot.ts'
import { defineSystem } from './system.ts'
import { World, type System } from './world.ts'

const Count = defineComponent<number>('Count')
const Note = defineLog<string>('Note')
const main = 1 as Entity

/** Counts for ever. */
const counts = defineSystem({
  name: 'counts',
  query: [Count],
  each: (entity, world) => world.update(entity, Count, (count) => count + 1),
})
const error = { code: 'system_failed', message: 'no', retryable: false } as const

function worldWith(...systems: readonly System[]): World {
  const world = new World({ systems })
  world.spawn(Count(0))
  return world
}

/** A system that does something once, in the given tick. */
function inTick(tick: number, act: (world: World, entity: Entity) => void): System {
  return defineSystem({
    name: `inTick${tick}`,
    priority: 1,
    query: [Count],
    each(entity, world, context) {
      if (context.tick === tick) act(world, entity)
    },
  })
}

describe('a system can ask whether its tick has changed anything', () => {
  test('what changed before the tick, or in an earlier one, does not count', async () => {
    const seen: [number, boolean][] = []
    const early = defineSystem({
      name: 'early',
      priority: -1,
      run: (_world, { tick, changed }) => void seen.push([tick, changed]),
    })
    const late = defineSystem({
      name: 'late',
      priority: 90,
      run: (_world, { tick, changed }) => void seen.push([tick, changed]),
    })
    const world = worldWith(
      early,
      late,
      inTick(1, (world) => world.set(main, Count, 7)),
    )
    await run(world)
    world.set(main, Count, 8)
    await run(world)
    assert.deepEqual(seen, [
      [1, false],
      [1, true],
      [2, false],
      [2, false],
      [2, false],
      [2, false],
    ])
  })

  test('a system that writes only where something changed ends with the others', async () => {
    const notes = defineSystem({
      name: 'notes',
      priority: 90,
      query: [Count],
      each(entity, world, { tick, changed }) {
        if (changed) world.append(entity, Note, `tick ${tick}`)
      },
    })
    const world = worldWith(
      notes,
      inTick(1, (world) => world.set(main, Count, 7)),
    )
    assert.deepEqual(await run(world), { reason: 'idle', ticks: 1 })
    assert.deepEqual(world.get(main, Note)?.toArray(), ['tick 1'])
  })
})

describe('why a run stops', () => {
  test('idle: a tick that changes nothing ends it and is not counted', async () => {
    const world = worldWith(inTick(1, (world) => world.set(main, Count, 7)))
    assert.deepEqual(await run(world), { reason: 'idle', ticks: 1 })
    assert.deepEqual(world.header, { tick: 1, runTicks: 0, paused: false })
    assert.deepEqual(await run(world), { reason: 'idle', ticks: 0 })
  })

  test('a world without systems or entities is idle', async () => {
    assert.deepEqual(await run(new World()), { reason: 'idle', ticks: 0 })
  })

  test('terminal: of the main entity, with its reason, after the whole tick', async () => {
    const world = worldWith(
      counts,
      inTick(2, (world, entity) => world.set(entity, Terminal, { reason: 'done' })),
    )
    assert.deepEqual(await run(world), { reason: 'terminal', ticks: 2, terminal: 'done' })
    assert.equal(world.get(main, Count), 2)
  })

  test('terminal: of any entity only when that was asked for', async () => {
    const other = (): World => {
      const world = worldWith(inTick(1, (world) => world.set(2 as Entity, Terminal, { reason: 'other' })))
      world.spawn()
      return world
    }
    assert.equal((await run(other())).reason, 'idle')
    assert.deepEqual(await run(other(), { endOn: 'any' }), { reason: 'terminal', ticks: 1, terminal: 'other' })
    assert.equal((await run(other(), { main: 2 as Entity })).terminal, 'other')
  })

  test('waiting: with the earliest time at which it is over, halted entities with a time included', async () => {
    const world = worldWith()
    world.set(main, Wait, [{ id: 'w', kind: 'person' }])
    assert.deepEqual(await run(world), { reason: 'waiting', ticks: 0 })
    world.spawn(
      Wait([
        { id: 'a', kind: 'timer', due: 50 },
        { id: 'b', kind: 'timer', due: 40 },
      ]),
    )
    assert.deepEqual(await run(world), { reason: 'waiting', ticks: 0, due: 40 })
    world.spawn(Halted({ error, retryAt: 30 }))
    assert.deepEqual(await run(world), { reason: 'waiting', ticks: 0, due: 30 })
    world.set(main, Wait, [])
    world.remove(2 as Entity, Wait)
    assert.deepEqual(await run(world), { reason: 'waiting', ticks: 0, due: 30 })
  })

  test('failed: the main entity is halted for good, or a failure stands on it', async () => {
    const world = worldWith()
    world.set(main, Halted, { error })
    assert.deepEqual(await run(world), { reason: 'failed', ticks: 0, error })
    const other = worldWith()
    other.spawn(Halted({ error }))
    assert.equal((await run(other)).reason, 'idle')
    other.set(worldEntity, Failure, { error, system: 's', tick: 1 })
    assert.equal((await run(other)).reason, 'failed')
  })

  const max = { maxTicks: 1 }
  const terminal = (world: World): void => world.set(main, Terminal, { reason: 't' })
  const waits = (world: World): void => world.set(main, Wait, [{ id: 'w', kind: 'person' }])
  const halts = (world: World): void => world.set(main, Halted, { error })
  const cases: [string, ((world: World) => void)[], RunOptions, Stop['reason']][] = [
    ['terminal before paused', [terminal, (world) => world.pause()], max, 'terminal'],
    ['paused before the limit', [(world) => world.pause(), waits], max, 'paused'],
    ['the limit before waiting', [waits, halts], max, 'max_ticks'],
    ['waiting before failed', [waits, halts], {}, 'waiting'],
    ['failed before idle', [halts], {}, 'failed'],
  ]
  for (const [name, acts, options, reason] of cases) {
    test(`the first that holds decides: ${name}`, async () => {
      const world = worldWith(inTick(1, (world) => acts.forEach((act) => act(world))))
      assert.equal((await run(world, options)).reason, reason)
    })
  }

  test('something that changed is looked at again before anything is waited for', async () => {
    const world = worldWith(
      inTick(1, waits),
      inTick(2, (world) => world.set(main, Count, 5)),
    )
    assert.deepEqual(await run(world), { reason: 'waiting', ticks: 2 })
  })
})

describe('the limit of ticks', () => {
  test('is 100 by default, and a number or none by option', async () => {
    assert.deepEqual(await run(worldWith(counts)), { reason: 'max_ticks', ticks: 100 })
    assert.deepEqual(await run(worldWith(counts), { maxTicks: 3 }), { reason: 'max_ticks', ticks: 3 })
    const world = worldWith(
      counts,
      inTick(250, (world) => world.pause()),
    )
    assert.deepEqual(await run(world, { maxTicks: null }), { reason: 'paused', ticks: 250 })
  })

  test('a resumed run keeps its count: stopped at 40 of 100 there are 60 more', async () => {
    const world = worldWith(
      counts,
      inTick(40, (world) => world.pause()),
    )
    assert.deepEqual(await run(world), { reason: 'paused', ticks: 40 })
    world.pause(false)
    assert.deepEqual(await run(world), { reason: 'max_ticks', ticks: 100 })
    assert.equal(world.get(main, Count), 100)
  })

  test('the next run of a world that came to an end counts anew', async () => {
    const world = worldWith(counts)
    await run(world, { maxTicks: 5 })
    assert.deepEqual(await run(world, { maxTicks: 5 }), { reason: 'max_ticks', ticks: 5 })
    assert.deepEqual(world.header, { tick: 10, runTicks: 0, paused: false })
  })

  test('waiting keeps the count too', async () => {
    const world = worldWith(inTick(1, (world, entity) => world.set(entity, Wait, [{ id: 'w', kind: 'person' }])))
    assert.deepEqual(await run(world), { reason: 'waiting', ticks: 1 })
    world.set(main, Wait, [])
    assert.deepEqual(await run(world, { maxTicks: 1 }), { reason: 'max_ticks', ticks: 1 })
  })

  test('a paused world, or one whose count is full, does not tick', async () => {
    const world = worldWith(counts)
    world.pause()
    assert.deepEqual(await run(world), { reason: 'paused', ticks: 0 })
    assert.equal(world.get(main, Count), 0)
    world.pause(false)
    const stopping = worldWith(
      counts,
      inTick(3, (world) => world.pause()),
    )
    await run(stopping)
    stopping.pause(false)
    assert.deepEqual(await run(stopping, { maxTicks: 3 }), { reason: 'max_ticks', ticks: 3 })
    assert.equal(stopping.get(main, Count), 3)
  })

  test('is refused where it is no count', async () => {
    for (const maxTicks of [0, -1, 1.5, Number.NaN]) {
      await assert.rejects(run(worldWith(), { maxTicks }), { code: 'invalid_option' })
    }
    for (const concurrency of [0, Number.NaN]) {
      await assert.rejects(run(worldWith(), { concurrency }), { code: 'invalid_option' })
    }
  })
})

describe('aborting', () => {
  test('before the run: nothing is called', async () => {
    const world = worldWith(counts)
    assert.deepEqual(await run(world, { signal: AbortSignal.abort() }), { reason: 'aborted', ticks: 0 })
    assert.equal(world.get(main, Count), 0)
  })

  test('in mid-tick: the system hears it, later groups do not run, the tick is not counted', async () => {
    const controller = new AbortController()
    let heard: unknown
    const listens = defineSystem({
      name: 'listens',
      query: [Count],
      each: (entity, world, { signal }) =>
        new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => {
            heard = signal.reason
            world.append(entity, Note, 'partial')
            resolve()
          })
          queueMicrotask(() => controller.abort('enough'))
        }),
    })
    const whole = defineSystem({ name: 'whole', priority: 2, run: (world) => world.set(main, Count, 98) })
    const later = inTick(1, (world) => world.set(main, Count, 99))
    const world = worldWith(listens, later, whole)
    const clock = virtualClock()
    assert.deepEqual(await run(world, { signal: controller.signal, clock }), { reason: 'aborted', ticks: 0 })
    assert.equal(heard, 'enough')
    assert.deepEqual(world.get(main, Note)?.toArray(), ['partial'])
    assert.equal(world.get(main, Count), 0)
    assert.equal(clock.pending, 0)
  })

  test('stops a synchronous world between entities', async () => {
    const controller = new AbortController()
    const aborts = defineSystem({
      name: 'aborts',
      query: [Count],
      each(entity, world) {
        world.set(entity, Count, 1)
        if (entity === 3) controller.abort()
      },
    })
    const world = worldWith(aborts)
    for (let extra = 0; extra < 20; extra++) world.spawn(Count(0))
    assert.equal((await run(world, { signal: controller.signal, clock: virtualClock() })).reason, 'aborted')
    assert.equal(world.query(Count).filter(([, [count]]) => count === 1).length, 3)
  })

  test('a system that ignores the signal is left behind after the grace; what it writes later reaches nobody', async () => {
    const controller = new AbortController()
    const clock = virtualClock()
    let release: (() => void) | undefined
    let late: Promise<unknown> = Promise.resolve()
    const ignores = defineSystem({
      name: 'ignores',
      query: [Count],
      async each(entity, world, { commit }) {
        world.append(entity, Note, 'before')
        await new Promise<void>((resolve) => (release = resolve))
        world.append(entity, Note, 'after')
        world.emit({ type: 'own.event' })
        world.bind('late', 1)
        world.spawn(Count(1))
        late = Promise.resolve(commit())
        late.catch(() => {})
        throw new Error('and it fails')
      },
    })
    const world = worldWith(ignores)
    const events: unknown[] = []
    world.on('*', (event) => events.push(event))
    const running = run(world, { signal: controller.signal, clock })
    await clock.settle()
    controller.abort()
    await clock.advance(99)
    assert.equal(clock.pending, 1)
    await clock.advance(1)
    assert.deepEqual(await running, { reason: 'aborted', ticks: 0 })
    const left = JSON.stringify(snapshot(world))
    assert.deepEqual(world.get(main, Note)?.toArray(), ['before'])
    release?.()
    await clock.settle()
    assert.equal(JSON.stringify(snapshot(world)), left)
    assert.deepEqual(events, [])
    assert.equal(world.findResource('late'), undefined)
    await assert.rejects(late, { code: 'aborted' })
    world.removeSystem('ignores')
    assert.equal((await run(world)).reason, 'idle')
  })

  test('leaves no listener and no timer behind', async () => {
    const controller = new AbortController()
    let listeners = 0
    const { signal } = controller
    const spied = new Proxy(signal, {
      get(target, key) {
        if (key === 'addEventListener') listeners++
        if (key === 'removeEventListener') listeners--
        const value: unknown = Reflect.get(target, key, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    await run(worldWith(counts), { signal: spied, maxTicks: 2 })
    assert.equal(listeners, 0)
  })
})

describe('a run', () => {
  test('has its world to itself', async () => {
    const slow = defineSystem({ name: 'slow', query: [Count], each: () => Promise.resolve() })
    const world = worldWith(slow)
    const history = new History(world)
    const first = run(world)
    assert.throws(() => history.rewind(0), { code: 'already_running' })
    await assert.rejects(run(world), { code: 'already_running' })
    await first
    assert.equal((await run(world)).reason, 'idle')
  })

  test('sees systems that come and go while it runs', async () => {
    const once = defineSystem({
      name: 'once',
      priority: 5,
      query: [Count],
      each(entity, world) {
        world.append(entity, Note, 'once')
        world.removeSystem('once')
      },
    })
    const world = worldWith(
      inTick(1, (world) => {
        world.addSystem(once)
        world.set(main, Count, 1)
      }),
    )
    assert.equal((await run(world)).reason, 'idle')
    assert.deepEqual(world.get(main, Note)?.toArray(), ['once'])
  })

  test('counts ticks from 1 for systems', async () => {
    const seen: number[] = []
    const world = worldWith(
      counts,
      defineSystem({
        name: 'sees',
        priority: 2,
        query: [Count],
        each: (_entity, _world, { tick }) => void seen.push(tick),
      }),
    )
    await run(world, { maxTicks: 2 })
    await run(world, { maxTicks: 1 })
    assert.deepEqual(seen, [1, 2, 3])
  })
})
