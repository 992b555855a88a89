import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { memoryKeyValue } from '../port/memory-key-value.ts'
import { sha256 } from '../schema/canonical.ts'
import { macrotask, virtualClock } from '../testing/virtual-clock.ts'
import { createArtifacts } from './artifact.ts'
import { tool, type AnyTool, type ToolContext } from './tool.ts'
import { createToolbox } from './toolbox.ts'

const text = (bytes: Uint8Array | undefined): string | undefined => bytes && new TextDecoder().decode(bytes)

function keeper(execute: (context: ToolContext) => unknown, timeout?: number): AnyTool {
  const inputSchema = { type: 'object' } as const
  return tool({ description: 'Keeps.', inputSchema, timeout, execute: (_input, context) => execute(context) })
}

describe('what a tool keeps', () => {
  it('is named in its outcome, in the order of first use, and can be had back', async () => {
    const artifacts = createArtifacts(memoryKeyValue(), 's')
    const t = keeper(async ({ keep }) => {
      await keep('plot.png', Uint8Array.of(1, 2), { mediaType: 'image/png' })
      await keep('out/table.csv', 'draft')
      await keep('plot.png', Uint8Array.of(3))
      return (await keep('out/table.csv', 'a;b'))?.size
    })
    const outcome = await createToolbox({ t }).execute('t', {}, { results: { artifacts } })
    assert.equal(outcome.content, '3')
    assert.deepEqual(outcome.kept, [
      { name: 'plot.png', hash: await sha256(Uint8Array.of(3)), size: 1 },
      { name: 'out/table.csv', hash: await sha256('a;b'), size: 3 },
    ])
    assert.equal(text(await artifacts.get(outcome.kept?.[1]?.hash ?? '')), 'a;b')
  })

  it('is named however the call ends: thrown, timed out, cancelled; and nothing is kept after that', async () => {
    const late: unknown[] = []
    let begun = false
    const ends = {
      thrown: keeper(async ({ keep }) => {
        await keep('a', 'x')
        throw new Error('broken')
      }),
      expired: keeper(async ({ keep, abortSignal }) => {
        await keep('a', 'x')
        begun = true
        await new Promise((resolve) => abortSignal.addEventListener('abort', resolve))
        await keep('b', 'y').catch((error: unknown) => late.push((error as { code: string }).code))
      }, 50),
    }
    const clock = virtualClock()
    const results = { artifacts: createArtifacts(memoryKeyValue(), 's') }
    const toolbox = createToolbox(ends)
    const thrown = await toolbox.execute('thrown', {}, { results, clock })
    assert.deepEqual([thrown.code, thrown.kept?.map(({ name }) => name)], ['tool_failed', ['a']])
    const pending = toolbox.execute('expired', {}, { results, clock })
    while (!begun) await macrotask()
    await clock.advance(50)
    const expired = await pending
    assert.deepEqual([expired.code, expired.kept?.map(({ name }) => name)], ['tool_timeout', ['a']])
    while (late.length === 0) await macrotask()
    assert.deepEqual(late, ['aborted'])
  })

  it('is nothing where there is no room, or nowhere to keep', async () => {
    const t = keeper(async ({ keep }) => String(await keep('a', 'four')))
    const full = { artifacts: createArtifacts(memoryKeyValue(), 's', { limit: 3 }) }
    for (const results of [undefined, full]) {
      const outcome = await createToolbox({ t }).execute('t', {}, { results })
      assert.deepEqual([outcome.content, outcome.kept], ['undefined', undefined])
    }
  })

  it('has a name that can be shown, a type that is one, and a bound', async () => {
    const results = { artifacts: createArtifacts(memoryKeyValue(), 's') }
    const bad: [unknown[], string][] = [
      [['', 'x'], 'invalid_name'],
      [['a\nb', 'x'], 'invalid_name'],
      [['a'.repeat(201), 'x'], 'invalid_name'],
      [['\ud800', 'x'], 'invalid_name'],
      [[7, 'x'], 'invalid_name'],
      [['a', { toString: () => 'x' }], 'invalid_option'],
      [['a', 'x', { mediaType: 'png' }], 'invalid_option'],
      [['a', 'x', { mediaType: 'image/png\n' }], 'invalid_option'],
    ]
    for (const [args, code] of bad) {
      const t = keeper(({ keep }) => keep(...(args as [string, string])))
      assert.equal((await createToolbox({ t }).execute('t', {}, { results })).code, code, JSON.stringify(args))
    }
    const t = keeper(async ({ keep }) => {
      for (let index = 0; index <= 100; index++) await keep(`n${index}`, 'x')
    })
    const many = await createToolbox({ t }).execute('t', {}, { results })
    assert.deepEqual([many.code, many.kept?.length], ['invalid_value', 100])
  })

  it('is found again only by the same call, and only where keys are used once', async () => {
    const artifacts = createArtifacts(memoryKeyValue(), 's')
    const t = keeper(async ({ kept, keep }) => {
      const before = text(await kept('intent'))
      await keep('intent', 'done')
      return before ?? 'first time'
    })
    const toolbox = createToolbox({ t })
    const say = async (idempotencyKey: string, recall: boolean) =>
      (await toolbox.execute('t', {}, { idempotencyKey, results: { artifacts, recall } })).content
    assert.equal(await say('k1', true), 'first time')
    assert.equal(await say('k1', true), 'done')
    assert.equal(await say('k1', false), 'first time')
    assert.equal(await say('k2', true), 'first time')
  })
})
