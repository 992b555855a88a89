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
