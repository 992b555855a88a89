import { describe, it } from 'node:test'
import assert from 'node:assert/strict'
import * as v from 'valibot'
import { z } from 'zod'
import type { InferSchema, Schema } from './infer.ts'
import type { Json, JsonObject } from './json.ts'

/** True when two types are the same, also in their modifiers. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only for `true`. */
function holds<Claim extends true>(claim: Claim): void {
  assert.equal(claim, true)
}

const zod = z.object({ place: z.string(), days: z.number().optional() })
const transformed = z.object({ at: z.string().transform((text) => text.length) })
const pair = { schema: v.object({ place: v.string() }), jsonSchema: { type: 'object' } } as const
const literal = {
  type: 'object',
  properties: {
    place: { type: 'string' },
    days: { type: 'integer' },
    loud: { type: 'boolean' },
    tags: { type: 'array', items: { type: 'string' } },
    unit: { enum: ['c', 'f'] },
    kind: { const: 'weather' },
    nullable: { type: ['string', 'null'] },
    either: { anyOf: [{ type: 'number' }, { type: 'boolean' }] },
    inner: { type: 'object', properties: { x: { type: 'number' } }, required: ['x'] },
    open: { type: 'object' },
    anything: {},
  },
  required: ['place', 'tags', 'inner'],
} as const

interface Literal {
  place: string
  tags: string[]
  inner: { x: number }
  days?: number
  loud?: boolean
  unit?: 'c' | 'f'
  kind?: 'weather'
  nullable?: string | null
  either?: number | boolean
  open?: JsonObject
  anything?: Json
}

describe('InferSchema', () => {
  it('reads zod, its output where that differs', () => {
    holds<Same<InferSchema<typeof zod>, { place: string; days?: number | undefined }>>(true)
    holds<Same<InferSchema<typeof transformed>, { at: number }>>(true)
  })

  it('reads the Standard Schema of a pair', () => {
    holds<Same<InferSchema<typeof pair>, { place: string }>>(true)
  })

  it('reads a JSON Schema literal', () => {
    type Read = InferSchema<typeof literal>
    holds<Same<Read['inner'], { x: number }>>(true)
    holds<Read extends Literal ? true : false>(true)
    holds<Literal extends Read ? true : false>(true)
    // @ts-expect-error place is required
    void ({ tags: [], inner: { x: 1 } } satisfies Read)
  })

  it('says Json of a JSON Schema that is not a literal', () => {
    holds<Same<InferSchema<JsonObject>, Json>>(true)
  })

  it('takes each kind as a Schema', () => {
    const all: readonly Schema[] = [zod, transformed, pair, literal, v.string()]
    assert.equal(all.length, 5)
    // @ts-expect-error a class is no schema
    const wrong: Schema = class extends Map {}
    void wrong
  })
})
