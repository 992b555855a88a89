import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { systemClock } from '../clock/clock.ts'
import { boundedSchema } from './bounded-schema.ts'
import type { JsonObject } from './json.ts'
import { strangerSchema } from './stranger-schema.ts'

describe('a schema of a stranger', () => {
  test('is told whole, and its patterns are not read, however long that would take', () => {
    const pattern = String.raw`\p{L}`.repeat(100_000)
    // What looks like a pair of a library is none in JSON.
    const schema = { type: 'string', pattern, patternProperties: { '(': {} }, jsonSchema: {}, schema: {} }
    const began = systemClock.monotonic()
    const told = strangerSchema(schema, 'it')
    assert.deepEqual(told, schema)
    assert.deepEqual(boundedSchema(told, 'it').validate('a!'), { value: 'a!' })
    assert.ok(boundedSchema(told, 'it').validate(1).issues)
    assert.ok(systemClock.monotonic() - began < 20_000)
  })

  test('may be of a library, and is told as JSON', () => {
    assert.deepEqual(strangerSchema(z.string().regex(/^a$/), 'it'), { type: 'string', pattern: '^a$' })
  })

  for (const bad of [{ properties: 1 }, { a: 1 }, [], 'text', null, { $ref: '#/x' }, { type: 'text' }])
    test(`is none: ${JSON.stringify(bad)}`, () => {
      assert.throws(() => strangerSchema(bad as unknown as JsonObject, 'it'), { code: 'invalid_schema' })
    })
})
