// W16, finding passages: 10,000 and 100,000 of them with clustered vectors of 384 numbers and 60 words, in memory and in a
// SQLite file. The floor multiplies every vector and keeps the best ten, and nothing else.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryVectorStore, type VectorItem, type VectorQuery, type VectorStore } from 'tellurion/knowledge'
import { sqliteVectorStore } from 'tellurion/sqlite'
import { seededSetup } from 'tellurion/testing'
import { median } from '../measure.ts'
import { expectEqual } from '../subject.ts'
import type { Figures, Scale, Workload } from './workload.ts'

const dimensions = 384
const clusters = 100
const words = 60
const limit = 10
const queries = 25

/** The same passages and questions for every cell: vectors around centres, words by Zipf's law. */
function source(): {
  item: (index: number) => VectorItem
  vector: () => Float32Array
  text: (count: number) => string
} {
  const { random } = seededSetup(15)
  const centres = Array.from({ length: clusters }, () =>
    Float32Array.from({ length: dimensions }, () => random() - 0.5),
  )
  const vector = (): Float32Array => {
    const centre = centres[Math.floor(random() * clusters)]!
    return centre.map((value) => value + (random() + random() - 1) * 0.6)
  }
  const text = (count: number): string => {
    const parts = Array.from({ length: count }, () => `w${Math.floor(20_000 ** random())}`)
    return parts.join(' ')
  }
  const item = (index: number): VectorItem => ({
    id: `p${index}`,
    document: `d${Math.floor(index / 20)}`,
    source: 'bench',
    text: text(words),
    vector: vector(),
    metadata: { year: 2_000 + (index % 25) },
  })
  return { item, vector, text }
}

/** What every cell is asked; each gives milliseconds, as the median over all questions. */
async function measure(
  size: number,
  open: () => Promise<{ store: VectorStore; reopen: () => Promise<VectorStore>; close: () => Promise<void> }>,
): Promise<Figures> {
  const { item, vector, text } = source()
  const { store: first, reopen, close } = await open()
  const vectors: Float32Array[] = []
  let fill = 0
  for (let start = 0; start < size; start += 500) {
    const items = Array.from({ length: 500 }, (_, index) => item(start + index))
    for (const { vector: one } of items) vectors.push(one as Float32Array)
    const began = performance.now()
    await first.upsert(items)
    fill += performance.now() - began
  }
  const store = await reopen()
  const ask = async (make: () => VectorQuery): Promise<number> => {
    const times: number[] = []
    for (let round = 0; round < queries; round++) {
      const query = make()
      const began = performance.now()
      const found = await store.search(query)
      times.push(performance.now() - began)
      expectEqual(found.length, limit)
    }
    return median(times)
  }
  const cold = performance.now()
  await store.search({ vector: vector(), limit })
  const opened = performance.now() - cold
  const figures = {
    vector: await ask(() => ({ vector: vector(), limit })),
    filtered: await ask(() => ({ vector: vector(), limit, filter: { key: 'year', equals: 2_007 } })),
    text: await ask(() => ({ text: text(8), limit })),
    hybrid: await ask(() => ({ vector: vector(), text: text(8), limit })),
    first: opened,
    fill: (fill * 1_000) / size,
    recall: await recall(store, vectors, vector),
  }
  await close()
  return figures
}

/** How many of the ten that are nearest, worked out in full precision, the store finds. */
async function recall(store: VectorStore, vectors: readonly Float32Array[], make: () => Float32Array): Promise<number> {
  const lengths = vectors.map((vector) => Math.hypot(...vector))
  let hits = 0
  for (let round = 0; round < 5; round++) {
    const query = make()
    const scores = vectors.map((vector, index) => {
      let sum = 0
      for (let at = 0; at < dimensions; at++) sum += vector[at]! * query[at]!
      return { id: `p${index}`, score: sum / lengths[index]! }
    })
    const nearest = new Set(
      scores
        .toSorted((a, b) => b.score - a.score)
        .slice(0, limit)
        .map(({ id }) => id),
    )
    const found = await store.search({ vector: query, limit })
    hits += found.filter(({ id }) => nearest.has(id)).length
  }
  return hits / (5 * limit)
}

function inMemory(size: number): Promise<Figures> {
  return measure(size, async () => {
    const store = memoryVectorStore()
    return { store, reopen: async () => store, close: () => store.close() }
  })
}

function inFile(size: number): Promise<Figures> {
  return measure(size, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tellurion-bench-'))
    const path = join(folder, 'vectors.db')
    let store = await sqliteVectorStore(path)
    return {
      store,
      async reopen() {
        await store.close()
        return (store = await sqliteVectorStore(path))
      },
      async close() {
        await store.close()
        rmSync(folder, { recursive: true })
      },
    }
  })
}

/** The bare scan over one block of memory. */
function bare(size: number): Figures {
  const { vector } = source()
  const rows = new Float32Array(size * dimensions)
  for (let row = 0; row < size; row++) rows.set(vector(), row * dimensions)
  const times: number[] = []
  for (let round = 0; round < queries; round++) {
    const query = vector()
    const best: { row: number; score: number }[] = []
    const began = performance.now()
    for (let row = 0; row < size; row++) {
      const start = row * dimensions
      let score = 0
      for (let at = 0; at < dimensions; at++) score += rows[start + at]! * query[at]!
      if (best.length === limit && score <= best[limit - 1]!.score) continue
      best.push({ row, score })
      best.sort((a, b) => b.score - a.score)
      best.length = Math.min(best.length, limit)
    }
    times.push(performance.now() - began)
    expectEqual(best.length, limit)
  }
  return { vector: median(times) }
}

const sized = (size: number, { quick }: Scale): number => (quick ? size / 10 : size)

export default {
  title: 'W16 finding passages: vectors of 384 numbers, 60 words each; milliseconds a search, the best ten',
  metrics: [
    { name: 'vector', unit: 'vector', better: 'lower' },
    { name: 'filtered', unit: '4 % of them', better: 'lower' },
    { name: 'text', unit: '8 words', better: 'lower' },
    { name: 'hybrid', unit: 'both', better: 'lower' },
    { name: 'first', unit: 'the first', better: 'lower' },
    { name: 'fill', unit: 'µs to write one', better: 'lower' },
    { name: 'recall', unit: 'recall', better: 'higher' },
  ],
  cells: {
    'loop 10k': (scale) => bare(sized(10_000, scale)),
    'memory 10k': (scale) => inMemory(sized(10_000, scale)),
    'sqlite 10k': (scale) => inFile(sized(10_000, scale)),
    'loop 100k': (scale) => bare(sized(100_000, scale)),
    'memory 100k': (scale) => inMemory(sized(100_000, scale)),
    'sqlite 100k': (scale) => inFile(sized(100_000, scale)),
  },
  targets: [
    { cell: 'memory 10k', metric: 'vector', over: 'loop 10k', most: 1 },
    { cell: 'sqlite 10k', metric: 'vector', over: 'loop 10k', most: 1.1 },
    { cell: 'memory 100k', metric: 'vector', over: 'loop 100k', most: 1 },
    { cell: 'sqlite 100k', metric: 'vector', over: 'loop 100k', most: 1.1 },
    { cell: 'memory 100k', metric: 'recall', least: 1 },
    { cell: 'sqlite 100k', metric: 'recall', least: 1 },
  ],
} satisfies Workload
