import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assistant, user } from '../message/message.ts'
import { estimateRequestTokens, estimateTokens, messageTokens } from './token-estimate.ts'

test('a wide character counts for one token, four others together', () => {
  assert.equal(estimateTokens(''), 0)
  assert.equal(estimateTokens('four words of text'), 5)
  assert.equal(estimateTokens('漢字仮名'), 4)
  assert.equal(estimateTokens('漢字 and text'), 5)
})

test('everything that travels counts: messages, calls, media, system text, tools and schema', () => {
  const bare = estimateRequestTokens({ messages: [user('Hello, how are you?')] })
  assert.equal(bare, 9)
  const call = {
    type: 'tool-call',
    toolCallId: 'c',
    toolName: 'look',
    input: { at: 'the whole of this sentence' },
  } as const
  const more = [
    { messages: [user('Hello, how are you?'), assistant([call])] },
    {
      messages: [
        user([
          { type: 'text', text: 'Hello, how are you?' },
          { type: 'image', mediaType: 'image/png', data: '' },
        ]),
      ],
    },
    { messages: [user('Hello, how are you?')], system: 'Be brief and kind.' },
    { messages: [user('Hello, how are you?')], tools: [{ name: 'look', description: 'Looks', inputSchema: {} }] },
    { messages: [user('Hello, how are you?')], output: { name: 'o', schema: { type: 'object', properties: {} } } },
  ]
  for (const request of more) assert.ok(estimateRequestTokens(request) >= bare + 5)
})

test('a message is measured by any counter, once by each', () => {
  let texts = 0
  const words = (text: string): number => (texts++, text.split(' ').length)
  const message = user([
    { type: 'text', text: 'one two three' },
    { type: 'image', mediaType: 'image/png', data: '' },
  ])
  assert.equal(messageTokens(message, words), 4 + 3 + 1_000)
  assert.equal(messageTokens(message, words), 4 + 3 + 1_000)
  assert.equal(texts, 1)
  assert.equal(messageTokens(message), 4 + 4 + 1_000)
  const call = assistant([
    { type: 'reasoning', text: 'so so' },
    { type: 'tool-call', toolCallId: 'c', toolName: 'look', input: { at: 'a b' } },
  ])
  assert.equal(messageTokens(call, words), 4 + 2 + 1 + 2)
})
