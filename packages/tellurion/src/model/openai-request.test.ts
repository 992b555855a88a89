// Requests in the words of OpenAI's chat completions, and of those who differ.

import assert from 'node:assert/strict'
import test from 'node:test'
import type { Message } from '../message/message.ts'
import type { ModelRequest } from '../port/model.ts'
import { createOpenAIEncoder, type OpenAIQuirks } from './openai-request.ts'

type Body = Readonly<Record<string, unknown>> & { readonly messages: readonly unknown[] }

function bodyOf(request: ModelRequest, quirks: OpenAIQuirks = {}, vendor = 'openai'): Body {
  return JSON.parse(createOpenAIEncoder({ vendor, model: 'm', quirks })(request)) as Body
}

const hello: Message = { role: 'user', content: 'Hello' }
const call = { type: 'tool-call', toolCallId: 'c1', toolName: 'look', input: { n: 1 } } as const

test('the least request asks for a stream with its usage', () => {
  assert.deepEqual(bodyOf({ messages: [hello] }), {
    model: 'm',
    stream: true,
    stream_options: { include_usage: true },
    messages: [{ role: 'user', content: 'Hello' }],
  })
})

test('every setting has its field', () => {
  const inputSchema = { type: 'object', properties: {} }
  const { messages: _messages, ...fields } = bodyOf({
    messages: [hello],
    tools: [{ name: 'look', description: 'Looks', inputSchema }],
    toolChoice: { tool: 'look' },
    parallelToolCalls: false,
    maxOutputTokens: 10,
    temperature: 0,
    topP: 0.5,
    stopSequences: ['END'],
    seed: 7,
  })
  assert.deepEqual(fields, {
    model: 'm',
    stream: true,
    stream_options: { include_usage: true },
    tools: [{ type: 'function', function: { name: 'look', description: 'Looks', parameters: inputSchema } }],
    tool_choice: { type: 'function', function: { name: 'look' } },
    parallel_tool_calls: false,
    max_tokens: 10,
    temperature: 0,
    top_p: 0.5,
    stop: ['END'],
    seed: 7,
  })
})

test('what belongs to tools is left out where there are none', () => {
  const body = bodyOf({
    messages: [hello],
    tools: [],
    toolChoice: 'required',
    parallelToolCalls: true,
    stopSequences: [],
  })
  for (const field of ['tools', 'tool_choice', 'parallel_tool_calls', 'stop']) assert.ok(!(field in body), field)
})

test('quirks change the dialect', () => {
  const request: ModelRequest = {
    messages: [hello],
    tools: [{ name: 'look', description: '', inputSchema: {} }],
    toolChoice: 'required',
    maxOutputTokens: 5,
    seed: 1,
  }
  const body = bodyOf(request, {
    maxTokensField: 'max_completion_tokens',
    streamOptions: false,
    anyForRequired: true,
    seedField: 'random_seed',
  })
  assert.deepEqual([body['max_completion_tokens'], body['max_tokens']], [5, undefined])
  assert.deepEqual([body['tool_choice'], body['random_seed'], 'stream_options' in body], ['any', 1, false])
})

test('options of the vendor win, field by field, and those of others stay out', () => {
  const body = bodyOf({
    messages: [hello],
    temperature: 1,
    providerOptions: {
      openai: { temperature: 0.2, stream_options: { include_obfuscation: false }, service_tier: 'flex' },
      groq: { nonsense: true },
    },
  })
  assert.deepEqual(body['stream_options'], { include_usage: true, include_obfuscation: false })
  assert.deepEqual([body['temperature'], body['service_tier'], 'nonsense' in body], [0.2, 'flex', false])
  const own = { messages: [{ role: 'user', content: 'mine' }] }
  assert.deepEqual(bodyOf({ messages: [hello], providerOptions: { openai: own } }).messages, own.messages)
})

test('a conversation keeps its order; partial replies are not sent', () => {
  const { messages } = bodyOf({
    system: 'Be brief.',
    messages: [
      hello,
      { role: 'assistant', content: 'half', partial: true },
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'hm' },
          { type: 'text', text: 'I ' },
          { type: 'text', text: 'look' },
          call,
        ],
      },
      { role: 'tool', toolCallId: 'c1', toolName: 'look', content: 'seen' },
      { role: 'assistant', content: '' },
    ],
  })
  assert.deepEqual(messages, [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hello' },
    {
      role: 'assistant',
      content: 'I look',
      tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{"n":1}' } }],
    },
    { role: 'tool', tool_call_id: 'c1', content: 'seen' },
    { role: 'assistant', content: '' },
  ])
})

test('arguments are always an object in a text', () => {
  const args = (part: object): unknown => {
    const message = { role: 'assistant', content: [{ ...call, ...part }] } as Message
    const [sent] = bodyOf({ messages: [message] }).messages as [
      { content: null; tool_calls: [{ function: { arguments: string } }] },
    ]
    assert.equal(sent.content, null)
    return JSON.parse(sent.tool_calls[0].function.arguments)
  }
  assert.deepEqual(args({ input: null, invalidInput: '{oops' }), { invalid_json: '{oops' })
  assert.deepEqual(args({ input: [1] }), { value: [1] })
})

test('images, files and sound have their parts', () => {
  const content = [
    { type: 'text', text: 'See' },
    { type: 'image', mediaType: 'image/png', data: 'AAAA' },
    { type: 'image', mediaType: 'image/png', url: 'https://x.test/a.png' },
    { type: 'file', mediaType: 'application/pdf', filename: 'a.pdf', data: 'BBBB' },
    { type: 'file', mediaType: 'audio/mpeg', data: 'CCCC' },
  ] as const
  assert.deepEqual(bodyOf({ messages: [{ role: 'user', content }] }).messages, [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'See' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
        { type: 'image_url', image_url: { url: 'https://x.test/a.png' } },
        { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,BBBB' } },
        { type: 'input_audio', input_audio: { data: 'CCCC', format: 'mp3' } },
      ],
    },
  ])
})

test('what a tool shows follows all results of its batch, because a tool message holds text alone', () => {
  const image = { type: 'image', mediaType: 'image/png', data: 'AAAA' } as const
  const result = (id: string, content: Extract<Message, { role: 'tool' }>['content']): Message => {
    return { role: 'tool', toolCallId: id, toolName: 'look', content }
  }
  const { messages } = bodyOf({
    messages: [
      result('c1', [{ type: 'text', text: 'a view' }, image]),
      result('c2', [image]),
      result('c3', 'none'),
      hello,
    ],
  })
  const roles = (messages as readonly { role: string; content: unknown }[]).map(({ role }) => role)
  assert.deepEqual(roles, ['tool', 'tool', 'tool', 'user', 'user', 'user'])
  const [first, second, , attached] = messages as readonly { content: unknown }[]
  assert.deepEqual([first?.content, second?.content], ['a view', 'The result is attached below.'])
  assert.deepEqual(attached?.content, [
    { type: 'text', text: 'Attached to the result of tool call c1:' },
    { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
  ])
})

test('what cannot be said is refused with advice', () => {
  const refused = (messages: readonly Message[]): void => {
    assert.throws(() => bodyOf({ messages }), { code: 'model_validation' })
  }
  refused([])
  refused([{ role: 'assistant', content: 'half', partial: true }])
  refused([{ role: 'user', content: [{ type: 'image', mediaType: 'image/png' }] }])
  refused([{ role: 'user', content: [{ type: 'file', mediaType: 'application/pdf', url: 'https://x.test/a.pdf' }] }])
})

test('a schema is asked for strictly where it allows that and the vendor knows it', () => {
  const format = (schema: object, quirks: OpenAIQuirks = { strictOutput: true }): unknown => {
    const request = { messages: [hello], output: { name: 'a day!', schema: schema as { type: 'object' } } }
    return bodyOf(request, quirks)['response_format']
  }
  const closed = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false }
  const named = (schema: object, rest: object): object => {
    return { type: 'json_schema', json_schema: { name: 'a_day_', schema, ...rest } }
  }
  assert.deepEqual(format(closed), named(closed, { strict: true }))
  assert.deepEqual(format(closed, {}), named(closed, {}))
  const lax = [
    { ...closed, required: [] },
    { ...closed, additionalProperties: true },
    { ...closed, properties: { a: { type: 'string', minLength: 2 } } },
    { ...closed, properties: { a: { type: 'array', items: { type: 'object', properties: {} } } } },
    { type: 'array', items: closed },
  ]
  for (const schema of lax) assert.deepEqual(format(schema), named(schema, { strict: false }))
})

test('where a schema is not understood it is put into words', () => {
  const body = bodyOf(
    { system: 'Be brief.', messages: [hello], output: { name: 'o', schema: { type: 'object' } } },
    { output: 'json_object' },
  )
  assert.deepEqual(body['response_format'], { type: 'json_object' })
  const [system] = body.messages as [{ content: string }]
  assert.match(system.content, /^Be brief\.\n\n.*JSON.*\n\{"type":"object"\}$/s)
})

test('reasoning, ids and metadata travel back where the vendor wants them', () => {
  const message: Message = {
    role: 'assistant',
    content: [
      { type: 'reasoning', text: 'hm' },
      {
        ...call,
        toolCallId: 'call_long_id',
        providerMetadata: { google: { extra_content: { google: { thought_signature: 's' } } } },
      },
    ],
  }
  const result: Message = { role: 'tool', toolCallId: 'call_long_id', toolName: 'look', content: 'x' }
  type Sent = { reasoning_content?: string; tool_calls: [{ id: string; extra_content?: object }]; tool_call_id: string }
  const sent = (quirks: OpenAIQuirks, vendor: string): [Sent, Sent] => {
    return bodyOf({ messages: [message, result] }, quirks, vendor).messages as [Sent, Sent]
  }
  const [deep] = sent({ reasoningField: 'reasoning_content' }, 'deepseek')
  assert.deepEqual([deep.reasoning_content, deep.tool_calls[0].extra_content], ['hm', undefined])
  const [google] = sent({}, 'google')
  assert.deepEqual(
    [google.reasoning_content, google.tool_calls[0].extra_content],
    [undefined, { google: { thought_signature: 's' } }],
  )
  const [mistral, answer] = sent({ shortCallIds: true }, 'mistral')
  assert.match(mistral.tool_calls[0].id, /^[a-z0-9]{9}$/)
  assert.equal(answer.tool_call_id, mistral.tool_calls[0].id)
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
  const encode = createOpenAIEncoder({ vendor: 'openai', model: 'm', quirks: {} })
  const first = encode({ messages: [counted] })
  assert.equal(encode({ messages: [counted] }), first)
  assert.equal(reads, 1)
})
