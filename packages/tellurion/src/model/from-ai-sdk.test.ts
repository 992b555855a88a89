import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { APICallError, LoadAPIKeyError, type LanguageModel } from 'ai'
import { TellurionError } from '../error/error.ts'
import type { Message } from '../message/message.ts'
import { assistant, user } from '../message/message.ts'
import type { ModelEvent, ModelRequest } from '../port/model.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { macrotask } from '../testing/virtual-clock.ts'
import { anthropicLanguage, openAILanguage } from '../testing/wire-script.ts'
import { serveWire } from '../testing/wire-server.node.ts'
import { failureFromAISDK } from './ai-sdk-failure.ts'
import type { AISDKCallOptions, AISDKModel } from './ai-sdk.ts'
import { asModel } from './any-model.ts'
import { collect, complete } from './collect.ts'
import { isAISDKModel } from './ai-sdk-model.ts'
import { fromAISDK } from './from-ai-sdk.ts'
import { retry } from './retry.ts'

const request: ModelRequest = { messages: [user('hi')] }

/** An AI SDK model that streams these parts and remembers what it was asked. */
function speaking(version: 'v2' | 'v3' | 'v4', parts: readonly unknown[], provider = 'vendor.chat') {
  const asked: AISDKCallOptions[] = []
  const model: AISDKModel = {
    specificationVersion: version,
    provider,
    modelId: 'm-1',
    doStream(options) {
      asked.push(options)
      return Promise.resolve({ stream: streamOf(parts) })
    },
  }
  return { model, asked }
}

function streamOf(parts: readonly unknown[]): ReadableStream<unknown> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part)
      controller.close()
    },
  })
}

const nested = {
  inputTokens: { total: 10, noCache: 3, cacheRead: 5, cacheWrite: 2 },
  outputTokens: { total: 7, text: 4, reasoning: 3 },
}
const flat = { inputTokens: 10, outputTokens: 7, totalTokens: 17, reasoningTokens: 3, cachedInputTokens: 5 }

async function eventsOf(model: AISDKModel): Promise<ModelEvent[]> {
  const events: ModelEvent[] = []
  for await (const event of fromAISDK(model).stream(request, {})) events.push(event)
  return events
}

test('every version of the specification gives the same reply', async () => {
  const body = [
    { type: 'stream-start', warnings: [] },
    { type: 'response-metadata', id: 'r-1', modelId: 'm-1-2026' },
    { type: 'reasoning-start', id: 'a', providerMetadata: { vendor: { itemId: 'i' } } },
    { type: 'reasoning-delta', id: 'a', delta: 'hm' },
    { type: 'reasoning-delta', id: 'a', delta: '', providerMetadata: { anthropic: { signature: 's1g' } } },
    { type: 'reasoning-end', id: 'a' },
    { type: 'text-start', id: 'b' },
    { type: 'text-delta', id: 'b', delta: 'Hello' },
    { type: 'text-end', id: 'b' },
    { type: 'source', sourceType: 'url', id: 's', url: 'https://example.com' },
    { type: 'ping' },
    { type: 'something-of-next-year', payload: 1 },
    { type: 'tool-input-start', id: 'c', toolName: 'add' },
    { type: 'tool-input-delta', id: 'c', delta: '{"a":1}' },
    { type: 'tool-input-end', id: 'c' },
    {
      type: 'tool-call',
      toolCallId: 'c',
      toolName: 'add',
      input: '{"a":1}',
      providerMetadata: { google: { thought: 't' } },
    },
    { type: 'tool-call', toolCallId: 'd', toolName: 'search', input: '{}', providerExecuted: true },
    { type: 'tool-result', toolCallId: 'd', toolName: 'search', result: 'found' },
  ]
  const finishes = {
    v2: { type: 'finish', finishReason: 'tool-calls', usage: flat },
    v3: { type: 'finish', finishReason: { unified: 'tool-calls', raw: 'tool_use' }, usage: nested },
    v4: { type: 'finish', finishReason: { unified: 'tool-calls', raw: 'tool_use' }, usage: nested },
  }
  for (const version of ['v2', 'v3', 'v4'] as const) {
    const events = await eventsOf(speaking(version, [...body, finishes[version]]).model)
    const providerMetadata = { vendor: { itemId: 'i' }, anthropic: { signature: 's1g' } }
    const call = {
      type: 'tool-call',
      toolCallId: 'c',
      toolName: 'add',
      input: { a: 1 },
      providerMetadata: { google: { thought: 't' } },
    }
    assert.deepEqual(events, [
      { type: 'reasoning.delta', text: 'hm' },
      { type: 'reasoning.end', signature: 's1g', providerMetadata },
      { type: 'text.delta', text: 'Hello' },
      { type: 'tool.delta', toolCallId: 'c', toolName: 'add', delta: '{"a":1}' },
      { type: 'tool.call', call },
      {
        type: 'finish',
        finishReason: 'tool-calls',
        usage: {
          inputTokens: 10,
          outputTokens: 7,
          totalTokens: 17,
          cacheReadTokens: 5,
          ...(version !== 'v2' && { cacheWriteTokens: 2 }),
          reasoningTokens: 3,
        },
        model: 'm-1-2026',
        responseId: 'r-1',
      },
    ])
  }
})

const conversation: readonly Message[] = [
  { role: 'system', content: 'Be kind.' },
  user([
    { type: 'text', text: 'Look' },
    { type: 'image', mediaType: 'image/png', data: 'aGk=' },
    { type: 'file', mediaType: 'application/pdf', filename: 'a.pdf', url: 'https://example.com/a.pdf' },
  ]),
  { role: 'assistant', content: 'I was cut', partial: true },
  assistant([
    { type: 'reasoning', text: 'hm', signature: 's1g' },
    { type: 'text', text: 'Looking' },
    {
      type: 'tool-call',
      toolCallId: 'c',
      toolName: 'add',
      input: { a: 1 },
      providerMetadata: { google: { thought: 't' } },
    },
    { type: 'tool-call', toolCallId: 'd', toolName: 'add', input: null, invalidInput: '{"a"' },
  ]),
  {
    role: 'tool',
    toolCallId: 'c',
    toolName: 'add',
    content: [{ type: 'image', mediaType: 'image/png', data: 'aGk=' }],
  },
  { role: 'tool', toolCallId: 'd', toolName: 'add', content: 'not JSON', isError: true },
]

test('a request is said in the words of each version', async () => {
  const full: ModelRequest = {
    messages: conversation,
    system: 'Be brief.',
    tools: [{ name: 'add', description: 'Adds', inputSchema: { type: 'object' } }],
    toolChoice: { tool: 'add' },
    parallelToolCalls: false,
    output: { name: 'plan', schema: { type: 'object' } },
    maxOutputTokens: 100,
    temperature: 0,
    topP: 0.5,
    stopSequences: ['END'],
    seed: 7,
    headers: { 'x-a': 'b' },
    providerOptions: { openai: { user: 'u' } },
  }
  const link = new URL('https://example.com/a.pdf')
  const files = {
    v2: ['aGk=', link],
    v3: ['aGk=', link],
    v4: [
      { type: 'data', data: 'aGk=' },
      { type: 'url', url: link },
    ],
  }
  const results = {
    v2: { type: 'media', mediaType: 'image/png', data: 'aGk=' },
    v3: { type: 'image-data', mediaType: 'image/png', data: 'aGk=' },
    v4: { type: 'file', mediaType: 'image/png', data: { type: 'data', data: 'aGk=' } },
  }
  for (const version of ['v2', 'v3', 'v4'] as const) {
    const { model, asked } = speaking(
      version,
      [{ type: 'finish', finishReason: 'stop', usage: {} }],
      'openai.responses',
    )
    assert.equal(fromAISDK(model).name, 'openai/m-1')
    await complete(fromAISDK(model), full)
    const { prompt, ...options } = asked[0] ?? { prompt: [] }
    assert.deepEqual(prompt, [
      { role: 'system', content: 'Be brief.' },
      { role: 'system', content: 'Be kind.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'file', mediaType: 'image/png', data: files[version][0] },
          { type: 'file', mediaType: 'application/pdf', data: files[version][1], filename: 'a.pdf' },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'hm', providerOptions: { anthropic: { signature: 's1g' } } },
          { type: 'text', text: 'Looking' },
          {
            type: 'tool-call',
            toolCallId: 'c',
            toolName: 'add',
            input: { a: 1 },
            providerOptions: { google: { thought: 't' } },
          },
          { type: 'tool-call', toolCallId: 'd', toolName: 'add', input: {} },
        ],
      },
      {
        role: 'tool',
        content: [
          {
            type: 'tool-result',
            toolCallId: 'c',
            toolName: 'add',
            output: { type: 'content', value: [results[version]] },
          },
        ],
      },
      {
        role: 'tool',
        content: [
          { type: 'tool-result', toolCallId: 'd', toolName: 'add', output: { type: 'error-text', value: 'not JSON' } },
        ],
      },
    ])
    assert.deepEqual(options, {
      tools: [{ type: 'function', name: 'add', description: 'Adds', inputSchema: { type: 'object' } }],
      toolChoice: { type: 'tool', toolName: 'add' },
      responseFormat: { type: 'json', name: 'plan', schema: { type: 'object' } },
      maxOutputTokens: 100,
      temperature: 0,
      topP: 0.5,
      stopSequences: ['END'],
      seed: 7,
      headers: { 'x-a': 'b' },
      providerOptions: { openai: { parallelToolCalls: false, user: 'u' } },
    })
  }
})

test('what a provider has no words for is refused, not dropped', async () => {
  const reply = await complete(fromAISDK(speaking('v4', []).model), { ...request, parallelToolCalls: false })
  assert.ok(reply.status === 'failed')
  assert.equal(reply.failure.kind, 'validation')
  assert.match(reply.failure.message, /use 'providerOptions'/)
})

test('errors are classified by their fields', () => {
  const call = (fields: { statusCode?: number; responseHeaders?: Record<string, string>; isRetryable?: boolean }) =>
    failureFromAISDK(
      new APICallError({ message: 'rate limit 401 timeout', url: 'https://x', requestBodyValues: {}, ...fields }),
      'v/m',
    )
  assert.deepEqual(
    [call({ statusCode: 401 }), call({ statusCode: 503 }), call({ isRetryable: true }), call({ statusCode: 200 })].map(
      ({ kind, code, retryable, status }) => [kind, code, retryable, status],
    ),
    [
      ['authentication', 'model_authentication', false, 401],
      ['service', 'model_service', true, 503],
      ['network', 'model_network', true, undefined],
      ['service', 'invalid_reply', true, undefined],
    ],
  )
  const limited = call({ statusCode: 429, responseHeaders: { 'retry-after': '7' } })
  assert.deepEqual([limited.kind, limited.retryAfter, limited.model], ['rate_limit', 7_000, 'v/m'])
  assert.equal(call({ statusCode: 503, isRetryable: false }).retryable, false)
  assert.equal(failureFromAISDK(new LoadAPIKeyError({ message: 'no key' }), 'v/m').code, 'missing_key')
  assert.equal(failureFromAISDK({ type: 'overloaded_error', message: 'busy' }, 'v/m').kind, 'service')
  assert.equal(failureFromAISDK(new Error('timeout'), 'v/m').kind, 'unknown')
  assert.equal(failureFromAISDK(new TellurionError('context_overflow', 'long'), 'v/m').code, 'context_overflow')
})

test('an error part, and a finish without a reason, end the reply as failures', async () => {
  const failedBy = async (part: object) => {
    const reply = await collect(
      fromAISDK(speaking('v4', [{ type: 'text-delta', id: '1', delta: 'a' }, part]).model).stream(request, {}),
    )
    return reply.status === 'failed' ? [reply.failure.kind, reply.message?.content] : reply.status
  }
  assert.deepEqual(await failedBy({ type: 'error', error: { type: 'overloaded_error' } }), ['service', 'a'])
  assert.deepEqual(await failedBy({ type: 'finish', finishReason: { unified: 'error' }, usage: nested }), [
    'network',
    'a',
  ])
  assert.deepEqual(await failedBy({ type: 'text-end', id: '1' }), ['network', 'a'])
})

test('arguments that are not JSON are kept as text', async () => {
  const calls = [
    { type: 'tool-call', toolCallId: 'a', toolName: 't', input: '{"n": oops' },
    { type: 'tool-call', toolCallId: 'b', toolName: 't', input: ' ' },
    { type: 'finish', finishReason: 'tool-calls', usage: flat },
  ]
  const reply = await complete(fromAISDK(speaking('v2', calls).model), request)
  assert.ok(reply.status === 'finished')
  assert.deepEqual(reply.message.content, [
    { type: 'tool-call', toolCallId: 'a', toolName: 't', input: null, invalidInput: '{"n": oops' },
    { type: 'tool-call', toolCallId: 'b', toolName: 't', input: {} },
  ])
})

test('a provider that does not listen to the signal is left at once', async () => {
  const cancelled: string[] = []
  const deaf = (opening: Promise<void>): AISDKModel => ({
    specificationVersion: 'v4',
    provider: 'deaf',
    modelId: 'm',
    doStream: async () => {
      await opening
      return { stream: new ReadableStream({ cancel: () => void cancelled.push('stream') }) }
    },
  })
  const opening = Promise.withResolvers<void>()
  for (const model of [deaf(Promise.resolve()), deaf(opening.promise)]) {
    const controller = new AbortController()
    const replying = complete(fromAISDK(model), request, { signal: controller.signal })
    await new Promise<void>((resolve) => queueMicrotask(resolve))
    controller.abort()
    assert.equal((await replying).status, 'aborted')
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
  }
  opening.resolve()
  await macrotask()
  assert.deepEqual(cancelled, ['stream', 'stream'], 'a stream that opens too late is closed')
})

test('a provider that opens no stream gives a failure, and takes nothing else down', async () => {
  for (const opened of [undefined, null, {}, { stream: 5 }, 'text']) {
    const doStream = (() => Promise.resolve(opened)) as unknown as AISDKModel['doStream']
    const model = fromAISDK({ specificationVersion: 'v4', provider: 'p', modelId: 'm', doStream })
    const reply = await complete(model, request)
    assert.equal(reply.status === 'failed' && reply.failure.code, 'invalid_reply')
    const cancelled = await complete(model, request, { signal: AbortSignal.abort() })
    assert.equal(cancelled.status, 'aborted')
  }
  await macrotask()
})

test('an AI SDK model is taken wherever a model is, and nothing else is', async () => {
  const { model } = speaking('v4', [
    { type: 'text-delta', id: '1', delta: 'hi' },
    { type: 'finish', finishReason: 'stop', usage: flat },
  ])
  const reply = await complete(retry(model), request)
  assert.ok(reply.status === 'finished')
  const own = scriptedModel([])
  assert.equal(asModel(own), own)
  assert.ok(isAISDKModel(model) && !isAISDKModel(own) && !isAISDKModel(null) && !isAISDKModel('openai/gpt-5'))
  assert.throws(() => asModel('openai/gpt-5' as never), /write model\('openai\/gpt-5'\)/)
  assert.throws(() => asModel({} as never), /Expected a model/)
  assert.throws(() => asModel({ ...model, specificationVersion: 'v9' }), /has specification 'v9'; use v2, v3 or v4/)
})

test('the types of the AI SDK fit: whatever `ai` calls a language model object is one of ours', () => {
  type Objects = Exclude<LanguageModel, string>
  const accept = (model: Objects): AISDKModel => model
  assert.equal(typeof accept, 'function')
})

test('a stream of openai-compatible that just stops is not taken for a whole reply', async () => {
  const server = await serveWire(openAILanguage, { steps: [{ text: 'I was ' }] })
  const model = createOpenAICompatible({ name: 'scripted', baseURL: server.baseURL })('scripted-1')
  const reply = await complete(asModel(model), request)
  await server.close()
  assert.ok(reply.status === 'failed')
  assert.equal(reply.failure.code, 'invalid_reply')
  assert.equal(reply.message?.content, 'I was ')
})

test('a signature of Anthropic goes round: out of the stream, into the message, back to the provider', async () => {
  const server = await serveWire(anthropicLanguage, [
    {
      steps: [
        { reasoning: 'Hm', signature: 's1gn3d' },
        { call: { id: 'c', name: 'look', pieces: ['{}'] } },
        { finish: 'tool-calls' },
      ],
    },
    { steps: [{ text: 'Seen' }, { finish: 'stop' }] },
  ])
  const model = fromAISDK(createAnthropic({ baseURL: `${server.baseURL}/v1`, apiKey: 'k' })('scripted-1'))
  const tools = [{ name: 'look', description: 'Looks', inputSchema: { type: 'object' } }]
  const thinking = { anthropic: { thinking: { type: 'enabled', budgetTokens: 1_024 } } }
  const first = await complete(model, { ...request, tools, providerOptions: thinking })
  assert.ok(first.status === 'finished')
  const result: Message = { role: 'tool', toolCallId: 'c', toolName: 'look', content: 'a cat' }
  await complete(model, { messages: [user('hi'), first.message, result], tools, providerOptions: thinking })
  await server.close()
  const body = JSON.parse(server.requests[1]?.body ?? '{}') as { messages: { role: string; content: unknown }[] }
  assert.deepEqual(body.messages[1]?.content, [
    { type: 'thinking', thinking: 'Hm', signature: 's1gn3d' },
    { type: 'tool_use', id: 'c', name: 'look', input: {} },
  ])
})
