// Requests in the words of Anthropic's messages.

import assert from 'node:assert/strict'
import test from 'node:test'
import type { Message } from '../message/message.ts'
import type { ModelRequest } from '../port/model.ts'
import { createAnthropicEncoder, defaultMaxTokens } from './anthropic-request.ts'

type Body = Readonly<Record<string, unknown>> & { readonly messages: readonly { role: string; content: unknown[] }[] }

function bodyOf(request: ModelRequest, model = 'claude-sonnet-5'): Body {
  return JSON.parse(createAnthropicEncoder({ vendor: 'anthropic', model })(request)) as Body
}

const hello: Message = { role: 'user', content: 'Hello' }
const text = (words: string) => ({ type: 'text', text: words })
const call = { type: 'tool-call', toolCallId: 'c1', toolName: 'look', input: { n: 1 } } as const
const result = (id: string, content: Extract<Message, { role: 'tool' }>['content'], isError?: true): Message => {
  return { role: 'tool', toolCallId: id, toolName: 'look', content, ...(isError && { isError }) }
}

test('the least request has a limit, for the API demands one', () => {
  assert.deepEqual(bodyOf({ messages: [hello] }), {
    model: 'claude-sonnet-5',
    max_tokens: 64_000,
    stream: true,
    messages: [{ role: 'user', content: [text('Hello')] }],
  })
  assert.equal(defaultMaxTokens('claude-3-haiku-20240307'), 4_096)
  assert.equal(defaultMaxTokens('claude-3-5-sonnet-latest'), 8_192)
  assert.equal(defaultMaxTokens('claude-opus-4-1'), 32_000)
  assert.equal(defaultMaxTokens('something-else'), 4_096)
})

test('all system text becomes one field, neighbours of one role one message', () => {
  const body = bodyOf({
    system: 'A',
    messages: [
      { role: 'system', content: 'B' },
      hello,
      { role: 'user', content: [{ type: 'text', text: 'again' }] },
      { role: 'assistant', content: 'half', partial: true },
      { role: 'assistant', content: 'One.' },
      { role: 'assistant', content: 'Two.' },
      { role: 'system', content: 'C' },
    ],
  })
  assert.equal(body['system'], 'A\n\nB\n\nC')
  assert.deepEqual(body.messages, [
    { role: 'user', content: [text('Hello'), text('again')] },
    { role: 'assistant', content: [text('One.'), text('Two.')] },
  ])
})

test('results are blocks of the user, and come before what the user says', () => {
  const image = { type: 'image', mediaType: 'image/png', data: 'AAAA' } as const
  const { messages } = bodyOf({
    messages: [
      { role: 'assistant', content: [{ type: 'text', text: 'I look' }, call, { ...call, toolCallId: 'bad id!' }] },
      result('c1', 'seen'),
      hello,
      result('bad id!', [{ type: 'text', text: 'a view' }, image], true),
    ],
  })
  const { id = '' } = (messages[0]?.content[2] ?? {}) as { id?: string }
  assert.match(id, /^[a-zA-Z0-9_-]+$/)
  assert.deepEqual(messages, [
    {
      role: 'assistant',
      content: [
        text('I look'),
        { type: 'tool_use', id: 'c1', name: 'look', input: { n: 1 } },
        { type: 'tool_use', id, name: 'look', input: { n: 1 } },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'c1', content: 'seen' },
        {
          type: 'tool_result',
          tool_use_id: id,
          content: [
            text('a view'),
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
          ],
          is_error: true,
        },
        text('Hello'),
      ],
    },
  ])
})

test('reasoning goes back as it came, unless another vendor signed it or nobody did', () => {
  const { messages } = bodyOf({
    messages: [
      hello,
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'a', signature: 's1', providerMetadata: { anthropic: {} } },
          { type: 'reasoning', text: 'b', signature: 's2' },
          { type: 'reasoning', text: '', redacted: 'r', providerMetadata: { anthropic: {} } },
          { type: 'reasoning', text: 'unsigned' },
          { type: 'reasoning', text: 'foreign', signature: 's3', providerMetadata: { google: {} } },
          { type: 'text', text: 'Yes' },
        ],
      },
    ],
  })
  assert.deepEqual(messages[1]?.content, [
    { type: 'thinking', thinking: 'a', signature: 's1' },
    { type: 'thinking', thinking: 'b', signature: 's2' },
    { type: 'redacted_thinking', data: 'r' },
    text('Yes'),
  ])
})

test('blank text is no block, and a blank message none at all', () => {
  const { messages } = bodyOf({
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: ' \n' },
          { type: 'text', text: 'a' },
        ],
      },
      { role: 'assistant', content: '' },
      { role: 'user', content: 'b' },
    ],
  })
  assert.deepEqual(messages, [{ role: 'user', content: [text('a'), text('b')] }])
  for (const empty of [[], [{ role: 'user', content: ' ' }], [{ role: 'system', content: 'only' }]] as Message[][]) {
    assert.throws(() => bodyOf({ messages: empty }), { code: 'model_validation' })
  }
})

test('images and files have their blocks', () => {
  const content = [
    { type: 'image', mediaType: 'image/png', url: 'https://x.test/a.png' },
    { type: 'file', mediaType: 'application/pdf', filename: 'a.pdf', data: 'AAAA' },
    { type: 'file', mediaType: 'application/pdf', url: 'https://x.test/a.pdf' },
    { type: 'file', mediaType: 'text/csv', data: btoa('a;b') },
  ] as const
  assert.deepEqual(bodyOf({ messages: [{ role: 'user', content }] }).messages[0]?.content, [
    { type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } },
    { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' }, title: 'a.pdf' },
    { type: 'document', source: { type: 'url', url: 'https://x.test/a.pdf' } },
    { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'a;b' } },
  ])
  const refused = [
    { type: 'image', mediaType: 'image/png' },
    { type: 'file', mediaType: 'video/mp4', data: 'AAAA' },
    { type: 'file', mediaType: 'text/plain', data: '!' },
  ] as const
  for (const part of refused) {
    assert.throws(() => bodyOf({ messages: [{ role: 'user', content: [part] }] }), { code: 'model_validation' })
  }
})

test('every setting has its field, and a seed is refused', () => {
  const inputSchema = { type: 'object', properties: {} }
  const schema = { type: 'object' }
  const { messages: _messages, ...fields } = bodyOf({
    messages: [hello],
    tools: [{ name: 'look', description: 'Looks', inputSchema }],
    toolChoice: 'required',
    parallelToolCalls: false,
    output: { name: 'o', schema },
    maxOutputTokens: 10,
    temperature: 0.5,
    topP: 0.9,
    stopSequences: ['END'],
    providerOptions: {
      anthropic: { output_config: { effort: 'low' }, cache_control: { type: 'ephemeral' } },
      openai: { nonsense: 1 },
    },
  })
  assert.deepEqual(fields, {
    model: 'claude-sonnet-5',
    max_tokens: 10,
    stream: true,
    tools: [{ name: 'look', description: 'Looks', input_schema: inputSchema }],
    tool_choice: { type: 'any', disable_parallel_tool_use: true },
    output_config: { format: { type: 'json_schema', schema }, effort: 'low' },
    temperature: 0.5,
    top_p: 0.9,
    stop_sequences: ['END'],
    cache_control: { type: 'ephemeral' },
  })
  assert.throws(() => bodyOf({ messages: [hello], seed: 1 }), { code: 'model_validation' })
})

test('the choice of tools in every form', () => {
  const choice = (request: Partial<ModelRequest>): unknown => {
    return bodyOf({ messages: [hello], tools: [{ name: 'look', description: '', inputSchema: {} }], ...request })[
      'tool_choice'
    ]
  }
  assert.equal(choice({}), undefined)
  assert.deepEqual(choice({ toolChoice: 'auto' }), { type: 'auto' })
  assert.deepEqual(choice({ toolChoice: 'none', parallelToolCalls: false }), { type: 'none' })
  assert.deepEqual(choice({ toolChoice: { tool: 'look' } }), { type: 'tool', name: 'look' })
  assert.deepEqual(choice({ parallelToolCalls: true }), { type: 'auto', disable_parallel_tool_use: false })
})

test('a part’s own metadata marks where the cache ends', () => {
  const content = [
    { type: 'text', text: 'long', providerMetadata: { anthropic: { cache_control: { type: 'ephemeral' } } } },
  ] as const
  assert.deepEqual(bodyOf({ messages: [{ role: 'user', content }] }).messages[0]?.content, [
    { ...text('long'), cache_control: { type: 'ephemeral' } },
  ])
})

test('a message is encoded once, however often it is sent', () => {
  let reads = 0
  const counted: Message = {
    role: 'user',
    get content() {
      reads++
      return 'Hello'
    },
  }
  const encode = createAnthropicEncoder({ vendor: 'anthropic', model: 'm' })
  assert.equal(encode({ messages: [counted] }), encode({ messages: [counted] }))
  assert.equal(reads, 1)
})
