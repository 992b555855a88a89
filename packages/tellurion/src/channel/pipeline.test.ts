import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { virtualClock, macrotask } from '../testing/virtual-clock.ts'
import { batchItems, filterItems, joinItems, mapItems, pipeline } from './pipeline.ts'

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

/** Counts from 0, and tells how far it was asked and whether it was told to end. */
function counter(end = Infinity) {
  const seen = { asked: 0, ended: false }
  async function* count() {
    try {
      for (; seen.asked < end;) yield seen.asked++
    } finally {
      seen.ended = true
    }
  }
  return { seen, items: count() }
}

describe('a pipeline', () => {
  test('passes items through its stages, in order', async () => {
    const { items } = counter(10)
    const out = pipeline(
      items,
      filterItems((n: number) => n % 2 === 0),
      mapItems(async (n: number) => n * 10, { concurrency: 3 }),
      mapItems((n: number) => `${n}`),
    )
    assert.deepEqual(await all(out), ['0', '20', '40', '60', '80'])
  })

  test('a slow end slows the beginning down: nothing piles up', async () => {
    const { seen, items } = counter()
    const out = pipeline(
      items,
      mapItems((n: number) => n, { concurrency: 4 }),
      batchItems<number>({ size: 5 }),
    )
    const reader = out[Symbol.asyncIterator]()
    await reader.next()
    for (let turn = 0; turn < 20; turn++) await macrotask()
    assert.ok(seen.asked <= 5 + 4 + 5 + 3, `${seen.asked} were asked for`)
    await reader.return?.()
    await macrotask()
    assert.equal(seen.ended, true)
  })

  test('keeps so many at work, and no more', async () => {
    let now = 0
    let most = 0
    const work = async (n: number) => {
      most = Math.max(most, ++now)
      await macrotask()
      now--
      return n
    }
    const list = await all(pipeline(counter(20).items, mapItems(work, { concurrency: 6 })))
    assert.equal(most, 6)
    assert.deepEqual(
      list,
      [...list].sort((a, b) => a - b),
    )
  })

  test('ends with the first error, of a stage or of the source, and ends the source', async () => {
    const { seen, items } = counter()
    const broken = pipeline(
      items,
      mapItems((n: number) => {
        if (n === 3) throw new Error('three')
        return n
      }),
    )
    await assert.rejects(all(broken), /three/)
    assert.equal(seen.ended, true)
    async function* failing() {
      yield 1
      throw new Error('dry')
    }
    await assert.rejects(all(pipeline(failing(), batchItems<number>({ size: 10 }))), /dry/)
  })

  test('joins what is at hand, keeps apart what must be, and changes nothing that it says', async () => {
    async function* pieces() {
      for (const piece of ['a', 'b', '#', 'c', 'd', 'e']) yield piece
      await macrotask()
      await macrotask()
      yield 'f'
    }
    const join = (a: string, b: string) => (a.endsWith('#') || b === '#' ? undefined : a + b)
    const list: string[] = []
    // A reader that takes its time.
    for await (const piece of pipeline(pieces(), joinItems(join))) {
      list.push(piece)
      await macrotask()
    }
    assert.equal(list.join(''), 'ab#cdef')
    assert.ok(list.includes('#'))
    assert.ok(list.length < 7, `${list.length} pieces`)
  })

  test('gathers by number, and by time', async () => {
    assert.deepEqual(await all(pipeline(counter(5).items, batchItems<number>({ size: 2 }))), [[0, 1], [2, 3], [4]])
    const clock = virtualClock()
    const gate = Promise.withResolvers<void>()
    async function* slow() {
      yield 1
      yield 2
      await gate.promise
      yield 3
    }
    const reader = pipeline(slow(), batchItems<number>({ size: 10, within: 50, clock }))[Symbol.asyncIterator]()
    const first = reader.next()
    for (let turn = 0; turn < 5; turn++) await macrotask()
    await clock.advance(50)
    assert.deepEqual((await first).value, [1, 2])
    gate.resolve()
    assert.deepEqual((await reader.next()).value, [3])
    assert.equal((await reader.next()).done, true)
  })

  test('a reader that leaves early ends a source that waits', async () => {
    let ended = false
    const waiting: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
        return: async () => {
          ended = true
          return { done: true, value: undefined }
        },
      }),
    }
    const reader = pipeline(
      waiting,
      joinItems((a: number, b: number) => a + b),
    )[Symbol.asyncIterator]()
    const next = reader.next()
    await macrotask()
    void reader.return?.()
    void next
    await macrotask()
    assert.equal(ended, false, 'a generator that waits ends when it is woken')
  })

  test('misuse is told', async () => {
    assert.throws(() => mapItems((n: number) => n, { concurrency: 0 }), /whole number from 1/)
    assert.throws(() => batchItems({ size: 0.5 }), /whole number from 1/)
  })
})
