import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  APICallError,
  generateText,
  jsonSchema,
  Output,
  RetryError,
  stepCountIs,
  streamText,
  tool,
  type LanguageModel,
} from 'ai'
import { z } from 'zod'
import { toolCallsOf } from '../message/message.ts'
import { faultyModel } from '../testing/faulty-model.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { failure } from './failure.ts'
import { pool } from './pool.ts'
import { toAISDK } from './to-ai-sdk.ts'

const usage = { inputTokens: 10, outputTokens: 5, totalTokens: 15, cacheReadTokens: 4, reasoningTokens: 2 }
const add = tool({
  description: 'Adds',
  inputSchema: z.object({ a: z.number(), b: z.number() }),
  execute: ({ a, b }) => a + b,
})
const callsAdd = { text: 'Let me see.', calls: [{ toolName: 'add', input: { a: 1, b: 2 } }] }

test('generateText gives text, usage and the finish reason', async () => {
  const script = scriptedModel([{ text: 'Hello', usage }], { name: 'openai/gpt-5' })
  const model = toAISDK(script)
  assert.deepEqual([model.provider, model.modelId], ['openai', 'gpt-5'])
  const result = await generateText({
    model,
    instructions: 'Be brief.',
    prompt: 'Hi',
    temperature: 0,
    maxOutputTokens: 99,
    headers: { 'x-a': 'b' },
  })
  assert.equal(result.text, 'Hello')
  assert.equal(result.finishReason, 'stop')
  assert.equal(result.usage.inputTokens, 10)
  assert.equal(result.usage.outputTokens, 5)
  assert.equal(result.usage.totalTokens, 15)
  const [asked] = script.requests
  assert.deepEqual(
    [...(asked?.messages ?? [])],
    [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
    ],
  )
  assert.deepEqual([asked?.temperature, asked?.maxOutputTokens, asked?.headers?.['x-a']], [0, 99, 'b'])
})

test('tools run there, and their results come back as messages of ours', async () => {
  const script = scriptedModel([callsAdd, 'It is 3.'])
  const { text, steps } = await generateText({
    model: toAISDK(script),
    tools: { add },
    stopWhen: stepCountIs(5),
    prompt: '1 + 2?',
  })
  assert.equal(text, 'It is 3.')
  assert.equal(steps.length, 2)
  assert.equal(script.requests[0]?.tools?.[0]?.name, 'add')
  const messages = [...(script.requests[1]?.messages ?? [])]
  assert.deepEqual(
    messages.map((message) => message.role),
    ['user', 'assistant', 'tool'],
  )
  const [, assistant, result] = messages
  assert.ok(assistant && result?.role === 'tool')
  assert.deepEqual(toolCallsOf(assistant), [
    { type: 'tool-call', toolCallId: 'call_1', toolName: 'add', input: { a: 1, b: 2 } },
  ])
  assert.deepEqual([result.toolCallId, result.content], ['call_1', '3'])
})

test('streamText streams text, reasoning and tool input as they come', async () => {
  const model = toAISDK(
    scriptedModel([{ reasoning: 'hmmm', ...callsAdd }, 'It is 3.'], { chunkSize: 2, name: 'test/stream' }),
  )
  const result = streamText({ model, tools: { add }, stopWhen: stepCountIs(5), prompt: '1 + 2?' })
  const text: string[] = []
  let reasoning = ''
  let input = ''
  for await (const part of result.stream) {
    if (part.type === 'text-delta') text.push(part.text)
    else if (part.type === 'reasoning-delta') reasoning += part.text
    else if (part.type === 'tool-input-delta') input += part.delta
  }
  assert.ok(text.length > 4, 'in pieces')
  assert.equal(text.join(''), 'Let me see.It is 3.')
  assert.equal(reasoning, 'hmmm')
  assert.equal(input, '{"a":1,"b":2}')
  assert.equal(await result.text, 'It is 3.')
})

test('structured output carries the schema in and the object out', async () => {
  const script = scriptedModel(['{"stops":["fjord","museum"]}'])
  const { output } = await generateText({
    model: toAISDK(script),
    output: Output.object({ schema: z.object({ stops: z.array(z.string()) }) }),
    prompt: 'Plan a day',
  })
  assert.deepEqual(output, { stops: ['fjord', 'museum'] })
  assert.equal(script.requests[0]?.output?.schema['type'], 'object')
})

test('images come as bytes, and reasoning signatures go round', async () => {
  const script = scriptedModel([
    {
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'hm', signature: 's1g' },
        { type: 'text', text: 'A cat' },
      ],
    },
    'Yes',
  ])
  const model = toAISDK(script)
  const question = {
    role: 'user' as const,
    content: [
      { type: 'text' as const, text: 'What is it?' },
      { type: 'file' as const, mediaType: 'image/png', data: new Uint8Array([104, 105]) },
    ],
  }
  const first = await generateText({ model, messages: [question] })
  await generateText({ model, messages: [question, ...first.response.messages, { role: 'user', content: 'Sure?' }] })
  const [shown, replied] = [...(script.requests[1]?.messages ?? [])]
  assert.deepEqual(shown?.content, [
    { type: 'text', text: 'What is it?' },
    { type: 'image', mediaType: 'image/png', data: 'aGk=' },
  ])
  const reasoning = typeof replied?.content === 'string' ? undefined : replied?.content[0]
  assert.ok(reasoning?.type === 'reasoning')
  assert.deepEqual([reasoning.text, reasoning.signature], ['hm', 's1g'])
})

test('the SDK retries what may be retried, and only that', async () => {
  const limited = { fault: 'error', failure: failure('rate_limit', 'slow', { status: 429, retryAfter: 1 }) } as const
  const recovering = faultyModel(
    scriptedModel(() => 'fine'),
    [limited, limited],
  )
  const { text } = await generateText({ model: toAISDK(recovering), prompt: 'Hi' })
  assert.equal(text, 'fine')
  assert.equal(recovering.calls, 3)

  const refused = { fault: 'error', failure: failure('authentication', 'who?', { status: 401 }) } as const
  const locked = faultyModel(
    scriptedModel(() => 'fine'),
    () => refused,
  )
  await assert.rejects(generateText({ model: toAISDK(locked), prompt: 'Hi' }), (error: unknown) => {
    assert.ok(APICallError.isInstance(error))
    assert.deepEqual([error.statusCode, error.isRetryable], [401, false])
    return true
  })
  assert.equal(locked.calls, 1)

  const down = faultyModel(
    scriptedModel(() => 'fine'),
    () => limited,
  )
  await assert.rejects(generateText({ model: toAISDK(down), prompt: 'Hi', maxRetries: 1 }), RetryError)
  assert.equal(down.calls, 2)
})

/** Reads a stream to its end: the text that was shown, and the error that came. */
async function watch(model: LanguageModel): Promise<{ text: string; error: unknown }> {
  const seen = { text: '', error: undefined as unknown }
  const result = streamText({ model, prompt: 'Hi', maxRetries: 0, onError: () => {} })
  for await (const part of result.stream) {
    if (part.type === 'text-delta') seen.text += part.text
    else if (part.type === 'error') seen.error = part.error
  }
  return seen
}

test('a reply that begins anew after its first delta fails with the partial, unless the pool is buffered', async () => {
  const members = () => [
    faultyModel(
      scriptedModel(() => 'abc', { chunkSize: 1 }),
      [{ fault: 'error', after: 2 }],
    ),
    scriptedModel(() => 'xyz', { chunkSize: 1 }),
  ]
  const plain = await watch(toAISDK(pool(members())))
  assert.equal(plain.text, 'ab')
  assert.ok(APICallError.isInstance(plain.error))
  assert.deepEqual(await watch(toAISDK(pool(members(), { buffer: true }))), { text: 'xyz', error: undefined })

  const { text } = await generateText({ model: toAISDK(pool(members())), prompt: 'Hi' })
  assert.equal(text, 'xyz', 'a reply that is not streamed has nothing to take back')
})

test('an error in mid-stream surfaces with what came', async () => {
  const model = faultyModel(
    scriptedModel(() => 'abc', { chunkSize: 1 }),
    [{ fault: 'cut', after: 1 }],
  )
  const { text, error } = await watch(toAISDK(model))
  assert.equal(text, 'a')
  assert.ok(APICallError.isInstance(error) && error.isRetryable)
})

test('aborting there stops the model here', async () => {
  const hanging = faultyModel(
    scriptedModel(() => 'abc', { chunkSize: 1 }),
    () => ({ fault: 'hang', after: 1 }),
  )
  const controller = new AbortController()
  const result = streamText({
    model: toAISDK(hanging),
    prompt: 'Hi',
    abortSignal: controller.signal,
    onError: () => {},
  })
  const types: string[] = []
  for await (const part of result.stream) {
    types.push(part.type)
    if (part.type === 'text-delta') controller.abort()
  }
  assert.equal(types.at(-1), 'abort')
  assert.equal(hanging.open, 0)

  const waiting = faultyModel(
    scriptedModel(() => 'abc'),
    () => ({ fault: 'hang' }),
  )
  const second = new AbortController()
  const generating = generateText({ model: toAISDK(waiting), prompt: 'Hi', abortSignal: second.signal })
  const rejected = assert.rejects(generating, { name: 'AbortError' })
  queueMicrotask(() => second.abort())
  await rejected
  assert.equal(waiting.open, 0)
})

test('settings without a counterpart are warned about', async () => {
  const result = await toAISDK(scriptedModel(['x'])).doGenerate({
    prompt: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
    topK: 5,
    reasoning: 'high',
    tools: [{ type: 'provider', name: 'web' }],
  })
  assert.deepEqual(
    result.warnings.map(({ feature }) => feature),
    ['topK', 'reasoning', 'provider tool web'],
  )
})

test('the SDK takes our object for one of its own models', async () => {
  const model: LanguageModel = toAISDK(scriptedModel(['{"a":1}']))
  const schema = jsonSchema<{ a: number }>({ type: 'object', properties: { a: { type: 'number' } }, required: ['a'] })
  const { output } = await generateText({ model, output: Output.object({ schema }), prompt: 'Hi' })
  assert.equal(output.a, 1)
})
