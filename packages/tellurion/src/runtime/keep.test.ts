// What tools keep beside their results, on its way to messages, events and artifacts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Agent } from '../agent/agent.ts'
import { sha256 } from '../schema/canonical.ts'
import { backendPlace } from '../testing/backends.node.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { createRuntime } from './runtime.ts'

const text = (bytes: Uint8Array | undefined): string | undefined => bytes && new TextDecoder().decode(bytes)

test('what a tool keeps reaches messages and events, in memory and in a durable run, and every such run has artifacts', async () => {
  const t = tool({
    description: 'Keeps.',
    inputSchema: { type: 'object' },
    execute: async (_input, { keep }) => (await keep('a.txt', 'kept'))?.hash,
  })
  const agent = () =>
    new Agent({ name: 'k', model: scriptedModel([{ calls: [{ toolName: 't', input: {} }] }, 'ok']), tools: { t } })
  const expected = [{ name: 'a.txt', hash: await sha256('kept'), size: 4 }]

  const session = agent().session()
  const stream = session.stream('Go.')
  const events = []
  for await (const event of stream) if (event.type === 'tool.ended') events.push(event.kept)
  const { messages } = await stream.result()
  assert.deepEqual(events, [expected])
  assert.deepEqual(
    messages.flatMap((each) => (each.role === 'tool' ? [each.kept] : [])),
    [expected],
  )
  assert.equal(text(await session.artifacts.get(expected[0]!.hash)), 'kept')

  await using runtime = await createRuntime({ store: backendPlace('sqlite'), agents: [agent()] })
  const run = await runtime.submit('k', 'Go.')
  const result = await run.result()
  assert.deepEqual(
    result.messages.flatMap((each) => (each.role === 'tool' ? [each.kept] : [])),
    [expected],
  )
})
