// Facts line by line: per user, by key, with confidence, source and expiry; recalled by words and by meaning; forgotten for
// good, whatever was still on its way.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { memoryVectorStore } from '../knowledge/memory-vector-store.ts'
import type { KeyValue } from '../port/key-value.ts'
import { memoryKeyValue } from '../port/memory-key-value.ts'
import type { EmbeddingModel } from '../port/model.ts'
import { hashEmbedding } from '../testing/hash-embedding.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { createFacts, type Facts, type FactsOptions } from './fact-store.ts'
import { keyOf, type NewFact } from './fact.ts'

const day = 86_400_000

function book(options: FactsOptions = {}) {
  const clock = virtualClock(1_000 * day)
  const store = memoryKeyValue({ clock })
  const facts = createFacts(store, { clock, ...options })
  const remember = (user: string, ...given: NewFact[]) => facts.remember(user, given)
  const texts = async (user: string): Promise<string[]> => (await facts.list(user)).map(({ text }) => text)
  return { clock, store, facts, remember, texts }
}

const home: NewFact = { key: 'home town', text: 'Lives in Oslo', confidence: 0.9, source: 'conversation, 2026-03-01' }

describe('a fact', () => {
  test('has a key, a text, a confidence, a source and an end', async () => {
    const { facts, remember, clock } = book()
    const now = clock.now()
    const kept = {
      key: 'home-town',
      text: 'Lives in Oslo',
      confidence: 0.9,
      source: 'conversation, 2026-03-01',
      created: now,
      updated: now,
      expires: now + 90 * day,
    }
    assert.deepEqual(await remember('ada', home), { facts: [kept] })
    assert.deepEqual(await facts.get('ada', 'Home Town'), kept)
    await remember('ada', { key: 'name', text: ' Is called\n Ada ' })
    assert.deepEqual(
      (await facts.list('ada')).map(({ key, text, confidence, source }) => [key, text, confidence, source]),
      [
        ['home-town', 'Lives in Oslo', 0.9, 'conversation, 2026-03-01'],
        ['name', 'Is called Ada', 1, 'program'],
      ],
    )
  })

  test('takes the place of the one with its key', async () => {
    const { facts, remember, clock, texts } = book()
    await remember('ada', home)
    await clock.advance(day)
    await remember('ada', { key: 'HOME_TOWN', text: 'Lives in Bergen' })
    const fact = await facts.get('ada', 'home-town')
    assert.deepEqual([fact?.created, fact?.updated], [clock.now() - day, clock.now()])
    assert.deepEqual(await texts('ada'), ['Lives in Bergen'])
  })

  test('lapses when it is not remembered again', async () => {
    const { facts, remember, clock, texts } = book({ retention: 30 * day })
    await remember('ada', home, { key: 'name', text: 'Ada' })
    await clock.advance(29 * day)
    await remember('ada', home)
    await clock.advance(2 * day)
    assert.deepEqual(await texts('ada'), ['Lives in Oslo'])
    await clock.advance(29 * day)
    assert.deepEqual(await texts('ada'), [])
    assert.equal((await facts.recall('ada', 'Oslo')).facts.length, 0)
    const forEver = book({ retention: Infinity })
    await forEver.remember('ada', home)
    await forEver.clock.advance(10_000 * day)
    assert.equal((await forEver.facts.get('ada', 'home-town'))?.expires, undefined)
    assert.deepEqual(await forEver.texts('ada'), ['Lives in Oslo'])
  })

  test('keys are spelt in one way, in any script', () => {
    for (const [text, key] of [
      ['Home_Town', 'home-town'],
      ['  --home -- town!', 'home-town'],
      ['Любимый чай', 'любимый-чай'],
      ['住所', '住所'],
      ['ﬁsh', 'fish'],
      ['!!!', ''],
    ])
      assert.equal(keyOf(text!), key)
  })
})

describe('users', () => {
  test('never meet, and neither do programs with namespaces of their own', async () => {
    const { store, facts, remember, texts, clock } = book()
    await remember('ada', home)
    await remember('bob', { key: 'home-town', text: 'Lives in Rome' })
    const other = createFacts(store, { namespace: 'other', clock })
    await other.remember('ada', [{ key: 'x', text: 'elsewhere' }])
    assert.deepEqual(
      [await texts('ada'), await texts('bob'), await texts('eve')],
      [['Lives in Oslo'], ['Lives in Rome'], []],
    )
    assert.deepEqual(
      (await facts.recall('bob', 'Oslo')).facts.map(({ text }) => text),
      ['Lives in Rome'],
    )
    assert.equal(await facts.forget('bob'), 1)
    assert.deepEqual([await texts('ada'), (await other.list('ada')).length], [['Lives in Oslo'], 1])
  })

  test('have ids that can be nothing else', async () => {
    const { facts } = book()
    for (const user of ['', '../ada', 'ada/bob', 'a b', 'x'.repeat(65), '*', undefined as never, {} as never]) {
      await assert.rejects(facts.remember(user, [home]), { code: 'invalid_option' })
      await assert.rejects(facts.recall(user, ''), { code: 'invalid_option' })
      await assert.rejects(facts.forget(user), { code: 'invalid_option' })
    }
  })

  test('have at most so many facts: the ones remembered longest ago go', async () => {
    const { remember, clock, texts } = book({ limit: 3 })
    for (const key of ['a', 'b', 'c']) {
      await remember('ada', { key, text: key })
      await clock.advance(1)
    }
    await remember('ada', { key: 'a', text: 'a again' })
    await clock.advance(1)
    await remember('ada', { key: 'd', text: 'd' }, { key: 'e', text: 'e' })
    assert.deepEqual(await texts('ada'), ['a again', 'd', 'e'])
  })
})

describe('what was said earlier', () => {
  test('never replaces what was said later', async () => {
    const { facts, clock, texts } = book()
    const then = clock.now()
    await clock.advance(1_000)
    await facts.remember('ada', [{ key: 'home', text: 'Bergen' }])
    assert.deepEqual(await facts.remember('ada', [{ key: 'home', text: 'Oslo' }], { at: then }), { facts: [] })
    assert.deepEqual(await texts('ada'), ['Bergen'])
  })

  test('law: of many who remember at one time, the newest word stands', async () => {
    const clock = virtualClock(1_000 * day)
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(1_000), { minLength: 1, maxLength: 12 }), async (times) => {
        const facts = createFacts(memoryKeyValue({ clock }), { clock })
        const words = times.map((time) =>
          facts.remember('ada', [{ key: 'k', text: `said at ${time}` }], { at: clock.now() - time }),
        )
        await Promise.all(words)
        assert.equal((await facts.get('ada', 'k'))?.text, `said at ${Math.min(...times)}`)
      }),
    )
  })
})

describe('recalling', () => {
  const about = (...texts: string[]): NewFact[] => texts.map((text, index) => ({ key: `k${index}`, text }))
  const found = async (facts: Facts, query: string, options = {}): Promise<string[]> =>
    (await facts.recall('ada', query, options)).facts.map(({ text }) => text)

  test('gives what fits the words, and then what is certain and new', async () => {
    const { facts, remember, clock } = book()
    await remember(
      'ada',
      ...about('Has a dog named Rex', 'Likes green tea', 'Works as a nurse', 'Plays chess on Sundays'),
    )
    await clock.advance(1)
    await remember('ada', { key: 'lang', text: 'Wants answers in Norwegian', confidence: 0.95 })
    await remember('ada', { key: 'guess', text: 'May like opera', confidence: 0.4 })
    assert.deepEqual(await found(facts, 'What does my dog eat with tea?', { limit: 3 }), [
      'Likes green tea',
      'Has a dog named Rex',
      'Works as a nurse',
    ])
    assert.deepEqual(await found(facts, 'Hello!', { limit: 2 }), ['Has a dog named Rex', 'Likes green tea'])
    assert.equal((await found(facts, '', {})).length, 6)
    assert.deepEqual(await found(facts, 'opera', { limit: 1, minConfidence: 0.9 }), ['Has a dog named Rex'])
    assert.deepEqual(await found(facts, 'norwegian', { limit: 1 }), ['Wants answers in Norwegian'])
    assert.deepEqual((await facts.recall('ada', 'chess', { limit: 1 })).facts[0]?.score, 1)
  })

  test('a fact that is hardly certain stays away', async () => {
    const { facts, remember } = book()
    await remember('ada', { key: 'a', text: 'Perhaps', confidence: 0.2 }, { key: 'b', text: 'Surely', confidence: 0.3 })
    assert.deepEqual(await found(facts, 'perhaps'), ['Surely'])
  })

  test('by meaning, with vectors that hold no text', async () => {
    const vectors = { store: memoryVectorStore(), embedding: hashEmbedding() }
    const { facts, remember } = book({ vectors })
    await remember('ada', ...about('Has three kittens', 'Likes green tea', 'Works as a nurse', 'Plays chess'))
    await remember('bob', { key: 'k0', text: 'Has a kitten, too' })
    assert.deepEqual(await found(facts, 'kitten', { limit: 1 }), ['Has three kittens'])
    const items = await vectors.store.get(['facts/ada/k0', 'facts/bob/k0'])
    assert.deepEqual(
      items.map(({ document, text, title, note }) => [document, text, title, note]),
      [
        ['facts/ada', undefined, undefined, undefined],
        ['facts/bob', undefined, undefined, undefined],
      ],
    )
    await facts.forget('ada', 'k0')
    assert.deepEqual(await vectors.store.get(['facts/ada/k0']), [])
    assert.equal(await facts.forget('ada'), 3)
    assert.deepEqual(
      (await vectors.store.documents()).map(({ document }) => document),
      ['facts/bob'],
    )
  })

  test('goes on by words where there is no meaning to be had, and says why', async () => {
    const down: EmbeddingModel = { name: 'down', embed: () => Promise.reject(new Error('no embeddings today')) }
    const { facts, remember } = book({ vectors: { store: memoryVectorStore(), embedding: down } })
    const kept = await remember('ada', ...about('Has a dog', 'Likes tea'))
    assert.equal(kept.facts.length, 2)
    assert.match(kept.error?.message ?? '', /no embeddings today/)
    const recalled = await facts.recall('ada', 'tea', { limit: 1 })
    assert.deepEqual([recalled.facts[0]?.text, recalled.error?.message], ['Likes tea', 'no embeddings today'])
  })

  test('vectors of a wrong length, or none: an error as data, and facts all the same', async () => {
    const shapes: (readonly number[])[] = [[1, 2], [1, 2, 3], [], [Number.NaN, 1], [0, 0]]
    let call = 0
    const odd: EmbeddingModel = {
      name: 'odd',
      embed: async (texts) => ({ vectors: texts.map(() => shapes[call]!), usage: { inputTokens: 0 } }),
    }
    const { facts, remember } = book({ vectors: { store: memoryVectorStore(), embedding: odd } })
    for (; call < shapes.length; call++) {
      const { error, facts: kept } = await remember('ada', { key: `k${call}`, text: 'x' })
      assert.deepEqual([kept.length, error?.code], [1, call === 0 ? undefined : 'invalid_vector'])
    }
    call = 1
    assert.equal((await facts.recall('ada', 'x', { limit: 2 })).error?.code, 'invalid_vector')
  })

  test('a vector whose fact is gone leads nowhere', async () => {
    const vectors = { store: memoryVectorStore(), embedding: hashEmbedding() }
    const { facts, remember, store } = book({ vectors })
    await remember('ada', ...about('Has a dog', 'Likes tea', 'Plays chess'))
    await store.delete({ scope: 'project', owner: 'facts/ada' }, 'fact/k0')
    assert.equal((await found(facts, 'dog', { limit: 1 })).includes('Has a dog'), false)
  })
})

describe('forgetting', () => {
  test('one fact, or everything', async () => {
    const { facts, remember, texts } = book()
    await remember('ada', home, { key: 'name', text: 'Ada' }, { key: 'tea', text: 'Green' })
    assert.deepEqual([await facts.forget('ada', 'Home Town'), await facts.forget('ada', 'gone')], [1, 0])
    assert.deepEqual(await texts('ada'), ['Ada', 'Green'])
    assert.deepEqual([await facts.forget('ada'), await facts.forget('ada')], [2, 0])
    assert.deepEqual(await texts('ada'), [])
  })

  test('leaves no text behind, and clears the disk where the store can', async () => {
    const clock = virtualClock(day)
    const store = memoryKeyValue({ clock })
    let purged = 0
    const facts = createFacts({ ...store, purge: async () => void purged++ }, { clock })
    await facts.remember('ada', [home])
    await facts.forget('ada')
    assert.equal(purged, 1)
    const left = await store.list({ scope: 'project', owner: 'facts/ada' })
    assert.deepEqual(
      left.map(({ name, value }) => [name, new TextDecoder().decode(value)]),
      [['forgotten', `{"at":${day}}`]],
    )
  })

  test('more than one page of them', async () => {
    const { facts, store } = book()
    for (let index = 0; index < 2_500; index++) {
      await store.set({ scope: 'project', owner: 'facts/ada' }, `fact/${index}`, new TextEncoder().encode('{}'))
    }
    assert.equal(await facts.forget('ada'), 2_500)
  })

  test('what was said before comes too late, what is said after counts', async () => {
    const { facts, clock, texts } = book()
    const then = clock.now()
    await clock.advance(1_000)
    await facts.forget('ada')
    assert.deepEqual(await facts.remember('ada', [home], { at: then }), { facts: [] })
    assert.deepEqual(await texts('ada'), [])
    await clock.advance(1)
    await facts.remember('ada', [home])
    assert.deepEqual(await texts('ada'), ['Lives in Oslo'])
  })

  test('in the middle of remembering: nothing of it stays', async () => {
    const clock = virtualClock(day)
    const store = memoryKeyValue({ clock })
    let meanwhile: (() => Promise<unknown>) | undefined
    const between: KeyValue = {
      ...store,
      async set(scope, name, ...rest) {
        const version = await store.set(scope, name, ...rest)
        const act = meanwhile
        meanwhile = undefined
        await act?.()
        return version
      },
    }
    const facts = createFacts(between, { clock })
    const plain = createFacts(store, { clock })
    meanwhile = () => plain.forget('ada')
    assert.deepEqual(await facts.remember('ada', [home, { key: 'b', text: 'b' }]), { facts: [] })
    assert.deepEqual(await facts.list('ada'), [])
  })

  test('goes on when the vectors cannot be reached, and says so', async () => {
    const broken = { ...memoryVectorStore(), delete: () => Promise.reject(new Error('vectors are away')) }
    const { facts, remember, texts } = book({ vectors: { store: broken, embedding: hashEmbedding() } })
    await remember('ada', home)
    await assert.rejects(facts.forget('ada'), /vectors are away/)
    assert.deepEqual(await texts('ada'), [])
  })
})

describe('bad input', () => {
  const wrong: readonly [what: string, fact: unknown][] = [
    ['nothing', null],
    ['a text', 'Lives in Oslo'],
    ['no key', { text: 'x' }],
    ['a key of nothing', { key: '///', text: 'x' }],
    ['a long key', { key: 'x'.repeat(65), text: 'x' }],
    ['an endless key', { key: 'x'.repeat(1e6), text: 'x' }],
    ['no text', { key: 'k' }],
    ['an empty text', { key: 'k', text: '\n ' }],
    ['a long text', { key: 'k', text: 'x'.repeat(501) }],
    ['an endless text', { key: 'k', text: 'x '.repeat(1e6) }],
    ['a list as text', { key: 'k', text: ['x'] }],
    ['more than certainty', { key: 'k', text: 'x', confidence: 1.1 }],
    ['less than none', { key: 'k', text: 'x', confidence: -1 }],
    ['no number', { key: 'k', text: 'x', confidence: Number.NaN }],
    ['a word as number', { key: 'k', text: 'x', confidence: 'high' }],
    ['an empty source', { key: 'k', text: 'x', source: '' }],
    ['a long source', { key: 'k', text: 'x', source: 'x'.repeat(201) }],
  ]
  for (const [what, fact] of wrong) {
    test(`${what}: one clear line, and nothing of the call is kept`, async () => {
      const { facts, texts } = book()
      await assert.rejects(facts.remember('ada', [home, fact as NewFact]), {
        code: 'invalid_option',
        message: /^A fact cannot be kept: [^\n]+\.$/,
      })
      assert.deepEqual(await texts('ada'), [])
    })
  }

  test('ill-formed text is mended, and no key leads anywhere but to itself', async () => {
    const { facts, remember } = book()
    await remember('ada', { key: '__proto__', text: 'a\ud800b' }, { key: 'constructor', text: 'c' })
    assert.deepEqual(
      (await facts.list('ada')).map(({ key, text }) => [key, text]),
      [
        ['constructor', 'c'],
        ['proto', 'a\ufffdb'],
      ],
    )
  })

  test('records that are no facts are passed over', async () => {
    const { facts, store, remember, texts } = book()
    await remember('ada', home)
    for (const [index, text] of [
      '',
      '{',
      'null',
      '5',
      '{"key":"k"}',
      '{"key":"k","text":"t","created":"x"}',
      '\0',
    ].entries()) {
      await store.set({ scope: 'project', owner: 'facts/ada' }, `fact/${index}`, new TextEncoder().encode(text))
    }
    assert.deepEqual(await texts('ada'), ['Lives in Oslo'])
    assert.equal(await facts.get('ada', '1'), undefined)
    assert.equal((await facts.recall('ada', 'Oslo')).facts.length, 1)
  })

  test('options that are none', () => {
    const store = memoryKeyValue()
    const refused: readonly [FactsOptions, string][] = [
      [{ retention: 0 }, 'invalid_option'],
      [{ retention: Number.NaN }, 'invalid_option'],
      [{ limit: 0 }, 'invalid_option'],
      [{ limit: 1_001 }, 'invalid_option'],
      [{ user: 'a/b' }, 'invalid_option'],
      [{ namespace: '' }, 'invalid_option'],
      [{ retain: 5 } as never, 'unknown_option'],
    ]
    for (const [options, code] of refused) assert.throws(() => createFacts(store, options), { code })
    assert.throws(() => createFacts(undefined as never), { message: /createFacts\(await fileKeyValue/ })
  })

  test('what cannot be meant is refused, and nothing is lost in silence', async () => {
    const { facts, texts } = book()
    for (const call of [
      facts.remember('ada', null as never),
      facts.remember('ada', [home], { at: Number.NaN }),
      facts.recall('ada', '', { limit: -1 }),
      facts.recall('ada', '', { limit: Number.NaN }),
      facts.recall('ada', '', { minConfidence: 2 }),
    ])
      await assert.rejects(call, { code: 'invalid_option' })
    for (const call of [
      facts.remember('ada', [home], { when: 1 } as never),
      facts.remember('ada', [{ ...home, confidnce: 0.1 } as never]),
      facts.recall('ada', '', { minConfidance: 0.9 } as never),
      facts.forget('ada', undefined, { at: 1 } as never),
    ])
      await assert.rejects(call, { code: 'unknown_option' })
    assert.deepEqual(await texts('ada'), [])
  })

  test('a signal that has aborted', async () => {
    const { facts, texts } = book()
    const { signal } = new AbortController()
    const controller = new AbortController()
    controller.abort(new Error('enough'))
    for (const call of [
      facts.remember('ada', [home], { signal: controller.signal }),
      facts.recall('ada', '', { signal: controller.signal }),
      facts.forget('ada', undefined, { signal: controller.signal }),
    ])
      await assert.rejects(call, /enough/)
    await facts.remember('ada', [home], { signal })
    assert.deepEqual(await texts('ada'), ['Lives in Oslo'])
  })
})
