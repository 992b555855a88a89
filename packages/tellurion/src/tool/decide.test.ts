import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import type { ToolCallPart } from '../message/message.ts'
import type { Json } from '../schema/json.ts'
import { createApproval, type ApprovalRule } from './approval.ts'
import { decide, hashInput, type DecideOptions } from './decide.ts'
import { tool, type ToolOptions } from './tool.ts'
import { createToolbox } from './toolbox.ts'

const inputSchema = z.object({ place: z.string().trim(), days: z.number().default(1) })
const make = (options: Partial<ToolOptions<typeof inputSchema, never>> = {}) =>
  tool({
    description: 'd',
    inputSchema,
    execute: () => assert.fail('deciding must not run anything'),
    ...options,
  } as ToolOptions<typeof inputSchema, never>)

const toolbox = createToolbox({
  weather: make({ effects: 'read' }),
  remove: make({ needsApproval: true }),
  maybe: make({ needsApproval: ({ days }) => days > 3 }),
  later: make({ needsApproval: async ({ days }) => days > 3 }),
  broken: make({
    needsApproval: () => {
      throw new Error('no database')
    },
  }),
  slow: tool({
    description: 'd',
    inputSchema: z.object({ place: z.string().refine(async (text) => text !== 'x', 'is x') }),
    execute: () => 1,
  }),
})

const call = (toolName: string, input: Json = { place: 'Oslo' }, more: Partial<ToolCallPart> = {}): ToolCallPart => ({
  type: 'tool-call',
  toolCallId: 'c1',
  toolName,
  input,
  ...more,
})
const verdict = async (each: ToolCallPart, options: Partial<DecideOptions> = {}): Promise<string> => {
  const { decision } = await decide(each, { toolbox, ...options })
  return decision.verdict === 'reject' ? `reject ${decision.code}` : `${decision.verdict} by ${decision.by}`
}
const withRules = (...rules: ApprovalRule[]): Partial<DecideOptions> => ({ approval: createApproval(rules) })

describe('decide', () => {
  it('answers at once where nothing is asynchronous', () => {
    assert.equal(decide(call('weather'), { toolbox }) instanceof Promise, false)
    assert.equal(decide(call('unknown'), { toolbox }) instanceof Promise, false)
    assert.equal(decide(call('weather'), { toolbox, ...withRules({ deny: '*' }) }) instanceof Promise, false)
    assert.equal(decide(call('slow'), { toolbox }) instanceof Promise, true)
  })

  it('prepares what may run: the tool, and the input as its schema made it', async () => {
    const { prepared } = await decide(call('weather', { place: ' Oslo ', more: 1 }), { toolbox })
    assert.equal(prepared?.tool, toolbox.get('weather'))
    assert.deepEqual(prepared?.input, { place: 'Oslo', days: 1 })
    assert.equal((await decide(call('weather', { place: 5 }), { toolbox })).prepared, undefined)
  })

  it('rejects unknown tools, naming the nearest and all', async () => {
    const { decision } = await decide(call('wheather'), { toolbox })
    assert.deepEqual(decision, {
      verdict: 'reject',
      code: 'unknown_tool',
      message:
        "There is no tool 'wheather'. Did you mean 'weather'? The tools are: weather, remove, maybe, later, broken, slow.",
    })
    const none = await decide(call('constructor'), { toolbox: createToolbox() })
    assert.deepEqual(none.decision, {
      verdict: 'reject',
      code: 'unknown_tool',
      message: "There is no tool 'constructor'. There are no tools.",
    })
  })

  it('rejects arguments that are not valid, and says how', async () => {
    const rejected: readonly (readonly [ToolCallPart, RegExp])[] = [
      [
        call('weather', { place: 5 }),
        /^The arguments for the tool 'weather' are not valid: \/place: .*string.*Call it again with arguments that match its schema\.$/,
      ],
      [call('weather', null), /\/place/],
      [call('weather', null, { invalidInput: '{"place": "Os' }), /they are not one JSON object: \{"place": "Os\. Call/],
      [
        call('weather', JSON.parse('{"place":"x","__proto__":{"admin":true}}') as Json),
        /the key __proto__ is not allowed/,
      ],
      [call('weather', { place: '\ud800' }), /\/place: ill-formed Unicode/],
      [call('weather', { place: Number.NaN }), /\/place: NaN/],
      [call('slow', { place: 'x' }), /\/place: is x/],
    ]
    for (const [each, expected] of rejected) {
      const { decision } = await decide(each, { toolbox })
      assert.equal(decision.verdict === 'reject' && decision.code, 'tool_input_invalid')
      assert.match(decision.verdict === 'reject' ? decision.message : '', expected)
    }
    assert.equal(await verdict(call('slow', { place: 'y' })), 'allow by default')
  })

  it('without rules lets needsApproval ask, and allows the rest', async () => {
    assert.equal(await verdict(call('weather')), 'allow by default')
    assert.equal(await verdict(call('remove')), 'ask by needsApproval')
    assert.equal(await verdict(call('maybe')), 'allow by default')
    assert.equal(await verdict(call('maybe', { place: 'x', days: 5 })), 'ask by needsApproval')
    assert.equal(await verdict(call('later')), 'allow by default')
    assert.equal(await verdict(call('later', { place: 'x', days: 5 })), 'ask by needsApproval')
    assert.equal(await verdict(call('broken')), 'ask by needsApproval')
  })

  it('with rules lets them alone decide, on the input that the tool would get', async () => {
    assert.equal(await verdict(call('remove'), withRules({ allow: 'remove' })), 'allow by rule 1')
    assert.equal(await verdict(call('weather'), withRules({ allow: 'remove' })), 'deny by rules')
    const trimmed = withRules({ deny: '*', where: { place: 'Oslo' } }, { allow: '*' })
    assert.equal(await verdict(call('weather', { place: '  Oslo' }), trimmed), 'deny by rule 1')
    assert.equal(
      await verdict(call('weather', { place: 'x' }), withRules({ ask: '*', where: { days: 1 } })),
      'ask by rule 1',
    )
    assert.equal(await verdict(call('weather'), withRules({ ask: '*', where: async () => true })), 'ask by rule 1')
  })

  it('in safe mode asks for everything but reads, and never softens a denial', async () => {
    assert.equal(await verdict(call('weather'), { safeMode: true }), 'allow by default')
    assert.equal(await verdict(call('maybe'), { safeMode: true }), 'ask by safe mode')
    assert.equal(await verdict(call('maybe'), { safeMode: true, ...withRules({ allow: '*' }) }), 'ask by safe mode')
    assert.equal(await verdict(call('maybe'), { safeMode: true, ...withRules({ deny: '*' }) }), 'deny by rule 1')
    assert.equal(
      await verdict(call('maybe'), { safeMode: true, ...withRules({ allow: '*', where: async () => true }) }),
      'ask by safe mode',
    )
  })

  it('decides in plain JSON', async () => {
    for (const name of ['weather', 'remove', 'broken', 'unknown']) {
      const { decision } = await decide(call(name), { toolbox })
      assert.deepEqual(JSON.parse(JSON.stringify(decision)), decision)
    }
  })

  it('binds what it asks to the exact arguments, in any order of their keys', async () => {
    const input = { place: 'Oslo', days: 3 }
    const { decision } = await decide(call('remove', input), { toolbox })
    assert.deepEqual(decision, {
      verdict: 'ask',
      by: 'needsApproval',
      prompt: 'Allow remove with {"days":3,"place":"Oslo"}?',
      inputHash: createHash('sha256').update('{"days":3,"place":"Oslo"}').digest('hex'),
    })
    assert.equal(
      await hashInput(call('remove', { days: 3, place: 'Oslo' })),
      decision.verdict === 'ask' && decision.inputHash,
    )
    const json = fc.jsonValue() as fc.Arbitrary<Json>
    await fc.assert(
      fc.asyncProperty(json, json, async (a, b) => {
        const same = JSON.stringify([a]) === JSON.stringify([b])
        if (same) assert.equal(await hashInput(call('x', a)), await hashInput(call('x', b)))
        else if (typeof a !== 'object') assert.notEqual(await hashInput(call('x', a)), await hashInput(call('x', b)))
      }),
    )
  })

  it('shows at most 500 characters of the arguments in its question', async () => {
    const { decision } = await decide(call('remove', { place: '🌍'.repeat(5_000) }), { toolbox })
    assert.ok(decision.verdict === 'ask' && decision.prompt.length < 600 && decision.prompt.isWellFormed())
  })
})
