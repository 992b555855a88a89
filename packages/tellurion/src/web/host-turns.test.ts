// Turns at a host: how many at a time, how long between two, who waits, and who gives up.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { virtualClock } from '../testing/virtual-clock.ts'
import { createHostTurns } from './host-turns.ts'

describe('turns', () => {
  test('so many at a time, each its time after the one before, hosts by themselves', async () => {
    const clock = virtualClock()
    const take = createHostTurns({ concurrency: 2, delay: 100, waiting: 10, clock })
    const starts: [string, number][] = []
    const leaves: (() => void)[] = []
    const go = async (host: string): Promise<void> => {
      leaves.push(await take(host, {}))
      starts.push([host, clock.now()])
    }
    for (const host of ['a', 'a', 'a', 'b']) void go(host)
    await clock.advance(500)
    assert.deepEqual(starts, [
      ['a', 0],
      ['b', 0],
      ['a', 100],
    ])
    leaves[0]!()
    await clock.advance(0)
    assert.deepEqual(starts.at(-1), ['a', 500])
    for (const leave of leaves.slice(1)) leave()
    await clock.advance(1_000)
    assert.equal(clock.pending, 0)
  })

  test('no more may wait than are allowed', async () => {
    const take = createHostTurns({ concurrency: 1, delay: 0, waiting: 1, clock: virtualClock() })
    const leave = await take('a', {})
    const second = take('a', {})
    await assert.rejects(take('a', {}), { code: 'rate_limited' })
    leave()
    ;(await second)()
  })

  test('who gives up leaves the place to others', async () => {
    const clock = virtualClock()
    const take = createHostTurns({ concurrency: 1, delay: 50, waiting: 5, clock })
    const reason = new Error('enough')
    await assert.rejects(take('a', { signal: AbortSignal.abort(reason) }), reason)
    const leave = await take('a', {})
    const [queued, later] = [new AbortController(), new AbortController()]
    const first = assert.rejects(take('a', { signal: queued.signal }), reason)
    const second = assert.rejects(take('a', { signal: later.signal }), reason)
    const third = take('a', {})
    queued.abort(reason)
    await first
    leave()
    await clock.settle()
    // The second has its place and waits for its time.
    later.abort(reason)
    await second
    await clock.advance(200)
    ;(await third)()
  })
})
