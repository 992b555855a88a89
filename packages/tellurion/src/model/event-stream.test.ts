// Server-sent events: cut anywhere, ended any way, bounded.

import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { createParser } from 'eventsource-parser'
import { EventStream } from './event-stream.ts'

function dataOf(pieces: readonly string[], limit = 1_000_000): string[] {
  const found: string[] = []
  const stream = new EventStream(limit, (data) => found.push(data))
  for (const piece of pieces) stream.feed(piece)
  stream.end()
  return found
}

test('reads data and passes over everything else', () => {
  const text = ': hello\nevent: x\nid: 1\nretry: 5\ndata: a\n\ndata:b\n\ndatax: no\n\nunknown\n\ndata:  two spaces\n\n'
  assert.deepEqual(dataOf([text]), ['a', 'b', ' two spaces'])
})

test('joins several lines of data, and an empty line of data is one', () => {
  assert.deepEqual(dataOf(['data: a\ndata\ndata: b\n\ndata:\n\n']), ['a\n\nb', ''])
})

test('takes every kind of line end, also when a piece ends within one', () => {
  for (const end of ['\n', '\r\n', '\r']) {
    const text = ['data: a', 'data: b', '', ': x', 'data: c', '', ''].join(end)
    assert.deepEqual(dataOf([text]), ['a\nb', 'c'])
    assert.deepEqual(dataOf([...text]), ['a\nb', 'c'])
  }
})

test('gives out a last event that lacks its newlines', () => {
  assert.deepEqual(dataOf(['data: a\n\ndata: b']), ['a', 'b'])
  assert.deepEqual(dataOf(['data: a\n']), ['a'])
})

test('stops at an event that grows past the limit, in one line or in many', () => {
  const feed = (pieces: readonly string[]): boolean[] => {
    const stream = new EventStream(100, () => assert.fail('no event was whole'))
    return pieces.map((piece) => stream.feed(piece))
  }
  assert.deepEqual(feed(['data: ', 'x'.repeat(90), 'x'.repeat(20)]), [true, true, false])
  assert.equal(feed(Array.from({ length: 30 }, () => 'data: four\n')).at(-1), false)
})

const line = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'é', '😀', ':', ' ', '"') }).map((text) => `data: ${text}`),
  fc.constantFrom('', '', ': comment', 'event: x', 'data', 'data:', 'id: 4'),
)

test('however a stream is cut, the events are the same, and the same that another parser finds', () => {
  fc.assert(
    fc.property(
      fc.array(line),
      fc.constantFrom('\n', '\r\n'),
      fc.infiniteStream(fc.integer({ min: 1, max: 7 })),
      (lines, end, sizes) => {
        const text = `${lines.join(end)}${end}${end}`
        const pieces: string[] = []
        for (let rest = text; rest !== '';) {
          const size = sizes.next().value as number
          pieces.push(rest.slice(0, size))
          rest = rest.slice(size)
        }
        const expected: string[] = []
        createParser({ onEvent: ({ data }) => expected.push(data) }).feed(text)
        assert.deepEqual(dataOf([text]), expected)
        assert.deepEqual(dataOf(pieces), expected)
      },
    ),
  )
})
