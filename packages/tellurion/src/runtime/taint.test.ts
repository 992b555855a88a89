// Taint in durable runs: agents of other makes, and forks. Scenarios with sub-agents are in test/obedient-crew.ts.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Agent } from '../agent/agent.ts'
import { scriptedModel, type Script } from '../testing/scripted-model.ts'
import type { Trust } from '../message/trust.ts'
import { tool } from '../tool/tool.ts'
import type { AgentRuntime } from './agent-runtime.ts'
import { memory } from './backend/memory/memory.ts'
import { createRuntime } from './runtime.ts'
import { toolCallingAgent } from './tool-calling-agent.ts'

const plain = { type: 'object' } as const
const source = (trust: Trust) =>
  tool({ description: 'd', inputSchema: plain, effects: 'read', trust, execute: () => 'words' })
const acting = (ran: unknown[]) =>
  tool({ description: 'd', inputSchema: plain, execute: (input) => ran.push(input), trust: 'trusted' })
const call = (toolName: string, input: { [name: string]: string } = {}): Script => ({ calls: [{ toolName, input }] })
const runtimeOf = (...agents: (Agent | AgentRuntime)[]) => createRuntime({ store: memory(), agents })

describe('taint in durable runs', () => {
  test('a tool calling agent asks after untrusted words, and goes on when it was approved', async () => {
    const ran: unknown[] = []
    const agent = toolCallingAgent({
      key: 'a',
      model: scriptedModel([call('act', { n: '1' }), call('page'), call('act', { n: '2' }), 'Done.']),
      tools: { page: source('untrusted'), act: acting(ran) },
    })
    await using runtime = await runtimeOf(agent)
    const run = await runtime.submit('a', 'Go.')
    const { status, interactions } = await run.result()
    assert.deepEqual([status, ran], ['waiting', [{ n: '1' }]])
    assert.match(interactions[0]?.prompt ?? '', /^After untrusted words from page: Allow act with \{"n":"2"\}\?$/)
    await runtime.interactions.answer(interactions[0]!.id, { choice: 'approve' })
    assert.equal((await run.result()).status, 'succeeded')
    assert.deepEqual(ran, [{ n: '1' }, { n: '2' }])
  })

  test('an agent of any make cannot go around it, and sees whose words it has', async () => {
    const ran: unknown[] = []
    const seen: unknown[] = []
    const agent: AgentRuntime = {
      key: 'a',
      tools: { page: source('untrusted'), act: acting(ran) },
      async run({ tools, taint, ...context }) {
        seen.push(taint.length)
        await tools.execute('page', { of: 'x' })
        const refused = await tools.execute('act', {})
        seen.push(refused.code, context.messages.length)
        await tools.execute('act', {}, { approved: true })
        return { output: 'Done.' }
      },
    }
    await using runtime = await runtimeOf(agent)
    await runtime.execute('a', 'Go.')
    assert.deepEqual([seen, ran.length], [[0, 'tool_denied', 1], 1])
  })

  test('a fork from before the words does without them, one from after them does not', async () => {
    const ran: unknown[] = []
    const script = (words: string): Script =>
      words.includes('act') ? call('act') : words.includes('read') ? call('page') : 'Fine.'
    const model = scriptedModel(({ messages }) => {
      const newest = messages.at(-1)
      return newest?.role === 'user' ? (script(String(newest.content)) as never) : 'Done.'
    })
    const agent = new Agent({ name: 'a', model, tools: { page: source('untrusted'), act: acting(ran) } })
    await using runtime = await runtimeOf(agent)
    const session = runtime.session('a', { id: 's' })
    await session.generate('Hello.')
    await session.generate('Please read.')
    const [second] = await session.runs()
    const run = runtime.run(second!.id)
    const after = await run.fork({ tick: await run.lastTick(), input: 'Now act.' })
    assert.deepEqual([(await after.result()).status, ran.length], ['waiting', 0])
    const before = await run.fork({ tick: second!.firstTick - 1, input: 'Now act.' })
    assert.deepEqual([(await before.result()).status, ran.length], ['succeeded', 1])
  })
})
