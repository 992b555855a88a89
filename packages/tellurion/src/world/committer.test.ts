import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { EventRecord } from '../event/event.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { apply } from './apply.ts'
import type { CommitSink } from './committer.ts'
import { defineComponent, defineLog } from './component.ts'
import type { Delta } from './delta.ts'
import type { Entity } from './entity.ts'
import { run } from './runner.ts'
import { snapshot } from './snapshot.ts'
import { defineSystem } from './system.ts'
import { World, type System, type SystemContext } from './world.ts'

const Left = defineComponent<number>('Left')
const Right = defineComponent<number>('Right')
const Book = defineLog<number>('Book')
const components = [Left, Right, Book]
const one = 1 as Entity

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await undefined
}

/** What one system does in a tick: moves money, waits, commits. */
const plan = fc.array(
  fc.record({
    amount: fc.integer({ min: -3, max: 3 }),
    wait: fc.nat(4),
    commit: fc.constantFrom('no', 'await', 'join'),
  }),
  { maxLength: 4 },
)
type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never

/** Moves money from left to right in one synchronous block; a careless one awaits in the middle of it. */
function mover(index: number, plan: Plan, careless: boolean): System {
  return defineSystem({
    name: `mover${index}`,
    priority: index % 2,
    query: [Left, Right],
    async each(entity, world, { commit, tick }) {
      if (tick > 2) return
      for (const { amount, wait, commit: how } of plan) {
        await turns(wait)
        world.update(entity, Left, (left) => left - amount)
        if (careless) await undefined
        world.update(entity, Right, (right) => right + amount)
        world.append(entity, Book, amount)
        world.emit({ type: 'money.moved', amount })
        if (how === 'await') await commit()
        else if (how === 'join') void commit()
      }
    },
  })
}

/** The law: every state a sink is given balances, is what the deltas so far make, and shows no event before its commit. */
async function law(plans: readonly Plan[], delays: readonly number[], careless = false): Promise<void> {
  const world = new World({ components, systems: plans.map((plan, index) => mover(index, plan, careless)) })
  const replica = new World({ components })
  for (let at = 0; at < 2; at++) world.spawn(Left(10), Right(0), Book())
  const saved: EventRecord[] = []
  const seen: EventRecord[] = []
  world.on('*', (event) => seen.push(event))
  let live = 0
  let calls = 0
  const sink: CommitSink = (delta, given) => {
    assert.equal(++live, 1, 'one commit is in flight')
    assert.equal(seen.length, saved.length, 'nothing is shown before it is saved')
    for (const [, [left, right]] of given.query(Left, Right)) assert.equal(left + right, 10)
    apply(replica, JSON.parse(JSON.stringify(delta)))
    assert.deepEqual(snapshot(replica), snapshot(given))
    const end = (): void => {
      saved.push(...delta.records)
      live--
    }
    const delay = delays[calls++ % delays.length]!
    return delay === 0 ? end() : turns(delay).then(end)
  }
  assert.equal((await run(world, { sink, maxTicks: null })).reason, 'idle')
  assert.deepEqual(snapshot(replica), snapshot(world))
  assert.deepEqual(seen, saved)
  const moved = plans.reduce((sum, plan) => sum + plan.length, 0) * 2 * 2
  assert.ok(seen.length <= moved)
}

const history = fc.tuple(
  fc.array(plan, { minLength: 1, maxLength: 5 }),
  fc.array(fc.nat(6), { minLength: 1, maxLength: 5 }),
)

describe('commits', () => {
  test('hand over only states that some system left on purpose, whatever the interleaving', async () => {
    await fc.assert(
      fc.asyncProperty(history, ([plans, delays]) => law(plans, delays)),
      { numRuns: 200 },
    )
  })

  test('the law has teeth: a system that awaits in the middle of a transaction is caught', async () => {
    await assert.rejects(
      fc.assert(
        fc.asyncProperty(history, ([plans, delays]) => law(plans, delays, true)),
        { numRuns: 200, seed: 3 },
      ),
    )
  })

  test('go out between priorities and at the end of a tick, and only when something changed', async () => {
    const deltas: Delta[] = []
    const writes = (name: string, priority: number, value: number) =>
      defineSystem({ name, priority, query: [Left], each: (entity, world) => world.set(entity, Left, value) })
    const idle = defineSystem({ name: 'idle', priority: 5, query: [Left], each() {} })
    const world = new World({ systems: [writes('a', 0, 1), idle, writes('b', 9, 2)] })
    world.spawn(Left(0))
    await run(world, { sink: (delta) => void deltas.push(delta), maxTicks: 1 })
    assert.deepEqual(
      deltas.map(({ operations }) => operations.map(([kind, ...rest]) => [kind, rest.at(-1)])),
      [
        [
          ['spawn', 1],
          ['set', 0],
          ['set', 1],
        ],
        [
          ['set', 2],
          ['header', { tick: 1, runTicks: 1 }],
        ],
        [['header', { runTicks: 0 }]],
      ],
    )
  })

  test('who asks while one is in flight joins the next, and the next is one for all', async () => {
    const sizes: number[] = []
    const gates: (() => void)[] = []
    const sink: CommitSink = (delta) => {
      sizes.push(delta.operations.length)
      return new Promise((resolve) => gates.push(resolve))
    }
    const commits: Promise<void>[] = []
    const system = defineSystem({
      name: 's',
      run: async (world, { commit }) => {
        for (let at = 0; at < 4; at++) {
          world.append(one, Book, at)
          commits.push(Promise.resolve(commit()))
        }
        assert.equal(commits.length, 4)
        await Promise.all(commits)
        world.removeSystem('s')
      },
    })
    const world = new World({ systems: [system] })
    world.spawn(Book())
    const running = run(world, { sink })
    const clock = virtualClock()
    while (gates.length > 0 || sizes.length < 2) {
      gates.shift()?.()
      await clock.settle()
    }
    await running
    assert.deepEqual(sizes.slice(0, 2), [3, 3])
  })

  test('do nothing in memory', async () => {
    let answer: unknown = 'none'
    const system = defineSystem({
      name: 's',
      query: [Left],
      each: (_entity, _world, { commit }) => void (answer = commit()),
    })
    const world = new World({ systems: [system] })
    world.spawn(Left(1))
    await run(world)
    assert.equal(answer, undefined)
  })
})

describe('a refused commit', () => {
  const refusals: [string, () => CommitSink][] = [
    [
      'thrown',
      () => () => {
        throw new Error('fenced')
      },
    ],
    ['rejected', () => () => Promise.reject(new Error('fenced'))],
    [
      'rejected late',
      () => async () => {
        await turns(5)
        throw new Error('fenced')
      },
    ],
  ]
  for (const [name, make] of refusals) {
    test(`ends the run and rejects: ${name}`, async () => {
      const seen: EventRecord[] = []
      let after = 0
      let calls = 0
      const answers: unknown[] = []
      const refuse = make()
      const sink: CommitSink = (delta, world) => {
        calls++
        return refuse(delta, world)
      }
      const system = defineSystem({
        name: 's',
        query: [Left],
        async each(_entity, world, { commit }) {
          world.emit({ type: 'own.event' })
          void commit()
          world.emit({ type: 'own.event' })
          answers.push(await Promise.resolve(commit()).catch((error: Error) => error.message))
          answers.push(await Promise.resolve(commit()).catch((error: Error) => error.message))
        },
      })
      const later = defineSystem({ name: 'later', priority: 1, query: [Left], each: () => void after++ })
      const world = new World({ systems: [system, later] })
      world.on('*', (event) => seen.push(event))
      world.spawn(Left(1))
      await assert.rejects(run(world, { sink, clock: virtualClock() }), /fenced/)
      assert.equal(after, 0)
      assert.equal(calls, 1, 'nothing is handed over after a refusal')
      assert.deepEqual(answers, ['fenced', 'fenced'])
      assert.deepEqual(seen, [])
    })
  }

  test('at the end of a tick, and at the very end', async () => {
    for (const failing of [1, 2, 3]) {
      let calls = 0
      const sink: CommitSink = async () => {
        await undefined
        if (++calls === failing) throw new Error('fenced')
      }
      const counts = defineSystem({
        name: 's',
        query: [Left],
        each: (entity, world) => world.update(entity, Left, (left) => left + 1),
      })
      const world = new World({ systems: [counts] })
      world.spawn(Left(1))
      await assert.rejects(run(world, { sink, maxTicks: 2, clock: virtualClock() }), /fenced/)
      assert.equal(calls, failing)
    }
  })

  test('aborts the signal of those who still work, and leaves them behind after the grace', async () => {
    const clock = virtualClock()
    let signal: AbortSignal | undefined
    let late: (() => void) | undefined
    const commits = defineSystem({
      name: 'commits',
      query: [Left],
      each: (entity, world, { commit }) => {
        world.set(entity, Left, 5)
        return commit()
      },
    })
    const hangs = defineSystem({
      name: 'hangs',
      query: [Left],
      async each(entity, world, context: SystemContext) {
        signal = context.signal
        await new Promise<void>((resolve) => (late = resolve))
        world.set(entity, Left, 99)
      },
    })
    const world = new World({ systems: [hangs, commits] })
    world.spawn(Left(1))
    const running = run(world, { sink: () => Promise.reject(new Error('fenced')), clock })
    const rejected = assert.rejects(running, /fenced/)
    await clock.settle()
    assert.equal(signal?.aborted, true)
    await clock.advance(100)
    await rejected
    late?.()
    await clock.settle()
    assert.equal(world.get(one, Left), 5)
  })
})

describe('events and commits', () => {
  const emits = defineSystem({
    name: 'emits',
    query: [Left],
    async each(entity, world, { commit }) {
      world.emit({ type: 'own.kept' })
      world.emit({ type: 'text.delta', entity, text: 'live' })
      await commit()
      world.removeSystem('emits')
    },
  })
  const order = async (sink?: CommitSink): Promise<string[]> => {
    const seen: string[] = []
    const world = new World({ systems: [emits] })
    world.spawn(Left(1))
    world.emit({ type: 'own.before' })
    world.on('*', ({ type }) => seen.push(type))
    world.emit({ type: 'own.shown' })
    await run(world, sink === undefined ? {} : { sink: (delta, given) => (seen.push('commit'), sink(delta, given)) })
    world.emit({ type: 'own.after' })
    return seen
  }

  test('in memory they are seen at the emit', async () => {
    assert.deepEqual(await order(), ['own.shown', 'own.kept', 'text.delta', 'own.after'])
  })

  test('under a sink after their commit, live ones at once, and none of them twice', async () => {
    const expected = ['own.shown', 'text.delta', 'commit', 'own.kept', 'own.after']
    assert.deepEqual(await order(() => {}), expected)
    assert.deepEqual(await order(() => turns(3)), expected)
  })

  test('whoever subscribes while the run goes on is held back too', async () => {
    const seen: string[] = []
    const system = defineSystem({
      name: 's',
      query: [Left],
      each(_entity, world) {
        world.on('*', ({ type }) => seen.push(type))
        world.emit({ type: 'own.kept' })
        assert.deepEqual(seen, [])
        world.removeSystem('s')
      },
    })
    const world = new World({ systems: [system] })
    world.spawn(Left(1))
    await run(world, { sink: () => {} })
    assert.deepEqual(seen, ['own.kept'])
  })

  test('emitting is no change: it ends no idleness, and is committed all the same', async () => {
    const records: EventRecord[] = []
    const world = new World({
      systems: [defineSystem({ name: 's', query: [Left], each: (_entity, world) => world.emit({ type: 'own.kept' }) })],
    })
    world.spawn(Left(1))
    const stop = await run(world, { sink: (delta) => void records.push(...delta.records) })
    assert.deepEqual(stop, { reason: 'idle', ticks: 0 })
    assert.equal(records.length, 1)
  })
})

test('what closes the books is left to the caller who asks for it, and nothing else', async () => {
  const system = defineSystem({
    name: 'once',
    query: [],
    priority: 1,
    run: (world) => void (world.has(one, Left) || world.set(one, Left, 1)),
  })
  for (const leaveLast of [false, true]) {
    const world = new World({ systems: [system] })
    world.spawn()
    const saved: Delta[] = []
    const stop = await run(world, { sink: (delta) => void saved.push(delta), leaveLast })
    assert.deepEqual([stop.reason, stop.ticks, world.header.runTicks], ['idle', 1, 0])
    assert.deepEqual(world.takeDelta().operations, leaveLast ? [['header', { runTicks: 0 }]] : [])
    assert.equal(saved.flatMap(({ operations }) => operations).length, leaveLast ? 3 : 4)
    assert.deepEqual(saved.at(-1)?.operations.at(-1), [
      'header',
      leaveLast ? { tick: 1, runTicks: 1 } : { runTicks: 0 },
    ])
  }
})
