import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { jsonText } from './json-text.ts'

describe('jsonText', () => {
  it('is what JSON.stringify says of JSON values, and well-formed', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => assert.equal(jsonText(value), JSON.stringify(value))))
    fc.assert(
      fc.property(
        fc
          .string({ unit: fc.constantFrom('a', '\\', '"', '\ud800', '\udc00', '\u{1f30d}') })
          .map((text) => `${text}\\ud800`),
        (text) => assert.deepEqual(JSON.parse(jsonText([text])), [text.toWellFormed()]),
      ),
    )
    assert.equal(
      jsonText({ a: '\ud800', '\udc00': ['\ud83d\ude00'] }),
      JSON.stringify({ a: '\ufffd', '\ufffd': ['\ud83d\ude00'] }),
    )
  })

  it('leaves undefined properties out and honours toJSON', () => {
    assert.equal(
      jsonText({ a: undefined, at: new Date(0), url: new URL('http://a/') }),
      '{"at":"1970-01-01T00:00:00.000Z","url":"http://a/"}',
    )
    assert.equal(
      jsonText(
        new (class Row {
          id = 1
        })(),
      ),
      '{"id":1}',
    )
  })

  const cycle: unknown[] = []
  cycle.push({ cycle })
  const bad: readonly (readonly [string, unknown, RegExp])[] = [
    ['a function', { f: () => 1 }, /^\/f: a function is not JSON$/],
    ['a bare function', () => 1, /^a function is not JSON$/],
    ['a symbol', [Symbol('x')], /^\/0: a symbol/],
    ['a BigInt', { n: 1n }, /^\/n: a bigint/],
    ['NaN', [[Number.NaN]], /^\/0\/0: NaN/],
    ['a hole', [undefined], /^\/0: undefined/],
    ['a Map', { m: new Map([[1, 2]]) }, /^\/m: a Map/],
    ['a Set', new Set(), /^a Set/],
    ['an error', new TypeError('x'), /^a TypeError/],
    ['a promise', { p: Promise.resolve() }, /^\/p: a Promise/],
    ['a pattern', /x/, /^a RegExp/],
    ['bytes', new Uint8Array(3), /^a Uint8Array/],
    ['a Buffer, though it has toJSON', Buffer.from('x'), /^a Buffer/],
    ['a cycle', cycle, /cycle/],
    ['toJSON that gives nothing', { toJSON: () => undefined }, /object is not JSON/],
    [
      'toJSON that throws',
      {
        toJSON: () => {
          throw new Error('boom')
        },
      },
      /boom/,
    ],
  ]
  for (const [name, value, expected] of bad) {
    it(`refuses ${name}`, () =>
      assert.throws(
        () => jsonText(value),
        (error: Error) => expected.test(error.message),
      ))
  }
})
