import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { systemClock } from '../clock/clock.ts'
import type { JsonObject } from '../schema/json.ts'
import { compileSchema, loadChecker } from '../schema/schema.ts'
import { boundedSchema } from './bounded-schema.ts'

const accepts = async (schema: JsonObject, value: unknown): Promise<boolean> =>
  (await boundedSchema(schema, 'it').validate(value)).issues === undefined

describe('the check of a schema', () => {
  const cases: readonly [schema: JsonObject, good: readonly unknown[], bad: readonly unknown[]][] = [
    [
      { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] },
      [{ n: 1 }, { n: 1, m: 2 }],
      [{}, { n: 'x' }, 7, null],
    ],
    [{ properties: { n: { type: 'number' } } }, [{ n: 1 }], [{ n: 'x' }, 'text']],
    [{ type: 'object', properties: {}, additionalProperties: false }, [{}], [{ a: 1 }]],
    [{ type: 'object', additionalProperties: { type: 'string' } }, [{ a: 'x' }], [{ a: 1 }]],
    [{ type: 'object', properties: { a: { enum: ['x', 'y'] } } }, [{ a: 'x' }], [{ a: 'z' }]],
    [
      { type: 'object', properties: { a: { type: 'array', items: { type: 'integer' }, maxItems: 2 } } },
      [{ a: [1] }],
      [{ a: ['x'] }, { a: [1, 2, 3] }],
    ],
    [{ type: 'object', properties: { a: { prefixItems: [{ type: 'string' }] } } }, [{ a: ['x', 1] }], [{ a: [1] }]],
    [
      {
        $schema: 'http://json-schema.org/draft-07/schema#',
        type: 'object',
        properties: { a: { items: [{ type: 'string' }] } },
      },
      [{ a: ['x'] }],
      [{ a: [1] }],
    ],
    [
      { type: 'object', properties: { a: { anyOf: [{ type: 'string' }, { type: 'null' }] } } },
      [{ a: null }, { a: 'x' }],
      [{ a: 1 }],
    ],
    [
      { type: 'object', properties: { a: { $ref: '#/$defs/A' } }, $defs: { A: { type: 'string', minLength: 2 } } },
      [{ a: 'xx' }],
      [{ a: 'x' }, { a: 1 }],
    ],
    [
      {
        type: 'object',
        properties: { a: { $ref: '#/definitions/a~1b%20c' } },
        definitions: { 'a/b c': { type: 'string' } },
      },
      [{ a: 'x' }],
      [{ a: 1 }],
    ],
    [
      {
        type: 'object',
        $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' }, v: { type: 'number' } } } },
        properties: { list: { $ref: '#/$defs/node' } },
      },
      [{ list: { v: 1, next: { v: 2 } } }],
      [{ list: { next: { next: { v: 'x' } } } }],
    ],
    [{ type: 'object', properties: { a: false } }, [{}], [{ a: 1 }]],
    [{ type: 'object', allOf: [{ required: ['a'] }, { required: ['b'] }] }, [{ a: 1, b: 1 }], [{ a: 1 }]],
    // What is not cheap to check is the server's to check: never refused here.
    [{ type: 'object', properties: { a: { pattern: '^x$' } } }, [{ a: 'y' }], []],
    [{ type: 'object', not: { required: ['a'] } }, [{ a: 1 }], []],
    [{ type: 'object', patternProperties: { '^x': {} }, additionalProperties: false }, [{ x1: 1 }], []],
    [
      { type: 'object', properties: { a: { oneOf: [{ type: 'number' }, { type: 'integer' }] } } },
      [{ a: 1 }],
      [{ a: 'x' }],
    ],
    [
      { type: 'object', properties: { a: { $ref: '#node' } }, $defs: { n: { $anchor: 'node', type: 'string' } } },
      [{ a: 1 }],
      [],
    ],
  ]
  for (const [schema, good, bad] of cases)
    test(JSON.stringify(schema).slice(0, 100), async () => {
      for (const value of good) assert.ok(await accepts(schema, value), JSON.stringify(value))
      for (const value of bad) assert.ok(!(await accepts(schema, value)), JSON.stringify(value))
    })

  test('accepts whatever the schema itself accepts', async () => {
    await loadChecker()
    const leaf = fc.constantFrom<JsonObject>(
      { type: 'string' },
      { type: 'integer', minimum: 2 },
      { enum: ['a', 1, null] },
      { const: 'a' },
      {},
      { type: 'string', pattern: '^a' },
      { type: 'array', uniqueItems: true },
      { $ref: '#/$defs/D' },
      { not: { type: 'string' } },
    )
    const { schema } = fc.letrec<{ schema: JsonObject }>((tie) => ({
      schema: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc
          .dictionary(fc.constantFrom('a', 'b'), tie('schema'), { noNullPrototype: true })
          .map((properties): JsonObject => ({ type: 'object', properties, additionalProperties: false })),
        tie('schema').map((items): JsonObject => ({ type: 'array', items })),
        fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((anyOf): JsonObject => ({ anyOf })),
        fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((oneOf): JsonObject => ({ oneOf })),
        fc.tuple(tie('schema'), tie('schema')).map((allOf): JsonObject => ({ allOf })),
      ),
    }))
    const value = fc
      .jsonValue({ maxDepth: 3 })
      .chain((any) =>
        fc.oneof(fc.constant(any), fc.constantFrom<unknown>('a', 1, 2, null, [], ['a', 'a'], {}, { a: 'a' }, { b: 2 })),
      )
    fc.assert(
      fc.property(schema, value, (inner, each) => {
        const whole: JsonObject = { type: 'object', properties: { v: inner }, $defs: { D: { type: 'string' } } }
        const exact = compileSchema(structuredClone(whole), 'exact').validate({ v: each })
        const loose = boundedSchema(whole, 'loose').validate({ v: each })
        assert.ok(!(exact instanceof Promise) && !(loose instanceof Promise))
        if (exact.issues === undefined) assert.equal(loose.issues, undefined)
      }),
      { numRuns: 500 },
    )
  })
})

describe('a bomb', () => {
  const bombs: Readonly<Record<string, JsonObject>> = {
    'references that double': {
      type: 'object',
      $defs: Object.fromEntries(
        Array.from({ length: 60 }, (_, at) => [
          `l${at}`,
          at === 59 ? {} : { allOf: [{ $ref: `#/$defs/l${at + 1}` }, { $ref: `#/$defs/l${at + 1}` }] },
        ]),
      ),
      properties: { x: { $ref: '#/$defs/l0' } },
    },
    'a schema in itself': {
      type: 'object',
      properties: { x: { $ref: '#' }, y: { anyOf: [{ $ref: '#' }, { $ref: '#' }] } },
      allOf: [{ $ref: '#' }],
    },
    'alternatives that double': {
      type: 'object',
      $defs: {
        t: {
          anyOf: [
            { type: 'object', properties: { x: { $ref: '#/$defs/t' } }, required: ['z'] },
            { type: 'object', properties: { x: { $ref: '#/$defs/t' } }, required: ['q'] },
          ],
        },
      },
      properties: { x: { $ref: '#/$defs/t' } },
    },
    'a pattern that hangs': {
      type: 'object',
      properties: { x: { pattern: '^(a+)+$' } },
      patternProperties: { '^(x+)+$': {} },
    },
    'a long list of values': {
      type: 'object',
      properties: { x: { enum: Array.from({ length: 9_000 }, (_, at) => at) } },
    },
  }
  let deep: JsonObject = {}
  for (let level = 0; level < 50; level++) deep = { x: deep }
  const inputs = [
    deep,
    { x: `${'a'.repeat(40)}!` },
    { x: Array.from({ length: 5_000 }, () => ({ x: 1 })) },
    { [`${'x'.repeat(40)}!`]: 1 },
  ]
  for (const [what, schema] of Object.entries(bombs))
    test(`of ${what} costs little`, async () => {
      const began = systemClock.monotonic()
      const check = boundedSchema(schema, 'it')
      for (const input of inputs) await check.validate(input)
      assert.ok(systemClock.monotonic() - began < 5_000)
    })
})

describe('what models are shown', () => {
  test('is the schema with its words cleaned and cut', () => {
    const { jsonSchema } = boundedSchema(
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

  const refused: readonly [schema: JsonObject, why: RegExp][] = [
    [{ type: 'object', properties: { 'a\u200B': {} } }, /hides characters in a name/],
    [{ type: 'object', properties: { a: { enum: ['x\u{E0041}'] } } }, /hides characters/],
    [{ type: 'object', properties: { a: { const: 'x\u202E' } } }, /hides characters/],
    [{ type: 'object', required: ['a\u2066'] }, /hides characters/],
    [{ type: 'object', properties: { a: { $ref: 'https://evil.example/s' } } }, /leaves it/],
    [{ type: 'object', properties: { a: { $ref: '#/$defs/x' } } }, /leads nowhere/],
    [{ type: 'object', properties: { a: { $ref: '#/__proto__/x' } } }, /leads nowhere/],
  ]
  for (const [schema, why] of refused)
    test(`is nothing of ${JSON.stringify(schema)}`, () => {
      assert.throws(() => boundedSchema(schema, 'it'), { code: 'invalid_schema', message: why })
    })
})
