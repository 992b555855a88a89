import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { virtualClock } from 'tellurion/testing'
import { createRate } from './rate.ts'

describe('createRate', () => {
  it('lets a burst through, then as many as the minute allows', async () => {
    const clock = virtualClock()
    const rate = createRate({ perMinute: 30, burst: 3, clock })
    assert.deepEqual(
      [1, 2, 3].map(() => rate.take('a')),
      [0, 0, 0],
    )
    assert.equal(rate.take('a'), 2)
    assert.equal(rate.take('b'), 0)
    await clock.advance(1999)
    assert.equal(rate.take('a'), 1)
    await clock.advance(1)
    assert.deepEqual([rate.take('a'), rate.take('a')], [0, 2])
  })

  it('never lets more through than it says, whenever they come', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 5000 }), { maxLength: 60 }), async (gaps) => {
        const clock = virtualClock()
        const rate = createRate({ perMinute: 60, burst: 5, clock })
        let taken = 0
        for (const gap of gaps) {
          await clock.advance(gap)
          if (rate.take('a') === 0) taken++
        }
        assert.ok(taken <= 5 + clock.monotonic() / 1000)
      }),
      { numRuns: 30 },
    )
  })

  it('forgets whom it need not remember, and is not filled by strangers', async () => {
    const clock = virtualClock()
    const rate = createRate({ perMinute: 60, burst: 1, clock })
    rate.take('known')
    for (let index = 0; index < 25_000; index++) rate.take(`stranger ${index}`)
    await clock.advance(60_000)
    for (let index = 0; index < 25_000; index++) assert.equal(rate.take(`other ${index}`), 0)
  })
})
