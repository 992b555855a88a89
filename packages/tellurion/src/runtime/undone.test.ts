import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { Agent } from '../agent/agent.ts'
import { Conversation, UserInput } from '../agent/component.ts'
import { textOf } from '../message/message.ts'
import { backendPlace, materials } from '../testing/backends.node.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { defineSystem } from '../world/system.ts'
import type { AgentRuntime } from './agent-runtime.ts'
import type { RunHandle } from './run-handle.ts'
import { createRuntime, type Runtime } from './runtime.ts'

/** Calls a tool that asks when it is told to `call`, and has a question put when it is told to `ask`. */
function guide(executed: string[] = []): Agent {
  const model = scriptedModel(({ messages }) => {
    const last = messages.at(-1)!
    return last.role === 'user' && textOf(last) === 'call' ? { calls: [{ toolName: 'remove', input: {} }] } : 'Done.'
  })
  const remove = tool({
    description: 'r',
    inputSchema: z.object({}),
    needsApproval: true,
    execute: () => void executed.push('gone'),
  })
  const asker = defineSystem({
    name: 'asker',
    priority: -30,
    query: [Conversation],
    each(entity, world) {
      const last = world.require(entity, Conversation).toArray().at(-1)
      if (last?.role !== 'user' || textOf(last) !== 'ask' || world.has(entity, UserInput)) return
      world.set(entity, UserInput, { prompt: 'Which?' })
    },
  })
  return new Agent({ name: 'guide', model, tools: { remove }, systems: [asker] })
}

const foreign: AgentRuntime = {
  key: 'guide',
  async run(context) {
    return { output: context.input === 'ask' ? await context.ask({ prompt: 'Which?' }) : 'Done.' }
  },
}

for (const material of materials) {
  describe(`a session on ${material} whose turn was left`, () => {
    const open = (agent: Agent | AgentRuntime): Promise<Runtime> =>
      createRuntime({ store: backendPlace(material), agents: [agent] })

    test('with a call still open, by undo, hears what is said next', async () => {
      const executed: string[] = []
      await using runtime = await open(guide(executed))
      const run = await runtime.submit('guide', 'call', { session: 's' })
      assert.equal((await run.result()).status, 'waiting')
      await run.undo({ to: 1, cancel: true })
      const next = await runtime.submit('guide', 'hello', { session: 's' })
      const { text, messages } = await next.result()
      assert.equal(text, 'Done.')
      assert.deepEqual(
        messages.map(({ role }) => role),
        ['user', 'assistant'],
      )
      const said = await runtime.session('guide', { id: 's' }).messages()
      assert.deepEqual(
        said.map(({ role }) => role),
        ['user', 'assistant', 'tool', 'user', 'assistant'],
      )
      assert.match(String(said[2]?.content), /'remove' was cancelled by fork/)
      assert.deepEqual(executed, [])
    })

    for (const [make, agent] of [
      ['an agent', guide],
      ['an agent of any make', () => foreign],
    ] as const) {
      test(`with a question of ${make} still open, by cancel or undo, hears what is said next`, async () => {
        await using runtime = await open(agent())
        const run = await runtime.submit('guide', 'ask', { session: 's' })
        assert.equal((await run.result()).interactions.length, 1)
        await hearsOn(runtime, run)
      })
    }

    test('and is forked asks its question again, under an id of its own', async () => {
      await using runtime = await open(guide())
      const run = await runtime.submit('guide', 'ask', { session: 's' })
      const [first] = (await run.result()).interactions
      const fork = await run.fork({ tick: 1 })
      const [second] = (await fork.result()).interactions
      assert.equal(second?.prompt, 'Which?')
      assert.notEqual(first!.id, second!.id)
      await runtime.interactions.answer(second!.id, { text: 'this' })
      for await (const { type } of fork.events()) if (type === 'run.succeeded') break
      assert.equal((await run.record()).status, 'waiting')
    })

    test('while it was paused goes on with what is said next', async () => {
      await using runtime = await open(guide())
      const run = await runtime.submit('guide', 'call', { session: 's' })
      await run.result()
      await run.pause()
      for await (const { type } of run.events()) if (type === 'run.paused') break
      await hearsOn(runtime, run)
    })
  })
}

/** What is said in the session of a run is heard, once it has been cancelled and after its last tick was gone back to. */
async function hearsOn(runtime: Runtime, run: RunHandle): Promise<void> {
  const tick = await run.lastTick()
  await run.cancel()
  assert.equal((await run.result()).status, 'cancelled')
  const next = await runtime.submit('guide', 'hello', { session: 's' })
  assert.equal((await next.result()).text, 'Done.')
  await next.undo({ to: tick })
  const last = await runtime.submit('guide', 'and now?', { session: 's' })
  assert.equal((await last.result()).text, 'Done.')
}
