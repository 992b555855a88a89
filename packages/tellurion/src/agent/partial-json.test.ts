import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parsePartialJson } from './partial-json.ts'

test('closes what is open and leaves out what is half-written', () => {
  const cases: [string, unknown][] = [
    ['', undefined],
    ['{', {}],
    ['{"a', {}],
    ['{"a":', {}],
    ['{"a":1', { a: 1 }],
    ['{"a":1,', { a: 1 }],
    ['{"a":1,"b":"x', { a: 1, b: 'x' }],
    ['{"a":"x\\', { a: 'x' }],
    ['{"a":"x\\u00', { a: 'x' }],
    ['{"a":"x\\\\u00', { a: 'x\\u00' }],
    ['{"a":"x\\u00e9', { a: 'xé' }],
    ['[1,tru', [1]],
    ['[{"a":[1,2', [{ a: [1, 2] }]],
    ['```json\n{"a":1', { a: 1 }],
    ['hello', undefined],
  ]
  for (const [text, expected] of cases) assert.deepEqual(parsePartialJson(text), expected, text)
})

test('law: every prefix of JSON gives JSON or nothing, the whole gives itself', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const text = JSON.stringify({ value })
      for (let end = 0; end < text.length; end++) {
        const partial = parsePartialJson(text.slice(0, end))
        assert.ok(partial === undefined || typeof partial === 'object')
      }
      assert.deepEqual(parsePartialJson(text), JSON.parse(text))
    }),
    { numRuns: 200 },
  )
})

test('costs work in proportion to the length of whatever text', () => {
  const slashes = '\\'.repeat(200_000)
  for (const hostile of [
    '['.repeat(100_000),
    `${'['.repeat(50_000)}${'1,'.repeat(50_000)}`,
    `"${slashes}x`,
    `"${slashes}`,
  ]) {
    const started = process.cpuUsage()
    parsePartialJson(hostile)
    const { user, system } = process.cpuUsage(started)
    assert.ok(user + system < 1_000_000, `${(user + system) / 1000} ms`)
  }
})

test('of what is nested deeper than JSON may be nothing is read', () => {
  assert.notEqual(parsePartialJson('['.repeat(64)), undefined)
  assert.equal(parsePartialJson('['.repeat(65)), undefined)
})
