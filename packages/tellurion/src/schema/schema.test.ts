import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as v from 'valibot'
import { z } from 'zod'
import type { Schema } from './infer.ts'
import { issuesText } from './issue.ts'
import type { JsonObject } from './json.ts'
import { compileSchema } from './schema.ts'
import type { StandardSchema } from './standard.ts'

async function verdict(schema: unknown, value: unknown): Promise<unknown> {
  const result = await compileSchema(schema as Schema, 'S').validate(value)
  return result.issues === undefined ? result.value : issuesText(result.issues)
}

function refusal(
  schema: unknown,
  read: (compiled: ReturnType<typeof compileSchema>) => unknown = (each) => each,
): string {
  try {
    read(compileSchema(schema as Schema, 'the inputSchema of w'))
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'invalid_schema')
    return (error as Error).message
  }
  return 'accepted'
}

function standard(part: Partial<StandardSchema['~standard']> & { jsonSchema?: unknown }): StandardSchema {
  return {
    '~standard': { version: 1, vendor: 'acme', validate: (value: unknown) => ({ value }), ...part },
  } as StandardSchema
}

describe('compileSchema', () => {
  it('compiles an object once', () => {
    const schema = z.object({ a: z.string() })
    assert.equal(compileSchema(schema, 'a'), compileSchema(schema, 'b'))
    assert.equal(compileSchema(schema, 'a').jsonSchema, compileSchema(schema, 'a').jsonSchema)
    assert.notEqual(compileSchema({ type: 'object' }, 'a'), compileSchema({ type: 'object' }, 'a'))
  })

  it('asks zod for the JSON Schema of what goes in', () => {
    const schema = z.object({ a: z.string().default('x'), n: z.string().transform(Number) })
    assert.deepEqual(compileSchema(schema, 'S').jsonSchema, {
      type: 'object',
      properties: { a: { default: 'x', type: 'string' }, n: { type: 'string' } },
      required: ['n'],
    })
  })

  it('checks and transforms with zod', async () => {
    const schema = z.object({ a: z.string().default('x'), n: z.string().transform(Number) })
    assert.deepEqual(await verdict(schema, { n: '5' }), { a: 'x', n: 5 })
    assert.match(String(await verdict(schema, { n: 5 })), /^\/n: /)
  })

  it('awaits asynchronous schemas, and only those', async () => {
    const asynchronous = z.object({ a: z.string().refine(async (text) => text === 'yes', 'not yes') })
    assert.equal(await verdict(asynchronous, { a: 'no' }), '/a: not yes')
    assert.deepEqual(await verdict(asynchronous, { a: 'yes' }), { a: 'yes' })
    assert.equal(compileSchema(z.object({}), 'S').validate({}) instanceof Promise, false)
  })

  it('takes recursive zod schemas, and survives values of any depth', async () => {
    const tree: z.ZodType = z.object({
      name: z.string(),
      get kids() {
        return z.array(tree)
      },
    })
    assert.deepEqual((compileSchema(tree, 'S').jsonSchema['properties'] as JsonObject)['kids'], {
      type: 'array',
      items: { $ref: '#' },
    })
    assert.match(
      String(await verdict(tree, { name: 'a', kids: [{ name: 'b', kids: [{ name: 5, kids: [] }] }] })),
      /^\/kids\/0\/kids\/0\/name: /,
    )
    let deep: unknown = { name: 'x', kids: [] }
    for (let level = 0; level < 50_000; level++) deep = { name: 'x', kids: [deep] }
    assert.match(String(await verdict(tree, deep)), /could not be checked/)
  })

  it('takes a pair where the library makes no JSON Schema', async () => {
    const schema = v.object({ place: v.string() })
    const pair = { schema, jsonSchema: { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' } }
    assert.deepEqual(compileSchema(pair, 'S').jsonSchema, { type: 'object' })
    assert.match(String(await verdict(pair, { place: 5 })), /^\/place: .*string/)
    assert.match(
      refusal({ schema, jsonSchema: { type: 'text' } }),
      /the jsonSchema of the inputSchema of w .*unknown type/,
    )
  })

  it('says to pass a pair where it is missing, as soon as the JSON Schema is read', async () => {
    assert.equal(await verdict(v.string(), 'a'), 'a')
    assert.match(
      refusal(v.object({}), ({ jsonSchema }) => jsonSchema),
      /valibot does not make one\); pass \{ schema, jsonSchema/,
    )
  })

  it('prefers the standard converter to toJSONSchema', () => {
    const both = Object.assign(standard({ jsonSchema: { input: () => ({ type: 'object', title: 'standard' }) } }), {
      toJSONSchema: () => ({ title: 'method' }),
    })
    assert.equal(compileSchema(both, 'S').jsonSchema['title'], 'standard')
    const method = Object.assign(standard({}), { toJSONSchema: () => ({ title: 'method' }) })
    assert.equal(compileSchema(method, 'S').jsonSchema['title'], 'method')
  })

  it('says which type cannot be told to a model', () => {
    assert.match(
      refusal(z.object({ at: z.date() }), ({ jsonSchema }) => jsonSchema),
      /cannot be told to a model: Date .*pass \{ schema, jsonSchema \}/,
    )
  })

  it('turns what a schema throws into issues', async () => {
    assert.equal(
      await verdict(
        standard({
          validate: () => {
            throw new Error('boom')
          },
        }),
        1,
      ),
      'could not be checked: boom',
    )
    assert.equal(
      await verdict(standard({ validate: () => Promise.reject(new Error('later')) }), 1),
      'could not be checked: later',
    )
  })

  it('takes a Standard Schema that is a function, as arktype makes them', async () => {
    assert.equal(
      await verdict(
        Object.assign(() => 1, standard({})),
        7,
      ),
      7,
    )
  })

  const none: readonly (readonly [string, unknown, RegExp])[] = [
    ['a string', 'object', /got the string "object"/],
    ['a number', 5, /got 5/],
    ['null', null, /got null/],
    ['undefined', undefined, /got undefined/],
    ['a list', [], /got an array/],
    ['a function', () => 1, /got a function or class/],
    ['a class', class Weather extends Map {}, /got a function or class/],
    ['an instance', new Map(), /got a Map/],
    ['a symbol', Symbol('s'), /got Symbol\(s\)/],
    ['a BigInt', 1n, /is not a schema/],
    ['a broken Standard Schema', { '~standard': { version: 1 } }, /no validate function/],
  ]
  for (const [name, schema, expected] of none) {
    it(`refuses ${name} and says what to pass`, () => {
      assert.match(refusal(schema), expected)
      assert.match(
        refusal(schema),
        /^the inputSchema of w .*Pass a zod or other Standard Schema, or a JSON Schema object\.$/,
      )
    })
  }
})
