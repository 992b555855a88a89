// What waits for a person: across restarts, until its time has come, and answered once, from anywhere.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { Agent } from '../agent/agent.ts'
import { Conversation, LLM, ToolApproval, UserInput } from '../agent/component.ts'
import { textOf } from '../message/message.ts'
import { backendPlace } from '../testing/backends.node.ts'
import { scriptedModel, type ScriptedReply } from '../testing/scripted-model.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { tool } from '../tool/tool.ts'
import { defineSystem } from '../world/system.ts'
import type { System } from '../world/world.ts'
import { memory } from './backend/memory/memory.ts'
import type { RunHandle } from './run-handle.ts'
import { createRuntime } from './runtime.ts'

const minute = 60_000

/** Asks once, before anything was said by the model. */
const asksSize = (timeout?: number): System =>
  defineSystem({
    name: 'asksSize',
    priority: -30,
    query: [Conversation],
    each(entity, world) {
      if (world.require(entity, Conversation).length > 1 || world.has(entity, UserInput)) return
      const choices = ['small', 'large']
      world.set(entity, UserInput, { prompt: 'Which size?', choices, ...(timeout === undefined ? {} : { timeout }) })
    },
  })

const patience = defineSystem({
  name: 'patience',
  query: [LLM],
  each: (entity, world) => world.set(entity, ToolApproval, { timeout: minute }),
})

const barista = (timeout?: number): Agent => {
  const model = scriptedModel(({ messages }) => `Heard: ${textOf([...messages].at(-1)!)}`)
  return new Agent({ name: 'barista', model, systems: [asksSize(timeout)] })
}

const removing = ({ messages }: { readonly messages: Iterable<{ readonly role: string }> }): ScriptedReply =>
  [...messages].at(-1)?.role === 'tool'
    ? 'Done.'
    : { calls: ['a', 'b'].map((name) => ({ toolName: 'remove', toolCallId: name, input: { name } })) }

function janitor(removed: string[], systems: readonly System[] = []): Agent {
  const remove = tool({
    description: 'Removes',
    inputSchema: z.object({ name: z.string() }),
    needsApproval: ({ name }) => name !== 'b',
    execute: ({ name }) => void removed.push(name),
  })
  return new Agent({ name: 'janitor', model: scriptedModel(removing), tools: { remove }, systems })
}

async function typesOf(run: RunHandle): Promise<string[]> {
  const types: string[] = []
  for await (const event of run.events()) if (event.seq !== undefined) types.push(event.type)
  return types
}

describe('a question', () => {
  test('waits without end, across a restart, and its answer joins the conversation', async () => {
    const store = backendPlace('sqlite')
    const first = await createRuntime({ store, agents: [barista()] })
    const { id } = await first.submit('barista', 'A coffee')
    const [asked] = (await first.run(id).result()).interactions
    assert.deepEqual([asked?.kind, asked?.prompt, asked?.due], ['question', 'Which size?', undefined])
    await first.close()
    await using second = await createRuntime({ store, agents: [barista()] })
    const [open] = await second.interactions.list()
    assert.deepEqual([open?.id, open?.run, open?.choices], [asked?.id, id, ['small', 'large']])
    await assert.rejects(second.interactions.answer(open!.id, { choice: 'huge' }), { code: 'invalid_answer' })
    await second.interactions.answer(open!.id, { choice: 'large' }, { by: 'ada' })
    const types = await typesOf(second.run(id))
    assert.ok(types.includes('interaction.requested') && types.includes('interaction.answered'))
    const { text, messages } = await second.run(id).result()
    assert.equal(text, 'Heard: large')
    assert.ok(messages.some((message) => message.role === 'user' && textOf(message) === 'large'))
  })

  test('that nobody answers in time is withdrawn, and the agent goes on without', async () => {
    const clock = virtualClock()
    await using runtime = await createRuntime({ store: memory(), agents: [barista(minute)], ports: { clock } })
    const run = await runtime.submit('barista', 'A coffee')
    const [asked] = (await run.result()).interactions
    assert.equal(asked?.due, clock.now() + minute)
    await clock.advance(minute - 2000)
    assert.equal((await run.record()).status, 'waiting')
    await clock.advance(10_000)
    assert.equal((await run.record()).interactions.length, 0)
    assert.ok((await typesOf(run)).includes('interaction.expired'))
  })
})

describe('an approval', () => {
  test('waits call by call, across a restart, and is for these arguments alone', async () => {
    const store = backendPlace('sqlite')
    const removed: string[] = []
    const first = await createRuntime({ store, agents: [janitor(removed)] })
    const { id } = await first.submit('janitor', 'Clean up')
    const { interactions } = await first.run(id).result()
    assert.deepEqual(
      interactions.map(({ input }) => input),
      [{ name: 'a' }],
    )
    assert.match(interactions[0]?.inputHash ?? '', /^[0-9a-f]{64}$/)
    assert.deepEqual(removed, ['b'])
    await first.close()
    await using second = await createRuntime({ store, agents: [janitor(removed)] })
    await second.interactions.answer(interactions[0]!.id, 'approve', { by: 'ada', run: id })
    const events = []
    for await (const event of second.run(id).events()) events.push(event)
    const approved = events.find((event) => event.type === 'tool.approved')
    assert.deepEqual([approved?.toolCallId, approved?.by], ['a', 'ada'])
    assert.deepEqual(removed, ['b', 'a'])
    assert.equal((await second.run(id).result()).text, 'Done.')
  })

  test('that is denied is a result for the model, with the reason', async () => {
    const removed: string[] = []
    await using runtime = await createRuntime({ store: memory(), agents: [janitor(removed)] })
    const run = await runtime.submit('janitor', 'Clean up')
    const [open] = (await run.result()).interactions
    await runtime.interactions.answer(open!.id, { deny: 'it is needed' }, { by: 'bob' })
    const types = await typesOf(run)
    assert.ok(types.includes('tool.denied') && !types.includes('tool.approved'))
    const { messages, status } = await run.result()
    assert.equal(status, 'succeeded')
    assert.ok(messages.some((message) => message.role === 'tool' && /it is needed/.test(textOf(message))))
    assert.deepEqual(removed, ['b'])
  })

  test('that nobody gives in time is one denial', async () => {
    const clock = virtualClock()
    const removed: string[] = []
    const agents = [janitor(removed, [patience])]
    await using runtime = await createRuntime({ store: memory(), agents, ports: { clock } })
    const run = await runtime.submit('janitor', 'Clean up')
    assert.equal((await run.result()).interactions[0]?.due, clock.now() + minute)
    await clock.advance(minute + 10_000)
    const denials = []
    for await (const event of run.events()) if (event.type === 'tool.denied') denials.push(event.by)
    assert.deepEqual(denials, ['timeout'])
    assert.equal((await run.result()).text, 'Done.')
    assert.deepEqual(removed, ['b'])
  })

  test('is answered by somebody who has a name, and under an id that is one', async () => {
    await using runtime = await createRuntime({ store: memory(), agents: [janitor([])] })
    const run = await runtime.submit('janitor', 'Clean up')
    const [open] = (await run.result()).interactions
    for (const by of ['', 'x'.repeat(257), 'a\nb', '\ud800', 5, null, { name: 'ada' }] as string[]) {
      const refused = { code: 'invalid_answer', message: /by must name who answers/ }
      await assert.rejects(runtime.interactions.answer(open!.id, 'approve', { by }), refused)
    }
    for (const id of [undefined, 5, {}] as string[]) {
      await assert.rejects(runtime.interactions.answer(id, 'approve'), { code: 'unknown_interaction' })
    }
    await runtime.interactions.answer(open!.id, 'approve', { by: 'Ada L.' })
    await typesOf(run)
    assert.equal((await run.result()).status, 'succeeded')
  })

  test('is answered once, whoever comes first', async () => {
    const removed: string[] = []
    await using runtime = await createRuntime({ store: memory(), agents: [janitor(removed)] })
    const run = await runtime.submit('janitor', 'Clean up')
    const [open] = (await run.result()).interactions
    const answers = ['approve', 'deny', 'approve', 'deny'] as const
    const given = await Promise.allSettled(answers.map((answer) => runtime.interactions.answer(open!.id, answer)))
    assert.deepEqual(
      given.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected', 'rejected'],
    )
    await typesOf(run)
    assert.deepEqual(removed, ['b', 'a'])
    await assert.rejects(runtime.interactions.answer(open!.id, 'approve', { run: run.id }), {
      code: 'unknown_interaction',
    })
  })
})
