import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as v from 'valibot'
import { z } from 'zod'
import type { JsonObject } from '../schema/json.ts'
import { isMadeTool, tool, type AnyTool, type Tool, type ToolContext, type ToolOptions } from './tool.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function holds<Claim extends true>(claim: Claim): void {
  assert.equal(claim, true)
}

const object = { type: 'object' } as const

function refusal(options: unknown): string {
  try {
    tool(options as ToolOptions<JsonObject, JsonObject>)
  } catch (error) {
    return `${(error as { code?: string }).code}: ${(error as Error).message}`
  }
  return 'accepted'
}

describe('types of a tool', () => {
  it('come from zod', () => {
    const made = tool({
      description: 'd',
      inputSchema: z.object({ place: z.string(), days: z.number().default(1) }),
      outputSchema: z.object({ sky: z.string() }),
      needsApproval: (input, { toolName }) => {
        holds<Same<typeof input, { place: string; days: number }>>(true)
        return toolName === input.place
      },
      effects: { mode: 'write', paths: (input) => [input.place] },
      execute: (input, context) => {
        holds<Same<typeof input, { place: string; days: number }>>(true)
        holds<Same<typeof context, ToolContext>>(true)
        return { sky: input.place }
      },
    })
    holds<Same<typeof made, Tool<{ place: string; days: number }, { sky: string }>>>(true)
  })

  it('come from a pair, a JSON Schema literal, and an open JSON Schema', () => {
    tool({
      description: 'd',
      inputSchema: { schema: v.object({ place: v.string() }), jsonSchema: { type: 'object' } },
      execute: (input) => holds<Same<typeof input, { place: string }>>(true),
    })
    tool({
      description: 'd',
      inputSchema: {
        type: 'object',
        properties: { n: { type: 'integer' }, unit: { enum: ['c', 'f'] } },
        required: ['n'],
      },
      execute: (input) => holds<Same<typeof input, { n: number; unit?: 'c' | 'f' }>>(true),
    })
    const open: JsonObject = { type: 'object' }
    tool({ description: 'd', inputSchema: open, execute: (input) => holds<Same<typeof input, JsonObject>>(true) })
  })

  it('hold what execute returns to the outputSchema', () => {
    const options = { description: 'd', inputSchema: z.object({}), outputSchema: z.object({ n: z.number() }) }
    tool({ ...options, execute: () => ({ n: 1 }) })
    tool({ ...options, execute: async () => ({ n: 1 }) })
    // @ts-expect-error n is a number
    tool({ ...options, execute: () => ({ n: 'one' }) })
  })

  it('fit any tool, whatever their input', () => {
    const tools: Record<string, AnyTool> = {
      a: tool({ description: 'd', inputSchema: z.object({ a: z.string() }), execute: ({ a }) => a }),
    }
    assert.equal(isMadeTool(tools['a']), true)
  })
})

describe('tool', () => {
  it('fills in the defaults', async () => {
    const made = tool({ description: 'd', inputSchema: object, execute: () => 1 })
    assert.equal(made.timeout, 30_000)
    assert.deepEqual(made.effects, {
      mode: 'exclusive',
      repeat: 'never',
      risk: ['destructive', 'exfiltrating'],
      declared: false,
    })
    assert.equal(made.trust, 'unvouched')
    assert.equal(await made.needsApproval({}, { toolCallId: 'c', toolName: 't' }), false)
    assert.equal(made.paths({}), undefined)
    assert.equal(made.output, undefined)
    assert.deepEqual(made.input.jsonSchema, object)
  })

  it('keeps `this` of its options', async () => {
    const options = {
      description: 'd',
      inputSchema: object,
      word: 'hi',
      execute() {
        return this.description
      },
    }
    const { word, ...rest } = options
    assert.equal(await tool(rest).execute({}, {} as ToolContext), 'd')
    assert.equal(word, 'hi')
  })

  const good = { description: 'd', inputSchema: object, execute: () => 1 }
  const cases: readonly (readonly [string, unknown, RegExp])[] = [
    ['no options', undefined, /^invalid_option: tool\(\) takes one object/],
    ['an unknown option', { ...good, parameters: {} }, /^unknown_option: .*'parameters'/],
    ['a slip of the finger', { ...good, inputShema: {} }, /Did you mean 'inputSchema'\?/],
    ['no description', { ...good, description: ' ' }, /^invalid_option: .*needs a description/],
    ['no execute', { ...good, execute: undefined }, /^invalid_option: .*needs execute/],
    ['a timeout of 0', { ...good, timeout: 0 }, /^invalid_option: timeout/],
    ['a timeout that is no number', { ...good, timeout: '30s' }, /^invalid_option: timeout/],
    ['NaN as timeout', { ...good, timeout: Number.NaN }, /^invalid_option: timeout/],
    ['needsApproval that is neither', { ...good, needsApproval: 'yes' }, /^invalid_option: needsApproval/],
    ['a schema that is none', { ...good, inputSchema: 'object' }, /^invalid_schema: the inputSchema of tool "d"/],
    ['a schema of no object', { ...good, inputSchema: z.string() }, /^invalid_schema: .*must describe an object/],
    [
      'a schema that no model can be told',
      { ...good, inputSchema: v.object({}) },
      /^invalid_schema: .*pass \{ schema, jsonSchema/,
    ],
    ['an outputSchema that is none', { ...good, outputSchema: 5 }, /^invalid_schema: the outputSchema/],
    ['an unknown mode', { ...good, effects: 'reed' }, /^unknown_option: .*Did you mean 'read'\?/],
    [
      'an unknown mode in an object',
      { ...good, effects: { mode: 5 } },
      /^unknown_option: .*Known: read, write, exclusive/,
    ],
    ['no mode', { ...good, effects: { repeat: 'safe' } }, /^unknown_option: effects\.mode/],
    [
      'an unknown effect',
      { ...good, effects: { mode: 'read', path: () => [] } },
      /^unknown_option: .*Did you mean 'paths'\?/,
    ],
    ['effects that are a list', { ...good, effects: [] }, /^invalid_option: effects/],
    [
      'paths that are no function',
      { ...good, effects: { mode: 'write', paths: ['a'] } },
      /^invalid_option: effects\.paths/,
    ],
    [
      'an unknown repeat',
      { ...good, effects: { mode: 'write', repeat: 'always' } },
      /^unknown_option: effects\.repeat/,
    ],
    [
      'a risk that is no list',
      { ...good, effects: { mode: 'write', risk: 'destructive' } },
      /^invalid_option: effects\.risk/,
    ],
    ['an unknown risk', { ...good, effects: { mode: 'write', risk: ['destructiv'] } }, /Did you mean 'destructive'\?/],
  ]
  for (const [name, options, expected] of cases) it(`refuses ${name}`, () => assert.match(refusal(options), expected))
})

describe('effects', () => {
  const effects = (given: unknown): unknown =>
    tool({ description: 'd', inputSchema: object, execute: () => 1, effects: given as 'read' }).effects
  const risky = ['destructive', 'exfiltrating']

  it('take their defaults from the mode', () => {
    assert.deepEqual(effects('read'), { mode: 'read', repeat: 'safe', risk: [], declared: false })
    assert.deepEqual(effects('write'), { mode: 'write', repeat: 'never', risk: risky, declared: false })
    assert.deepEqual(effects({ mode: 'exclusive' }), {
      mode: 'exclusive',
      repeat: 'never',
      risk: risky,
      declared: false,
    })
  })

  it('keep what is declared', () => {
    assert.deepEqual(effects({ mode: 'write', repeat: 'keyed', risk: [] }), {
      mode: 'write',
      repeat: 'keyed',
      risk: [],
      declared: true,
    })
    assert.deepEqual(effects({ mode: 'read', repeat: 'never', risk: ['exfiltrating'] }), {
      mode: 'read',
      repeat: 'never',
      risk: ['exfiltrating'],
      declared: true,
    })
  })

  it('risk by the call, where a function says so', () => {
    const made = tool({
      description: 'd',
      inputSchema: object,
      execute: () => 1,
      effects: { mode: 'write', risk: (input) => (Object.keys(input).length > 0 ? ['destructive'] : []) },
    })
    assert.deepEqual(made.effects.risk, risky)
    assert.equal(made.effects.declared, true)
    assert.deepEqual([made.risk({}), made.risk({ all: true })], [[], ['destructive']])
    const effects = { mode: 'write', risk: () => ['nope' as never] } as const
    const wrong = tool({ description: 'd', inputSchema: object, execute: () => 1, effects })
    assert.throws(() => wrong.risk({}), { code: 'unknown_option' })
  })
})
