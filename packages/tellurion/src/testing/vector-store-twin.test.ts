// The vector stores of this project, side by side: what one answers the other answers, to the last score.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { seededRandom } from '../id/random.ts'
import { memoryVectorStore } from '../knowledge/memory-vector-store.ts'
import type { MetadataFilter } from '../port/metadata-filter.ts'
import type { VectorItem } from '../port/vector-store.ts'
import { sqliteVectorStore } from '../store/sqlite/vector-store.ts'
import { draftItem } from './vector-store-bench.ts'

const folder = mkdtempSync(join(tmpdir(), 'tellurion-vector-twin-'))
after(() => rmSync(folder, { recursive: true, force: true }))

describe('vector stores in memory and in a file', () => {
  it('give the same answers, to the last score', async () => {
    const random = seededRandom(7)
    const words = Array.from({ length: 60 }, (_, index) => `w${index}`)
    const some = (count: number): string =>
      Array.from({ length: count }, () => words[Math.floor(random() ** 3 * 60)]).join(' ')
    const vector = (): number[] => Array.from({ length: 24 }, () => random() - 0.5)
    const items = Array.from({ length: 600 }, (_, index): VectorItem =>
      draftItem(`i${index}`, { text: some(20), vector: vector(), metadata: { n: index % 7 } }),
    )
    const [file, memory] = [
      await sqliteVectorStore(join(folder, 'one.db'), { synchronous: 'normal' }),
      memoryVectorStore(),
    ]
    for (const store of [file, memory]) {
      await store.upsert(items)
      await store.delete({ ids: items.slice(100, 200).map(({ id }) => id) })
    }
    const filters: readonly (MetadataFilter | undefined)[] = [undefined, { key: 'n', in: [1, 3] }]
    for (let round = 0; round < 20; round++) {
      for (const filter of filters) {
        for (const query of [{ vector: vector() }, { text: some(4) }, { vector: vector(), text: some(4) }]) {
          const asked = { ...query, limit: 10, filter }
          const [ours, theirs] = [await file.search(asked), await memory.search(asked)]
          assert.deepEqual(
            ours.map(({ id }) => id),
            theirs.map(({ id }) => id),
          )
          ours.forEach(({ score }, place) => assert.ok(Math.abs(score - theirs[place]!.score) < 1e-12))
        }
      }
    }
    await file.close()
  })
})
