import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import type { MetadataFilter } from '../../port/metadata-filter.ts'
import type { VectorStore } from '../../port/vector-store.ts'
import { draftItem, found } from '../../testing/vector-store-bench.ts'
import { vectorStoreBehaviour } from '../../testing/vector-store-behaviour.ts'
import { sqliteVectorStore, type SqliteVectorOptions } from './vector-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'tellurion-vector-'))
const open: VectorStore[] = []
after(async () => {
  for (const store of open) await store.close()
  rmSync(folder, { recursive: true, force: true })
})
let files = 0
const fresh = (): string => join(folder, `${++files}.db`)

async function opened(path = fresh(), options: SqliteVectorOptions = {}): Promise<VectorStore> {
  const store = await sqliteVectorStore(path, { synchronous: 'normal', ...options })
  open.push(store)
  return store
}

async function bench(
  options?: SqliteVectorOptions,
): Promise<{ store: VectorStore; again: () => Promise<VectorStore> }> {
  const path = fresh()
  return { store: await opened(path, options), again: () => opened(path, options) }
}

describe('sqliteVectorStore', () => {
  for (const { name, run } of vectorStoreBehaviour) it(name, async () => run(await bench()))

  for (const cacheBytes of [0, 100]) {
    it(`does the same with ${cacheBytes} bytes of vectors in memory`, async () => {
      for (const { run } of vectorStoreBehaviour) await run(await bench({ cacheBytes }))
    })
  }

  it('keeps everything in its file', async () => {
    const path = fresh()
    const first = await opened(path)
    const item = draftItem('a', { text: 'kept words', vector: [1, 2], metadata: { n: 1 }, note: { from: 0 } })
    await first.upsert([item])
    await first.close()
    const second = await opened(path)
    const [kept] = await second.get(['a'])
    assert.deepEqual({ ...kept, vector: undefined }, { ...item, vector: undefined })
    assert.deepEqual(await found(second, { text: 'kept', vector: [1, 2], limit: 3 }), ['a'])
  })

  it('is right when another handle deleted more than it keeps account of', async () => {
    const { store, again } = await bench()
    const other = await again()
    const items = Array.from({ length: 400 }, (_, index) => draftItem(`i${index}`, { vector: [1, index] }))
    await store.upsert(items)
    assert.equal((await found(other, { vector: [1, 0], limit: 1 }))[0], 'i0')
    // Each round deletes and writes every item: 16,000 lines, of which 10,000 are kept.
    for (let round = 0; round < 40; round++) await store.upsert(items)
    await store.delete({ ids: ['i0', 'i1'] })
    assert.deepEqual(await found(other, { vector: [1, 0], limit: 2 }), ['i2', 'i3'])
    assert.equal((await found(other, { vector: [1, 0], limit: 999 })).length, 398)
    assert.equal((await found(store, { vector: [1, 0], limit: 999 })).length, 398)
  })

  it('reads many vectors page by page, and lets go when it is told to', async () => {
    const { store, again } = await bench()
    const items = Array.from({ length: 9_000 }, (_, index) => draftItem(`i${index}`, { vector: [1, index % 100] }))
    await store.upsert(items)
    const other = await again()
    const stop = new AbortController()
    const searches = [other.search({ vector: [1, 0], limit: 3 }), other.search({ vector: [0, 1], limit: 3 })]
    const late = other.search({ vector: [1, 0], limit: 3 }, { signal: stop.signal })
    stop.abort(new Error('enough'))
    await assert.rejects(late, /enough/)
    const [near, far] = await Promise.all(searches)
    assert.deepEqual(
      near!.map(({ id }) => id),
      ['i0', 'i100', 'i200'],
    )
    assert.deepEqual(
      far!.map(({ id }) => id),
      ['i99', 'i199', 'i299'],
    )
    const third = await again()
    const broken = third.search({ vector: [1, 0], limit: 1 })
    await third.close()
    await assert.rejects(broken, { code: 'store_closed' })
  })

  it('takes filters as deep as they may be', async () => {
    const store = await opened()
    await store.upsert([draftItem('a', { metadata: { n: 1 } })])
    let filter: MetadataFilter = { key: 'n', equals: 1 }
    for (let level = 0; level < 32; level++) filter = { not: filter }
    assert.equal(await store.count({ filter }), 1)
    assert.deepEqual(await found(store, { text: 'a', limit: 1, filter }), ['a'])
  })

  it('says when a vector in the file is damaged', async () => {
    for (const cacheBytes of [0, 1e6]) {
      const path = fresh()
      const store = await opened(path, { cacheBytes })
      await store.upsert([draftItem('a', { vector: [1, 2], text: 'word' })])
      const vandal = new DatabaseSync(path)
      vandal.exec("UPDATE vector SET data = x'00'; UPDATE item SET note = '{'")
      vandal.close()
      await assert.rejects(store.search({ vector: [1, 2], limit: 1 }), { code: 'store_corrupt' })
      await assert.rejects(store.search({ text: 'word', limit: 1 }), { code: 'store_corrupt' })
    }
  })

  it('refuses a file of another kind, and an option that is none', async () => {
    const path = fresh()
    const other = new DatabaseSync(path)
    other.exec('CREATE TABLE theirs (x)')
    other.close()
    await assert.rejects(sqliteVectorStore(path), { code: 'store_corrupt' })
    await assert.rejects(sqliteVectorStore(fresh(), { cacheBytes: -1 }), { code: 'invalid_option' })
    await assert.rejects(sqliteVectorStore(':memory:'), { code: 'invalid_option' })
  })

  it('keeps what was acknowledged when there is no more room', async () => {
    const store = await opened(fresh(), { maxBytes: 400_000 })
    const outcomes = await Promise.allSettled(
      Array.from({ length: 100 }, (_, index) =>
        store.upsert([draftItem(`i${index}`, { text: `word${index} `.repeat(200), vector: [1, index] })]),
      ),
    )
    const kept = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? [`i${index}`] : []))
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []))
    assert.ok(kept.length > 3 && refused.length > 3, `${kept.length} kept`)
    assert.deepEqual([...new Set(refused)], ['store_full'])
    assert.deepEqual((await found(store, { vector: [0, 1], limit: 200 })).sort(), kept.sort())
  })
})
