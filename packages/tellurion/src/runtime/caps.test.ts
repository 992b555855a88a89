// Caps of a runtime: they bound tools and sub-agents from above, and never give more than those ask for.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { Agent } from '../agent/agent.ts'
import type { Caps } from '../agent/caps.ts'
import { asTool } from '../agent/sub-agent.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { memory } from './backend/memory/memory.ts'
import { createRuntime } from './runtime.ts'

const patience = { heartbeat: 20, lease: 100 }

/** What the model was told of a tool that never ends. */
async function resultOfSlowTool(timeout: number, caps?: Caps): Promise<string> {
  const slow = tool({
    description: 'Never ends.',
    inputSchema: z.object({}),
    timeout,
    execute: () => new Promise(() => {}),
  })
  const model = scriptedModel([{ calls: [{ toolName: 'slow', input: {} }] }, 'ok'])
  const agent = new Agent({ name: 'a', model, tools: { slow } })
  await using runtime = await createRuntime({
    store: memory(),
    agents: [agent],
    ...(caps === undefined ? {} : { caps }),
  })
  const { messages } = await runtime.execute('a', 'go')
  return JSON.stringify(messages.find(({ role }) => role === 'tool')?.content)
}

describe('caps of a runtime', () => {
  test('end a tool call before its own timeout', async () => {
    assert.match(await resultOfSlowTool(60_000, { toolTimeout: 20 }), /did not end within 20 ms/)
    assert.match(await resultOfSlowTool(Infinity, { toolTimeout: 20 }), /did not end within 20 ms/)
  })

  test('leave a shorter timeout alone', async () => {
    assert.match(await resultOfSlowTool(20, { toolTimeout: 60_000 }), /did not end within 20 ms/)
  })

  test('end a sub-agent before its own timeout', async () => {
    const helper = new Agent({ name: 'helper', model: scriptedModel(() => new Promise<never>(() => {})) })
    const model = scriptedModel([{ calls: [{ toolName: 'helper', input: { task: 'x' } }] }, 'too late'])
    const boss = new Agent({ name: 'boss', model, tools: { helper: asTool(helper, { description: 'Helps.' }) } })
    await using runtime = await createRuntime({
      store: memory(),
      agents: [boss],
      caps: { subAgentTimeout: 40 },
      patience,
    })
    const { text, messages } = await (await runtime.submit('boss', 'go')).result()
    assert.equal(text, 'too late')
    assert.match(JSON.stringify(messages.find(({ role }) => role === 'tool')), /did not end in time/)
  })

  for (const [caps, most] of [
    [{ subAgents: 2 }, 2],
    [{}, 5],
  ] as const)
    test(`let ${most} sub-agents work at one time under ${JSON.stringify(caps)}`, async () => {
      let [working, seen] = [0, 0]
      const look = tool({
        description: 'Looks.',
        inputSchema: z.object({}),
        effects: 'read',
        execute: async () => {
          seen = Math.max(seen, ++working)
          await sleep(5)
          working--
        },
      })
      const helper = new Agent({
        name: 'helper',
        model: scriptedModel(({ messages }) =>
          messages.at(-1)?.role === 'tool' ? 'done' : { calls: [{ toolName: 'look', input: {} }] },
        ),
        tools: { look },
      })
      const calls = Array.from({ length: 7 }, () => ({ toolName: 'helper', input: { task: 'x' } }))
      const boss = new Agent({
        name: 'boss',
        model: scriptedModel([{ calls }, 'all done']),
        tools: { helper: asTool(helper, { description: 'Helps.' }) },
      })
      await using runtime = await createRuntime({ store: memory(), agents: [boss], caps, maxConcurrent: 20, patience })
      const { text, messages } = await (await runtime.submit('boss', 'go')).result()
      assert.equal(text, 'all done')
      assert.equal(messages.filter(({ role }) => role === 'tool').length, 7)
      assert.equal(seen, most)
    })

  for (const [caps, words] of [
    [{ toolTimeot: 1 }, /caps has no 'toolTimeot'\. Did you mean 'toolTimeout'\?/],
    [{ toolTimeout: 0 }, /caps\.toolTimeout must be a number of milliseconds above 0, not 0/],
    [{ subAgents: 1.5 }, /caps\.subAgents must be a whole number from 1, not 1\.5/],
    [{ subAgentTimeout: Number.NaN }, /above 0, not NaN/],
  ] as const)
    test(`refuse ${JSON.stringify(caps)}`, () =>
      assert.rejects(createRuntime({ store: memory(), agents: [], caps: caps as Caps }), { message: words }))
})
