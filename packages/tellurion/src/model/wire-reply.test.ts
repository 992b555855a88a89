// Replies of both wires in all the forms that servers give them, read without a network.

import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { toolCallsOf } from '../message/message.ts'
import type { ModelEvent, ModelReply } from '../port/model.ts'
import { anthropicLanguage, openAILanguage, type WireStep } from '../testing/wire-script.ts'
import { complete } from './collect.ts'
import { model } from './named-model.ts'

const request = { messages: [{ role: 'user', content: 'Hello' }] } as const

function answering(body: string | readonly Uint8Array[]): typeof fetch {
  const pieces = typeof body === 'string' ? [new TextEncoder().encode(body)] : body
  return async () => {
    const left = [...pieces]
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = left.shift()
        if (piece === undefined) controller.close()
        else controller.enqueue(piece)
      },
    })
    return new Response(stream)
  }
}

function ask(vendor: string, body: string | readonly Uint8Array[]): Promise<ModelReply> {
  const asked = model(`${vendor}/m`, { apiKey: 'test-key', fetch: answering(body), env: {} })
  return complete(asked, request)
}

const sse = (...data: readonly unknown[]): string => data.map((item) => `data: ${JSON.stringify(item)}\n\n`).join('')
const chunk = (delta: object, reason: string | null = null): object => ({ choices: [{ delta, finish_reason: reason }] })
const calls = (...deltas: readonly object[]): object => chunk({ tool_calls: deltas })
const end = chunk({}, 'stop')

async function callsOf(...chunks: readonly object[]) {
  const reply = await ask('openai', sse(...chunks))
  return reply.message ? toolCallsOf(reply.message) : []
}

test('whole calls in one chunk, without index', async () => {
  const found = await callsOf(
    calls(
      { id: 'a', function: { name: 'x', arguments: '{"n":1}' } },
      { id: 'b', function: { name: 'y', arguments: '{}' } },
    ),
    end,
  )
  assert.deepEqual(
    found.map((call) => [call.toolCallId, call.toolName, call.input]),
    [
      ['a', 'x', { n: 1 }],
      ['b', 'y', {}],
    ],
  )
})

test('several calls that all claim index 0 are told apart by their ids', async () => {
  const one = (id: string): object => calls({ index: 0, id, function: { name: 'x', arguments: `{"id":"${id}"}` } })
  assert.deepEqual(
    (await callsOf(one('a'), one('b'), end)).map((call) => call.input),
    [{ id: 'a' }, { id: 'b' }],
  )
})

test('a call without index goes on until another begins', async () => {
  const found = await callsOf(
    calls({ id: 'a', function: { name: 'x', arguments: '{"n"' } }),
    calls({ function: { arguments: ':1}' } }),
    calls({ id: 'a', function: { arguments: ' ' } }),
    calls({ function: { name: 'y', arguments: '{}' } }),
    end,
  )
  assert.deepEqual(
    found.map((call) => [call.toolName, call.input]),
    [
      ['x', { n: 1 }],
      ['y', {}],
    ],
  )
})

test('calls without id get ids that are the same each time, and differ from each other', async () => {
  const once = (): Promise<readonly { toolCallId: string }[]> => {
    return callsOf(calls({ index: 0, function: { name: 'x' } }), calls({ index: 1, function: { name: 'x' } }), end)
  }
  const [first, second] = [await once(), await once()]
  assert.deepEqual(first, second)
  assert.notEqual(first[0]?.toolCallId, first[1]?.toolCallId)
  assert.match(first[0]?.toolCallId ?? '', /^call_0_[a-z0-9]+$/)
})

test('an id given twice, or one that is no id, is replaced', async () => {
  const found = await callsOf(
    calls({ index: 0, id: 'a', function: { name: 'x' } }, { index: 1, id: 'a', function: { name: 'y' } }),
    calls({ index: 2, id: 'has\nbreak', function: { name: 'z' } }),
    end,
  )
  const ids = found.map((call) => call.toolCallId)
  assert.equal(ids[0], 'a')
  assert.equal(new Set(ids).size, 3)
  for (const id of ids) assert.match(id, /^[\x21-\x7e]+$/)
})

test('calls make the finish reason, whatever the server calls it', async () => {
  const reply = await ask('openai', sse(calls({ index: 0, id: 'a', function: { name: 'x', arguments: '' } }), end))
  assert.equal(reply.status === 'finished' && reply.finishReason, 'tool-calls')
})

test('arguments may come as an object; what a world would refuse to hold is no input', async () => {
  const input = async (args: unknown): Promise<unknown> => {
    const [call] = await callsOf(calls({ index: 0, id: 'a', function: { name: 'x', arguments: args } }), end)
    return call?.invalidInput === undefined ? call?.input : 'invalid'
  }
  assert.deepEqual(await input({ n: 1 }), { n: 1 })
  assert.deepEqual(await input(' '), {})
  assert.deepEqual(await input('[1]'), [1])
  const nested = `${'['.repeat(64)}${']'.repeat(64)}`
  for (const bad of ['{"__proto__":1}', '{"a":1e999}', '{"a":"\\ud800"}', nested])
    assert.equal(await input(bad), 'invalid', bad)
})

test('finish reasons of every dialect', async () => {
  const reasons: readonly (readonly [string, string])[] = [
    ['stop', 'stop'],
    ['eos', 'stop'],
    ['length', 'length'],
    ['model_length', 'length'],
    ['content_filter', 'content-filter'],
    ['tool_calls', 'stop'],
    ['something_new', 'other'],
  ]
  for (const [theirs, ours] of reasons) {
    const reply = await ask('openai', sse(chunk({ content: 'a' }, theirs)))
    assert.equal(reply.status === 'finished' && reply.finishReason, ours, theirs)
  }
})

test('usage may come with the last chunk, after it, or not at all', async () => {
  const usage = { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 }
  const details = {
    ...usage,
    prompt_tokens_details: { cached_tokens: 4 },
    completion_tokens_details: { reasoning_tokens: 2 },
  }
  const found = async (...chunks: readonly object[]): Promise<unknown> => {
    const reply = await ask('openai', sse(...chunks))
    return reply.status === 'finished' && reply.usage
  }
  const plain = { inputTokens: 5, outputTokens: 3, totalTokens: 8 }
  assert.deepEqual(await found({ ...end, usage }), plain)
  assert.deepEqual(await found(end, { choices: [], usage }), plain)
  assert.deepEqual(await found(end, { usage: details }), { ...plain, cacheReadTokens: 4, reasoningTokens: 2 })
  assert.deepEqual(await found(end), { inputTokens: 0, outputTokens: 0, totalTokens: 0 })
  assert.deepEqual(await found({ ...end, usage: { prompt_tokens: 'many', completion_tokens: -1 } }), {
    inputTokens: 0,
    outputTokens: 0,
    totalTokens: 0,
  })
})

test('reasoning under each of its names, and as parts of the content', async () => {
  const expected = [
    { type: 'reasoning', text: 'hm' },
    { type: 'text', text: 'Yes' },
  ]
  const forms: readonly (readonly object[])[] = [
    [{ reasoning_content: 'h' }, { reasoning_content: 'm' }, { content: 'Yes' }],
    [{ reasoning: 'hm', content: '' }, { content: 'Yes' }],
    [
      { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }] },
      { content: [{ type: 'text', text: 'Yes' }] },
    ],
  ]
  for (const deltas of forms) {
    const reply = await ask('openai', sse(...deltas.map((delta) => chunk(delta)), end))
    assert.deepEqual(reply.message?.content, expected)
  }
})

test('a refusal is text, and the reply was filtered', async () => {
  const reply = await ask('openai', sse(chunk({ refusal: 'No.' }), end))
  assert.deepEqual(
    [reply.message?.content, reply.status === 'finished' && reply.finishReason],
    ['No.', 'content-filter'],
  )
})

test('signatures of Google travel with their call', async () => {
  const extra = { google: { thought_signature: 's' } }
  const body = sse(calls({ index: 0, id: 'a', function: { name: 'x', arguments: '{}' }, extra_content: extra }), end)
  const reply = await ask('google', body)
  const [call] = reply.message ? toolCallsOf(reply.message) : []
  assert.deepEqual(call?.providerMetadata, { google: { extra_content: extra } })
})

test('one JSON body in place of a stream is read all the same', async () => {
  const message = {
    content: 'Hi',
    tool_calls: [{ id: 'a', type: 'function', function: { name: 'x', arguments: '{"n":1}' } }],
  }
  const openai = await ask(
    'openai',
    `\n ${JSON.stringify({ id: 'r', model: 'm1', choices: [{ message, finish_reason: 'tool_calls' }] })}`,
  )
  assert.deepEqual(openai.message?.content, [
    { type: 'text', text: 'Hi' },
    { type: 'tool-call', toolCallId: 'a', toolName: 'x', input: { n: 1 } },
  ])
  assert.deepEqual(openai.status === 'finished' && [openai.model, openai.responseId], ['m1', 'r'])
  const content = [
    { type: 'thinking', thinking: 'hm', signature: 's' },
    { type: 'text', text: 'Hi' },
    { type: 'tool_use', id: 'a', name: 'x', input: { n: 1 } },
  ]
  const anthropic = await ask(
    'anthropic',
    JSON.stringify({ id: 'r', content, stop_reason: 'tool_use', usage: { input_tokens: 1, output_tokens: 2 } }),
  )
  assert.deepEqual(anthropic.message?.content, [
    { type: 'reasoning', text: 'hm', signature: 's', providerMetadata: { anthropic: {} } },
    { type: 'text', text: 'Hi' },
    { type: 'tool-call', toolCallId: 'a', toolName: 'x', input: { n: 1 } },
  ])
})

test('errors where a reply was expected', async () => {
  const failure = async (vendor: string, body: string): Promise<unknown> => {
    const reply = await ask(vendor, body)
    return reply.status === 'failed' && [reply.failure.kind, reply.failure.code]
  }
  assert.deepEqual(await failure('openai', '{"error":{"code":429,"message":"slow down"}}'), [
    'rate_limit',
    'model_rate_limit',
  ])
  assert.deepEqual(await failure('openai', '[{"error":{"code":"context_length_exceeded"}}]'), [
    'validation',
    'context_overflow',
  ])
  assert.deepEqual(await failure('openai', sse({ object: 'error', message: 'no', code: 400 })), [
    'validation',
    'model_validation',
  ])
  assert.deepEqual(
    await failure('anthropic', 'event: error\n' + sse({ type: 'error', error: { type: 'overloaded_error' } })),
    ['service', 'model_service'],
  )
  for (const vendor of ['openai', 'anthropic']) {
    for (const body of [
      '',
      ' \n',
      '{}',
      '{"a":1}',
      '[]',
      'data: {oops}\n\n',
      '<html>',
      '{"choices":',
      'data: null\n\ndata: nonsense\n\n',
    ]) {
      assert.deepEqual(await failure(vendor, body), ['service', 'invalid_reply'], `${vendor}: ${body}`)
    }
  }
})

test('a stream without [DONE], without message_stop and without a last newline is whole once it has a finish reason', async () => {
  assert.equal((await ask('openai', sse(chunk({ content: 'a' }), end).trimEnd())).status, 'finished')
  const events = anthropicLanguage
    .events([{ text: 'a' }, { finish: 'stop' }])
    .slice(0, -1)
    .join('')
  assert.equal((await ask('anthropic', events)).status, 'finished')
})

test('Anthropic: usage includes the cache, later figures replace earlier ones', async () => {
  const body = sse(
    {
      type: 'message_start',
      message: {
        usage: { input_tokens: 3, cache_read_input_tokens: 10, cache_creation_input_tokens: 5, output_tokens: 1 },
      },
    },
    { type: 'ping' },
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn' },
      usage: { input_tokens: null, output_tokens: 9, output_tokens_details: { thinking_tokens: 4 } },
    },
    { type: 'message_stop' },
  )
  const reply = await ask('anthropic', body)
  assert.deepEqual(reply.status === 'finished' && reply.usage, {
    inputTokens: 18,
    outputTokens: 9,
    totalTokens: 27,
    cacheReadTokens: 10,
    cacheWriteTokens: 5,
    reasoningTokens: 4,
  })
})

test('Anthropic: redacted reasoning is kept, blocks of unknown kinds are read over', async () => {
  const block = (index: number, content_block: object): object[] => [
    { type: 'content_block_start', index, content_block },
    { type: 'content_block_stop', index },
  ]
  const body = sse(
    ...block(0, { type: 'redacted_thinking', data: 'r' }),
    ...block(1, { type: 'server_tool_use', id: 's', name: 'web_search', input: {} }),
    { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{' } },
    { type: 'content_block_delta', index: 1, delta: { type: 'citations_delta', citation: {} } },
    { type: 'event_of_the_future' },
    ...block(2, { type: 'text', text: 'Hi' }),
    { type: 'message_delta', delta: { stop_reason: 'refusal' } },
    { type: 'message_stop' },
  )
  const reply = await ask('anthropic', body)
  assert.equal(reply.status === 'finished' && reply.finishReason, 'content-filter')
  assert.deepEqual(reply.message?.content, [
    { type: 'reasoning', text: '', redacted: 'r', providerMetadata: { anthropic: {} } },
    { type: 'text', text: 'Hi' },
  ])
})

const stepArbitrary: fc.Arbitrary<WireStep> = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => ({ text })),
  fc.record({
    call: fc.record({ id: fc.uuid(), name: fc.constant('look'), pieces: fc.json().map((json) => [...json]) }),
  }),
  fc.constantFrom('a', 'hm 😀').map((reasoning) => ({ reasoning })),
)

for (const [vendor, language] of [
  ['openai', openAILanguage],
  ['anthropic', anthropicLanguage],
] as const) {
  test(`${vendor}: however the bytes of a stream are split, the reply is the same`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(stepArbitrary, { maxLength: 5 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
        fc.boolean(),
        async (steps, sizes, crlf) => {
          const text = language.events([...steps, { finish: 'stop' }]).join('')
          const bytes = new TextEncoder().encode(crlf ? text.replaceAll('\n', '\r\n') : text)
          const pieces: Uint8Array[] = []
          for (let at = 0; at < bytes.length;) {
            const size = sizes.next().value as number
            pieces.push(bytes.slice(at, at + size))
            at += size
          }
          const [whole, split] = [await ask(vendor, text), await ask(vendor, pieces)]
          assert.equal(whole.status, 'finished')
          assert.deepEqual(split, whole)
        },
      ),
      { numRuns: 60 },
    )
  })
}

test('no delta ends in half a character', async () => {
  const delta = (text: string): object => ({
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'text_delta', text },
  })
  const bodies = {
    openai: sse(chunk({ content: 'a\ud83d' }), chunk({ content: '\ude00b' }), end),
    anthropic: sse(delta('a\ud83d'), delta('\ude00b'), { type: 'message_delta', delta: { stop_reason: 'end_turn' } }),
  }
  for (const [vendor, body] of Object.entries(bodies)) {
    const asked = model(`${vendor}/m`, { apiKey: 'test-key', fetch: answering(body), env: {} })
    const texts: string[] = []
    for await (const event of asked.stream(request, {})) if (event.type === 'text.delta') texts.push(event.text)
    assert.deepEqual(texts, ['a', '😀b'])
  }
})

test('previews of arguments join to the arguments, byte for byte', async () => {
  const text = '{"a":"\\ud83d\\ude00 \\u00e9","b":[1,2]}'
  for (const [vendor, language] of [
    ['openai', openAILanguage],
    ['anthropic', anthropicLanguage],
  ] as const) {
    const body = language
      .events([{ call: { id: 'a', name: 'look', pieces: [...text] } }, { finish: 'tool-calls' }])
      .join('')
    const events: ModelEvent[] = []
    const asked = model(`${vendor}/m`, { apiKey: 'test-key', fetch: answering(body), env: {} })
    for await (const event of asked.stream(request, {})) events.push(event)
    const deltas = events.flatMap((event) => (event.type === 'tool.delta' ? [event] : []))
    assert.equal(deltas.map(({ delta }) => delta).join(''), text)
    assert.ok(deltas.every((event) => event.toolCallId === 'a' && event.toolName === 'look'))
  }
})
