import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RetrievedDocument } from '../port/retriever.ts'
import { hashEmbedding } from '../testing/hash-embedding.ts'
import { createIndex } from './document-index.ts'
import { hierarchical, type OfDocument } from './hierarchical.ts'
import { memoryVectorStore } from './memory-vector-store.ts'
import { multiQuery, type Finder } from './multi-query.ts'

type Asked = { query: string; limit: number; filter?: unknown; signal?: AbortSignal | undefined }

/** Answers by a table; remembers what it was asked. */
function table(answers: Readonly<Record<string, readonly string[]>>): Finder<OfDocument> & { asked: Asked[] } {
  const asked: Asked[] = []
  return {
    asked,
    async retrieve(query, options) {
      asked.push({ query, ...options })
      const ids = answers[query] ?? []
      return ids.slice(0, options.limit).map((id) => ({ id, document: id[0]!, text: id, source: 's', score: 0.5 }))
    },
  }
}

const ids = (found: readonly RetrievedDocument[]): string[] => found.map(({ id }) => id)

describe('multiQuery', () => {
  it('joins what is found for each way to ask, by rank', async () => {
    const retriever = table({ boat: ['a', 'b', 'c'], ship: ['b', 'd'], vessel: ['b', 'a'] })
    const many = multiQuery({ retriever, queries: () => ['ship', 'vessel', 'boat', ' ', 'ship'] })
    const found = await many.retrieve('boat', { limit: 3 })
    assert.deepEqual(ids(found), ['b', 'a', 'd'])
    assert.ok(Math.abs(found[0]!.score - (61 / 62 + 1 + 1) / 3) < 1e-12)
    assert.deepEqual(
      retriever.asked.map(({ query }) => query),
      ['boat', 'ship', 'vessel'],
      'each way once, blank ones never',
    )
    assert.equal((await multiQuery({ retriever, queries: () => [] }).retrieve('boat', { limit: 1 }))[0]!.score, 1)
  })

  it('asks no more ways than it may, with the same filter and signal', async () => {
    const retriever = table({})
    const { signal } = new AbortController()
    const filter = { key: 'k', equals: 1 }
    const many = multiQuery({ retriever, queries: async () => ['1', '2', '3', '4'], most: 3 })
    assert.deepEqual(await many.retrieve('q', { limit: 7, filter, signal }), [])
    assert.deepEqual(
      retriever.asked,
      ['q', '1', '2'].map((query) => ({ query, limit: 7, filter, signal })),
    )
  })

  it('fails when a question cannot be put or asked, and stops when it is told to', async () => {
    const retriever = table({})
    const broken = multiQuery({ retriever, queries: () => Promise.reject(new Error('no model')) })
    await assert.rejects(broken.retrieve('q', { limit: 1 }), /no model/)
    const signal = AbortSignal.abort(new Error('enough'))
    await assert.rejects(multiQuery({ retriever, queries: () => [] }).retrieve('q', { limit: 1, signal }), /enough/)
    assert.equal(retriever.asked.length, 0)
  })

  it('finds in an index what one way to ask alone does not', async () => {
    const index = createIndex({ store: memoryVectorStore(), embedding: hashEmbedding() })
    await index.add([
      { id: 'reef', text: 'Take in canvas when the gusts grow strong.' },
      { id: 'tea', text: 'Boil water for tea and wait five minutes.' },
      { id: 'anchor', text: 'Drop the anchor in sand, never on rock.' },
    ])
    const options = { limit: 1 }
    assert.notEqual((await index.search('heavy weather sailing', { mode: 'text' })).length, 1)
    const many = multiQuery({ retriever: index, queries: () => ['strong gusts', 'take in canvas'] })
    const [found] = await many.retrieve('heavy weather sailing', options)
    assert.deepEqual([found!.id, found!.citation.document], ['reef#0', 'reef'])
  })
})

describe('hierarchical', () => {
  it('looks into the documents whose summaries fit', async () => {
    const passages = table({ q: ['b2', 'b1'] })
    const summaries = table({ q: ['b', 'c', 'a'] })
    const filter = { key: 'k', equals: 1 }
    const { signal } = new AbortController()
    const found = await hierarchical({ passages, summaries, documents: 2 }).retrieve('q', { limit: 9, filter, signal })
    assert.deepEqual(ids(found), ['b2', 'b1'])
    assert.deepEqual(summaries.asked, [{ query: 'q', limit: 2, filter, signal }])
    const within = { document: ['b', 'c'] }
    assert.deepEqual(passages.asked, [{ query: 'q', limit: 9, filter: { and: [within, filter] }, signal }])
  })

  it('picks documents by their passages where there are no summaries', async () => {
    const passages = table({ q: ['a1', 'b1', 'b2', 'b3', 'c1', 'c2'] })
    await hierarchical({ passages, documents: 2 }).retrieve('q', { limit: 3 })
    assert.deepEqual(passages.asked[0], { query: 'q', limit: 20, filter: undefined, signal: undefined })
    assert.deepEqual(passages.asked[1]!.filter, { document: ['b', 'a'] })
  })

  it('refuses options that are none, and counts that cannot be meant', () => {
    const passages = table({})
    for (const documents of [0, Number.NaN, 1_001, 1.5]) {
      assert.throws(() => hierarchical({ passages, documents }), { code: 'invalid_option' })
    }
    for (const most of [0, Number.NaN, -1]) {
      assert.throws(() => multiQuery({ retriever: passages, queries: () => [], most }), { code: 'invalid_option' })
    }
    for (const none of [undefined, null, {}, () => []]) {
      const message = /must have retrieve/
      assert.throws(() => hierarchical({ passages: none } as never), { code: 'invalid_option', message })
      assert.throws(() => multiQuery({ retriever: none, queries: () => [] } as never), { message })
      if (none === undefined) continue
      assert.throws(() => hierarchical({ passages, summaries: none } as never), { message: /^summaries must/ })
    }
    assert.throws(() => multiQuery({ retriever: passages } as never), { message: /queries must be a function/ })
    assert.throws(() => hierarchical({ passages, document: 3 } as never), { code: 'unknown_option' })
    assert.throws(() => multiQuery({ retriever: passages, query: () => [] } as never), { code: 'unknown_option' })
  })

  it('finds nothing where no document fits', async () => {
    const passages = table({})
    assert.deepEqual(await hierarchical({ passages, summaries: table({}) }).retrieve('q', { limit: 3 }), [])
    assert.equal(passages.asked.length, 0)
  })

  it('finds over indexes what a flat search takes from the wrong document', async () => {
    const embedding = hashEmbedding()
    const passages = createIndex({ store: memoryVectorStore(), embedding, chunk: { size: 60, overlap: 0 } })
    const summaries = createIndex({ store: memoryVectorStore(), embedding })
    await passages.add([
      { id: 'bread', text: 'Knead the dough for ten minutes. Let it rest for an hour in the warm kitchen.' },
      { id: 'boat', text: 'Sand the hull for ten minutes. Let it rest for an hour until the paint is dry.' },
    ])
    await summaries.add([
      { id: 'bread', text: 'How to bake bread at home' },
      { id: 'boat', text: 'How to paint a boat' },
    ])
    const both = hierarchical({ passages, summaries, documents: 1 })
    for (const [document, query] of [
      ['boat', 'paint a boat: rest for an hour'],
      ['bread', 'bake bread: rest for an hour'],
    ] as const) {
      const found = await both.retrieve(query, { limit: 5 })
      assert.ok(found.length > 0 && found.every((passage) => passage.document === document), query)
    }
  })
})
