// Search services as they publish their answers, on this machine: what they are asked, what is taken of the answer, and what
// goes wrong. None of them has been asked live.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createRawServer, type RawReply } from '../testing/raw-server.node.ts'
import { createToolbox } from '../tool/toolbox.ts'
import { braveSearch } from './brave.ts'
import { searchFromEnv } from './search-from-env.ts'
import { searchWebTool } from './search-web.ts'
import type { Search } from './search.ts'
import { searxngSearch } from './searxng.ts'
import { tavilySearch } from './tavily.ts'

const searxngAnswer = {
  query: 'tellurion',
  number_of_results: 0,
  results: [
    {
      url: 'https://example.org/tellurion',
      title: 'Tellurion \u202eclock',
      content: 'Shows how the Earth\ngoes around the Sun.',
      engine: 'duckduckgo',
      parsed_url: ['https', 'example.org', '/tellurion', '', '', ''],
      template: 'default.html',
      engines: ['duckduckgo', 'brave'],
      positions: [1],
      score: 2,
      category: 'general',
    },
    { url: 'magnet:?xt=1', title: 'no page', content: '' },
    { url: 'https://example.org/two', title: 'Two', content: null },
  ],
  answers: [],
  corrections: [],
  infoboxes: [],
  suggestions: ['tellurium'],
  unresponsive_engines: [['google', 'timeout']],
}
const braveAnswer = {
  type: 'search',
  query: { original: 'tellurion', more_results_available: true },
  mixed: { type: 'mixed', main: [{ type: 'web', index: 0, all: false }] },
  web: {
    type: 'search',
    results: [
      {
        title: 'Tellurion',
        url: 'https://example.org/tellurion',
        is_source_local: false,
        is_source_both: false,
        description: 'A <strong>tellurion</strong> is a clock.',
        profile: {
          name: 'Example',
          url: 'https://example.org',
          long_name: 'example.org',
          img: 'https://imgs.example/x',
        },
        language: 'en',
        family_friendly: true,
        type: 'search_result',
        subtype: 'generic',
      },
    ],
    family_friendly: true,
  },
}
const tavilyAnswer = {
  query: 'tellurion',
  follow_up_questions: null,
  answer: null,
  images: [],
  results: [
    { title: 'Tellurion', url: 'https://example.org/tellurion', content: 'A clock.', score: 0.81, raw_content: null },
  ],
  response_time: 1.67,
  request_id: '123e4567',
}

interface Service {
  readonly make: (baseURL: string) => Search
  readonly answer: unknown
  readonly snippet: string
  readonly path: string
}
const services: Readonly<Record<string, Service>> = {
  SearXNG: {
    make: (baseURL) => searxngSearch({ baseURL, language: 'de' }),
    answer: searxngAnswer,
    snippet: 'Shows how the Earth goes around the Sun.',
    path: '/base/search?q=a+b%26c&format=json&language=de',
  },
  Brave: {
    make: (baseURL) => braveSearch({ baseURL, apiKey: ' key-1234 ' }),
    answer: braveAnswer,
    snippet: 'A tellurion is a clock.',
    path: '/base/web/search?q=a+b%26c&count=5',
  },
  Tavily: {
    make: (baseURL) => tavilySearch({ baseURL, apiKey: 'key-1234' }),
    answer: tavilyAnswer,
    snippet: 'A clock.',
    path: '/base/search',
  },
}

const json = (value: unknown, status = 200): RawReply => ({
  status,
  headers: { 'content-type': 'application/json' },
  pieces: [JSON.stringify(value)],
})

for (const [name, { make, answer, snippet, path }] of Object.entries(services)) {
  describe(name, () => {
    const asked = async (reply: RawReply, count = 5) => {
      const server = await createRawServer(() => reply)
      const search = make(`${server.url}/base`)
      const outcome = await search.search('a b&c', { count }).then(
        (results) => ({ results, error: undefined }),
        (error: { code?: string; message: string; retryable?: boolean }) => ({ results: undefined, error }),
      )
      await server.close()
      return { ...outcome, requests: server.requests }
    }

    test('is asked as it wants to be, and its answer is read', async () => {
      const { results, requests } = await asked(json(answer))
      assert.equal(results?.[0]?.url, 'https://example.org/tellurion')
      assert.match(results[0].title, /^Tellurion/)
      assert.doesNotMatch(results[0].title, /\u202e/)
      assert.equal(results[0].snippet, snippet)
      const { path: asIs, headers, method, body } = requests[0]!
      assert.equal(asIs, path)
      if (name === 'Brave') assert.equal(headers['x-subscription-token'], 'key-1234')
      if (name === 'Tavily') {
        assert.equal(headers['authorization'], 'Bearer key-1234')
        assert.deepEqual([method, JSON.parse(body)], ['POST', { query: 'a b&c', max_results: 5 }])
      }
    })

    test('what is no result is passed over, and no more are taken than were wanted', async () => {
      if (name === 'SearXNG') {
        const { results } = await asked(json(answer))
        assert.deepEqual(
          results?.map(({ url }) => url),
          ['https://example.org/tellurion', 'https://example.org/two'],
        )
        assert.equal((await asked(json(answer), 1)).results?.length, 1)
      }
      for (const strange of [
        {},
        null,
        [],
        { results: 'x', web: { results: [1, null, {}, { url: 'javascript:x' }] } },
      ]) {
        assert.deepEqual((await asked(json(strange))).results, [])
      }
    })

    test('says why it refused, without the key', async () => {
      const refusals: readonly (readonly [number, RegExp, boolean])[] = [
        [401, /refused the key \(401\).*bad \[redacted\]|refused the key \(401\)/, false],
        [403, /\(403\)/, false],
        [429, /too often \(429\)/, true],
        [500, /answered 500/, true],
      ]
      for (const [status, message, retryable] of refusals) {
        const { error } = await asked(json({ detail: 'bad key-1234' }, status))
        assert.equal(error?.code, 'search_failed')
        assert.match(error.message, message)
        if (name !== 'SearXNG') assert.doesNotMatch(error.message, /key-1234/)
        assert.equal(error.retryable, retryable, String(status))
      }
    })

    test('an answer that is none', async () => {
      assert.equal((await asked({ pieces: ['<html>Sign in</html>'] })).error?.code, 'search_failed')
      const cut: RawReply = { headers: { 'content-length': '100' }, pieces: ['{"res'], ending: 'cut' }
      assert.equal((await asked(cut)).error?.code, 'egress_failed')
    })

    test('is left when it redirects elsewhere, and when the signal says so', async () => {
      const { error } = await asked({ status: 302, headers: { location: 'http://10.0.0.1/' } })
      assert.equal(error?.code, 'egress_refused')
      const reason = new Error('enough')
      const signal = AbortSignal.abort(reason)
      await assert.rejects(make('http://127.0.0.1:9/').search('x', { count: 1, signal }), reason)
    })
  })
}

describe('which service', () => {
  test('the environment names it', () => {
    const named = (env: Record<string, string>): string | undefined => searchFromEnv(env)?.name
    assert.equal(named({}), undefined)
    assert.equal(named({ SEARXNG_URL: ' ' }), undefined)
    assert.equal(named({ TAVILY_API_KEY: 'key-1234' }), 'Tavily')
    assert.equal(named({ TAVILY_API_KEY: 'key-1234', BRAVE_API_KEY: 'key-1234' }), 'Brave')
    assert.equal(named({ BRAVE_SEARCH_API_KEY: 'key-1234' }), 'Brave')
    assert.equal(named({ BRAVE_API_KEY: 'key-1234', SEARXNG_URL: 'http://localhost:8888' }), 'SearXNG')
    assert.throws(() => named({ SEARXNG_URL: 'localhost' }), { code: 'invalid_option', message: /http\(s\) address/ })
  })

  test('options are checked, and no message holds a key', () => {
    assert.throws(() => braveSearch({ apiKey: '' }), { code: 'missing_key', message: /BRAVE_API_KEY/ })
    assert.throws(() => tavilySearch({ apiKey: 'a b' }), { code: 'invalid_option', message: /^(?!.*a b)/ })
    assert.throws(() => braveSearch({ apiKey: 'key-1234', baseUrl: 'x' } as never), /Did you mean 'baseURL'/)
    assert.throws(() => searxngSearch({ baseURL: 'http://a:b@c/' }), { code: 'invalid_option', message: /^(?!.*a:b)/ })
  })

  test('searchWeb says how to get one where there is none, and quotes one where there is', async () => {
    const none = createToolbox({ searchWeb: searchWebTool(undefined) })
    const { content, code } = await none.execute('searchWeb', { query: 'x' })
    assert.equal(code, 'search_failed')
    assert.match(String(content), /SEARXNG_URL, BRAVE_API_KEY, TAVILY_API_KEY/)
    const search: Search = {
      name: 'Own',
      search: (query, { count }) =>
        Promise.resolve([{ title: query, url: 'https://a.example/', snippet: String(count) }]),
    }
    const tool = searchWebTool(search)
    assert.deepEqual([tool.trust, tool.risk({}), tool.effects.mode], ['untrusted', [], 'read'])
    const box = createToolbox({ searchWeb: tool })
    const found = await box.execute('searchWeb', { query: 'x', count: 3 })
    assert.deepEqual(JSON.parse(String(found.content)), {
      service: 'Own',
      results: [{ title: 'x', url: 'https://a.example/', snippet: '3' }],
    })
    assert.equal((await box.execute('searchWeb', { query: 'x', count: 99 })).code, 'tool_input_invalid')
  })
})
