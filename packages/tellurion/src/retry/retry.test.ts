import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Clock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { seededRandom } from '../id/random.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { backoff, retryPolicy } from './backoff.ts'
import { createBreaker, type Breaker, type BreakerPass, type BreakerState } from './breaker.ts'
import { withRetry } from './retry.ts'

const code = (expected: string) => (error: unknown) => error instanceof TellurionError && error.code === expected
const none = { jitter: 'none' } as const

test('waits double from one second to thirty', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 2_000].map((retry) => backoff(retry, retryPolicy(none)))
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
})

test('jittered waits stay between nothing and the bound, and Retry-After is a floor under the cap', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(), fc.option(fc.double()), (retry, seed, asked) => {
      const retryAfter = asked ?? undefined
      const wait = backoff(retry, retryPolicy(), { random: seededRandom(seed), retryAfter })
      assert.ok(wait >= 0 && wait <= 30_000)
      if (retryAfter !== undefined && retryAfter > 0) assert.ok(wait >= Math.min(retryAfter, 30_000))
      else assert.ok(wait <= 1_000 * 2 ** (retry - 1))
    }),
  )
})

test('a function is tried four times at most, and the last error comes out', async () => {
  const clock = virtualClock()
  const at: number[] = []
  const work = withRetry(
    ({ attempt }) => {
      at.push(clock.now())
      throw new Error(`no ${attempt}`)
    },
    none,
    { clock },
  )
  const rejected = assert.rejects(work, /no 4/)
  await clock.runAll()
  await rejected
  assert.deepEqual(at, [0, 1_000, 3_000, 7_000])
})

test('what cannot get better is not tried again', async () => {
  let calls = 0
  const fails = (error: unknown) => () => {
    calls++
    throw error
  }
  await assert.rejects(
    withRetry(fails(new TellurionError('model_authentication', 'no key'))),
    code('model_authentication'),
  )
  await assert.rejects(withRetry(fails(new DOMException('stop', 'AbortError'))), { name: 'AbortError' })
  assert.equal(calls, 2)
})

test('the wait the other side asks for is kept, and aborting ends it at once without a timer left', async () => {
  const clock = virtualClock()
  const controller = new AbortController()
  const busy = new TellurionError('model_rate_limit', 'slow down', { data: { retryAfter: 9_000 } })
  const waits: number[] = []
  const work = withRetry(
    () => {
      throw busy
    },
    none,
    { clock, signal: controller.signal, onRetry: ({ wait }) => waits.push(wait) },
  )
  const rejected = assert.rejects(work, /enough/)
  await clock.advance(9_500)
  controller.abort(new Error('enough'))
  await rejected
  assert.deepEqual(waits, [9_000, 9_000])
  assert.equal(clock.pending, 0)
})

test('retry around a breaker waits for the probe', async () => {
  const clock = virtualClock()
  const breaker = createBreaker({ clock, failures: 1, openFor: 5_000, successes: 1 })
  let calls = 0
  const work = withRetry(
    () =>
      breaker.call(() => {
        if (++calls === 1) throw new Error('down')
        return 'up'
      }),
    none,
    { clock },
  )
  await clock.runAll()
  assert.equal(await work, 'up')
  assert.equal(clock.now(), 5_000, '1 s, then the 4 s that the breaker asked for')
  assert.equal(breaker.state, 'closed')
})

test('a breaker opens after five failures in a row, refuses for a minute, and closes after two probes', async () => {
  const clock = virtualClock()
  const breaker = createBreaker({ clock })
  const fail = () =>
    breaker.call(() => {
      throw new Error('down')
    })
  for (let n = 0; n < 4; n++) await assert.rejects(fail(), /down/)
  await breaker.call(() => 'one success starts the count anew')
  for (let n = 0; n < 5; n++) await assert.rejects(fail(), /down/)
  await clock.advance(20_000)
  await assert.rejects(fail(), (error: unknown) => {
    assert.ok(error instanceof TellurionError)
    assert.equal(error.code, 'breaker_open')
    assert.match(error.message, /try again in 40 s/)
    assert.deepEqual(error.data, { retryAfter: 40_000 })
    return true
  })
  await clock.advance(40_000)
  const probe = Promise.withResolvers<void>()
  const probing = breaker.call(() => probe.promise)
  await assert.rejects(fail(), code('breaker_open'), 'one probe at a time')
  probe.resolve()
  await probing
  assert.equal(breaker.state, 'half_open')
  await breaker.call(() => 'second')
  assert.equal(breaker.state, 'closed')
})

test('a wrong request or a cancelled call neither opens a breaker nor decides a probe', async () => {
  const clock = virtualClock()
  const breaker = createBreaker({ clock, failures: 1, openFor: 10, successes: 1 })
  const rejects = (error: Error) =>
    assert.rejects(
      breaker.call(() => {
        throw error
      }),
    )
  await rejects(new TellurionError('model_validation', 'bad'))
  await rejects(new DOMException('stop', 'AbortError'))
  assert.equal(breaker.state, 'closed')
  await rejects(new Error('down'))
  await clock.advance(10)
  await rejects(new DOMException('stop', 'AbortError'))
  assert.equal(breaker.state, 'half_open')
  await breaker.call(() => 'the slot of the cancelled probe is free again')
  assert.equal(breaker.state, 'closed')
})

/** The breaker as the sentence in its contract, with an explicit list of passes. */
class BreakerReference {
  state: BreakerState = 'closed'
  failures = 0
  successes = 0
  until = 0
  probe: number | undefined
  readonly live = new Map<number, 'closed' | 'probe'>()

  enter(id: number, now: number): boolean {
    if (this.state === 'open' && now >= this.until) this.state = 'half_open'
    if (this.state === 'open' || (this.state === 'half_open' && this.probe !== undefined)) return false
    if (this.state === 'half_open') this.probe = id
    this.live.set(id, this.state === 'half_open' ? 'probe' : 'closed')
    return true
  }

  settle(id: number, outcome: 'succeed' | 'fail' | 'release', now: number): void {
    const kind = this.live.get(id)
    this.live.delete(id)
    if (kind === 'probe' && this.probe === id) this.probe = undefined
    if (kind === undefined || outcome === 'release') return
    if (outcome === 'fail' && (kind === 'probe' || ++this.failures >= 3)) {
      this.state = 'open'
      this.until = now + 100
      this.successes = 0
      this.live.clear()
    } else if (outcome === 'succeed' && kind === 'closed') this.failures = 0
    else if (outcome === 'succeed' && ++this.successes >= 2) {
      this.state = 'closed'
      this.failures = 0
      this.live.clear()
    }
  }
}

const breakerStep = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('enter' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom(...(['succeed', 'fail', 'fail', 'fail', 'fail', 'release'] as const)),
      which: fc.nat(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 130 }) }) },
)

/** Any interleaving of calls, outcomes and time, on a breaker made by `make` and on the reference beside it. */
const breakerProperty = (make: (clock: Clock) => Breaker, count: { refused: number }) =>
  fc.property(fc.array(breakerStep, { minLength: 40, maxLength: 80 }), (plan) => {
    let now = 0
    const breaker = make({ now: () => now, monotonic: () => now, timer: () => () => {} })
    const reference = new BreakerReference()
    const passes: { id: number; pass: BreakerPass }[] = []
    plan.forEach((step, id) => {
      if (step.do === 'wait') now += step.ms
      else if (step.do === 'enter') {
        if (reference.enter(id, now)) passes.push({ id, pass: breaker.enter() })
        else {
          count.refused++
          assert.throws(() => breaker.enter(), code('breaker_open'))
        }
      } else {
        const [taken] = passes.splice(step.which % Math.max(1, passes.length), 1)
        if (!taken) return
        taken.pass[step.do]()
        reference.settle(taken.id, step.do, now)
      }
    })
  })

const rules = { failures: 3, openFor: 100, successes: 2 }

test('a breaker agrees with its contract under any interleaving of calls, outcomes and time', () => {
  const count = { refused: 0 }
  fc.assert(
    breakerProperty((clock) => createBreaker({ ...rules, clock }), count),
    { numRuns: 500 },
  )
  assert.ok(count.refused > 100, 'the plans do open the breaker')
})

const wrongBreakers: Readonly<Record<string, (clock: Clock) => Breaker>> = {
  'opens one failure late': (clock) => createBreaker({ ...rules, failures: 4, clock }),
  'closes after one probe': (clock) => createBreaker({ ...rules, successes: 1, clock }),
  'stays open a little longer': (clock) => createBreaker({ ...rules, openFor: 101, clock }),
  'lets a second probe through': (clock) => {
    const breaker = createBreaker({ ...rules, clock })
    const pass: BreakerPass = { succeed() {}, fail() {}, release() {} }
    const enter = (): BreakerPass => {
      try {
        return breaker.enter()
      } catch (error) {
        if (breaker.state === 'half_open') return pass
        throw error
      }
    }
    return { state: 'closed', call: (fn) => breaker.call(fn), enter }
  },
  'counts a cancelled call as a failure': (clock) => {
    const breaker = createBreaker({ ...rules, clock })
    const enter = (): BreakerPass => {
      const pass = breaker.enter()
      return { succeed: () => pass.succeed(), fail: () => pass.fail(), release: () => pass.fail() }
    }
    return { state: 'closed', call: (fn) => breaker.call(fn), enter }
  },
}

for (const [mistake, make] of Object.entries(wrongBreakers)) {
  test(`the suite catches a breaker that ${mistake}`, () => {
    const { failed } = fc.check(breakerProperty(make, { refused: 0 }), { numRuns: 500, endOnFailure: true })
    assert.ok(failed, 'this mistake goes unseen')
  })
}
