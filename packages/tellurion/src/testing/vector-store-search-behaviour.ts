// How every vector store finds: by nearness, by words, by both; within filters.

import type { MetadataFilter } from '../port/metadata-filter.ts'
import { filterBounds } from '../port/vector/filter.ts'
import { draftItem, found, near, refuses, same, type VectorStoreCase } from './vector-store-bench.ts'

/** The cases about finding. */
export const vectorSearchBehaviour: readonly VectorStoreCase[] = [
  {
    name: 'finds the nearest by cosine, whatever the length of the vectors',
    async run({ store }) {
      const vectors = { east: [10, 0], north: [0, 0.1], northEast: [3, 3], west: [-1, 0] }
      await store.upsert(Object.entries(vectors).map(([id, vector]) => draftItem(id, { vector })))
      const answer = await store.search({ vector: [2, 0], limit: 10 })
      same(
        answer.map(({ id }) => id),
        ['east', 'northEast', 'north', 'west'],
        'the order',
      )
      const scores = [1, Math.SQRT1_2, 0, -1]
      answer.forEach(({ score, vectorScore, textScore }, place) => {
        near(score, scores[place], `the score at ${place}`)
        same([vectorScore, textScore], [score, undefined], 'which score it is')
      })
      same(await found(store, { vector: [2, 0], limit: 2 }), ['east', 'northEast'], 'two of them')
      same(await found(store, { vector: [2, 0], limit: 9, minScore: 0.5 }), ['east', 'northEast'], 'from a score on')
      same(await found(store, { vector: [-5, 0], limit: 1 }), ['west'], 'the other way')
    },
  },
  {
    name: 'of equally near items names the older first, and a rewritten one is new',
    async run({ store }) {
      const items = Array.from({ length: 20 }, (_, index) => draftItem(`i${19 - index}`, { vector: [1, 1] }))
      await store.upsert(items)
      same(await found(store, { vector: [1, 1], limit: 3 }), ['i19', 'i18', 'i17'], 'the oldest three')
      await store.upsert([draftItem('i19', { vector: [2, 2] })])
      same(await found(store, { vector: [1, 1], limit: 2 }), ['i18', 'i17'], 'after the oldest was rewritten')
      same((await found(store, { vector: [1, 1], limit: 20 })).at(-1), 'i19', 'the newest')
    },
  },
  {
    name: 'finds by words: the rare ones count, case and accents do not',
    async run({ store }) {
      const texts = {
        cats: 'The cat sleeps on the mat all day',
        dogs: 'The dog sleeps in the garden',
        zurich: 'The trams of ZÜRICH are blue',
        code: 'Call node:sqlite with snake_case, v2.1',
        more: 'The rest of the week it rains',
      }
      await store.upsert(Object.entries(texts).map(([id, text]) => draftItem(id, { text })))
      same(await found(store, { text: 'cat', limit: 5 }), ['cats'], 'one word')
      same(await found(store, { text: 'zurich', limit: 5 }), ['zurich'], 'without the accent')
      same(
        await found(store, { text: 'SLEEPING cat? sleeps!', limit: 5 }),
        ['cats', 'dogs'],
        'more words, better first',
      )
      same(await found(store, { text: 'snake', limit: 5 }), ['code'], 'a part of a name')
      same(await found(store, { text: 'elephant', limit: 5 }), [], 'a word of none')
      same(await found(store, { text: ' ?! ', limit: 5 }), [], 'no word at all')
      const [first] = await store.search({ text: 'cat', limit: 1 })
      same([first!.score > 0 && first!.score < 1, first!.textScore === first!.score], [true, true], 'the score')
      same(await found(store, { text: 'the', limit: 9 }).then((ids) => ids.length), 4, 'a word of most, alone')
      same(await found(store, { text: 'the cat', limit: 9 }), ['cats'], 'a word of most beside a rare one')
    },
  },
  {
    name: 'finds by words in languages without spaces',
    async run({ store }) {
      const texts = {
        ja: '黒猫は静かに眠る。',
        zh: '北京是中国的首都',
        ko: '서울은 대한민국의 수도이다',
        th: 'กรุงเทพเป็นเมืองหลวง',
      }
      await store.upsert(Object.entries(texts).map(([id, text]) => draftItem(id, { text })))
      for (const [word, id] of [
        ['猫', 'ja'],
        ['黒猫', 'ja'],
        ['眠る', 'ja'],
        ['首都', 'zh'],
        ['中国', 'zh'],
        ['대한민국', 'ko'],
        ['서울', 'ko'],
        ['กรุงเทพ', 'th'],
      ] as const) {
        same(await found(store, { text: word, limit: 1 }), [id], word)
      }
      same(await found(store, { text: '猫黒', limit: 5 }), [], 'the pair the other way round')
    },
  },
  {
    name: 'searches titles with the text, and nothing else',
    async run({ store }) {
      await store.upsert([
        draftItem('titled', { text: 'Run the program.', title: 'Windows › Installation', note: { n: 'secret' } }),
        draftItem('other', { text: 'Read the manual.', metadata: { kind: 'hidden' } }),
        draftItem('third', { text: 'Ask a friend.' }),
      ])
      same(await found(store, { text: 'installation', limit: 5 }), ['titled'], 'by its title')
      same(await found(store, { text: 'secret hidden', limit: 5 }), [], 'by note and metadata')
      const [item] = await store.search({ text: 'windows', limit: 1 })
      same([item!.text, item!.title, item!.note], ['Run the program.', 'Windows › Installation', { n: 'secret' }], 'it')
    },
  },
  {
    name: 'joins nearness and words by rank',
    async run({ store }) {
      await store.upsert([
        draftItem('both', { vector: [1, 0.1], text: 'alpha beta' }),
        draftItem('near', { vector: [1, 0], text: 'gamma' }),
        draftItem('word', { vector: [-1, 0], text: 'alpha alpha alpha' }),
        draftItem('mute', { vector: [0, 1] }),
        draftItem('blind', { text: 'delta' }),
        draftItem('far', { text: 'epsilon' }),
      ])
      const answer = await store.search({ vector: [1, 0], text: 'alpha beta', limit: 10 })
      const ids = answer.map(({ id }) => id)
      same(ids, ['both', 'word', 'near', 'mute'], 'the order')
      near(answer[0]!.score, (61 / 62 + 1) / 2, 'the score of the first')
      near(answer[2]!.score, 0.5, 'the score of one that is first in one list')
      same(
        answer.map(({ vectorScore, textScore }) => [vectorScore !== undefined, textScore !== undefined]),
        [
          [true, true],
          [true, true],
          [true, false],
          [true, false],
        ],
        'which scores are given',
      )
      same(await found(store, { vector: [1, 0], text: 'alpha', limit: 5, minScore: 0.6 }), ['both', 'word'], 'from 0.6')
      same((await found(store, { vector: [1, 0], text: 'zeta', limit: 1 }))[0], 'near', 'with words that nobody has')
    },
  },
  {
    name: 'narrows every kind of search by filters of one meaning',
    async run({ store }) {
      const metadata = {
        a: { year: 2020, lang: 'en', tags: ['x', 'y'], draft: false },
        b: { year: 2021, lang: 'de', tags: [], draft: true, none: null },
        c: { year: '2021', lang: 'EN', tags: 'x', draft: 0 },
        d: {},
      }
      const items = Object.entries(metadata).map(([id, fields]) =>
        draftItem(id, { document: `doc ${id}`, source: `from ${id}`, text: 'word', vector: [1, 1], metadata: fields }),
      )
      await store.upsert([...items, draftItem('e', { text: 'word', vector: [1, 1] })])
      const cases: readonly (readonly [MetadataFilter, string])[] = [
        [{ key: 'lang', equals: 'en' }, 'a'],
        [{ key: 'draft', equals: false }, 'a'],
        [{ key: 'draft', equals: 0 }, 'c'],
        [{ key: 'none', equals: null }, 'b'],
        [{ key: 'year', in: [2020, '2021'] }, 'ac'],
        [{ key: 'year', in: [] }, ''],
        [{ key: 'year', gt: 2020 }, 'b'],
        [{ key: 'year', gte: 2020, lt: 2021 }, 'a'],
        [{ key: 'year', lte: '3' }, 'c'],
        [{ key: 'tags', has: 'x' }, 'a'],
        [{ key: 'tags', equals: 'x' }, 'c'],
        [{ key: 'tags', exists: true }, 'abc'],
        [{ key: 'none', exists: true }, 'b'],
        [{ key: 'tags', exists: false }, 'de'],
        [{ not: { key: 'lang', equals: 'en' } }, 'bcde'],
        [{ document: ['doc a', 'doc d', 'doc z'] }, 'ad'],
        [{ source: ['from b', 'test'] }, 'be'],
        [{ and: [{ key: 'year', exists: true }, { not: { key: 'draft', equals: true } }] }, 'ac'],
        [
          {
            or: [
              { key: 'lang', equals: 'de' },
              { key: 'draft', equals: 0 },
            ],
          },
          'bc',
        ],
        [{ and: [] }, 'abcde'],
        [{ or: [] }, ''],
      ]
      for (const [filter, wanted] of cases) {
        const said = JSON.stringify(filter)
        for (const query of [{ vector: [1, 1] }, { text: 'word' }, { vector: [1, 1], text: 'word' }]) {
          same((await found(store, { ...query, limit: 9, filter })).join(''), wanted, said)
        }
        same(await store.count({ filter }), wanted.length, `the count of ${said}`)
      }
    },
  },
  {
    name: 'refuses queries and filters that are none',
    async run({ store }) {
      await store.upsert([draftItem('a', { vector: [1, 2], text: 'a' })])
      const ask = (query: object) => () => store.search(query as Parameters<typeof store.search>[0])
      await refuses(ask({ limit: 1 }), 'invalid_option', 'vector', 'text')
      for (const limit of [0, -1, 1.5, Number.NaN, 1e6, undefined, '3']) {
        await refuses(ask({ text: 'a', limit }), 'invalid_option', 'limit')
      }
      await refuses(ask({ text: 'a', limit: 1, minScore: Number.NaN }), 'invalid_option', 'minScore')
      await refuses(ask({ text: 5, limit: 1 }), 'invalid_option', 'text')
      for (const vector of [[1, 2, 3], [1], [], [0, 0], [1, Number.NaN], [1, Infinity], 'text', [1, '2']]) {
        await refuses(ask({ vector, limit: 1 }), 'invalid_vector')
      }
      let deep: object = { and: [] }
      for (let level = 0; level < filterBounds.depth + 1; level++) deep = { not: deep }
      const wide = { or: Array.from({ length: filterBounds.conditions }, () => ({ and: [] })) }
      const bad = [
        null,
        [],
        'a = 1',
        {},
        { equals: 1 },
        { key: 'a' },
        { key: 'a', equals: {} },
        { key: 'a', equals: Number.NaN },
        { key: 'a', equals: 1, has: 1 },
        { key: 'a', equal: 1 },
        { key: 1, equals: 1 },
        { key: 'a', gt: null },
        { key: 'a', in: 'abc' },
        { key: 'a', exists: 'yes' },
        { key: 'a\ud800', equals: 1 },
        { and: {} },
        { not: [] },
        { document: 'a' },
        { documents: ['a'] },
        { and: [], or: [] },
        { $where: '1' },
        deep,
        wide,
        { key: 'a', in: Array.from({ length: filterBounds.values + 1 }, () => 1) },
      ]
      for (const filter of bad) await refuses(ask({ text: 'a', limit: 1, filter }), 'invalid_option', 'filter')
      await refuses(ask({ text: 'a', limit: 1, filter: { key: 'a', equal: 1 } }), 'invalid_option', 'equals')
      const many = { key: 'a', in: Array.from({ length: filterBounds.values }, (_, index) => index) }
      same(await found(store, { text: 'a', limit: 1, filter: many }), [], 'as many values as there may be')
      const full = { or: Array.from({ length: filterBounds.conditions - 1 }, () => ({ key: 'a', gt: 1 })) }
      same(await found(store, { text: 'a', limit: 1, filter: full }), [], 'as many conditions as there may be')
    },
  },
]
