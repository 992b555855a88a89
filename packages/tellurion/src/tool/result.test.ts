import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import type { ToolCallPart, UserPart } from '../message/message.ts'
import { memoryKeyValue } from '../port/memory-key-value.ts'
import { systemClock } from '../clock/clock.ts'
import { createArtifacts, type Artifacts } from './artifact.ts'
import { perform } from './perform.ts'
import { cut, toolContent, toolMessage, valueOutcome, type ResultOptions, type ToolOutcome } from './result.ts'
import { createSchedule } from './schedule.ts'
import { tool } from './tool.ts'
import { createToolbox } from './toolbox.ts'

const call: ToolCallPart = { type: 'tool-call', toolCallId: 'c1', toolName: 't', input: {} }
const image: UserPart = { type: 'image', mediaType: 'image/png', data: 'aGk=' }

async function contentOf(value: unknown, options: ResultOptions = {}): Promise<ToolOutcome['content']> {
  return (await valueOutcome(call, value, options)).content
}

describe('what a tool returns', () => {
  it('is text as it is, and JSON as text', async () => {
    const values: readonly (readonly [unknown, string])[] = [
      ['plain', 'plain'],
      ['', ''],
      ['\ud800x', '\ufffdx'],
      [{ a: [1, null] }, '{"a":[1,null]}'],
      [5, '5'],
      [false, 'false'],
      [null, 'null'],
      [undefined, 'Done; the tool returned nothing.'],
      [{ content: 'a file' }, '{"content":"a file"}'],
      [{ at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
    ]
    for (const [value, expected] of values) assert.equal(await contentOf(value), expected)
  })

  it('is refused when JSON would lose it', async () => {
    for (const value of [() => 1, new Map(), 1n, { n: Number.NaN }, Symbol('s'), new Uint8Array(1)]) {
      const outcome = await valueOutcome(call, value, {})
      assert.deepEqual([outcome.isError, outcome.code], [true, 'tool_output_invalid'])
    }
  })

  it('never throws, whatever it is', async () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withNullPrototype: true,
      withSparseArray: true,
    })
    await fc.assert(
      fc.asyncProperty(anything, async (value) => {
        const outcome = await valueOutcome(call, value, { maxLength: 50 })
        assert.deepEqual(JSON.parse(JSON.stringify(outcome)), outcome)
        assert.ok(String(outcome.content).isWellFormed())
      }),
      { numRuns: 500 },
    )
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const toolbox = createToolbox({
      t: tool({ description: 'd', inputSchema: { type: 'object' }, execute: async () => [proxy] }),
    })
    const outcome = await perform(
      call,
      { decision: { verdict: 'allow', by: 't' } },
      { toolbox, schedule: createSchedule(), clock: systemClock, runId: 'r', idempotencyKey: 'k' },
    )
    assert.equal(outcome.isError, true)
  })

  it('may be parts, with images', async () => {
    assert.deepEqual(await contentOf(toolContent([{ type: 'text', text: 'a\ud800' }, image])), [
      { type: 'text', text: 'a\ufffd' },
      image,
    ])
  })

  it('answers its call as a message', () => {
    assert.deepEqual(
      toolMessage({ toolCallId: 'c', toolName: 't', content: 'x', isError: true, code: 'tool_failed' }),
      { role: 'tool', toolCallId: 'c', toolName: 't', content: 'x', isError: true },
    )
    assert.deepEqual(toolMessage({ toolCallId: 'c', toolName: 't', content: 'x' }), {
      role: 'tool',
      toolCallId: 'c',
      toolName: 't',
      content: 'x',
    })
  })
})

describe('toolContent', () => {
  const bad: readonly (readonly [string, unknown])[] = [
    ['no list', { type: 'text' }],
    ['a text without text', [{ type: 'text' }]],
    ['an image with nothing', [{ type: 'image', mediaType: 'image/png' }]],
    ['an image with both', [{ ...image, url: 'http://a/' }]],
    ['an image of no type', [{ type: 'image', data: 'x' }]],
    ['an unknown part', [{ type: 'video' }]],
    ['a part that is none', ['text']],
    ['no part at all', [null]],
    ['data that is no text', [{ ...image, data: 5 }]],
    ['too much data', [{ ...image, data: 'x'.repeat(16_000_001) }]],
  ]
  for (const [name, parts] of bad) {
    it(`refuses ${name}`, () => assert.throws(() => toolContent(parts as UserPart[]), { code: 'tool_output_invalid' }))
  }
})

describe('a result past its bound', () => {
  const artifacts = (): Artifacts => createArtifacts(memoryKeyValue(), 's')

  it('is cut, says so, and is kept whole', async () => {
    const kept = artifacts()
    const text = `${'x'.repeat(10_000)}the end`
    const outcome = await valueOutcome(call, text, { artifacts: kept })
    assert.equal(
      outcome.content,
      `${'x'.repeat(10_000)}\n[cut: 10000 of 10007 characters shown; the whole is kept as artifact ${outcome.artifact?.hash}]`,
    )
    assert.equal(outcome.artifact?.size, 10_007)
    assert.equal(new TextDecoder().decode(await kept.get(outcome.artifact?.hash ?? '')), text)
    assert.equal(outcome.isError, undefined)
  })

  it('is not touched up to the bound', async () => {
    assert.equal(await contentOf('x'.repeat(10_000)), 'x'.repeat(10_000))
    assert.equal(valueOutcome(call, 'x'.repeat(10_000), { artifacts: artifacts() }) instanceof Promise, false)
  })

  it('says when the whole was not kept, and is no error for it', async () => {
    const none = (): Promise<undefined> => Promise.resolve(undefined)
    const failing = { put: () => Promise.reject(new Error('disk')), get: none, named: none }
    const full = createArtifacts(memoryKeyValue(), 's', { limit: 5 })
    for (const options of [{}, { artifacts: failing }, { artifacts: full }]) {
      const outcome = await valueOutcome(call, 'x'.repeat(20), { maxLength: 10, ...options })
      assert.deepEqual(outcome, {
        toolCallId: 'c1',
        toolName: 't',
        content: 'xxxxxxxxxx\n[cut: 10 of 20 characters shown; the rest was not kept]',
      })
    }
  })

  it('keeps the images of parts and cuts their text', async () => {
    const kept = artifacts()
    const outcome = await valueOutcome(
      call,
      toolContent([{ type: 'text', text: 'abc' }, image, { type: 'text', text: 'def' }]),
      { maxLength: 4, artifacts: kept },
    )
    assert.deepEqual(outcome.content, [
      {
        type: 'text',
        text: `abcd\n[cut: 4 of 6 characters shown; the whole is kept as artifact ${outcome.artifact?.hash}]`,
      },
      image,
    ])
  })

  it('never cuts a surrogate pair', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(20), (text, max) => {
        const formed = text.toWellFormed()
        const shown = cut(formed, max)
        assert.ok(formed.startsWith(shown) && shown.length <= max && shown.isWellFormed())
        assert.ok(formed.length <= max ? shown === formed : shown.length >= max - 1)
      }),
    )
  })
})

describe('outputSchema', () => {
  const run = async (outputSchema: z.ZodType, value: unknown): Promise<ToolOutcome> => {
    const toolbox = createToolbox({
      t: tool({ description: 'd', inputSchema: z.object({}), outputSchema, execute: () => value }),
    })
    return perform(
      call,
      { decision: { verdict: 'allow', by: 't' } },
      { toolbox, schedule: createSchedule(), clock: systemClock, runId: 'r', idempotencyKey: 'k' },
    )
  }

  it('checks and shapes what is returned', async () => {
    assert.equal((await run(z.object({ n: z.number() }), { n: 1, secret: 2 })).content, '{"n":1}')
    const outcome = await run(z.object({ n: z.number() }), { n: 'x' })
    assert.equal(outcome.code, 'tool_output_invalid')
    assert.match(String(outcome.content), /^The tool 't' returned something else than its outputSchema says: \/n: /)
    assert.equal((await run(z.object({ n: z.number().refine(async (n) => n > 1) }), { n: 2 })).content, '{"n":2}')
  })
})
