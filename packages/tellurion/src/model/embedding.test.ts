// Embedding models: order, batches, checks, failures.

import assert from 'node:assert/strict'
import test from 'node:test'
import { createRawServer } from '../testing/raw-server.node.ts'
import { embeddingModel, type EmbeddingOptions } from './embedding.ts'

interface Asked {
  readonly model: string
  readonly input: readonly string[]
  readonly dimensions?: number
}
type Answer = (asked: Asked) => unknown

const vectorOf = (text: string): number[] => [text.length, text.codePointAt(0) ?? 0]

const honest: Answer = ({ input }) => ({
  data: input.map((text, index) => ({ index, embedding: vectorOf(text) })).toReversed(),
  usage: { prompt_tokens: input.length },
})

function opened(answer: Answer, name = 'openai/e', options: EmbeddingOptions = {}) {
  const asked: Asked[] = []
  const fetching: typeof fetch = async (_url, init) => {
    const body = JSON.parse(String(init?.body)) as Asked
    asked.push(body)
    const said = answer(body)
    return said instanceof Response ? said : Response.json(said)
  }
  return { asked, embedder: embeddingModel(name, { apiKey: 'test-key', env: {}, fetch: fetching, ...options }) }
}

test('gives one vector a text, in the order of the texts', async () => {
  const { asked, embedder } = opened(honest)
  const texts = ['a', 'bbb', 'cc']
  assert.deepEqual(await embedder.embed(texts, {}), { vectors: texts.map(vectorOf), usage: { inputTokens: 3 } })
  assert.deepEqual(asked, [{ model: 'e', encoding_format: 'float', input: texts }])
  assert.equal(embedder.name, 'openai/e')
})

test('no texts, no request', async () => {
  const { asked, embedder } = opened(honest)
  assert.deepEqual(await embedder.embed([], {}), { vectors: [], usage: { inputTokens: 0 } })
  assert.equal(asked.length, 0)
})

test('many texts go in batches of the vendor’s size, and the usage is summed', async () => {
  const { asked, embedder } = opened(honest, 'qwen/e')
  const texts = Array.from({ length: 23 }, (_, index) => 'x'.repeat(index + 1))
  const { vectors, usage } = await embedder.embed(texts, {})
  assert.deepEqual(
    asked.map(({ input }) => input.length),
    [10, 10, 3],
  )
  assert.deepEqual([vectors, usage], [texts.map(vectorOf), { inputTokens: 23 }])
})

test('the wished dimensions are asked for, and checked', async () => {
  const { asked, embedder } = opened(honest, 'openai/e', { dimensions: 2 })
  await embedder.embed(['a'], {})
  assert.equal(asked[0]?.dimensions, 2)
  const three = opened(honest, 'openai/e', { dimensions: 3 })
  await assert.rejects(three.embedder.embed(['a'], {}), { code: 'invalid_reply', message: /2 dimensions where 3/ })
})

test('what is no set of vectors is an invalid reply', async () => {
  const bad: readonly Answer[] = [
    () => ({ data: [] }),
    () => ({}),
    () => [],
    () => ({ data: [{ index: 0, embedding: 'AAAA' }] }),
    () => ({ data: [{ index: 0, embedding: [] }] }),
    () => ({ data: [{ index: 0, embedding: [1, null] }] }),
    () => ({ data: [{ index: 7, embedding: [1] }] }),
    ({ input }) => ({
      data: input.map((text, index) => ({ index, embedding: Array.from({ length: text.length }, () => 1) })),
    }),
    () => new Response('<html>'),
  ]
  for (const answer of bad) {
    await assert.rejects(opened(answer).embedder.embed(['a', 'bb'], {}), { code: 'invalid_reply' }, String(answer))
  }
})

test('failures are typed, and show no key', async () => {
  const limited = opened(() =>
    Response.json({ error: { message: 'test-key' } }, { status: 429, headers: { 'retry-after': '2' } }),
  )
  await assert.rejects(
    limited.embedder.embed(['a'], {}),
    (error: Error & { code?: string; data?: { retryAfter?: number } }) => {
      assert.deepEqual(
        [error.code, error.data?.retryAfter, error.message.includes('test-key')],
        ['model_rate_limit', 2_000, false],
      )
      return true
    },
  )
  const body = opened(() => ({ error: { code: 'model_not_found', message: 'no' } }))
  await assert.rejects(body.embedder.embed(['a'], {}), { code: 'model_not_found' })
})

test('misuse is refused when the model is made', () => {
  assert.throws(() => embeddingModel('anthropic/x', { apiKey: 'k', env: {} }), { code: 'unknown_provider' })
  assert.throws(() => embeddingModel('openai/x', { apiKey: 'k', env: {}, dimensions: 0 }), { code: 'invalid_option' })
  assert.throws(() => embeddingModel('openai/x', { env: {} }), { code: 'missing_key' })
  const typo = { apiKey: 'k', env: {}, dimension: 3 } as EmbeddingOptions
  assert.throws(() => embeddingModel('openai/x', typo), { code: 'unknown_option', message: /'dimensions'/ })
})

test('an abort rejects with its reason, before and during the call, and frees the connection', async () => {
  const server = await createRawServer(() => ({ ending: 'mute' }))
  try {
    const embedder = embeddingModel('local/e', { baseURL: server.url, env: {} })
    const reason = new Error('enough')
    await assert.rejects(embedder.embed(['a'], { signal: AbortSignal.abort(reason) }), reason)
    assert.equal(server.requests.length, 0)
    const controller = new AbortController()
    const embedding = embedder.embed(['a'], { signal: controller.signal })
    await server.requested
    controller.abort(reason)
    await assert.rejects(embedding, reason)
    await server.disconnected
  } finally {
    await server.close()
  }
})

test('a refused connection is a network failure', async () => {
  const server = await createRawServer(() => ({}))
  await server.close()
  const embedder = embeddingModel('local/e', { baseURL: server.url, env: {} })
  await assert.rejects(embedder.embed(['a'], {}), { code: 'model_network', retryable: true })
})
