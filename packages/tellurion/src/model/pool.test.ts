import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { user } from '../message/message.ts'
import type { ModelErrorKind, ModelEvent, ModelRequest } from '../port/model.ts'
import { faultyModel, type Fault, type FaultPlan } from '../testing/faulty-model.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { collect, complete } from './collect.ts'
import { failure } from './failure.ts'
import { Health, type HealthStatus } from './health.ts'
import { pool, type PoolModel } from './pool.ts'

const request: ModelRequest = { messages: [user('hi')] }
const error = (kind: ModelErrorKind, after = 0): Fault => ({ fault: 'error', after, failure: failure(kind, 'no') })
const say = (text: string, plan: FaultPlan = []) =>
  faultyModel(
    scriptedModel(() => text, { name: `test/${text}`, chunkSize: 1 }),
    plan,
  )

async function textOf(model: PoolModel): Promise<string> {
  const reply = await complete(model, request)
  return reply.status === 'finished' ? String(reply.message.content) : reply.status
}

async function eventsOf(model: PoolModel): Promise<ModelEvent[]> {
  const events: ModelEvent[] = []
  for await (const event of model.stream(request, {})) events.push(event)
  return events
}

test('service errors, timeouts, rate limits and network errors fail over within the same call', async () => {
  for (const kind of ['service', 'timeout', 'rate_limit', 'network'] as const) {
    const members = [say('first', [error(kind)]), say('second')]
    assert.equal(await textOf(pool(members)), 'second', kind)
    assert.deepEqual(
      members.map((member) => member.calls),
      [1, 1],
    )
  }
})

test('a request that is wrong does not fail over and says nothing about health', async () => {
  for (const kind of ['validation', 'authentication', 'permission', 'not_found', 'unknown'] as const) {
    const model = pool([say('first', () => error(kind)), say('second')])
    for (let call = 0; call < 10; call++) assert.equal(await textOf(model), 'failed', kind)
    const health = model.health()['test/first']
    assert.deepEqual([health?.status, health?.calls], ['healthy', 0])
  }
})

test('a reply that dies half-way is voided, and the whole second one follows', async () => {
  const model = pool([say('abc', [error('service', 2)]), say('xyz')])
  const events = await eventsOf(model)
  assert.deepEqual(
    events.map((event) => (event.type === 'text.delta' ? event.text : event.type)),
    ['a', 'b', 'restart', 'x', 'y', 'z', 'finish'],
  )
})

test('a partial is voided only when something better comes', async () => {
  const model = pool([say('abc', [error('service', 2)]), say('xyz', [error('network')])])
  const reply = await complete(model, request)
  assert.ok(reply.status === 'failed')
  assert.equal(reply.message?.content, 'ab')
  assert.match(reply.failure.message, /All 2 models of pool\(test\/abc, test\/xyz\) failed/)
  assert.deepEqual(reply.failure.data?.['attempts'], [
    { id: 'test/abc', kind: 'service' },
    { id: 'test/xyz', kind: 'network' },
  ])
})

test('a buffered pool shows the second reply alone', async () => {
  const model = pool([say('abc', [error('service', 2)]), say('xyz')], { buffer: true })
  assert.deepEqual(
    (await eventsOf(model)).map((event) => (event.type === 'text.delta' ? event.text : event.type)),
    ['x', 'y', 'z', 'finish'],
  )
  const dead = pool([say('abc', () => error('service', 2))], { buffer: true })
  const reply = await collect(dead.stream(request, {}))
  assert.ok(reply.status === 'failed')
  assert.equal(reply.message?.content, 'ab', 'what came is kept when nobody else can answer')
})

test('an unhealthy model is left out, probed again after a while, and healthy after two good probes', async () => {
  const clock = virtualClock()
  let down = true
  const first = say('first', () => (down ? error('service') : undefined))
  const model = pool([first, say('second')], { clock, probeAfter: 10_000 })
  for (let call = 0; call < 5; call++) assert.equal(await textOf(model), 'second')
  assert.equal(model.health()['test/first']?.status, 'unhealthy')
  for (let call = 0; call < 5; call++) await textOf(model)
  assert.equal(first.calls, 5, 'it is not asked while it is unhealthy')

  await clock.advance(10_000)
  await textOf(model)
  assert.equal(first.calls, 6, 'one probe')
  await textOf(model)
  assert.equal(first.calls, 6, 'which failed, so the wait begins anew')

  down = false
  await clock.advance(10_000)
  assert.equal(await textOf(model), 'first')
  assert.equal(await textOf(model), 'first')
  assert.equal(model.health()['test/first']?.status, 'healthy')
})

test('only one call probes at a time', async () => {
  const clock = virtualClock()
  const slow = faultyModel(
    scriptedModel(() => 'slow', { name: 'test/slow' }),
    (call) => (call < 5 ? error('service') : { fault: 'slow', wait: 1_000 }),
    { clock },
  )
  const model = pool([slow, say('second')], { clock, probeAfter: 10_000 })
  for (let call = 0; call < 5; call++) await textOf(model)
  await clock.advance(10_000)
  const all = Promise.all(Array.from({ length: 4 }, () => textOf(model)))
  await clock.runAll()
  assert.deepEqual(await all, ['slow', 'second', 'second', 'second'])
})

test('when nobody is well an unhealthy model is asked all the same, by one call at a time', async () => {
  const clock = virtualClock()
  const only = faultyModel(
    scriptedModel(() => 'back', { name: 'test/only' }),
    (call) => (call < 5 ? error('network') : { fault: 'slow', wait: 100 }),
    { clock },
  )
  const model = pool([only], { clock })
  for (let call = 0; call < 5; call++) assert.equal(await textOf(model), 'failed')
  const asking = textOf(model)
  const refused = await complete(model, request)
  assert.ok(refused.status === 'failed')
  assert.deepEqual([refused.failure.code, refused.failure.retryAfter], ['breaker_open', 1_000])
  await clock.runAll()
  assert.equal(await asking, 'back')
})

test('strategies: explicit priorities, each in turn, the least busy', async () => {
  const ranked = pool([
    { model: say('low'), priority: 1 },
    { model: say('high'), priority: 9 },
  ])
  assert.equal(await textOf(ranked), 'high')

  const turns = pool([say('a'), say('b'), say('c')], { strategy: 'round-robin' })
  const said: string[] = []
  for (let call = 0; call < 6; call++) said.push(await textOf(turns))
  assert.deepEqual(said, ['a', 'b', 'c', 'a', 'b', 'c'])

  const clock = virtualClock()
  const slow = (text: string) => scriptedModel(() => text, { name: `test/${text}`, delay: 10, clock })
  const busy = pool([slow('a'), slow('b')], { strategy: 'least-busy', clock })
  const all = Promise.all(Array.from({ length: 4 }, () => textOf(busy)))
  await clock.settle()
  assert.deepEqual([busy.health()['test/a']?.busy, busy.health()['test/b']?.busy], [2, 2])
  await clock.runAll()
  assert.deepEqual(await all, ['a', 'b', 'a', 'b'])
})

test('members have ids of their own, and misuse says what to write', () => {
  const model = pool([say('a'), say('a'), { model: say('a'), id: 'third' }])
  assert.deepEqual(Object.keys(model.health()), ['test/a', 'test/a#2', 'third'])
  assert.throws(() => pool([]), /at least one model/)
  assert.throws(
    () =>
      pool([
        { model: say('a'), id: 'x' },
        { model: say('b'), id: 'x' },
      ]),
    /Two members .* 'x'/,
  )
  assert.throws(() => pool([say('a')], { strategy: 'round_robin' as 'priority' }), /Did you mean 'round-robin'/)
})

type Outcome = 'ok' | 'ill' | 'wrong'

/** A member as its contract says, with the whole past of its calls. */
class MemberReference {
  readonly outcomes: { at: number; success: boolean }[] = []
  inARow = 0
  goodProbes = 0
  lastFailure = -Infinity

  status(now: number): HealthStatus {
    const recent = this.outcomes.slice(-100).filter(({ at }) => at > now - 60_000)
    const rate = recent.filter(({ success }) => success).length / recent.length
    if (this.inARow >= 5) return 'unhealthy'
    if (recent.length < 5 || rate >= 0.8) return 'healthy'
    return rate >= 0.5 ? 'degraded' : 'unhealthy'
  }

  rank(now: number): number {
    const status = this.status(now)
    if (status === 'degraded') return 1
    return status === 'healthy' || now - this.lastFailure >= 10_000 ? 0 : 2
  }

  ask(outcome: Outcome, now: number): void {
    const probe = this.status(now) === 'unhealthy'
    if (outcome === 'wrong') return
    const success = outcome === 'ok'
    this.outcomes.push({ at: now, success })
    this.inARow = success ? 0 : this.inARow + 1
    if (!success) this.lastFailure = now
    if (!probe) return
    this.goodProbes = success ? this.goodProbes + 1 : 0
    if (this.goodProbes < 2) return
    this.goodProbes = 0
    this.outcomes.length = 0
  }
}

test('whom a pool asks, and in which order, is what its contract says', async () => {
  const seen = new Set<string>()
  const call = fc.record({
    wait: fc.oneof(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 9_000, max: 30_000 })),
    outcomes: fc.array(fc.constantFrom<Outcome>('ok', 'ill', 'ill', 'wrong'), { minLength: 3, maxLength: 3 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 20, maxLength: 60 }), async (calls) => {
      const clock = virtualClock()
      const asked: number[] = []
      let current: readonly Outcome[] = []
      const model = pool(
        [0, 1, 2].map((index) =>
          faultyModel(
            scriptedModel(() => `${index}`),
            () => {
              asked.push(index)
              const outcome = current[index]
              if (outcome === 'ok') return undefined
              return error(outcome === 'ill' ? 'service' : 'validation')
            },
          ),
        ),
        { clock, probeAfter: 10_000 },
      )
      const references = [0, 1, 2].map(() => new MemberReference())
      for (const { wait, outcomes } of calls) {
        await clock.advance(wait)
        const now = clock.now()
        current = outcomes
        asked.length = 0
        await textOf(model)

        const expected: number[] = []
        const open = new Set([0, 1, 2])
        while (open.size > 0) {
          const rankOf = (index: number): number => references[index]?.rank(now) ?? 9
          const [next = 0] = [...open].sort((a, b) => rankOf(a) - rankOf(b) || a - b)
          open.delete(next)
          expected.push(next)
          const outcome = outcomes[next] ?? 'ok'
          references[next]?.ask(outcome, now)
          if (outcome !== 'ill') break
        }
        assert.deepEqual(asked, expected)
        seen.add(expected.join())
      }
    }),
    { numRuns: 40 },
  )
  assert.ok(seen.size > 8, 'many orders are reached')
})

test('health agrees with its definition over any course of calls', () => {
  const step = fc.record({ wait: fc.integer({ min: 0, max: 4_000 }), success: fc.boolean() })
  const seen = new Set<HealthStatus>()
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 0, max: 10 }), (steps, bias) => {
      let now = 0
      const health = new Health({ now: () => now, monotonic: () => now, timer: () => () => {} })
      const calls: { at: number; success: boolean }[] = []
      steps.forEach(({ wait, success: coin }, index) => {
        now += wait
        const success = coin || index % 11 < bias
        health.record(success)
        calls.push({ at: now, success })
        const recent = calls.slice(-100).filter(({ at }) => at > now - 60_000)
        const rate = recent.filter((call) => call.success).length / recent.length
        const inARow = calls.length - 1 - calls.findLastIndex((call) => call.success)
        const judged = recent.length < 5 || rate >= 0.8 ? 'healthy' : rate >= 0.5 ? 'degraded' : 'unhealthy'
        const expected: HealthStatus = inARow >= 5 ? 'unhealthy' : judged
        assert.deepEqual(health.figures(), {
          status: expected,
          successRate: rate,
          calls: recent.length,
          failuresInARow: inARow,
        })
        seen.add(expected)
      })
    }),
    { numRuns: 200 },
  )
  assert.equal(seen.size, 3, 'all three states are reached')
})
