/* oxlint-disable unicorn/no-thenable -- systems may return promises of a foreign kind */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { TellurionError } from '../error/error.ts'
import { defineComponent, defineLog } from './component.ts'
import { worldEntity, type Entity } from './entity.ts'
import { Failure } from './lifecycle.ts'
import { run } from './runner.ts'
import { defineSystem } from './system.ts'
import { World, type SystemContext } from './world.ts'

const Job = defineComponent<number>('Job')
const Other = defineComponent<number>('Other')
const Trace = defineLog<string>('Trace')

/** Resolves after so many turns of the microtask queue: the seeds of an interleaving. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await undefined
}

describe('the schedule', () => {
  test('runs ascending priorities; the number given at registration counts', async () => {
    const seen: string[] = []
    const says = (name: string, priority: number) =>
      defineSystem({ name, priority, query: [Job], each: () => void seen.push(name) })
    const world = new World()
    world.spawn(Job(1))
    world.addSystem(says('last', 5))
    world.addSystem(says('moved', -1), { priority: 9 })
    world.addSystem(says('first', -20.5))
    world.addSystem(says('tie', 5))
    await run(world)
    assert.deepEqual(seen, ['first', 'last', 'tie', 'moved'])
    assert.deepEqual(world.systemNames(), ['last', 'moved', 'first', 'tie'])
  })

  test('systems of one priority run concurrently, those of the next wait for all of them', async () => {
    const seen: string[] = []
    const slow = (name: string, priority: number, count: number) =>
      defineSystem({
        name,
        priority,
        query: [Job],
        async each() {
          seen.push(`${name} begins`)
          await turns(count)
          seen.push(`${name} ends`)
        },
      })
    const world = new World({ systems: [slow('a', 0, 9), slow('b', 0, 2), slow('c', 1, 0)] })
    world.spawn(Job(1))
    await run(world)
    assert.deepEqual(seen, ['a begins', 'b begins', 'b ends', 'a ends', 'c begins', 'c ends'])
  })

  test('a system is called for what matches, in ascending order, and for nothing else', async () => {
    const seen: Entity[] = []
    const world = new World({
      systems: [defineSystem({ name: 's', query: [Job], without: [Other], each: (entity) => void seen.push(entity) })],
    })
    for (let at = 1; at <= 30; at++) world.spawn(...(at % 2 ? [Job(at)] : []), ...(at % 5 ? [] : [Other(1)]))
    world.destroy(7 as Entity)
    await run(world)
    assert.deepEqual(seen, [1, 3, 9, 11, 13, 17, 19, 21, 23, 27, 29])
  })

  test('what stops matching while its group runs is not called', async () => {
    const seen: Entity[] = []
    const takes = defineSystem({
      name: 'takes',
      query: [Job],
      each(entity, world) {
        seen.push(entity)
        if (entity === 1) {
          world.destroy(2 as Entity)
          world.remove(3 as Entity, Job)
        }
      },
    })
    const world = new World({ systems: [takes] })
    for (let at = 0; at < 12; at++) world.spawn(Job(1))
    await run(world, { maxTicks: 1 })
    assert.deepEqual(seen, [1, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  })

  test('the bound of concurrency is never passed and everybody is served, whatever each one takes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(6), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 8 }),
        fc.boolean(),
        async (durations, concurrency, twoSystems) => {
          let live = 0
          let most = 0
          const served: number[] = []
          const work = (name: string) =>
            defineSystem({
              name,
              query: [Job],
              each(entity, world) {
                const duration = world.require(entity, Job)
                served.push(entity)
                if (duration === 0) return undefined
                live++
                most = Math.max(most, live)
                return turns(duration).then(() => void live--)
              },
            })
          const world = new World({ systems: twoSystems ? [work('a'), work('b')] : [work('a')] })
          for (const duration of durations) world.spawn(Job(duration))
          assert.equal((await run(world, { concurrency })).reason, 'idle')
          assert.ok(most <= concurrency, `${most} at once`)
          const all = durations.map((_, index) => index + 1)
          assert.deepEqual(
            served.sort((a, b) => a - b),
            twoSystems ? all.flatMap((id) => [id, id]) : all,
          )
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe('a failing system', () => {
  test('leaves a failure on its entity and hurts no sibling, thrown or rejected', async () => {
    for (const wait of [0, 1, 3]) {
      const fails = defineSystem({
        name: 'fails',
        query: [Job],
        each(entity, world) {
          if (entity !== 2) return world.append(entity, Trace, 'done')
          if (wait === 0) throw new Error('no')
          return turns(wait).then(() => {
            throw new TellurionError('tool_timeout', 'too long', { data: { ms: 5 } })
          })
        },
      })
      const world = new World({ systems: [fails] })
      for (let at = 0; at < 3; at++) world.spawn(Job(1))
      await run(world, { maxTicks: 1 })
      assert.deepEqual(
        world.query(Trace).map(([entity]) => entity),
        [1, 3],
      )
      const { error, system, tick } = world.require(2 as Entity, Failure)
      assert.deepEqual({ system, tick }, { system: 'fails', tick: 1 })
      assert.equal(error.code, wait === 0 ? 'system_failed' : 'tool_timeout')
      assert.deepEqual(error.data, wait === 0 ? undefined : { ms: 5 })
    }
  })

  test('of a whole world, or of an entity that is gone, leaves it on the world itself', async () => {
    const whole = defineSystem({ name: 'whole', run: () => Promise.reject(new Error('all')) })
    const world = new World({ systems: [whole] })
    await run(world)
    assert.equal(world.get(worldEntity, Failure)?.error.message, 'all')

    const gone = defineSystem({
      name: 'gone',
      query: [Job],
      async each(entity, world) {
        await undefined
        world.destroy(entity)
        throw new Error('after me')
      },
    })
    const other = new World({ systems: [gone] })
    other.spawn(Job(1))
    await run(other)
    assert.deepEqual(other.entities(), [])
    assert.equal(other.get(worldEntity, Failure)?.system, 'gone')
  })

  test('the first failure stands, and one that repeats itself ends the run as failed', async () => {
    let calls = 0
    const fails = defineSystem({
      name: 'fails',
      query: [Job],
      each() {
        throw new Error(`number ${++calls}`)
      },
    })
    const world = new World({ systems: [fails] })
    const entity = world.spawn(Job(1))
    const stop = await run(world)
    assert.equal(stop.reason, 'failed')
    assert.equal(stop.error?.message, 'number 1')
    assert.equal(world.get(entity, Failure)?.error.message, 'number 1')
    assert.equal(calls, 2)
  })

  const odd: [string, () => unknown][] = [
    ['null', () => null],
    ['text', () => 'just text'],
    ['ill-formed text', () => new Error('\ud800')],
    ['a text without end', () => new Error('x'.repeat(1_000_000))],
    [
      'a message that throws',
      () => ({
        __proto__: Error.prototype,
        get message() {
          throw new Error('no')
        },
      }),
    ],
    ['a message that is no text', () => Object.assign(new Error('no'), { message: 7 })],
    ['data that is no JSON', () => new TellurionError('tool_failed', 'no', { data: { when: new Date() as never } })],
    [
      'a cycle',
      () => {
        const a: Record<string, unknown> = {}
        a['a'] = a
        return a
      },
    ],
    [
      'a revoked proxy',
      () => {
        const { proxy, revoke } = Proxy.revocable({}, {})
        revoke()
        return proxy
      },
    ],
  ]
  for (const [name, make] of odd) {
    test(`may throw ${name}`, async () => {
      const fails = defineSystem({
        name: 'fails',
        query: [Job],
        each: () => {
          throw make()
        },
      })
      const rejects = defineSystem({
        name: 'rejects',
        query: [Other],
        each: async () => {
          throw make()
        },
      })
      const world = new World({ systems: [fails, rejects] })
      world.spawn(Job(1))
      world.spawn(Other(1))
      await run(world, { maxTicks: 3 })
      const failures = world.query(Failure).map(([, [{ error }]]) => error)
      assert.equal(failures.length, 2)
      for (const { message } of failures) assert.ok(message.isWellFormed() && message.length <= 10_000)
    })
  }

  test('may return what is no promise, or a promise of a foreign kind', async () => {
    for (const result of [null, 7, {}, { then: 1 }]) {
      const world = new World({ systems: [defineSystem({ name: 's', query: [Job], each: () => result as never })] })
      world.spawn(Job(1))
      assert.equal((await run(world)).reason, 'idle')
    }
    const twice = {
      then: (done: () => void, fail: (error: unknown) => void) => {
        done()
        fail(new Error('twice'))
      },
    }
    const thrown = {
      then: () => {
        throw new Error('in then')
      },
    }
    for (const [thenable, reason] of [
      [twice, 'idle'],
      [thrown, 'failed'],
    ] as const) {
      const world = new World({ systems: [defineSystem({ name: 's', query: [Job], each: () => thenable as never })] })
      world.spawn(Job(1))
      assert.equal((await run(world)).reason, reason)
    }
  })
})

describe('what systems are given', () => {
  test('can be taken apart: tick, changed, signal, commit', async () => {
    let given: SystemContext | undefined
    const takes = defineSystem({
      name: 'takes',
      query: [Job],
      each: (_entity, _world, { tick, changed, signal, commit }) => void (given = { tick, changed, signal, commit }),
    })
    const world = new World({ systems: [takes] })
    world.spawn(Job(1))
    await run(world)
    assert.equal(given?.tick, 1)
    assert.equal(given?.changed, false)
    assert.equal(given?.signal.aborted, false)
  })

  test('a value that changed since it was read is not set: update instead', async () => {
    const stale = (write: 'set' | 'update' | 'read again') =>
      defineSystem({
        name: 'stale',
        query: [Job],
        async each(entity, world) {
          const old = world.require(entity, Job)
          await turns(3)
          if (write === 'update') world.update(entity, Job, (job) => job + 1)
          else world.set(entity, Job, (write === 'set' ? old : world.require(entity, Job)) + 1)
        },
      })
    const other = defineSystem({
      name: 'other',
      query: [Job],
      async each(entity, world) {
        await turns(1)
        world.update(entity, Job, (job) => job + 10)
      },
    })
    for (const [write, expected] of [
      ['set', 10],
      ['update', 11],
      ['read again', 11],
    ] as const) {
      const world = new World({ systems: [stale(write), other] })
      const entity = world.spawn(Job(0))
      await run(world, { maxTicks: 1 })
      assert.equal(world.get(entity, Job), expected)
      assert.equal(world.get(entity, Failure)?.error.code, write === 'set' ? 'stale_write' : undefined)
    }
  })

  test('an invocation knows nothing of what another one has read', async () => {
    const jobs: number[] = []
    const reads = defineSystem({
      name: 'reads',
      query: [Job],
      each: (entity, world) => void jobs.push(world.require(entity, Job)),
    })
    const writes = defineSystem({
      name: 'writes',
      priority: 1,
      query: [Job],
      each: (entity, world) => world.update(entity, Job, (job) => job + 1),
    })
    const blind = defineSystem({
      name: 'blind',
      priority: 2,
      query: [Job],
      async each(entity, world) {
        await turns(1)
        world.set(entity, Job, 7)
      },
    })
    const world = new World({ systems: [reads, writes, blind] })
    const entity = world.spawn(Job(0))
    await run(world, { maxTicks: 3 })
    assert.equal(world.get(entity, Failure), undefined)
    assert.deepEqual(jobs, [0, 7, 7])
  })

  test('who keeps its world beyond its end writes as from outside', async () => {
    let later: World | undefined
    const leaks = defineSystem({
      name: 'leaks',
      query: [Job],
      each(entity, world) {
        world.require(entity, Job)
        later = world
      },
    })
    const world = new World({ systems: [leaks] })
    const entity = world.spawn(Job(0))
    await run(world)
    world.set(entity, Job, 1)
    later?.set(entity, Job, 2)
    assert.equal(world.get(entity, Job), 2)
  })

  test('its own writes are no surprise to a system, however many things it reads', async () => {
    const many = defineSystem({
      name: 'many',
      query: [Job],
      async each(entity, world) {
        for (let at = 0; at < 500; at++) world.set(entity, Job, world.require(entity, Job) + 1)
        await turns(2)
        world.set(entity, Job, world.require(entity, Job) + 1)
        world.append(entity, Trace, 'a')
        world.get(entity, Trace)
        world.append(entity, Trace, 'b')
        world.splice(entity, Trace, { start: 0, deleteCount: 1 })
      },
    })
    const world = new World({ systems: [many] })
    const entity = world.spawn(Job(0))
    assert.equal((await run(world, { maxTicks: 1 })).reason, 'max_ticks')
    assert.equal(world.get(entity, Failure), undefined)
    assert.equal(world.get(entity, Job), 501)
    assert.deepEqual(world.get(entity, Trace)?.toArray(), ['b'])
  })
})
