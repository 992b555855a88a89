import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { VectorStore } from '../port/vector-store.ts'
import { vectorStoreBehaviour } from '../testing/vector-store-behaviour.ts'
import { takeVectorCourse } from '../testing/vector-store-course.ts'
import { memoryVectorStore } from './memory-vector-store.ts'

describe('memoryVectorStore', () => {
  for (const { name, shared, run } of vectorStoreBehaviour) {
    it(name, { skip: shared && 'memory has one handle' }, () => run({ store: memoryVectorStore() }))
  }

  it('does not search wider for a slip in the name of a filter', async () => {
    const query = { text: 'x', limit: 1, filtr: { document: ['a'] } }
    await assert.rejects(memoryVectorStore().search(query), {
      code: 'unknown_option',
      message: /Did you mean 'filter'/,
    })
  })

  it('answers like a naive store through thirty more courses', async () => {
    for (let seed = 100; seed < 130; seed++) await takeVectorCourse([memoryVectorStore()], { seed, steps: 15 })
  })
})

describe('the list of behaviours', () => {
  // Each broken store must be caught by at least one case.
  const broken: Record<string, (whole: VectorStore) => VectorStore> = {
    'ignores filters': (whole) => ({
      ...whole,
      search: (query, options) => whole.search({ ...query, filter: undefined }, options),
    }),
    'ignores minScore': (whole) => ({
      ...whole,
      search: (query, options) => whole.search({ ...query, minScore: undefined }, options),
    }),
    'forgets to replace': (whole) => ({ ...whole, upsert: (items) => whole.upsert(items) }),
    'writes by halves': (whole) => ({
      ...whole,
      async upsert(items, options) {
        for (const item of items) await whole.upsert([item], options)
      },
    }),
    'replaces in two writes': (whole) => ({
      ...whole,
      async upsert(items, { replacing, signal } = {}) {
        await whole.delete({ documents: replacing ?? [] }, { signal })
        await new Promise<void>((resolve) => queueMicrotask(resolve))
        await whole.upsert(items, { signal })
      },
    }),
    'looks at some of the vectors only': (whole) => ({
      ...whole,
      async search(query, options) {
        const found = await whole.search({ ...query, limit: query.limit + 1 }, options)
        return found.filter(({ id }) => !id.endsWith('5')).slice(0, query.limit)
      },
    }),
    'joins by adding scores': (whole) => ({
      ...whole,
      async search(query, options) {
        const found = [...(await whole.search(query, options))]
        if (query.vector === undefined || query.text === undefined) return found
        return found.sort(
          (a, b) => (b.vectorScore ?? 0) + (b.textScore ?? 0) - (a.vectorScore ?? 0) - (a.textScore ?? 0),
        )
      },
    }),
    'drops the vectors that it cannot take': (whole) => ({
      ...whole,
      upsert: (items, options) =>
        whole.upsert(items, options).catch(() => whole.upsert(items.slice(0, 1), options).catch(() => {})),
    }),
    'answers from what it knew before': (whole) => {
      const known = new Map<string, Awaited<ReturnType<VectorStore['search']>>>()
      return {
        ...whole,
        async search(query, options) {
          const key = JSON.stringify(query)
          const answer = known.get(key) ?? (await whole.search(query, options))
          known.set(key, answer)
          return answer
        },
      }
    },
    'hands out what it keeps': (whole) => {
      const given = new Map<string, Awaited<ReturnType<VectorStore['get']>>>()
      return {
        ...whole,
        async get(ids, options) {
          const key = JSON.stringify(ids)
          given.set(key, given.get(key) ?? (await whole.get(ids, options)))
          return given.get(key)!
        },
      }
    },
  }
  for (const [what, breakIt] of Object.entries(broken)) {
    it(`catches a store that ${what}`, async () => {
      const outcomes = await Promise.allSettled(
        vectorStoreBehaviour
          .filter(({ shared }) => !shared)
          .map(({ run }) => run({ store: breakIt(memoryVectorStore()) })),
      )
      assert.ok(outcomes.some(({ status }) => status === 'rejected'))
    })
  }
})
