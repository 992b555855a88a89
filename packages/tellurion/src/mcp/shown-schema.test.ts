import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { JsonObject } from '../schema/json.ts'
import { shownSchema } from './shown-schema.ts'

describe('what models are shown', () => {
  test('is the schema with its words cleaned and cut', () => {
    const jsonSchema = shownSchema(
      {
        type: 'object',
        description: 'Do\u202E it',
        properties: {
          description: { type: 'string', title: 'A\u200Bb', description: 'x'.repeat(2_000) },
          a: { default: 'kept', pattern: '^a$' },
        },
      },
      'it',
    )
    assert.equal(jsonSchema['description'], 'Do it')
    const { description, a } = jsonSchema['properties'] as Record<string, JsonObject>
    assert.deepEqual(description, { type: 'string', title: 'Ab', description: `${'x'.repeat(1_000)} [cut]` })
    assert.deepEqual(a, { default: 'kept', pattern: '^a$' })
  })

  test('is always an object', () => {
    assert.equal(shownSchema({ properties: {} }, 'it')['type'], 'object')
  })

  const refused: readonly [schema: JsonObject, why: RegExp][] = [
    [{ type: 'object', properties: { 'a\u200B': {} } }, /hides characters in a name/],
    [{ type: 'object', properties: { a: { enum: ['x\u{E0041}'] } } }, /hides characters/],
    [{ type: 'object', properties: { a: { const: 'x\u202E' } } }, /hides characters/],
    [{ type: 'object', required: ['a\u2066'] }, /hides characters/],
  ]
  for (const [schema, why] of refused)
    test(`is nothing of ${JSON.stringify(schema)}`, () => {
      assert.throws(() => shownSchema(schema, 'it'), { code: 'invalid_schema', message: why })
    })
})
