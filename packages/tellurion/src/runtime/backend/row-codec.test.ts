// Rows come back as they went in, whatever is in them; what is said twice is kept once; nothing passes for a pointer.

import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import type { EventRecord } from '../../event/event.ts'
import type { Json } from '../../schema/json.ts'
import type { Operation } from '../../world/delta.ts'
import { decodeEvents, decodeOperations, encodeRow } from './row-codec.ts'

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const text = 'what a long text this is, longer than any pointer to it'

function throughText(operations: readonly Operation[], events: readonly EventRecord[]): readonly EventRecord[] {
  const row = encodeRow(operations, events)
  assert.deepEqual(plain(decodeOperations(row.operations)), plain(operations))
  return decodeEvents(row)
}

suite('journal rows as text', () => {
  test('any values come back, repeated or not', () => {
    const value = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>
    const long = fc.string({ minLength: 40, maxLength: 80, unit: 'binary' })
    fc.assert(
      fc.property(fc.array(fc.oneof(value, long), { minLength: 1, maxLength: 4 }), (values) => {
        const operations: Operation[] = values.flatMap((item): Operation[] => [
          ['append', 1, 'Log', [item, { inside: [item] }]],
          ['set', 2, 'Value', { item }],
          ['splice', 1, 'Log', 0, 1, [item]],
        ])
        const events = values.map((item, index) => ({ type: 'item.noted', 0: item, item, list: [item, index] }))
        assert.deepEqual(plain(throughText(operations, events)), plain(events))
      }),
      { numRuns: 60 },
    )
  })
  test('what an event repeats is written once, copied or not, also deep inside', () => {
    const message = { role: 'assistant', content: [{ type: 'text', text }] }
    const operations: Operation[] = [
      ['spawn', 1],
      ['append', 1, 'Conversation', [{ role: 'user', content: 'hi' }, message]],
      ['set', 1, 'ToolResults', { call: { content: text } }],
    ]
    const copy = plain(message) as Json
    const events = [
      { type: 'message.added', entity: 1, message: copy },
      { type: 'tool.ended', content: text, entity: 1 },
    ]
    const row = encodeRow(operations, events)
    assert.equal(row.events.includes(text), false)
    const read = decodeEvents(row)
    assert.deepEqual(read, events)
    assert.deepEqual(Object.keys(read[1] ?? {}), ['type', 'content', 'entity'], 'fields keep their order')
  })
  test('nearly the same is not the same', () => {
    const item = { a: 1, b: [1, 2] }
    for (const other of [
      { a: 1, b: [1, 2, 3] },
      { b: [1, 2], a: 1 },
      { a: 1 },
      { a: 1, b: [1, 2], c: null },
      [1, 2, 0],
    ]) {
      const event = { type: 'x.y', other }
      const [read] = throughText([['append', 1, 'Log', [item]]], [event])
      assert.equal(JSON.stringify(read), JSON.stringify(event))
    }
    const absent = { type: 'x.y', item: { a: 1, gone: undefined, b: [1, 2] } }
    const row = encodeRow([['append', 1, 'Log', [item]]], [absent])
    assert.equal(row.events.includes('[1,2]'), false, 'a field that is undefined is none')
  })
  test('a value in the form of a pointer stays a value', () => {
    const shapes: Json[] = [[{}, { item: [0, 3, 0] }], [0, 3, 0], { item: [0, 3, 0] }, [[], {}]]
    const operations: Operation[] = [['append', 1, 'Log', ['secret'.repeat(20)]]]
    const events = shapes.map((item) => ({ type: 'x.y', item }))
    assert.deepEqual(plain(throughText(operations, events)), events)
  })
  test('no events are no text', () => {
    assert.deepEqual(encodeRow([], []), { operations: '[]', events: '' })
    assert.deepEqual(decodeEvents({ operations: '[]', events: '' }), [])
  })
})
