import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { systemClock } from '../clock/clock.ts'
import { boundedSchema } from './bounded-schema.ts'
import type { JsonObject } from './json.ts'
import { compileSchema, loadChecker } from './schema.ts'

const accepts = (schema: JsonObject, value: unknown): boolean =>
  boundedSchema(schema, 'it').validate(value).issues === undefined

describe('the check of a schema', () => {
  const cases: readonly [schema: JsonObject, good: readonly unknown[], bad: readonly unknown[]][] = [
    [
      { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] },
      [{ n: 1 }, { n: 1, m: 2 }],
      [{}, { n: 'x' }, 7, null],
    ],
    [{ properties: { n: { type: 'number' } } }, [{ n: 1 }, 'text'], [{ n: 'x' }]],
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
      for (const value of good) assert.ok(accepts(schema, value), JSON.stringify(value))
      for (const value of bad) assert.ok(!accepts(schema, value), JSON.stringify(value))
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
  const many = Object.fromEntries(Array.from({ length: 30_000 }, (_, at) => [`p${at}`, {}]))
  const long = Array.from({ length: 100_000 }, (_, at) => at)
  const wide: Readonly<Record<string, JsonObject>> = {
    'a large part that many refer to': {
      $defs: { large: { properties: many, required: Object.keys(many), enum: [many] } },
      properties: { x: { allOf: Array.from({ length: 10_000 }, () => ({ $ref: '#/$defs/large' })) } },
    },
    'a long list of values for each of many': { properties: { x: { items: { enum: long.map((at) => -at - 1) } } } },
    'many parts for each of many': {
      properties: { x: { items: { allOf: Array.from({ length: 10_000 }, () => ({ type: 'integer' })) } } },
    },
    'a large value for each of many, of which none is told': {
      properties: { x: { items: { anyOf: [{ const: many }, { enum: [long] }, {}] } } },
    },
    'lengths of long texts': {
      anyOf: [{ properties: { x: { allOf: Array.from({ length: 10_000 }, () => ({ maxLength: 1_000_000 })) } } }],
    },
    'names that double': {
      $defs: { t: { properties: { x: { allOf: [{ $ref: '#/$defs/t' }, { $ref: '#/$defs/t' }] } } } },
      $ref: '#/$defs/t',
    },
    'texts that are nearly the same': {
      properties: { x: { enum: Array.from({ length: 1_000 }, (_, at) => `${'a'.repeat(1_000)}${at}`) } },
    },
  }
  let deep: JsonObject = {}
  for (let level = 0; level < 50; level++) deep = { x: deep }
  const inputs = [
    deep,
    { x: `${'a'.repeat(40)}!` },
    { x: Array.from({ length: 5_000 }, () => ({ x: 1 })) },
    { [`${'x'.repeat(40)}!`]: 1 },
    { x: long },
    { x: many },
    { x: 'a😀'.repeat(300_000) },
    JSON.parse(`${'{"x":'.repeat(3_000)}1${'}'.repeat(3_000)}`) as unknown,
  ]
  for (const [what, schema] of Object.entries({ ...bombs, ...wide }))
    test(`of ${what} costs little`, async () => {
      const began = systemClock.monotonic()
      const check = boundedSchema(schema, 'it')
      for (const input of inputs) check.validate(input)
      // Less than one second where nobody else is at work; without a bound it would be hours.
      assert.ok(systemClock.monotonic() - began < 60_000)
    })
})

describe('what is wrong', () => {
  const cases: readonly [schema: JsonObject, value: unknown, issue: RegExp][] = [
    [{ type: ['string', 'null'] }, 5, /^: expected string or null, got 5$/],
    [{ properties: { a: { items: { type: 'integer' } } } }, { a: [1, 1.5] }, /^a\/1: expected integer, got 1.5$/],
    [{ required: ['a', 'toString'] }, {}, /^: missing a; : missing toString$/],
    [{ enum: ['a', { b: 1 }] }, 'c', /^: expected one of \["a",\{"b":1\}\], got "c"$/],
    [{ const: { a: [1] } }, { a: [2] }, /^: expected \{"a":\[1\]\}, got an object$/],
    [{ minimum: 2 }, 1, /^: expected at least 2, got 1$/],
    [{ exclusiveMaximum: 2 }, 2, /^: expected less than 2$/],
    [{ exclusiveMinimum: 2 }, 2, /^: expected more than 2$/],
    [{ maxLength: 2 }, 'a😀b', /^: expected at most 2 characters, got 3$/],
    [{ minProperties: 2 }, { a: 1 }, /^: expected at least 2 properties, got 1$/],
    [{ maxItems: 0 }, [1], /^: expected at most 0 items, got 1$/],
    [{ additionalProperties: false }, { a: 1 }, /^a: not allowed here$/],
    [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, 1, /^: expected string, got 1; : expected null, got 1$/],
    [{ prefixItems: [true, false], items: { type: 'string' } }, [1, 2, 3], /^1: not allowed here; 2: expected string/],
  ]
  for (const [schema, value, issue] of cases)
    test(`is said of ${JSON.stringify(schema)}`, () => {
      const { issues = [] } = boundedSchema(schema, 'it').validate(value)
      assert.match(issues.map(({ path = [], message }) => `${path.join('/')}: ${message}`).join('; '), issue)
    })

  test('is told only where no alternative fits', async () => {
    const schema: JsonObject = { required: ['b'], anyOf: [{ required: ['a'] }, {}] }
    const { issues = [] } = boundedSchema(schema, 'it').validate({})
    assert.deepEqual(issues, [{ message: 'missing b', path: [] }])
  })

  const refused: readonly [schema: JsonObject, why: RegExp][] = [
    [{ properties: { a: { $ref: 'https://evil.example/s' } } }, /leaves it/],
    [{ properties: { a: { $ref: '#/$defs/x' } } }, /leads nowhere/],
    [{ properties: { a: { $ref: '#/__proto__/x' } } }, /leads nowhere/],
    [{ items: { type: 'text' } }, /type "text" is unknown/],
  ]
  for (const [schema, why] of refused)
    test(`with the schema ${JSON.stringify(schema)} is said at once`, () => {
      assert.throws(() => boundedSchema(schema, 'it'), { code: 'invalid_schema', message: why })
    })
})
