import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { TellurionError } from '../error/error.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { Agent } from './agent.ts'
import type { AgentResult } from './result.ts'

const day = z.object({ stops: z.array(z.string()) })
const good = '{"stops":["Oslo","Bergen"]}'
const agentOf = (replies: Parameters<typeof scriptedModel>[0]) => {
  const model = scriptedModel(replies)
  return { model, agent: new Agent({ name: 'a', model }) }
}

describe('structured output', () => {
  test('is a typed, validated object, and the model is told its schema', async () => {
    const { model, agent } = agentOf([good])
    const { output } = await agent.generate('Plan a day', { output: day })
    const stops: string[] = output.stops
    assert.deepEqual(stops, ['Oslo', 'Bergen'])
    assert.equal(model.requests[0]?.output?.schema['type'], 'object')
  })

  test('may stand alone in a Markdown fence', async () => {
    const { agent } = agentOf(['```json\n' + good + '\n```'])
    assert.equal((await agent.generate('x', { output: day })).output.stops.length, 2)
  })

  test('may begin with a byte order mark', async () => {
    const { agent, model } = agentOf([`\ufeff${good}`])
    assert.equal((await agent.generate('x', { output: day })).output.stops.length, 2)
    assert.equal(model.requests.length, 1)
  })

  test('costs no more than its length, whatever a model puts around it', async () => {
    const { agent } = agentOf([`\`\`\`json${'\n'.repeat(300_000)}`, good])
    const started = process.cpuUsage()
    assert.equal((await agent.generate('x', { output: day })).output.stops.length, 2)
    const { user, system } = process.cpuUsage(started)
    assert.ok(user + system < 2_000_000, `${(user + system) / 1000} ms`)
  })

  for (const [what, bad] of [
    ['no JSON', 'Sure! Oslo, then Bergen.'],
    ['the wrong shape', '{"stops":"Oslo"}'],
  ] as const) {
    test(`${what} is mended once, with the validation error`, async () => {
      const { model, agent } = agentOf([bad, good])
      const { output, steps } = await agent.generate('x', { output: day })
      assert.equal(output.stops.length, 2)
      assert.equal(steps, 2)
      const repair = model.requests[1]?.messages.at(2)
      assert.equal(repair?.role, 'user')
      assert.match(String(repair?.content), what === 'no JSON' ? /not JSON/ : /stops/)
    })

    test(`${what} twice is a typed failure, never raw text`, async () => {
      const { model, agent } = agentOf([bad, bad, good])
      const error = await agent.generate('x', { output: day }).catch((reason: unknown) => reason)
      assert.ok(error instanceof TellurionError)
      assert.equal(error.code, 'output_invalid')
      assert.equal(error.data?.['text'], bad)
      assert.equal((error.result as AgentResult).output, undefined)
      assert.equal(model.calls, 2)
    })
  }

  test('takes transforms, JSON Schema, and schemas that answer later', async () => {
    const upper = z.object({ a: z.string().transform((text) => text.toUpperCase()) })
    assert.equal((await agentOf(['{"a":"x"}']).agent.generate('x', { output: upper })).output.a, 'X')
    const json = { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] } as const
    assert.deepEqual((await agentOf(['{"a":1}']).agent.generate('x', { output: json })).output, { a: 1 })
    const later = z.object({ a: z.string().refine(async (text) => text === 'ok') })
    assert.equal((await agentOf(['{"a":"ok"}']).agent.generate('x', { output: later })).output.a, 'ok')
    const refused = agentOf(['{"a":"no"}']).agent.generate('x', { output: later })
    await assert.rejects(refused, (error: unknown) => (error as TellurionError).code === 'output_invalid')
  })

  test('comes after the tools have done their work, and is not asked for in the next turn', async () => {
    const echo = tool({ description: 'e', inputSchema: z.object({}), effects: 'read', execute: () => 'ok' })
    const model = scriptedModel([{ calls: [{ toolName: 'echo', input: {} }] }, good, 'plain'])
    const chat = new Agent({ name: 'a', model, tools: { echo } }).session()
    assert.equal((await chat.generate('x', { output: day })).output.stops.length, 2)
    const next = await chat.generate('and now?')
    assert.equal(next.text, 'plain')
    assert.equal(next.output, undefined)
    assert.equal(model.requests[2]?.output, undefined)
  })

  test('streams as partial objects that only grow', async () => {
    const model = scriptedModel([good], { chunkSize: 3 })
    const stream = new Agent({ name: 'a', model }).stream('x', { output: day })
    const seen: unknown[] = []
    for await (const partial of stream.partialOutputs()) seen.push(partial)
    assert.deepEqual(seen.at(-1), { stops: ['Oslo', 'Bergen'] })
    assert.ok(seen.length >= 4)
    assert.deepEqual((await stream.result()).output, { stops: ['Oslo', 'Bergen'] })
  })
})
