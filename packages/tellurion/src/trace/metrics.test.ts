import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Event } from '../event/event.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { createDistribution } from './distribution.ts'
import { createMetrics } from './metrics.ts'
import { createMinuteRate } from './minute-rate.ts'

describe('createDistribution', () => {
  it('is all zeros without a value', () => {
    const { count, mean, min, p99 } = createDistribution().summary()
    assert.deepEqual([count, mean, min, p99], [0, 0, 0, 0])
  })

  it('gives percentiles within 2.5 percent of the exact ones', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 1e7, noNaN: true }), { minLength: 1, maxLength: 300 }),
        (all) => {
          const distribution = createDistribution()
          for (const value of all) distribution.add(value)
          const sorted = all.toSorted((a, b) => a - b)
          const { p50, p95, p99, min, max, count } = distribution.summary()
          assert.deepEqual([min, max, count], [sorted[0], sorted.at(-1), all.length])
          for (const [share, got] of [
            [0.5, p50],
            [0.95, p95],
            [0.99, p99],
          ] as const) {
            const exact = sorted[Math.ceil(share * all.length) - 1]!
            assert.ok(Math.abs(got - exact) <= exact * 0.026, `p${share}: ${got} for ${exact}`)
          }
        },
      ),
    )
  })

  it('counts what is no duration as zero', () => {
    const distribution = createDistribution()
    for (const value of [Number.NaN, -5, Infinity]) distribution.add(value)
    assert.deepEqual([distribution.summary().max, distribution.summary().count], [0, 3])
  })
})

describe('createMinuteRate', () => {
  it('forgets what is a minute old', () => {
    const rate = createMinuteRate()
    rate.add(0)
    rate.add(30_000, 2)
    assert.equal(rate.total(59_000), 3)
    assert.equal(rate.total(60_000), 2)
    assert.equal(rate.total(89_999), 2)
    assert.equal(rate.total(90_000), 0)
    rate.add(20_000)
    assert.equal(rate.total(90_000), 0, 'too late to count')
    rate.add(89_000)
    assert.equal(rate.total(90_000), 1)
  })

  it('agrees with counting by hand', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300_000 }), { maxLength: 50 }), (instants) => {
        const rate = createMinuteRate()
        const sorted = instants.toSorted((a, b) => a - b)
        for (const at of sorted) rate.add(at)
        const now = sorted.at(-1) ?? 0
        const by = sorted.filter((at) => Math.floor(at / 1000) > Math.floor(now / 1000) - 60).length
        assert.equal(rate.total(now), by)
      }),
    )
  })
})

const usage = { inputTokens: 3, outputTokens: 2, totalTokens: 5, cost: 0.5 }

function turn(model: string, more: readonly [number, Event][] = []): readonly (readonly [number, Event])[] {
  return [
    [0, { type: 'run.started', agent: 'a' }],
    [10, { type: 'model.called', entity: 1, model }],
    [110, { type: 'model.replied', entity: 1, model, usage, finishReason: 'stop' }],
    ...more,
    [200, { type: 'run.succeeded', stopReason: 'idle' }],
  ]
}

describe('createMetrics', () => {
  it('counts runs, calls, tokens and errors, and how long they took', () => {
    const clock = virtualClock(1000)
    const metrics = createMetrics({ clock })
    const call = { entity: 1, toolCallId: 'c', toolName: 'look' } as const
    const used: readonly [number, Event][] = [
      [120, { type: 'tool.called', ...call, input: null }],
      [170, { type: 'tool.ended', ...call, content: '', isError: true, code: 'tool_timeout' }],
    ]
    for (const [at, event] of turn('m', used)) metrics.read(event, { run: 'r', at })
    const error = { code: 'model_network', message: '', retryable: true } as const
    metrics.read({ type: 'failure.occurred', entity: 1, error, system: 's' }, { run: 'q' })
    metrics.read({ type: 'run.failed', stopReason: 'failed', error }, { run: 'q' })
    const { runs, models, tools, ...rest } = metrics.summary()
    assert.deepEqual([runs.started, runs.succeeded, runs.failed, runs.duration.count], [1, 1, 1, 1])
    assert.equal(runs.duration.p50, 200)
    assert.deepEqual([models['m']?.calls, models['m']?.duration.max], [1, 100])
    assert.deepEqual([tools['look']?.calls, tools['look']?.errors, tools['look']?.duration.max], [1, 1, 50])
    assert.deepEqual([rest.modelCalls, rest.toolCalls, rest.errors, rest.cost], [1, 1, 2, 0.5])
    assert.deepEqual(rest.tokens, { input: 3, output: 2, total: 5 })
    assert.deepEqual(rest.errorCodes, { tool_timeout: 1, model_network: 1 })
    assert.deepEqual(rest.perMinute, { runs: 1, modelCalls: 1, toolCalls: 1, tokens: 5, errors: 2 })
  })

  it('keeps runs that go on at the same time apart', () => {
    const metrics = createMetrics({ clock: virtualClock() })
    const [slow, fast] = [turn('m'), turn('m').map(([at, event]) => [at / 2, event] as const)]
    for (const index of slow.keys()) {
      metrics.read(slow[index]![1], { run: 'slow', at: slow[index]![0] })
      metrics.read(fast[index]![1], { run: 'fast', at: fast[index]![0] })
    }
    const { duration } = metrics.summary().runs
    assert.deepEqual([duration.min, duration.max], [100, 200])
  })

  it('holds no more names than it shows, however many come', () => {
    const metrics = createMetrics({ clock: virtualClock() })
    for (let index = 0; index < 500; index++) {
      metrics.read({ type: 'model.called', entity: 1, model: `m${index}` }, { run: `r${index}` })
    }
    const { models, modelCalls } = metrics.summary()
    assert.deepEqual([Object.keys(models).length, models['other']?.calls, modelCalls], [201, 300, 500])
  })

  it('takes no notice of what it does not know', () => {
    const metrics = createMetrics({ clock: virtualClock() })
    metrics.read({ type: 'mood.changed' })
    metrics.read({ type: 'model.replied', entity: 1, model: 'm', usage, finishReason: 'stop' })
    assert.equal(metrics.summary().models['m']?.duration.count, 0, 'whose beginning was not seen')
  })
})
