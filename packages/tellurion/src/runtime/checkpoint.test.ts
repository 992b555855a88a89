// Names of ticks of stored runs: what they name, who knows them, and what the logs say of them.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { Agent } from '../agent/agent.ts'
import { checkpoint } from '../agent/checkpoint.ts'
import { Checkpoint, Conversation, KVStore, LLM } from '../agent/component.ts'
import { TellurionError } from '../error/error.ts'
import { textOf } from '../message/message.ts'
import { backendPlace, materials } from '../testing/backends.node.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { defineSystem } from '../world/system.ts'
import type { Entity } from '../world/entity.ts'
import type { System } from '../world/world.ts'
import type { RunEvent } from './run-events.ts'
import type { RunHandle } from './run-handle.ts'
import { createRuntime } from './runtime.ts'
import type { RuntimeOptions } from './runtime-options.ts'

const main = 1 as Entity
const code = (expected: string) => (error: unknown) => error instanceof TellurionError && error.code === expected

/** Says it again, louder; `use` asks a person first. */
function parrot(systems: readonly System[] = []): Agent {
  const remove = tool({
    description: 'Removes',
    inputSchema: z.object({}),
    needsApproval: true,
    execute: () => 'removed',
  })
  const model = scriptedModel(({ messages }) => {
    const newest = messages.at(-1)!
    const text = textOf(newest)
    if (newest.role === 'tool') return 'REMOVED'
    return text === 'use' ? { calls: [{ toolName: 'remove', input: {} }] } : text.toUpperCase()
  })
  return new Agent({ name: 'parrot', model, tools: { remove }, systems })
}

/** Labels every tick, as an agent that wants that would. */
const wantsLabels = defineSystem({
  name: 'wantsLabels',
  query: [LLM],
  without: [Checkpoint],
  each: (entity, world) => world.set(entity, Checkpoint, { labels: {}, every: 1 }),
})

async function told(run: RunHandle): Promise<RunEvent[]> {
  const found: RunEvent[] = []
  for await (const event of run.events()) if (event.type.startsWith('checkpoint.')) found.push(event)
  return found
}

for (const material of materials) describe(`checkpoints on ${material}`, () => checkpoints(material))

function checkpoints(material: (typeof materials)[number]): void {
  const open = (options: Partial<RuntimeOptions> = {}) =>
    createRuntime({ store: backendPlace(material), agents: [parrot()], ...options })

  test('name ticks for at, difference, fork and undo', async () => {
    await using runtime = await open()
    const run = await runtime.submit('parrot', 'a', { session: 's' })
    await run.result()
    const last = await run.lastTick()
    assert.equal(await run.checkpoint('end'), last)
    assert.equal(await run.checkpoint('start', { tick: 0 }), 0)
    assert.deepEqual(Object.entries(await run.checkpoints()), [
      ['start', 0],
      ['end', last],
    ])
    assert.equal((await run.at('end')).get(main, Conversation)?.length, 2)
    assert.equal((await run.at('start')).get(main, Conversation), undefined)
    const { changes } = await run.difference('start', 'end')
    assert.ok(changes.some(({ component }) => component === 'Conversation'))
    const fork = await run.fork({ tick: 'end', edit: (world) => world.set(main, KVStore, { x: 1 }), input: 'b' })
    assert.equal((await fork.result()).text, 'B')
    assert.deepEqual((await fork.at(await fork.lastTick())).get(main, KVStore), { x: 1 })
    await run.undo({ to: 'start' })
    const anew = await runtime.submit('parrot', 'c', { session: 's' })
    await anew.result()
    assert.equal((await anew.at(await anew.lastTick())).get(main, Conversation)?.length, 2)
  })

  test('are known to every branch that shares their past, and to no other', async () => {
    await using runtime = await open()
    const run = await runtime.submit('parrot', 'a', { session: 's' })
    await run.result()
    const early = await run.checkpoint('here')
    const next = await runtime.submit('parrot', 'b', { session: 's' })
    await next.result()
    const late = await next.checkpoint('late')
    const fork = await run.fork({ tick: early, input: 'c' })
    await fork.result()
    assert.deepEqual(await fork.checkpoints(), { here: early })
    const own = await fork.checkpoint('late')
    await fork.checkpoint('here')
    assert.deepEqual(await fork.checkpoints(), { here: own, late: own })
    assert.deepEqual(await next.checkpoints(), { here: early, late }, 'the source has its own')
    const deep = await fork.fork({ tick: early, input: 'd' })
    await deep.result()
    assert.deepEqual(await deep.checkpoints(), { here: early })
    await assert.rejects(deep.at('late'), code('unknown_tick'))
    await assert.rejects(deep.at('her'), /labelled 'her'. Did you mean 'here'/)
    // A label of the shared past belongs to all who share it.
    await deep.checkpoint('origin', { tick: 0 })
    assert.equal((await run.checkpoints())['origin'], 0)
  })

  test('of a tick that is not there, or with no name, are refused', async () => {
    await using runtime = await open()
    const run = await runtime.submit('parrot', 'a')
    await run.result()
    for (const tick of [99, -1, 0.5]) await assert.rejects(run.checkpoint('x', { tick }), code('unknown_tick'))
    for (const label of ['', '3', 'a b', '../x', '__proto__']) {
      await assert.rejects(run.checkpoint(label), code('invalid_name'), label)
    }
    assert.deepEqual(await run.checkpoints(), {})
    await assert.rejects(runtime.run('nobody').checkpoint('x'), code('unknown_run'))
  })

  test('are so many at most, the newest', async () => {
    await using runtime = await open({ retention: { checkpoints: 3 } })
    const run = await runtime.submit('parrot', 'a')
    await run.result()
    for (const label of ['e', 'd', 'c', 'b', 'a']) await run.checkpoint(label)
    assert.equal(Object.keys(await run.checkpoints()).length, 3)
    assert.ok('a' in (await run.checkpoints()))
    for (const retention of [{ checkpoints: 0 }, { labels: 3 } as never]) {
      await assert.rejects(open({ retention }), /retention/)
    }
  })

  test('of a live run join its log when it goes on, and wake nobody', async () => {
    await using runtime = await open()
    const run = await runtime.submit('parrot', 'use')
    const [asked] = (await run.result()).interactions
    const tick = await run.checkpoint('asked')
    await run.checkpoint('asked')
    assert.equal((await run.record()).status, 'waiting')
    await runtime.interactions.answer(asked!.id, 'approve')
    const events = await told(run)
    assert.deepEqual(
      events.map((event) => event.type === 'checkpoint.created' && [event.entity, event.label, event.tick]),
      [
        [1, 'asked', tick],
        [1, 'asked', tick],
      ],
    )
    await run.checkpoint('over')
    assert.equal((await told(run)).length, 2, 'the log of a run ends with the run')
    assert.deepEqual(Object.keys(await run.checkpoints()), ['asked', 'over'])
    const again = await run.fork({ tick: 'asked' })
    assert.equal((await again.result()).interactions.length, 1, 'the question is asked again')
    await again.cancel()
    const [restored] = await told(again)
    assert.ok(restored?.type === 'checkpoint.restored' && restored.label === 'asked' && restored.tick === tick)
  })

  test('that a session is put back to are told by the next run of it, once', async () => {
    await using runtime = await open()
    const chat = runtime.session('parrot', { id: 's' })
    await assert.rejects(chat.checkpoint('early'), code('unknown_tick'))
    await assert.rejects(chat.restore('early'), code('unknown_tick'))
    await chat.generate('a')
    const tick = await chat.checkpoint('liked')
    for (const word of ['b', 'c']) {
      await chat.generate(word)
      const worse = await chat.checkpoint('worse')
      assert.deepEqual(await chat.checkpoints(), { liked: tick, worse })
      await chat.restore('liked')
      assert.deepEqual(await chat.checkpoints(), { liked: tick })
      await assert.rejects(chat.restore('worse'), code('unknown_tick'), 'what was undone is not known')
      const next = chat.stream('d')
      assert.equal((await next.result()).text, 'D')
      const restored = await told(await next.run)
      assert.deepEqual(
        restored.map((event) => event.type === 'checkpoint.restored' && [event.label, event.tick]),
        [['liked', tick]],
      )
      const quiet = chat.stream('e')
      await quiet.result()
      assert.deepEqual(await told(await quiet.run), [])
      assert.deepEqual((await chat.messages()).map(textOf), ['a', 'A', 'd', 'D', 'e', 'E'])
      await chat.undo({ turns: 2 })
    }
  })

  test('are still told after a submission that was not accepted, or was already', async () => {
    await using runtime = await open({ budgets: { tenant: { tokens: 0 } } })
    const chat = runtime.session('parrot', { id: 's' })
    await chat.generate('a', { idempotencyKey: 'first' })
    const tick = await chat.checkpoint('liked')
    await chat.generate('b')
    await chat.restore('liked')
    await runtime.submit('parrot', 'a', { session: 's', idempotencyKey: 'first' })
    await assert.rejects(runtime.submit('parrot', 'c', { session: 's', tenant: 't' }), code('budget_exceeded'))
    const next = chat.stream('d')
    await next.result()
    const restored = await told(await next.run)
    assert.deepEqual(
      restored.map((event) => event.type === 'checkpoint.restored' && event.tick),
      [tick],
    )
  })

  test('wait for the end of a live run, or end it', async () => {
    await using runtime = await open()
    const chat = runtime.session('parrot', { id: 's' })
    await chat.generate('a')
    await chat.checkpoint('before')
    await chat.generate('use')
    await assert.rejects(chat.restore('before'), code('run_live'))
    await chat.restore('before', { cancel: true })
    assert.deepEqual((await chat.messages()).map(textOf), ['a', 'A'])
  })

  test('that an agent gave itself count as well', async () => {
    await using runtime = await open({ agents: [parrot([checkpoint, wantsLabels])] })
    const run = await runtime.submit('parrot', 'a')
    await run.result()
    const last = await run.lastTick()
    const labels = await run.checkpoints()
    assert.equal(labels[`tick-${last}`], last)
    assert.equal((await told(run)).length, last)
    const world = await run.at('tick-1')
    assert.equal(world.header.tick, 1)
    assert.deepEqual(world.get(main, Checkpoint)?.labels, { 'tick-1': 1 })
    await run.checkpoint('tick-1')
    assert.equal((await run.checkpoints())['tick-1'], last, 'a label from outside goes first')
  })
}

test('labels survive the process', async () => {
  const store = backendPlace('sqlite')
  const first = await createRuntime({ store, agents: [parrot()] })
  const run = await first.submit('parrot', 'a')
  await run.result()
  const tick = await run.checkpoint('kept')
  await first.close()
  await using second = await createRuntime({ store, agents: [parrot()] })
  assert.deepEqual(await second.run(run.id).checkpoints(), { kept: tick })
})
