import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createParser } from 'eventsource-parser'
import fc from 'fast-check'
import { eventWire, retryAfter, silence, socketWire, type Piece } from './wire.ts'

/** JSON texts of all sorts, some with numbers. */
const pieces = fc.array(
  fc.record(
    { text: fc.json(), seq: fc.integer({ min: 1, max: 2 ** 40 }) },
    { requiredKeys: ['text'], noNullPrototype: true },
  ) as fc.Arbitrary<Piece>,
)

describe('the wire of server-sent events', () => {
  test('is read by a parser of others as it was meant, wherever it is cut', () => {
    fc.assert(
      fc.property(pieces, fc.integer({ min: 1, max: 50 }), (sent, cut) => {
        const seen: Piece[] = []
        const parser = createParser({
          onEvent: ({ data, id, event }) => {
            assert.equal(event, undefined)
            seen.push(id === undefined ? { text: data } : { text: data, seq: Number(id) })
          },
        })
        const decoder = new TextDecoder()
        const bytes = eventWire(sent)
        for (let at = 0; at < bytes.length; at += cut) {
          parser.feed(decoder.decode(bytes.subarray(at, at + cut), { stream: true }))
        }
        assert.deepEqual(seen, sent)
      }),
    )
  })

  test('has a heartbeat that says nothing, and a wait that clients heed', () => {
    const seen: unknown[] = []
    const parser = createParser({
      onEvent: (event) => seen.push(event),
      onRetry: (ms) => seen.push(ms),
      onComment: () => seen.push('beat'),
    })
    for (const bytes of [silence, retryAfter(1500), silence]) parser.feed(new TextDecoder().decode(bytes))
    assert.deepEqual(seen, ['beat', 1500, 'beat'])
  })
})

/** Reads frames by the letter of RFC 6455; throws for what a server may not send. */
function readFrames(bytes: Buffer): string[] {
  const texts: string[] = []
  for (let at = 0; at < bytes.length;) {
    assert.equal(bytes[at], 0x81, 'a whole text frame without reserved bits')
    const short = bytes[at + 1]!
    assert.ok(short < 128, 'unmasked')
    const [length, header] =
      short < 126
        ? [short, 2]
        : short === 126
          ? [bytes.readUInt16BE(at + 2), 4]
          : [Number(bytes.readBigUInt64BE(at + 2)), 10]
    // The shortest form is a must.
    assert.ok(header === 2 || length > (header === 4 ? 125 : 65_535))
    texts.push(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(at + header, at + header + length)))
    at += header + length
  }
  return texts
}

describe('the wire of WebSockets', () => {
  test('makes frames that say the same', () => {
    fc.assert(
      fc.property(pieces, (sent) => {
        assert.deepEqual(
          readFrames(socketWire(sent) as Buffer),
          sent.map(({ text }) => text),
        )
      }),
    )
  })

  test('gives lengths in the shortest form, at each border', () => {
    const sent = [0, 1, 125, 126, 127, 65_535, 65_536, 200_000].map((length) => ({ text: 'x'.repeat(length) }))
    assert.deepEqual(
      readFrames(socketWire(sent) as Buffer),
      sent.map(({ text }) => text),
    )
    const wide = [{ text: 'ü'.repeat(63) }, { text: '🌍'.repeat(32_768) }]
    assert.deepEqual(
      readFrames(socketWire(wide) as Buffer),
      wide.map(({ text }) => text),
    )
  })
})
