// Recognising a repeated chunk must never change what is read.

import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { ModelEvent } from '../port/model.ts'
import { OpenAIReply } from './openai-reply.ts'
import { RepeatedChunk } from './repeated-chunk.ts'

interface Small {
  readonly content?: unknown
}
const textIn = (data: string): unknown => (JSON.parse(data) as Small).content
const learnt = (data: string, text: string): RepeatedChunk => {
  const chunk = new RepeatedChunk()
  chunk.learn(data, { key: 'content', text, textIn })
  return chunk
}

test('recognises the same chunk with another text', () => {
  const chunk = learnt('{"id":1,"content":"one"}', 'one')
  assert.equal(chunk.textOf('{"id":1,"content":"two"}'), 'two')
  assert.equal(chunk.textOf('{"id":1,"content":""}'), '')
})

test('recognises nothing that differs elsewhere, or whose text is escaped', () => {
  const chunk = learnt('{"id":1,"content":"one"}', 'one')
  const others = [
    '{"id":2,"content":"two"}',
    '{"id":1,"content":"a\\n"}',
    '{"id":1,"content":"a","b":"c"}',
    '{"id":1,"conten',
  ]
  for (const other of others) assert.equal(chunk.textOf(other), undefined, other)
})

test('is not led astray by the same text in another place', () => {
  const decoy = '{"content":"\\u006fne","other":{"content":"one"}}'
  assert.equal(learnt(decoy, 'one').textOf('{"content":"\\u006fne","other":{"content":"two"}}'), undefined)
  assert.equal(learnt('{"content": 5, "x": "one"}', 'one').textOf('{"content": 5, "x": "two"}'), undefined)
})

test('stops learning where every chunk has another shape', () => {
  const chunk = new RepeatedChunk()
  let proofs = 0
  for (let index = 0; index < 100; index++) {
    const data = `{"content":"a","pad":"${index}"}`
    if (chunk.textOf(data) === undefined) {
      chunk.learn(data, { key: 'content', text: 'a', textIn: (text) => (proofs++, textIn(text)) })
    }
  }
  assert.ok(proofs <= 4)
})

const chunkWith = fc.record({
  content: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a', 'b', 'content', '","content":"x', '')),
  id: fc.constantFrom('x', 'y'),
  extra: fc.constantFrom(
    {},
    { reasoning_content: 'r' },
    { refusal: 'no' },
    { tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: '{' } }] },
  ),
  finish: fc.constantFrom(null, null, null, 'stop'),
})

test('a reply read with recognition is the same as one where each chunk is parsed', () => {
  fc.assert(
    fc.property(fc.array(chunkWith, { maxLength: 12 }), (chunks) => {
      const fast = new OpenAIReply('openai', () => '', {})
      const slow = new OpenAIReply('openai', () => '', {})
      const [a, b]: [ModelEvent[], ModelEvent[]] = [[], []]
      for (const { content, id, extra, finish } of chunks) {
        const chunk = { id, choices: [{ delta: { ...extra, content }, finish_reason: finish }] }
        fast.event(JSON.stringify(chunk), a)
        // A field in front that differs each time is never recognised.
        slow.event(JSON.stringify({ pad: b.length, ...chunk }), b)
      }
      fast.end(a)
      slow.end(b)
      assert.deepEqual(a, b)
    }),
  )
})
