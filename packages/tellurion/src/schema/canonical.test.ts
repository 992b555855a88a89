import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { canonicalJson, sha256 } from './canonical.ts'
import type { Json } from './json.ts'

const json = fc.jsonValue().filter((value) => !/-0/.test(String(JSON.stringify(value)))) as fc.Arbitrary<Json>

function shuffled(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(shuffled)
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, shuffled(item as Json)]),
  )
}

describe('canonicalJson', () => {
  it('is JSON text of the same value', () => {
    fc.assert(
      fc.property(json, (value) =>
        assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value))),
      ),
    )
  })

  it('does not depend on the order of keys', () => {
    fc.assert(fc.property(json, (value) => assert.equal(canonicalJson(shuffled(value)), canonicalJson(value))))
  })

  it('tells different values apart', () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        const same = JSON.stringify(JSON.parse(canonicalJson(a))) === JSON.stringify(JSON.parse(canonicalJson(b)))
        assert.equal(canonicalJson(a) === canonicalJson(b), same)
      }),
    )
    assert.equal(canonicalJson({ b: [1, '1'], a: { z: null, y: true } }), '{"a":{"y":true,"z":null},"b":[1,"1"]}')
  })
})

describe('sha256', () => {
  it('is the hash that others compute, of texts and of bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
        assert.equal(await sha256(text), createHash('sha256').update(text).digest('hex'))
        const bytes = new TextEncoder().encode(text)
        assert.equal(await sha256(bytes.subarray(1)), createHash('sha256').update(bytes.subarray(1)).digest('hex'))
      }),
      { numRuns: 30 },
    )
  })
})
