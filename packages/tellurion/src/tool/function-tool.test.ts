import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { build } from 'esbuild'
import type { Json } from '../schema/json.ts'
import { functionTool, toolMethod, toolsOf, type FunctionToolOptions } from './function-tool.ts'
import type { ParameterSpecs } from './parameter.ts'
import type { AnyTool, Tool } from './tool.ts'
import { createToolbox } from './toolbox.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function holds<Claim extends true>(claim: Claim): void {
  assert.equal(claim, true)
}

const weatherOptions = {
  description: 'Weather of a place',
  parameters: {
    place: 'string',
    days: { type: 'integer', default: 1, description: 'how many' },
    unit: { enum: ['c', 'f'], optional: true },
    tags: ['string'],
    loud: 'boolean?',
    area: { object: { north: 'number', south: { type: 'number', default: 0 } }, optional: true },
    stops: { array: { object: { name: 'string', rank: { type: 'integer', default: 9 } } }, optional: true },
  },
} as const

interface Weather {
  place: string
  days: number
  tags: string[]
  unit?: 'c' | 'f'
  loud?: boolean
  area?: { north: number; south: number }
  stops?: { name: string; rank: number }[]
}

function refusal(fn: unknown, options: unknown): string {
  try {
    functionTool(fn as () => void, options as FunctionToolOptions<ParameterSpecs>)
  } catch (error) {
    return `${(error as { code?: string }).code}: ${(error as Error).message}`
  }
  return 'accepted'
}

async function run(made: AnyTool, input: Json): Promise<unknown> {
  return (await createToolbox({ t: made }).execute('t', input)).content
}

describe('functionTool', () => {
  it('gives the function its types', () => {
    const made = functionTool(function weather(input) {
      holds<Same<typeof input.unit, 'c' | 'f' | undefined>>(true)
      holds<typeof input extends Weather ? true : false>(true)
      holds<Weather extends typeof input ? true : false>(true)
      return input.days
    }, weatherOptions)
    holds<typeof made extends Tool<Weather, number> ? true : false>(true)
    functionTool(({ n }: { n: number }) => n, { name: 'n', description: 'd', parameters: { n: 'integer' } })
    // @ts-expect-error the function wants a text where the parameters say number
    functionTool(({ n }: { n: string }) => n, { name: 'n', description: 'd', parameters: { n: 'integer' } })
    functionTool(() => 1, { name: 'none', description: 'd' })
  })

  it('describes the parameters to a model', () => {
    const made = functionTool(function weather() {}, weatherOptions)
    assert.equal(made.name, 'weather')
    assert.deepEqual(made.input.jsonSchema, {
      type: 'object',
      properties: {
        place: { type: 'string' },
        days: { type: 'integer', description: 'how many', default: 1 },
        unit: { enum: ['c', 'f'] },
        tags: { type: 'array', items: { type: 'string' } },
        loud: { type: 'boolean' },
        area: {
          type: 'object',
          properties: { north: { type: 'number' }, south: { type: 'number', default: 0 } },
          required: ['north'],
          additionalProperties: false,
        },
        stops: {
          type: 'array',
          items: {
            type: 'object',
            properties: { name: { type: 'string' }, rank: { type: 'integer', default: 9 } },
            required: ['name'],
            additionalProperties: false,
          },
        },
      },
      required: ['place', 'tags'],
      additionalProperties: false,
    })
  })

  it('checks the arguments and fills in defaults, at every depth', async () => {
    const made = functionTool(function weather(input) {
      return input
    }, weatherOptions)
    assert.equal(await run(made, { place: 'x', tags: [] }), '{"place":"x","tags":[],"days":1}')
    assert.equal(
      await run(made, {
        place: 'x',
        tags: ['a'],
        days: 3,
        area: { north: 1 },
        stops: [{ name: 'a' }, { name: 'b', rank: 1 }],
      }),
      '{"place":"x","tags":["a"],"days":3,"area":{"north":1,"south":0},"stops":[{"name":"a","rank":9},{"name":"b","rank":1}]}',
    )
    const bad: readonly (readonly [Json, RegExp])[] = [
      [{ tags: [] }, /missing place/],
      [{ place: 5, tags: [] }, /\/place: expected string, got 5/],
      [{ place: 'x', tags: 'a' }, /\/tags: expected array/],
      [{ place: 'x', tags: [1] }, /\/tags\/0: expected string/],
      [{ place: 'x', tags: [], days: 1.5 }, /\/days: expected integer/],
      [{ place: 'x', tags: [], unit: 'k' }, /\/unit: expected any of \["c","f"\]/],
      [{ place: 'x', tags: [], wind: 1 }, /\/wind: not allowed here/],
      [{ place: 'x', tags: [], area: {} }, /\/area: missing north/],
    ]
    for (const [input, expected] of bad) assert.match(String(await run(made, input)), expected)
  })

  it('never hands the same default out twice', async () => {
    const seen: string[][] = []
    const made = functionTool(
      ({ list }) => {
        seen.push(list)
        list.push('x')
        return list
      },
      { name: 'l', description: 'd', parameters: { list: { array: 'string', default: ['a'] } } },
    )
    assert.equal(await run(made, {}), '["a","x"]')
    assert.equal(await run(made, {}), '["a","x"]')
    assert.notEqual(seen[0], seen[1])
  })

  it('takes what tool takes beside', () => {
    const made = functionTool(
      function remove({ path }) {
        return path
      },
      {
        description: 'd',
        parameters: { path: 'string' },
        effects: { mode: 'write', paths: ({ path }) => [path] },
        timeout: 5,
        needsApproval: ({ path }) => path === '/',
      },
    )
    assert.deepEqual(
      [
        made.effects.mode,
        made.timeout,
        made.paths({ path: 'a' }),
        made.needsApproval({ path: '/' }, { toolCallId: 'c', toolName: 'remove' }),
      ],
      ['write', 5, ['a'], true],
    )
  })

  const cases: readonly (readonly [string, unknown, unknown, RegExp])[] = [
    ['what is no function', {}, { description: 'd' }, /^invalid_option: functionTool\(fn/],
    ['a function without a name', () => 1, { description: 'd' }, /^invalid_name: .*needs one/],
    ['an unknown option', function f() {}, { description: 'd', retries: 3 }, /^unknown_option: .*retries/],
    ['a schema', function f() {}, { description: 'd', inputSchema: {} }, /^unknown_option: .*it takes parameters/],
    [
      'an unknown type',
      function f() {},
      { description: 'd', parameters: { a: 'text' } },
      /^invalid_schema: the parameters of tool 'f', parameter 'a', has the unknown type "text"/,
    ],
    ['a near type', function f() {}, { description: 'd', parameters: { a: 'sting?' } }, /Did you mean 'string'\?/],
    [
      'a number for a type',
      function f() {},
      { description: 'd', parameters: { a: 5 } },
      /must be 'string', \['integer'\]/,
    ],
    [
      'an unknown key',
      function f() {},
      { description: 'd', parameters: { a: { type: 'string', optinal: true } } },
      /unknown 'optinal'. Did you mean 'optional'\?/,
    ],
    ['no kind', function f() {}, { description: 'd', parameters: { a: { optional: true } } }, /needs exactly one of/],
    [
      'two kinds',
      function f() {},
      { description: 'd', parameters: { a: { type: 'string', enum: ['a'] } } },
      /needs exactly one of/,
    ],
    ['an empty enum', function f() {}, { description: 'd', parameters: { a: { enum: [] } } }, /at least one/],
    [
      'a default that does not fit',
      function f() {},
      { description: 'd', parameters: { a: { type: 'integer', default: 'x' } } },
      /default that does not fit: expected integer/,
    ],
    [
      'parameters that are a list',
      function f() {},
      { description: 'd', parameters: ['string'] },
      /must be an object of parameters/,
    ],
    ['an empty list type', function f() {}, { description: 'd', parameters: { a: [] } }, /must be 'string'/],
  ]
  for (const [name, fn, options, expected] of cases)
    it(`refuses ${name}`, () => assert.match(refusal(fn, options), expected))
})

interface Fixture {
  readonly ledger: { add(input: { amount: number }): string }
  readonly ledgerTools: Record<string, AnyTool>
  readonly carefulTools: Record<string, AnyTool>
  readonly staticTools: Record<string, AnyTool>
  markPrivate(): unknown
  nameTwice(): unknown
}

describe('toolMethod', () => {
  let fixture: Fixture
  before(async () => {
    const entry = join(import.meta.dirname, '../../../../test/fixture/decorated-tools.ts')
    const { outputFiles } = await build({
      entryPoints: [entry],
      bundle: true,
      format: 'esm',
      target: 'es2024',
      platform: 'node',
      write: false,
      logLevel: 'silent',
      loader: { '.ts': 'ts' },
    })
    const text = outputFiles[0]?.text ?? ''
    fixture = (await import(`data:text/javascript;base64,${Buffer.from(text).toString('base64')}`)) as Fixture
  })

  it('makes tools of the marked methods, bound to their object', async () => {
    assert.deepEqual(Object.keys(fixture.ledgerTools), ['add', 'total', 'close'])
    const toolbox = createToolbox(fixture.ledgerTools)
    assert.equal((await toolbox.execute('add', { amount: 5 })).content, '5 EUR')
    assert.equal((await toolbox.execute('add', { amount: 2, note: 'tip' })).content, '7 EUR (tip)')
    assert.equal((await toolbox.execute('total', {}, { toolCallId: 'c9' })).content, '7 for c9')
    assert.match(String((await toolbox.execute('add', { amount: 'x' })).content), /\/amount: expected number/)
    assert.deepEqual(
      [toolbox.get('add')?.timeout, toolbox.get('add')?.effects.mode, toolbox.get('total')?.effects.mode],
      [1_000, 'write', 'read'],
    )
    assert.equal(fixture.ledger.add({ amount: 1 }), '8 EUR')
  })

  it('follows overriding: the mark of the nearest counts, none means no tool', async () => {
    assert.deepEqual(Object.keys(fixture.carefulTools), ['add', 'total'])
    assert.equal((await createToolbox(fixture.carefulTools).execute('add', {})).content, '1 EUR')
  })

  it('finds static methods on the class', async () => {
    assert.deepEqual(Object.keys(fixture.staticTools), ['house'])
    assert.equal((await createToolbox(fixture.staticTools).execute('house', {})).content, 'Tellurion')
  })

  it('refuses private methods and two of one name', () => {
    assert.throws(() => fixture.markPrivate(), { code: 'invalid_option' })
    assert.throws(() => fixture.nameTwice(), { code: 'duplicate_tool' })
  })

  it('types the method it marks', () => {
    const decorate = toolMethod('d', { n: 'integer', s: 'string?' })
    type Method = Parameters<typeof decorate>[0]
    holds<Same<Parameters<Method>[0], { n: number; s?: string }>>(true)
  })
})

describe('toolsOf', () => {
  it('says when nothing is marked', () => {
    for (const owner of [{}, new Map(), () => 1]) assert.throws(() => toolsOf(owner), { code: 'invalid_option' })
  })
})
