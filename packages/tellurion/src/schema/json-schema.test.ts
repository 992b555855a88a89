import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { issuesText } from './issue.ts'
import type { JsonObject } from './json.ts'
import { compileJsonSchema } from './json-schema.ts'

function verdict(schema: unknown, value: unknown): string {
  const result = compileJsonSchema(schema as JsonObject, 'S').validate(value)
  return result.issues === undefined ? 'valid' : issuesText(result.issues)
}

function refusal(schema: unknown): string {
  try {
    compileJsonSchema(schema as JsonObject, 'the inputSchema of w')
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'invalid_schema')
    return (error as Error).message
  }
  return 'accepted'
}

const weather = {
  type: 'object',
  properties: {
    place: { type: 'string', minLength: 1 },
    days: { type: 'integer', minimum: 1, maximum: 14 },
    unit: { enum: ['c', 'f'] },
    tags: { type: 'array', items: { type: 'string' } },
  },
  required: ['place'],
  additionalProperties: false,
}

describe('checking a value', () => {
  const cases: readonly (readonly [unknown, string])[] = [
    [{ place: 'Oslo' }, 'valid'],
    [{ place: 'Oslo', days: 3, unit: 'c', tags: ['a'] }, 'valid'],
    [{ place: 5 }, '/place: expected string, got 5'],
    [{}, 'missing place'],
    [{ place: 'Oslo', days: 1.5 }, '/days: expected integer, got 1.5'],
    [{ place: 'Oslo', days: 99 }, '/days: 99 is greater than 14'],
    [{ place: 'Oslo', unit: 'k' }, '/unit: expected any of ["c","f"], got "k"'],
    [{ place: 'Oslo', tags: ['a', null] }, '/tags/1: expected string, got null'],
    [{ place: 'Oslo', wind: 1 }, '/wind: not allowed here'],
    [[], 'expected object, got an array'],
    [null, 'expected object, got null'],
    ['x', 'expected object, got "x"'],
  ]
  for (const [value, expected] of cases) {
    it(`${JSON.stringify(value)}: ${expected}`, () => assert.equal(verdict(weather, value), expected))
  }

  it('names several places at once', () => {
    assert.equal(
      verdict(weather, { place: 5, days: 'x' }),
      '/place: expected string, got 5; /days: expected integer, got "x"',
    )
  })

  it('follows references inside the schema, also recursive ones', () => {
    const tree = {
      type: 'object',
      properties: { kids: { type: 'array', items: { $ref: '#' } }, n: { $ref: '#/$defs/n' } },
      $defs: { n: { type: 'number' } },
    }
    assert.equal(verdict(tree, { kids: [{ kids: [], n: 1 }] }), 'valid')
    assert.equal(verdict(tree, { kids: [{ n: 'x' }] }), '/kids/0/n: expected number, got "x"')
  })

  it('reads keys with special characters', () => {
    const schema = { type: 'object', properties: { 'a/b~c d%25': { type: 'string' } } }
    assert.equal(verdict(schema, { 'a/b~c d%25': 1 }), '/a~1b~0c d%25: expected string, got 1')
  })

  it('reads the older dialects by their $schema', () => {
    const four = {
      $schema: 'http://json-schema.org/draft-04/schema#',
      type: 'number',
      maximum: 5,
      exclusiveMaximum: true,
    }
    assert.notEqual(verdict(four, 5), 'valid')
    assert.equal(verdict({ ...four, exclusiveMaximum: false }, 5), 'valid')
    const seven = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      $ref: '#/definitions/a',
      type: 'string',
      definitions: { a: { type: 'number' } },
    }
    assert.equal(verdict(seven, 5), 'valid')
  })

  it('answers for values that are no JSON and for values without end', () => {
    assert.match(verdict({ type: 'object' }, undefined), /could not be checked/)
    assert.match(
      verdict({ type: 'object' }, () => 1),
      /could not be checked/,
    )
    let deep: unknown = {}
    for (let level = 0; level < 100_000; level++) deep = { kids: deep }
    assert.match(verdict({ properties: { kids: { $ref: '#' } } }, deep), /nested too deeply/)
    assert.match(verdict({ $ref: '#' }, 1), /nested too deeply/)
  })

  it('does not run a pattern on a long string', () => {
    const schema = {
      type: 'object',
      properties: { p: { type: 'string', pattern: '^(.*,)*x$' }, q: { type: 'string' } },
    }
    assert.equal(verdict(schema, { p: ',x', q: 'y'.repeat(50_000) }), 'valid')
    assert.match(verdict(schema, { p: 'no' }), /^\/p: String does not match pattern/)
    assert.match(verdict(schema, { p: ','.repeat(20_000) }), /^\/p: String is too long/)
  })

  it('keeps allOf beside a pattern, and applies a pattern to strings only', () => {
    const schema = { pattern: '^a', allOf: [{ maxLength: 2 }] }
    assert.equal(verdict(schema, 'ab'), 'valid')
    assert.notEqual(verdict(schema, 'abc'), 'valid')
    assert.notEqual(verdict(schema, 'b'), 'valid')
    assert.equal(verdict(schema, 5), 'valid')
  })

  it('never throws, whatever the value', () => {
    const { validate } = compileJsonSchema(weather, 'S')
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withNullPrototype: true,
          withSymbol: true,
        } as object),
        (value) => {
          const result = validate(value)
          assert.equal(typeof issuesText(result.issues ?? []), 'string')
        },
      ),
    )
  })
})

describe('what is no JSON Schema', () => {
  const cyclic: Record<string, unknown> = { type: 'object' }
  cyclic['properties'] = { again: cyclic }
  const cases: readonly (readonly [string, unknown, RegExp])[] = [
    ['a shorthand', { place: 'string' }, /no keyword of JSON Schema, only place/],
    ['an unknown type', { type: 'text' }, /unknown type "text" at \/type/],
    [
      'an unknown type inside',
      { type: 'object', properties: { a: { type: ['string', 'nil'] } } },
      /"nil" at \/properties\/a\/type/,
    ],
    ['properties that are no object', { properties: ['a'] }, /expected an object of schemas at \/properties/],
    ['a property that is no schema', { properties: { a: 'string' } }, /expected a schema at \/properties\/a/],
    ['required that is no list', { type: 'object', required: 'a' }, /expected a list of names at \/required/],
    ['an enum that is no list', { enum: 'a' }, /expected a list of values at \/enum/],
    ['anyOf that is no list', { anyOf: { type: 'string' } }, /expected a list of schemas at \/anyOf/],
    ['a broken pattern', { type: 'string', pattern: '(' }, /at \/pattern/],
    ['a broken pattern of names', { patternProperties: { '[': true } }, /at \/patternProperties/],
    ['a remote reference', { $ref: 'https://example.com/schema.json' }, /leaves the schema; nothing is fetched/],
    [
      'a reference to a file',
      { properties: { a: { $ref: 'item.json' } } },
      /leaves the schema.* at \/properties\/a\/\$ref/,
    ],
    ['a reference to nothing', { $ref: '#/$defs/gone' }, /leads nowhere/],
    ['a reference that is no text', { $ref: 5 }, /expected a reference/],
    ['a cycle of objects', cyclic, /cycle/],
    ['a function inside', { type: 'object', default: () => 1 }, /a function is not JSON/],
    ['a polluting key', JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}'), /__proto__/],
  ]
  for (const [name, schema, expected] of cases) {
    it(`refuses ${name}`, () => assert.match(refusal(schema), expected))
  }

  it('names what it is about', () =>
    assert.match(refusal({ type: 'x' }), /^the inputSchema of w is not a valid JSON Schema: /))

  it('takes true, the empty schema, and keywords it does not know beside others', () => {
    assert.equal(verdict({}, 1), 'valid')
    assert.equal(verdict({ type: 'object', properties: { a: true, b: false } }, { a: 1 }), 'valid')
    assert.equal(verdict({ type: 'string', 'x-order': 1, examples: ['a'] }, 'a'), 'valid')
  })

  it('neither changes the schema nor follows its later changes', () => {
    const schema = Object.freeze({
      type: 'object',
      properties: Object.freeze({ a: Object.freeze({ $ref: '#/$defs/t' }) }),
      $defs: { t: { type: 'string' } },
    })
    const { validate, jsonSchema } = compileJsonSchema(schema, 'S')
    ;(schema.$defs.t as { type: string }).type = 'number'
    assert.equal(validate({ a: 'x' }).issues, undefined)
    assert.deepEqual(jsonSchema['$defs'], { t: { type: 'string' } })
    assert.deepEqual(Object.getOwnPropertyNames(schema), ['type', 'properties', '$defs'])
  })
})
