// What every vector store does: the one list that a new backend or an adapter runs. Writing, finding, refusing, many
// callers at once, random courses beside a naive store.

import { macrotask } from './virtual-clock.ts'
import { draftItem, found, near, refuses, same, type VectorStoreCase } from './vector-store-bench.ts'
import { takeVectorCourse } from './vector-store-course.ts'
import { vectorSearchBehaviour } from './vector-store-search-behaviour.ts'

const hostile = [
  '__proto__',
  'constructor',
  "a'b",
  'a"b',
  "'); DROP TABLE item; --",
  'nul\0in',
  '\0',
  '%',
  '$.a[0]',
  '*',
  ' ',
  'a\nb',
  'ü',
  'u\u0308',
  '🌍',
  '‮abc',
  'x'.repeat(1_024),
]

const writeBehaviour: readonly VectorStoreCase[] = [
  {
    name: 'gives back what was written, and keeps its own copy',
    async run({ store }) {
      const metadata = { list: ['x'], deep: { n: 1.5 }, none: null }
      const vector = [3, 4]
      const whole = { title: 'T', text: 'words', vector, metadata, note: { start: 1 } }
      await store.upsert([draftItem('whole', whole), draftItem('bare', { text: '' })])
      metadata.list.push('y')
      vector[0] = 0
      const wanted = { id: 'whole', document: 'd', source: 'test', text: 'words', title: 'T' }
      for (const round of ['first', 'second']) {
        const [item, bare] = await store.get(['whole', 'bare', 'nobody'])
        const { vector: kept, metadata: fields, note, ...rest } = item!
        same(rest, wanted, `the item, ${round} time`)
        same([fields, note], [{ list: ['x'], deep: { n: 1.5 }, none: null }, { start: 1 }], 'metadata and note')
        near(kept![0], 0.6, 'the vector, brought to length 1')
        near(kept![1], 0.8, 'the vector, brought to length 1')
        same(bare, { id: 'bare', document: 'd', source: 'test', text: '' }, 'the bare one')
        kept!.fill(9)
        ;(fields as { list: string[] }).list.push('z')
      }
      const [scored] = await store.search({ vector: [3, 4], limit: 1 })
      near(scored!.score, 1, 'the score after a reader changed its copy')
    },
  },
  {
    name: 'writes over items of the same id, and counts each once',
    async run({ store }) {
      await store.upsert([draftItem('a', { text: 'one', vector: [1, 0] }), draftItem('a', { text: 'two' })])
      same([await store.count(), (await store.get(['a']))[0]!.text], [1, 'two'], 'twice in one write')
      await store.upsert([draftItem('a', { text: 'three', document: 'e', metadata: { n: 1 } })])
      same(await found(store, { text: 'two', limit: 9 }), [], 'by the old words')
      same(await found(store, { text: 'three', limit: 9 }), ['a'], 'by the new ones')
      same(await found(store, { vector: [1, 0], limit: 9 }), [], 'by the vector it no longer has')
      same(
        (await store.documents()).map(({ document }) => document),
        ['e'],
        'in its new document',
      )
      same(await store.count({ filter: { key: 'n', equals: 1 } }), 1, 'by its metadata')
    },
  },
  {
    name: 'replaces the items of documents in one write',
    async run({ store }) {
      const items = ['a#0', 'a#1', 'b#0'].map((id) => draftItem(id, { document: id[0]!, text: `old ${id}` }))
      await store.upsert(items)
      await store.upsert([draftItem('a#1', { document: 'a', text: 'new' })], { replacing: ['a', 'never'] })
      same(
        (await store.get(['a#0', 'a#1', 'b#0'])).map(({ text }) => text),
        ['new', 'old b#0'],
        'what is left',
      )
      await store.upsert([], { replacing: ['b'] })
      same(await store.count(), 1, 'replaced by nothing')
    },
  },
  {
    name: 'deletes by id and by document, and says how many went',
    async run({ store }) {
      const items = ['a#0', 'a#1', 'b#0', 'b#1'].map((id) => draftItem(id, { document: id[0]!, vector: [1, 1] }))
      await store.upsert(items)
      same(await store.delete({ ids: ['a#0', 'a#0', 'nobody'] }), 1, 'by id')
      same(await store.delete({ ids: ['a#0'] }), 0, 'once more')
      same(await store.delete({ documents: ['b', 'never'] }), 2, 'by document')
      same(await found(store, { vector: [1, 1], limit: 9 }), ['a#1'], 'what is found')
      same(
        [await store.count(), await store.documents()],
        [1, [{ document: 'a', source: 'test', items: 1 }]],
        'the rest',
      )
      same(await store.delete({ ids: [] }), 0, 'nothing')
    },
  },
  {
    name: 'lists documents by name, in pages',
    async run({ store }) {
      const names = ['b', 'B', 'a', 'ä', '\u{10000}', '\ue000', 'a2', 'a10']
      await store.upsert(names.map((document) => draftItem(`${document}#0`, { document })))
      await store.upsert([draftItem('a#1', { document: 'a', source: 'newer' })])
      const all = await store.documents()
      same(
        all.map(({ document }) => document),
        ['B', 'a', 'a10', 'a2', 'b', 'ä', '\ue000', '\u{10000}'],
        'the order',
      )
      same(all[1], { document: 'a', source: 'test', items: 2 }, 'one of them')
      const page = await store.documents({ after: 'a', limit: 2 })
      same(
        page.map(({ document }) => document),
        ['a10', 'a2'],
        'a page',
      )
      for (const limit of [0, 1.5, 1e9]) await refuses(() => store.documents({ limit }), 'invalid_option', 'limit')
    },
  },
  {
    name: 'takes any text as id, document, source, key and value',
    async run({ store }) {
      const keys = hostile.filter((key) => !['__proto__', 'constructor'].includes(key))
      await store.upsert(
        hostile.map((name, index) =>
          draftItem(name, {
            document: name,
            source: name,
            text: `${name} word${index}`,
            metadata: Object.fromEntries(keys.map((key) => [key, key === name ? name : [name]])),
          }),
        ),
      )
      same(await store.count(), hostile.length, 'how many')
      for (const [index, name] of hostile.entries()) {
        const said = JSON.stringify(name)
        same((await store.get([name]))[0]?.source, name, `get ${said}`)
        same(await found(store, { text: `word${index} ${name}`, limit: 1 }), [name], `found by words, ${said}`)
        for (const filter of [{ document: [name] }, { source: [name] }]) {
          same(await found(store, { text: `word${index}`, limit: 9, filter }), [name], `filter ${said}`)
        }
        same(await store.count({ filter: { key: name, equals: name } }), keys.includes(name) ? 1 : 0, `field ${said}`)
        if (!keys.includes(name)) continue
        same(await store.count({ filter: { key: name, has: name } }), 0, `list ${said}`)
        same(await store.count({ filter: { key: name, exists: true } }), hostile.length, `field is there ${said}`)
      }
      for (const text of [
        '"',
        'a" OR b',
        'AND',
        'NOT',
        'NEAR(a b)',
        'a*',
        'text:',
        '^a',
        '-a',
        '(',
        'a + b',
        '{a}: b',
      ]) {
        await store.search({ text, limit: 3 })
      }
      same(await store.delete({ documents: hostile }), hostile.length, 'all are deleted')
    },
  },
]

const refusalBehaviour: readonly VectorStoreCase[] = [
  {
    name: 'refuses vectors that are none, says what to do, and writes nothing of that call',
    async run({ store }) {
      await store.upsert([draftItem('first', { vector: [1, 2, 3], text: 'first' })])
      const bad: readonly (readonly [unknown, string])[] = [
        [[1, 2], '2 dimensions'],
        [[1, 2, 3, 4], '4 dimensions'],
        [[], '1 to'],
        [[0, 0, 0], 'all zeros'],
        [[1, Number.NaN, 3], 'NaN at 1'],
        [[1, 2, Infinity], 'Infinity at 2'],
        [[1, null, 3], 'null at 1'],
        [[1, '2', 3], '2 at 1'],
        [Array(70_000).fill(1), '1 to'],
        ['123', '1 to'],
        [null, '1 to'],
        [7, '1 to'],
      ]
      for (const [vector, words] of bad) {
        const items = [
          draftItem('good', { vector: [1, 1, 1], text: 'good' }),
          draftItem('bad', { vector: vector as number[], text: 'bad' }),
        ]
        await refuses(() => store.upsert(items, { replacing: ['d'] }), 'invalid_vector', words)
        same([await store.count(), await found(store, { text: 'good', limit: 9 })], [1, []], `after ${words}`)
      }
      const mixed = [draftItem('x', { vector: [1, 1, 1] }), draftItem('y', { vector: [1, 1] })]
      await refuses(() => store.upsert(mixed), 'invalid_vector', 'dimensions', 'embedding model')
      same(await found(store, { vector: [1, 2, 3], limit: 9 }), ['first'], 'what is there')
      for (const vector of [
        [1e300, 1e300, 0],
        [5e-324, 0, 0],
        new Float32Array([1, 1, 1]),
        new Float64Array([1, 0, 0]),
      ]) {
        await store.upsert([draftItem('odd', { vector })])
        const [one] = await store.search({ vector, limit: 1, filter: { key: 'x', exists: false } })
        near(one!.score, 1, 'numbers at the end of what there is')
      }
    },
  },
  {
    name: 'takes another length of vectors when the last one is gone',
    async run({ store }) {
      await store.upsert([draftItem('a', { vector: [1, 2] }), draftItem('text')])
      await refuses(() => store.upsert([draftItem('b', { vector: [1, 2, 3] })]), 'invalid_vector')
      await store.delete({ ids: ['a'] })
      same(await found(store, { vector: [1, 2, 3, 4], limit: 1 }), [], 'a query of any length')
      await store.upsert([draftItem('b', { vector: [1, 2, 3] })])
      same(await found(store, { vector: [1, 2, 3], limit: 9 }), ['b'], 'the new length')
      await refuses(() => store.search({ vector: [1, 2], limit: 1 }), 'invalid_vector', '2 dimensions', '3')
    },
  },
  {
    name: 'refuses items that are none, and writes nothing of that call',
    async run({ store }) {
      const circle: Record<string, unknown> = {}
      circle['self'] = circle
      const bad: readonly object[] = [
        { id: '' },
        { id: 5 },
        { id: 'x'.repeat(1_025) },
        { id: '\ud800' },
        { document: '' },
        { document: undefined },
        { source: '' },
        { text: 5 },
        { text: '\udc00' },
        { text: 'x'.repeat(1_000_001) },
        { text: undefined },
        { title: 'x'.repeat(10_001) },
        { metadata: [] },
        { metadata: 'text' },
        { metadata: { n: Number.NaN } },
        { metadata: { d: new Date(0) } },
        { metadata: circle },
        { metadata: JSON.parse('{"__proto__": 1}') as object },
        { metadata: { long: 'x'.repeat(100_001) } },
        { note: { f: () => {} } },
      ]
      for (const fields of bad) {
        const items = [draftItem('good'), { ...draftItem('bad'), ...fields }] as Parameters<typeof store.upsert>[0]
        await refuses(() => store.upsert(items), 'invalid_document')
      }
      for (const items of [[null], [5]]) {
        await refuses(() => store.upsert(items as unknown as Parameters<typeof store.upsert>[0]), 'invalid_document')
      }
      same(await store.count(), 0, 'what was written')
      await refuses(() => store.get('abc' as unknown as string[]), 'invalid_option', 'list')
      await refuses(() => store.delete({ ids: [5] as unknown as string[] }), 'invalid_option', 'list')
      same(await store.get(['\ud800', '']), [], 'names that no item can have')
    },
  },
  {
    name: 'does nothing for a signal that is aborted',
    async run({ store }) {
      await store.upsert([draftItem('a', { vector: [1, 1] })])
      const signal = AbortSignal.abort(new Error('enough'))
      const calls: readonly (() => Promise<unknown>)[] = [
        () => store.upsert([draftItem('b')], { signal }),
        () => store.delete({ ids: ['a'] }, { signal }),
        () => store.get(['a'], { signal }),
        () => store.search({ vector: [1, 1], limit: 1 }, { signal }),
        () => store.documents({ signal }),
        () => store.count({ signal }),
      ]
      for (const call of calls) {
        const reason = await call().then(
          (value) => value,
          (error: unknown) => (error instanceof Error ? error.message : error),
        )
        same(reason, 'enough', String(call))
      }
      same(await found(store, { text: 'a b', limit: 9 }), [], 'by words')
      same(await store.count(), 1, 'how many there are')
    },
  },
  {
    name: 'says that it is closed',
    async run({ store }) {
      await store.upsert([draftItem('a')])
      await store.close()
      await store.close()
      await refuses(() => store.upsert([draftItem('b')]), 'store_closed')
      await refuses(() => store.search({ text: 'a', limit: 1 }), 'store_closed')
      await refuses(() => store.get(['a']), 'store_closed')
      await refuses(() => store.delete({ ids: ['a'] }), 'store_closed')
      await refuses(() => store.documents(), 'store_closed')
      await refuses(() => store.count(), 'store_closed')
    },
  },
]

/** Ten writers replace one document again and again; a reader must see one version at a time, whole. */
const versionsOf = (writer: number, round: number, size: number): Parameters<typeof draftItem>[] =>
  Array.from({ length: size }, (_, index) => [
    `d#${index}`,
    { vector: [1, 1], text: 'word', metadata: { version: `${writer}.${round}`, size } },
  ])

const concurrencyBehaviour: readonly VectorStoreCase[] = [
  {
    name: 'shows a replaced document whole at every moment, however many write it',
    async run({ store, again }) {
      const handles = again === undefined ? [store] : [store, await again()]
      let writing = 5
      const writers = Array.from({ length: 5 }, async (_, writer) => {
        for (let round = 0; round < 6; round++) {
          const items = versionsOf(writer, round, 1 + ((writer * 7 + round * 3) % 9)).map((args) => draftItem(...args))
          await handles[(writer + round) % handles.length]!.upsert(items, { replacing: ['d'] })
        }
        writing--
      })
      const readers = handles.flatMap((handle) =>
        [{ vector: [1, 1] }, { text: 'word' }].map(async (query) => {
          while (writing > 0) {
            const items = await handle.search({ ...query, limit: 50 })
            const [first] = items
            same(new Set(items.map(({ metadata }) => metadata!['version'])).size <= 1, true, 'one version')
            if (first !== undefined) same(items.length, first.metadata!['size'], 'all of it')
            await macrotask()
          }
        }),
      )
      await Promise.all([...writers, ...readers])
    },
  },
  {
    name: 'keeps every item of many writers',
    async run({ store }) {
      const ids = Array.from({ length: 60 }, (_, index) => `i${index}`)
      await Promise.all(
        ids.map((id, index) => store.upsert([draftItem(id, { vector: [1, index], text: `word${index}` })])),
      )
      same(await store.count(), 60, 'how many')
      same((await found(store, { vector: [0, 1], limit: 60 })).toSorted(), ids.toSorted(), 'what is found')
      await Promise.all(ids.slice(10).map((id) => store.delete({ ids: [id] })))
      same((await found(store, { vector: [0, 1], limit: 60 })).length, 10, 'what is left')
    },
  },
  {
    name: 'shows at once what another handle wrote',
    shared: true,
    async run({ store, again }) {
      const other = await again!()
      same(await found(other, { vector: [1, 0], limit: 9 }), [], 'nothing yet')
      await store.upsert([draftItem('a', { vector: [1, 0], text: 'one' }), draftItem('b', { vector: [0, 1] })])
      same(await found(other, { vector: [1, 0], limit: 9 }), ['a', 'b'], 'after a write')
      await other.upsert([draftItem('a', { vector: [0, 1], text: 'two' })])
      same(await found(store, { vector: [1, 0], limit: 1, minScore: 0.5 }), [], 'after the other one rewrote it')
      await store.delete({ ids: ['b'] })
      same(await found(other, { vector: [0, 1], limit: 9 }), ['a'], 'after a delete')
      await store.delete({ documents: ['d'] })
      await store.upsert([draftItem('c', { vector: [1, 2, 3] })])
      same(await found(other, { vector: [1, 2, 3], limit: 9 }), ['c'], 'after the length of the vectors changed')
      await refuses(() => other.upsert([draftItem('d', { vector: [1, 2] })]), 'invalid_vector')
      await other.close()
      same(await store.count(), 1, 'after the other one was closed')
    },
  },
]

const courseBehaviour: readonly VectorStoreCase[] = [1, 2, 3, 4].map((seed) => ({
  name: `answers like a naive store through random writes, course ${seed}`,
  async run({ store, again }) {
    await takeVectorCourse(again === undefined ? [store] : [store, await again()], { seed, steps: 40 })
  },
}))

/** The behaviours. Each wants a bench of its own. */
export const vectorStoreBehaviour: readonly VectorStoreCase[] = [
  ...writeBehaviour,
  ...vectorSearchBehaviour,
  ...refusalBehaviour,
  ...concurrencyBehaviour,
  ...courseBehaviour,
]
