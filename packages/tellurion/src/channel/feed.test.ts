// The queue of an agent's stream: order, bound, end, and one reader.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Feed } from './feed.ts'

const item = (n: number) => ({ n })
async function read(feed: Feed<{ n: number }>): Promise<number[]> {
  const seen: number[] = []
  for await (const { n } of feed) seen.push(n)
  return seen
}

describe('a feed', () => {
  test('gives items in order, those from before the reader came and those it waited for', async () => {
    const feed = new Feed<{ n: number }>(100)
    feed.push(item(1))
    feed.push(item(2))
    const reading = read(feed)
    for (let n = 3; n < 40; n++) {
      if (n % 7 === 0) await Promise.resolve()
      feed.push(item(n))
    }
    feed.close()
    assert.deepEqual(
      await reading,
      Array.from({ length: 39 }, (_, index) => index + 1),
    )
  })

  test('holds no more than its capacity, and takes nothing after its end', async () => {
    const feed = new Feed<{ n: number }>(2)
    feed.push(item(1))
    feed.push(item(2))
    assert.throws(() => feed.push(item(3)), { code: 'channel_full' })
    assert.equal(feed.size, 2)
    feed.close()
    feed.push(item(4))
    assert.deepEqual([await read(feed), feed.closed], [[1, 2], true])
  })

  test('throws the error it was closed with, after what is inside', async () => {
    const feed = new Feed<{ n: number }>(2)
    feed.push(item(1))
    feed.close(new Error('too slow'))
    feed.close()
    const reader = feed[Symbol.asyncIterator]()
    assert.deepEqual(await reader.next(), { done: false, value: { n: 1 } })
    await assert.rejects(reader.next(), /too slow/)
    const waiting = new Feed<{ n: number }>(2)
    const next = waiting[Symbol.asyncIterator]().next()
    waiting.close(new Error('gone'))
    await assert.rejects(next, /gone/)
  })

  test('leaving early closes it and throws the rest away', async () => {
    const feed = new Feed<{ n: number }>(9)
    for (let n = 0; n < 5; n++) feed.push(item(n))
    for await (const { n } of feed) if (n === 1) break
    assert.deepEqual([feed.closed, feed.size], [true, 0])
  })

  test('has one reader', async () => {
    const feed = new Feed<{ n: number }>(9)
    const first = feed[Symbol.asyncIterator]().next()
    await assert.rejects(feed[Symbol.asyncIterator]().next(), { code: 'channel_busy' })
    feed.push(item(7))
    assert.deepEqual(await first, { done: false, value: { n: 7 } })
  })
})
