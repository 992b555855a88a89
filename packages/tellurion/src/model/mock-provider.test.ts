// Both wires against a mock provider written by others (aimock), over HTTP: conversations with tools, reasoning,
// structured output, embeddings, and its faults.

import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { LLMock } from '@copilotkit/aimock'
import { toolCallsOf, textOf, type Message } from '../message/message.ts'
import type { Model, ModelReply, ModelRequest } from '../port/model.ts'
import { collect, complete } from './collect.ts'
import { embeddingModel } from './embedding.ts'
import { model } from './named-model.ts'

const usage = { prompt_tokens: 11, completion_tokens: 5, total_tokens: 16, input_tokens: 11, output_tokens: 5 }
const mock = new LLMock({ port: 0, logLevel: 'silent' })

before(async () => {
  mock
    // The first fixture that fits is taken.
    .onToolResult('call_w2', { content: 'Rain in both.', usage })
    .onMessage('hello', { content: 'Hi there, 世界 😀!', usage })
    .onMessage('think', { content: 'Forty-two.', reasoning: 'Let me see.', reasoningSignature: 'sig-1', usage })
    .onMessage('weather', {
      content: 'Looking.',
      toolCalls: [
        { id: 'call_w1', name: 'forecast', arguments: '{"place":"Oslo","days":2}' },
        { id: 'call_w2', name: 'forecast', arguments: '{"place":"Ålesund"}' },
      ],
      usage,
    })
    .onMessage('json please', { content: '{"stops":["a","b"]}', usage })
    .onMessage('limited', { error: { message: 'Slow down', type: 'rate_limit_error' }, status: 429, retryAfter: 7 })
    .onEmbedding('a text', { embedding: [0.25, -0.5, 1] })
  await mock.start()
})
after(() => mock.stop())

const user = (content: string): Message => ({ role: 'user', content })

const wires: readonly (readonly [name: string, open: () => Model])[] = [
  ['openai', () => model('openai/gpt-5', { apiKey: 'test-key', baseURL: `${mock.url}/v1`, env: {} })],
  ['anthropic', () => model('anthropic/claude-sonnet-5', { apiKey: 'test-key', baseURL: mock.url, env: {} })],
]

const tools: ModelRequest['tools'] = [
  {
    name: 'forecast',
    description: 'Weather of a place',
    inputSchema: { type: 'object', properties: { place: { type: 'string' } } },
  },
]

function finished(reply: ModelReply): Extract<ModelReply, { status: 'finished' }> {
  assert.equal(reply.status, 'finished', JSON.stringify(reply))
  return reply as Extract<ModelReply, { status: 'finished' }>
}

for (const [name, open] of wires) {
  test(`${name}: a streamed text with its usage`, async () => {
    const deltas: string[] = []
    const reply = finished(
      await collect(open().stream({ system: 'Be brief.', messages: [user('hello')] }, {}), (event) => {
        if (event.type === 'text.delta') deltas.push(event.text)
      }),
    )
    assert.equal(reply.message.content, 'Hi there, 世界 😀!')
    assert.equal(deltas.join(''), reply.message.content)
    assert.deepEqual([reply.finishReason, reply.usage.inputTokens, reply.usage.outputTokens], ['stop', 11, 5])
  })

  test(`${name}: calls, their results, and the answer that follows`, async () => {
    const asked = open()
    const first = finished(await complete(asked, { messages: [user('weather')], tools, toolChoice: 'auto' }))
    assert.equal(first.finishReason, 'tool-calls')
    assert.equal(textOf(first.message), 'Looking.')
    const calls = toolCallsOf(first.message)
    assert.deepEqual(
      calls.map((call) => [call.toolCallId, call.toolName, call.input]),
      [
        ['call_w1', 'forecast', { place: 'Oslo', days: 2 }],
        ['call_w2', 'forecast', { place: 'Ålesund' }],
      ],
    )
    const results = calls.map(({ toolCallId, toolName }): Message => ({
      role: 'tool',
      toolCallId,
      toolName,
      content: 'rain',
    }))
    const messages = [user('weather'), first.message, ...results]
    assert.equal(textOf(finished(await complete(asked, { messages, tools })).message), 'Rain in both.')
  })

  test(`${name}: reasoning comes apart from the text, and may be sent back`, async () => {
    const asked = open()
    const { message } = finished(await complete(asked, { messages: [user('think')] }))
    assert.equal(textOf(message), 'Forty-two.')
    const [reasoning] = message.content as readonly { type: string; text: string; signature?: string }[]
    assert.deepEqual([reasoning?.type, reasoning?.text], ['reasoning', 'Let me see.'])
    if (name === 'anthropic') assert.equal(reasoning?.signature, 'sig-1')
    finished(await complete(asked, { messages: [user('think'), message, user('hello')] }))
  })

  test(`${name}: structured output`, async () => {
    const output = { name: 'day', schema: { type: 'object', properties: { stops: { type: 'array' } } } }
    const { message } = finished(await complete(open(), { messages: [user('json please')], output }))
    assert.deepEqual(JSON.parse(textOf(message)), { stops: ['a', 'b'] })
  })

  test(`${name}: a rate limit with its wait`, async () => {
    const reply = await complete(open(), { messages: [user('limited')] })
    assert.ok(reply.status === 'failed')
    const { kind, retryable, retryAfter, status } = reply.failure
    assert.deepEqual([kind, retryable, retryAfter, status], ['rate_limit', true, 7_000, 429])
  })

  test(`${name}: a single fault of the server`, async () => {
    mock.nextRequestError(503, { message: 'Down', type: 'server_error' })
    const asked = open()
    const reply = await complete(asked, { messages: [user('hello')] })
    assert.deepEqual(reply.status === 'failed' && [reply.failure.kind, reply.failure.retryable], ['service', true])
    finished(await complete(asked, { messages: [user('hello')] }))
  })

  test(`${name}: chaos gives typed failures, never a hang or a throw`, async () => {
    for (const chaos of [{ malformedRate: 1 }, { disconnectRate: 1 }, { dropRate: 1 }]) {
      mock.setChaos(chaos)
      try {
        const reply = await complete(open(), { messages: [user('hello')] })
        assert.ok(reply.status === 'failed', JSON.stringify(chaos))
        assert.notEqual(reply.failure.kind, 'unknown')
      } finally {
        mock.clearChaos()
      }
    }
  })
}

test('embeddings', async () => {
  const embedder = embeddingModel('openai/text-embedding-3-small', {
    apiKey: 'test-key',
    baseURL: `${mock.url}/v1`,
    env: {},
  })
  const { vectors } = await embedder.embed(['a text'], {})
  assert.deepEqual(vectors, [[0.25, -0.5, 1]])
})
