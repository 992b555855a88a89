import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RunResource } from 'tellurion/protocol'
import { z } from 'zod'
import { operations } from './operations.ts'
import { wholeNumber } from './schema-part.ts'
import { schemaOf, type Fits } from './schema.ts'

type Is<A extends boolean, B extends A> = B
interface Thing {
  readonly id: string
  readonly note?: string
  readonly tags: readonly string[]
}

// What fits and what does not, said to the compiler.
type _same = Is<Fits<{ id: string; note?: string; tags: string[] }, Thing>, true>
type _wrong = Is<Fits<{ id: number; note?: string; tags: string[] }, Thing>, false>
type _missing = Is<Fits<{ id: string; note?: string }, Thing>, false>
type _missingOptional = Is<Fits<{ id: string; tags: string[] }, Thing>, false>
type _more = Is<Fits<{ id: string; note?: string; tags: string[]; more: 1 }, Thing>, false>
type _undefined = Is<Fits<{ id: string; note: string | undefined; tags: string[] }, Thing>, false>

describe('schemaOf', () => {
  it('takes a schema for the type that it is exactly', () => {
    const fields = { id: z.string(), note: z.string().exactOptional(), tags: z.array(z.string()) }
    assert.ok(schemaOf<Thing>()(z.object(fields)))
    // @ts-expect-error -- a field is missing
    schemaOf<Thing>()(z.object({ id: z.string(), tags: z.array(z.string()) }))
    // @ts-expect-error -- a run has more than that
    schemaOf<RunResource>()(z.object({ id: z.string() }))
  })
})

describe('a whole number in a query', () => {
  it('is refused with the numbers that it may be', () => {
    const say = (schema: z.ZodType, given: string) =>
      schema.safeParse(given).error?.issues.map(({ message }) => message)
    for (const given of ['0', '201', '-1', 'x', ''])
      assert.deepEqual(say(wholeNumber(200, 1), given), ['must be a whole number from 1 to 200'])
    assert.deepEqual(say(wholeNumber(), '1'.repeat(16)), ['must be a whole number from 0'])
    assert.equal(wholeNumber(200, 1).parse('200'), 200)
  })
})

describe('what may be one of several things', () => {
  const say = (schema: z.ZodType | undefined, given: unknown) => schema?.safeParse(given).error?.issues[0]?.message

  it('is refused with what it may be', () => {
    const { forkRun, answerInteraction } = operations
    for (const tick of [undefined, null, {}, true])
      assert.equal(say(forkRun.body, { tick }), 'must be the number of a finished tick, or its label')
    for (const answer of [undefined, 'yes', 1, {}, { deny: 1 }])
      assert.match(say(answerInteraction.body, { answer }) ?? '', /'approve', 'deny'|expected string/, String(answer))
    assert.equal(say(answerInteraction.body, { answer: { deny: 'no' } }), undefined)
  })
})

describe('operations', () => {
  it('are strict: what they do not know they refuse', () => {
    for (const { name, body, query } of Object.values(operations)) {
      for (const schema of [body, query]) {
        if (schema === undefined) continue
        const result = schema.safeParse({ 'surely-unknown': 1 })
        assert.equal(result.success, false, name)
        assert.ok(
          result.error?.issues.some(({ code }) => code === 'unrecognized_keys' || code === 'invalid_type'),
          `${name}: ${JSON.stringify(result.error?.issues)}`,
        )
      }
    }
  })

  it('are those of their names', () => {
    for (const [name, operation] of Object.entries(operations)) assert.equal(operation.name, name)
  })
})
