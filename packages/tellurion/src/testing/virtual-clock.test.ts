import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sleep } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { virtualClock } from './virtual-clock.ts'

test('timers fire in the order of their instants, each at its own, and those of one instant as they were set', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(50), { maxLength: 20 }), fc.nat(60), async (delays, step) => {
      const clock = virtualClock(1_000)
      const fired: { index: number; at: number }[] = []
      delays.forEach((delay, index) => clock.timer(delay, () => fired.push({ index, at: clock.monotonic() })))
      await clock.advance(step)
      const due = delays
        .map((at, index) => ({ index, at }))
        .filter(({ at }) => at <= step)
        .sort((a, b) => a.at - b.at || a.index - b.index)
      assert.deepEqual(fired, due)
      assert.equal(clock.pending, delays.length - due.length)
      assert.equal(clock.now(), 1_000 + step)
    }),
    { numRuns: 50 },
  )
})

test('what a timer wakes comes to rest before the next one fires', async () => {
  const clock = virtualClock()
  const course: string[] = []
  const walk = async (name: string, waits: readonly number[]): Promise<void> => {
    for (const wait of waits) {
      await sleep(wait, { clock })
      await Promise.resolve()
      course.push(`${name} ${clock.now()}`)
    }
  }
  void walk('a', [10, 10, 10])
  void walk('b', [15, 1])
  assert.equal(await clock.runAll(), 5)
  assert.deepEqual(course, ['a 10', 'b 15', 'b 16', 'a 20', 'a 30'])
})

test('a cancelled timer does not fire, and endless timers are noticed', async () => {
  const clock = virtualClock()
  let fired = 0
  const cancel = clock.timer(5, () => fired++)
  cancel()
  cancel()
  await clock.advance(10)
  assert.deepEqual([fired, clock.pending], [0, 0])
  const again = (): void => void clock.timer(1, again)
  again()
  await assert.rejects(clock.runAll(100), (error: unknown) => error instanceof TellurionError)
})
