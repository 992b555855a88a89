import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { Agent } from '../agent/agent.ts'
import { asTool } from '../agent/sub-agent.ts'
import { Conversation, KVStore, LLM } from '../agent/component.ts'
import { TellurionError } from '../error/error.ts'
import type { ModelRequest } from '../port/model.ts'
import { textOf } from '../message/message.ts'
import { backendPlace, materials } from '../testing/backends.node.ts'
import { scriptedModel, type ScriptedReply } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { defineComponent } from '../world/component.ts'
import type { Entity } from '../world/entity.ts'
import { defineSystem } from '../world/system.ts'
import { createRuntime, type Runtime } from './runtime.ts'

const code = (expected: string) => (error: unknown) => error instanceof TellurionError && error.code === expected
const main = 1 as Entity

/** Counts up with a tool as often as the newest request says, then tells what it was asked. */
function counting({ messages }: ModelRequest): ScriptedReply {
  const all = [...messages]
  const request = all.findLastIndex((message) => message.role === 'user')
  const done = all.slice(request).filter((message) => message.role === 'tool').length
  const text = textOf(all[request]!)
  if (done < Number(/\d+/.exec(text)?.[0] ?? 0)) {
    return { calls: [{ toolName: 'count', toolCallId: `c${all.length}`, input: {} }] }
  }
  return `Done: ${text}`
}

type Material = (typeof materials)[number]

async function openCounter(material: Material): Promise<{ runtime: Runtime; counted: string[] }> {
  const counted: string[] = []
  const count = tool({
    description: 'Counts',
    inputSchema: z.object({}),
    execute: (_input, { idempotencyKey }) => void counted.push(idempotencyKey),
  })
  const remove = tool({
    description: 'Asks',
    inputSchema: z.object({}),
    needsApproval: true,
    effects: 'read',
    execute: () => 'removed',
  })
  const agent = new Agent({ name: 'counter', model: scriptedModel(counting), tools: { count, remove } })
  return { runtime: await createRuntime({ store: backendPlace(material), agents: [agent] }), counted }
}

for (const material of materials) describe(`the past of a run on ${material}`, () => pasts(material))

function pasts(material: Material): void {
  const open = () => openCounter(material)

  test('can be looked at after every tick, and compared', async () => {
    const { runtime } = await open()
    await using _runtime = runtime
    const run = await runtime.submit('counter', 'count to 3')
    await run.result()
    const lengths = []
    for (let tick = 0; tick <= 4; tick++) {
      const world = await run.at(tick)
      lengths.push(world.get(main, Conversation)?.length ?? 0)
    }
    assert.deepEqual(lengths, [0, 3, 5, 7, 8])
    assert.equal(await run.lastTick(), 4)
    const { changes } = await run.difference(1, 2)
    const talk = changes.find((change) => change.component === 'Conversation')
    assert.equal(talk?.appended?.length, 2)
    await assert.rejects(run.at(99), code('unknown_tick'))
  })

  test('can be gone on from with an edit, while the source stands', async () => {
    const { runtime, counted } = await open()
    await using _runtime = runtime
    const run = await runtime.submit('counter', 'count to 3')
    const before = await run.result()
    const fork = await run.fork({ tick: 1, edit: (world) => world.set(main, KVStore, { seen: true }) })
    const after = await fork.result()
    assert.equal(after.text, before.text)
    assert.deepEqual((await (await fork.at(1)).get(main, KVStore)) ?? null, null)
    const { branch } = await fork.record()
    assert.notEqual(branch, (await run.record()).branch)
    assert.equal((await fork.at(4)).get(main, KVStore)?.['seen'], true)
    assert.equal((await run.at(4)).get(main, KVStore), undefined)
    // Two counts of the source after tick 1 are not undone, and the fork's are made under keys of its own.
    assert.equal(fork.outsideEffects.length, 2)
    assert.equal(counted.length, 5)
    assert.equal(new Set(counted).size, 5)
    assert.equal((await run.result()).messages.length, before.messages.length)
    await assert.rejects(run.fork({ tick: 50 }), code('unknown_tick'))
  })

  test('is asked for by what there is, before anything is cancelled for it', async () => {
    const { runtime } = await open()
    await using _runtime = runtime
    const run = await runtime.submit('counter', 'remove, then count to 0', { session: 's', delay: 600_000 })
    const unknown = { code: 'unknown_option' }
    await assert.rejects(run.undo({ tick: 1 } as never), unknown)
    await assert.rejects(run.fork({ tik: 1 } as never), unknown)
    await assert.rejects(run.export('/nowhere', { tik: 1 } as never), unknown)
    await assert.rejects(run.checkpoint('x', { at: 1 } as never), unknown)
    await assert.rejects(run.undo({ to: 'never', cancel: true }), code('unknown_tick'))
    await assert.rejects(run.undo({ to: 7, cancel: true }), code('unknown_tick'))
    await assert.rejects(run.undo({ ticks: 7, cancel: true }), code('unknown_tick'))
    await assert.rejects(run.fork({ tick: 0, input: 5 as never }), code('invalid_option'))
    assert.equal((await run.record()).status, 'queued')
    assert.equal((await runtime.runs()).length, 1)
    const done = await runtime.submit('counter', 'count to 0')
    await done.result()
    const [said] = await done.messages()
    await assert.rejects(done.edit(said!.id, 5 as never), code('invalid_option'))
    await assert.rejects(done.edit(said!.id, 'x', { cancle: true } as never), unknown)
    await assert.rejects(done.regenerate(said!.id, { cancle: true } as never), unknown)
  })

  test('has no effects outside of calls that never ran', async () => {
    const write = tool({ description: 'w', inputSchema: z.object({ to: z.string() }), execute: () => 'written' })
    const calls = ['ada', 'bob'].map((to, index) => ({ toolName: 'write', toolCallId: `c${index}`, input: { to } }))
    const never = { toolName: 'nothing', toolCallId: 'c8', input: {} }
    const wrong = { toolName: 'write', toolCallId: 'c9', input: { to: 5 } }
    const agent = new Agent({
      name: 'a',
      model: scriptedModel([{ calls: [...calls, never, wrong] }, 'done']),
      tools: { write },
      approval: [{ deny: 'write', where: { to: 'bob' } }, { allow: '*' }],
    })
    await using runtime = await createRuntime({ store: backendPlace(material), agents: [agent] })
    const run = await runtime.submit('a', 'go')
    assert.equal((await run.result()).text, 'done')
    const { outsideEffects } = await run.undo({ to: 0 })
    assert.deepEqual(outsideEffects, [{ toolCallId: 'c0', toolName: 'write' }])
  })

  test('tells what sub-agents did outside since then, too', async () => {
    const write = tool({ description: 'w', inputSchema: z.object({}), execute: () => 'written' })
    const look = tool({ description: 'l', inputSchema: z.object({}), effects: 'read', execute: () => 'seen' })
    const does = (name: string, toolName: string, input = {}) =>
      scriptedModel(({ messages }) => {
        const calls = [...messages].filter(({ role }) => role === 'assistant').length
        return calls === 0 ? { calls: [{ toolName, toolCallId: `${name}-1`, input }] } : `${name} is done`
      })
    const leaf = new Agent({ name: 'leaf', model: does('leaf', 'write'), tools: { write } })
    const lead = new Agent({
      name: 'lead',
      model: does('lead', 'leaf', { task: 't' }),
      tools: { leaf: asTool(leaf, { description: 'd' }) },
    })
    const boss = new Agent({
      name: 'boss',
      model: scriptedModel(({ messages }) => {
        const calls = [...messages].filter(({ role }) => role === 'assistant').length
        const next = [
          { calls: [{ toolName: 'lead', toolCallId: 'first', input: { task: 't' } }] },
          { calls: [{ toolName: 'look', toolCallId: 'second', input: {} }] },
          { calls: [{ toolName: 'lead', toolCallId: 'third', input: { task: 't' } }] },
        ]
        return next[calls] ?? 'all done'
      }),
      tools: { lead: asTool(lead, { description: 'd' }), look },
    })
    await using runtime = await createRuntime({ store: backendPlace(material), agents: [boss] })
    const run = await runtime.submit('boss', 'go')
    await run.result()
    const effects = async (tick: number) => (await run.fork({ tick })).outsideEffects.map(({ toolName }) => toolName)
    assert.deepEqual(await effects(0), ['write', 'write'])
    assert.deepEqual(await effects(await run.lastTick()), [])
    const counts: number[] = []
    for (let tick = 0; tick <= (await run.lastTick()); tick++) counts.push((await effects(tick)).length)
    assert.deepEqual([...new Set(counts)], [2, 1, 0], 'fewer and fewer')
  })

  test('can be undone: later runs of the session go on from there', async () => {
    const { runtime } = await open()
    await using _runtime = runtime
    const first = await runtime.submit('counter', 'hello', { session: 's1' })
    await first.result()
    const second = await runtime.submit('counter', 'forget this', { session: 's1' })
    await second.result()
    await second.undo()
    const third = await runtime.submit('counter', 'go on', { session: 's1' })
    await third.result()
    const world = await third.at((await third.record()).firstTick)
    const texts = world.require(main, Conversation).toArray().map(textOf)
    assert.deepEqual(texts, ['hello', 'Done: hello', 'go on', 'Done: go on'])
    await assert.rejects(third.undo({ ticks: 100 }), code('unknown_tick'))
  })

  test('messages can be edited and regenerated by their ids', async () => {
    const { runtime } = await open()
    await using _runtime = runtime
    const run = await runtime.submit('counter', 'count to 1', { session: 's1' })
    await run.result()
    const places = await run.messages()
    assert.deepEqual(
      places.map(({ message }) => message.role),
      ['user', 'assistant', 'tool', 'assistant'],
    )
    const edited = await run.edit(places[0]!.id, 'count to 2')
    assert.equal((await edited.result()).text, 'Done: count to 2')
    const again = await run.regenerate(places[3]!.id)
    assert.equal((await again.result()).text, 'Done: count to 1')
    assert.equal((await again.messages()).length, 1)
    await assert.rejects(run.regenerate(places[2]!.id), code('unknown_message'))
    await assert.rejects(run.edit('nope', 'x'), code('unknown_message'))
  })

  test('an approval that is open at the tick is asked again, under a new id', async () => {
    const model = scriptedModel(({ messages }) =>
      messages.at(-1)?.role === 'user' ? { calls: [{ toolName: 'remove', toolCallId: 'r', input: {} }] } : 'ok',
    )
    const remove = tool({ description: 'r', inputSchema: z.object({}), needsApproval: true, execute: () => 'gone' })
    const agent = new Agent({ name: 'careful', model, tools: { remove } })
    await using runtime = await createRuntime({ store: backendPlace(material), agents: [agent] })
    const run = await runtime.submit('careful', 'go')
    const [first] = (await run.result()).interactions
    await assert.rejects(run.undo(), code('run_live'))
    const fork = await run.fork({ tick: 1 })
    const [second] = (await fork.result()).interactions
    assert.notEqual(first!.id, second!.id)
    await runtime.interactions.answer(second!.id, 'approve')
    for await (const event of fork.events()) if (event.type === 'run.succeeded') break
    assert.equal((await fork.result()).text, 'ok')
    assert.equal((await run.record()).status, 'waiting')
    await run.undo({ cancel: true })
    assert.equal((await run.record()).status, 'cancelled')
  })

  test('is undone although another run of its session waits, or waits for that one', async () => {
    const model = scriptedModel(() => ({ calls: [{ toolName: 'remove', input: {} }] }))
    const remove = tool({ description: 'r', inputSchema: z.object({}), needsApproval: true, execute: () => 'gone' })
    const agent = new Agent({ name: 'careful', model, tools: { remove } })
    await using runtime = await createRuntime({ store: backendPlace(material), agents: [agent] })
    for (const chosen of [0, 1]) {
      const first = await runtime.submit('careful', 'go', { session: `s${chosen}` })
      assert.equal((await first.result()).status, 'waiting')
      const second = await runtime.submit('careful', 'and go', { session: `s${chosen}` })
      const runs = [first, second]
      await assert.rejects(runs[chosen]!.undo(), code('run_live'))
      await runs[chosen]!.undo({ cancel: true })
      for (const run of runs) assert.equal((await run.record()).status, 'cancelled')
    }
  })
}

describe('a run whose components this process does not know', () => {
  const Mood = defineComponent<number>('Mood')
  const remove = tool({ description: 'r', inputSchema: z.object({}), needsApproval: true, execute: () => 'gone' })
  const soothe = defineSystem({
    name: 'soothe',
    query: [LLM],
    each: (entity, world) => world.set(entity, Mood, 1),
  })

  test('can be forked, undone and cancelled all the same', async () => {
    const store = backendPlace('sqlite')
    const model = scriptedModel([{ calls: [{ toolName: 'remove', input: {} }] }])
    const moody = new Agent({ name: 'moody', model, tools: { remove }, systems: [soothe] })
    const state = { components: [Mood] }
    await using home = await createRuntime({ store, agents: [moody], state })
    const { id } = await home.submit('moody', 'go', { session: 's1' })
    assert.equal((await home.run(id).result()).status, 'waiting')
    await home.close()
    await using stranger = await createRuntime({ store, agents: [], work: false })
    const run = stranger.run(id)
    await assert.rejects(run.at(1), code('unknown_component'))
    assert.equal((await run.fork({ tick: 1 })).outsideEffects.length, 0)
    await run.cancel()
    for await (const event of run.events()) if (event.type.startsWith('run.cancel')) break
    assert.equal((await run.record()).status, 'cancelled')
    await run.undo({ ticks: 1 })
  })
})
