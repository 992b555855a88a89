// Checkpoint files: whole or absent, and gone on from in another process, another store, or in memory.

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { Agent } from '../agent/agent.ts'
import { Conversation, KVStore } from '../agent/component.ts'
import { Session } from '../agent/session.ts'
import { TellurionError } from '../error/error.ts'
import { textOf } from '../message/message.ts'
import { backendPlace, materials } from '../testing/backends.node.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { sha256 } from '../schema/canonical.ts'
import { tool } from '../tool/tool.ts'
import { defineComponent } from '../world/component.ts'
import type { Entity } from '../world/entity.ts'
import { run as runWorld } from '../world/runner.ts'
import { restore, snapshot } from '../world/snapshot.ts'
import { defineSystem } from '../world/system.ts'
import { World } from '../world/world.ts'
import type { AgentRuntime } from './agent-runtime.ts'
import { readCheckpoint, writeCheckpoint, type CheckpointFile } from './checkpoint-file.ts'
import { createRuntime } from './runtime.ts'
import type { RuntimeOptions } from './runtime-options.ts'

const folder = mkdtempSync(join(tmpdir(), 'checkpoint-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
let files = 0
const place = (): string => join(folder, `${++files}`, 'state.checkpoint')

const main = 1 as Entity
const Count = defineComponent<number>('Count')
const code = (expected: string) => (error: unknown) => error instanceof TellurionError && error.code === expected

function counted(count: number): CheckpointFile {
  const world = new World()
  world.spawn(Count(count))
  return { snapshot: snapshot(world) }
}

const countOf = async (path: string): Promise<number | undefined> =>
  restore((await readCheckpoint(path)).snapshot, { components: [Count] }).get(main, Count)

describe('a checkpoint file', () => {
  test('is read as it was written, and the one before it is kept', async () => {
    const path = place()
    for (const count of [1, 2, 3]) await writeCheckpoint(path, counted(count))
    assert.deepEqual([await countOf(path), await countOf(`${path}.bak`)], [3, 2])
    assert.deepEqual(readdirSync(join(path, '..')).sort(), ['state.checkpoint', 'state.checkpoint.bak'])
  })

  test('torn at any byte, or with any byte flipped, is refused; the one before it is whole', async () => {
    const path = place()
    await writeCheckpoint(path, counted(1))
    const run = { id: 'r', agent: 'a', user: 'u', priority: 1, metadata: { grüße: '🌍' } }
    await writeCheckpoint(path, { ...counted(2), run })
    const whole = readFileSync(path)
    const refused = async (bytes: Uint8Array, what: string): Promise<void> => {
      writeFileSync(path, bytes)
      const error: unknown = await readCheckpoint(path).catch((thrown: unknown) => thrown)
      assert.ok(error instanceof TellurionError && error.code === 'invalid_snapshot', `${what}: ${String(error)}`)
      assert.match(error.message, /The one before it is whole: .*\.bak/)
    }
    for (let at = 0; at < whole.length; at++) {
      await refused(whole.subarray(0, at), `cut at ${at}`)
      for (const bit of [1 << (at % 8), 0x20]) {
        const bytes = Uint8Array.from(whole)
        bytes[at]! ^= bit
        await refused(bytes, `byte ${at} flipped by ${bit}`)
      }
    }
    await refused(Buffer.concat([whole, Buffer.from('\n')]), 'a byte too many')
    assert.equal(await countOf(`${path}.bak`), 1)
    await writeCheckpoint(path, counted(3))
    assert.deepEqual([await countOf(path), await countOf(`${path}.bak`)], [3, 1], 'a torn one is no backup')
  })

  test('of the first version is read for ever', async () => {
    const path = place()
    await writeCheckpoint(path, counted(0))
    const body =
      '{"snapshot":{"format":1,"header":{"tick":3,"runTicks":0,"paused":false},"next":2,"entities":[1],"components":' +
      '{"Count":{"version":1,"kind":"value","values":[[1,7]]}}},"run":{"id":"run_1","agent":"a","user":"local",' +
      '"priority":0,"metadata":{}}}'
    const sum = 'db4f1536621e6e0623d3385c759371998da3eb7d30fe4b69a244b7312995043e'
    writeFileSync(path, `tellurion-checkpoint 1 ${sum}\n${body}`)
    assert.equal(await countOf(path), 7)
    assert.equal((await readCheckpoint(path)).run?.agent, 'a')
  })

  test('that is foreign, hostile or of a later version is refused', async () => {
    const path = place()
    await writeCheckpoint(path, counted(1))
    const sealed = async (version: number, body: string): Promise<void> =>
      writeFileSync(path, `tellurion-checkpoint ${version} ${await sha256(`${version}\n${body}`)}\n${body}`)
    const good = JSON.stringify(counted(1).snapshot)
    const bad = [
      '',
      'null',
      '[]',
      '{}',
      '{"snapshot":5}',
      '{"snapshot":{',
      `{"snapshot":${good},"more":1}`,
      `{"snapshot":${good},"__proto__":{"x":1}}`,
      `{"snapshot":${good},"run":{"id":"../../x","agent":"a","user":"u","priority":0,"metadata":{}}}`,
      `{"snapshot":${good},"run":{"id":"r","agent":"a","user":"u","priority":0,"metadata":{"__proto__":1}}}`,
      `{"snapshot":${good},"run":{"id":"r","agent":"a","user":"u","priority":0}}`,
    ]
    for (const body of bad) {
      await sealed(1, body)
      await assert.rejects(readCheckpoint(path), code('invalid_snapshot'), body)
    }
    await sealed(2, '{"anything":true}')
    await assert.rejects(readCheckpoint(path), code('newer_version'))
    for (const text of ['hello', '{"snapshot":{}}', '\u0000', 'SQLite format 3\u0000']) {
      writeFileSync(path, text)
      await assert.rejects(readCheckpoint(path), code('invalid_snapshot'), text)
    }
    assert.equal(({} as { x?: number }).x, undefined)
  })

  test('is whole at any instant, for whoever reads while it is written', async () => {
    const path = place()
    await writeCheckpoint(path, counted(0))
    let writing = true
    const writer = (async () => {
      for (let count = 1; count <= 30; count++) await writeCheckpoint(path, counted(count))
      writing = false
    })()
    let last = 0
    for (let reads = 0; writing; reads++) {
      const count = (await countOf(path)) ?? -1
      assert.ok(count >= last, `${count} after ${last}`)
      last = count
    }
    await writer
    assert.equal(await countOf(path), 30)
  })

  test('that cannot be written or read is said so, and nothing has changed', async () => {
    const path = place()
    await assert.rejects(readCheckpoint(path), code('store_unavailable'))
    await writeCheckpoint(path, counted(1))
    await assert.rejects(writeCheckpoint(join(path, 'below'), counted(2)), code('store_unavailable'))
    await assert.rejects(writeCheckpoint(join(path, '..'), counted(2)), TellurionError)
    assert.deepEqual([await countOf(path), existsSync(`${path}.bak`)], [1, false])
    assert.deepEqual(readdirSync(join(path, '..')), ['state.checkpoint'])
    rmSync(path)
    await assert.rejects(
      readCheckpoint(path),
      (error) => code('store_unavailable')(error) && !/bak/.test(String(error)),
    )
  })
})

/** Says it louder; `use` asks a person first. */
function parrot(): { agent: Agent; removed: string[] } {
  const removed: string[] = []
  const remove = tool({
    description: 'Removes',
    inputSchema: z.object({}),
    needsApproval: true,
    execute: (_input, { idempotencyKey }) => void removed.push(idempotencyKey),
  })
  const model = scriptedModel(({ messages }) => {
    const newest = messages.at(-1)!
    if (newest.role === 'tool') return 'REMOVED'
    return textOf(newest) === 'use' ? { calls: [{ toolName: 'remove', input: {} }] } : textOf(newest).toUpperCase()
  })
  return { agent: new Agent({ name: 'parrot', model, tools: { remove } }), removed }
}

describe('a checkpoint in memory', () => {
  test('goes on in another world, with the count of its ticks', async () => {
    const path = place()
    const counts = defineSystem({
      name: 'counts',
      query: [Count],
      each: (entity, world) => world.update(entity, Count, (count) => count + 1),
    })
    const world = new World({ systems: [counts] })
    world.spawn(Count(0))
    await runWorld(world, { maxTicks: 4 })
    await writeCheckpoint(path, { snapshot: snapshot(world) })
    const again = restore((await readCheckpoint(path)).snapshot, { systems: [counts] })
    await runWorld(again, { maxTicks: 3 })
    assert.deepEqual([again.header.tick, again.get(main, Count)], [7, 7])
    assert.equal(world.header.tick, 4)
  })

  test('of a session goes on as a session, also in the middle of a question', async () => {
    const path = place()
    const first = parrot()
    const chat = first.agent.session()
    await chat.generate('a')
    await chat.generate('use')
    await writeCheckpoint(path, { snapshot: snapshot(chat.world) })
    const second = parrot()
    const world = restore((await readCheckpoint(path)).snapshot, { components: second.agent.components })
    second.agent.bindTo(world)
    const again = new Session(world, chat.entity, 'parrot')
    const [asked] = again.interactions
    assert.equal((await again.answer(asked!.id, 'approve')).text, 'REMOVED')
    assert.deepEqual([first.removed.length, second.removed.length], [0, 1])
    assert.equal((await again.generate('b')).text, 'B')
    assert.deepEqual([...again.messages].map(textOf).slice(0, 2), ['a', 'A'])
  })
})

for (const material of materials) describe(`a checkpoint of a run, restored on ${material}`, () => restored(material))

function restored(material: (typeof materials)[number]): void {
  const open = (options: Partial<RuntimeOptions> = {}) =>
    createRuntime({ store: backendPlace(material), agents: [parrot().agent], ...options })

  async function exported(): Promise<{ path: string; tick: number }> {
    const path = place()
    await using source = await createRuntime({ store: backendPlace('sqlite'), agents: [parrot().agent] })
    const chat = source.session('parrot', { id: 'old', user: 'ada' })
    await chat.generate('a')
    const tick = await chat.checkpoint('liked')
    await chat.generate('b')
    const [newest] = await source.runs()
    await source.run(newest!.id).export(path, { tick: 'liked' })
    return { path, tick }
  }

  test('goes on in a session of its own, and has no past before it', async () => {
    const { path, tick } = await exported()
    await using runtime = await open()
    const run = await runtime.restore(path, { session: 'new', input: 'c' })
    const { messages, text } = await run.result()
    assert.deepEqual([messages.map(textOf), text], [['a', 'A', 'c', 'C'], 'C'])
    const record = await run.record()
    assert.deepEqual([record.user, record.session, record.firstTick], ['ada', 'new', tick + 1])
    assert.equal((await run.at(tick)).get(main, Conversation)?.length, 2)
    for (const gone of [0, tick - 1]) await assert.rejects(run.at(gone), code('unknown_tick'))
    const types: string[] = []
    for await (const event of run.events()) {
      types.push(event.type)
      if (event.type === 'checkpoint.restored') assert.deepEqual([event.tick, event.label], [tick, undefined])
    }
    assert.deepEqual(types.slice(0, 2), ['run.started', 'checkpoint.restored'])
    const chat = runtime.session('parrot', { id: 'new' })
    assert.equal((await chat.generate('d')).text, 'D')
    await chat.undo({ turns: 2 })
    assert.deepEqual((await chat.messages()).map(textOf), ['a', 'A'], 'back to where it began, and no further')
    await assert.rejects(chat.undo({ turns: 3 }), code('unknown_tick'))
    await assert.rejects(runtime.restore(path, { session: 'new' }), code('duplicate_name'))
    assert.equal((await runtime.runs({ session: 'new' })).length, 2)
  })

  test('asks again what was asked, under new keys, and can be edited', async () => {
    const path = place()
    const [from, to] = [parrot(), parrot()]
    await using source = await createRuntime({ store: backendPlace('memory'), agents: [from.agent] })
    const asking = await source.submit('parrot', 'use')
    const [old] = (await asking.result()).interactions
    const file = await asking.export(path)
    await using runtime = await open({ agents: [to.agent] })
    const edit = (world: World): void => world.set(main, KVStore, { moved: true })
    const run = await runtime.restore(file, { edit })
    const [asked] = (await run.result()).interactions
    assert.notEqual(asked?.id, old?.id)
    await runtime.interactions.answer(asked!.id, 'approve')
    for await (const event of run.events()) if (event.type === 'run.succeeded') break
    assert.equal((await run.result()).text, 'REMOVED')
    assert.deepEqual([from.removed.length, to.removed.length], [0, 1])
    assert.deepEqual((await run.at(await run.lastTick())).get(main, KVStore), { moved: true })
    assert.deepEqual(await readCheckpoint(path), file, 'the file is what it was')
  })

  test('of a world by hand names its agent; of a stranger it is refused, and nothing is stored', async () => {
    const path = place()
    const chat = parrot().agent.session()
    await chat.generate('a')
    const file = { snapshot: snapshot(chat.world) }
    await writeCheckpoint(path, file)
    await using runtime = await open()
    assert.equal((await (await runtime.restore(path, { input: 'b' })).result()).text, 'B')
    await assert.rejects(runtime.restore(path, { agent: 'nobody' }), code('unknown_agent'))
    await assert.rejects(runtime.restore(counted(1)), code('unknown_component'))
    await assert.rejects(runtime.restore({ snapshot: snapshot(new World()) }), code('invalid_snapshot'))
    const conversation = file.snapshot.components['Conversation']!
    const newer = {
      ...file.snapshot,
      components: { ...file.snapshot.components, Conversation: { ...conversation, version: 9 } },
    }
    await assert.rejects(runtime.restore({ snapshot: newer }), code('newer_version'))
    await assert.rejects(runtime.restore(path, { session: '../x' }), code('invalid_option'))
    for (const wrong of [{ metadata: 5 }, { metadata: { at: Number.NaN } }, { priority: 0.5 }, { input: 5 }]) {
      await assert.rejects(runtime.restore(path, wrong as never), code('invalid_option'))
    }
    await assert.rejects(runtime.restore(path, { sesion: 's' } as never), code('unknown_option'))
    await assert.rejects(runtime.restore(path, { agent: 5 as never }), code('unknown_agent'))
    for (const nothing of [null, undefined, 5])
      await assert.rejects(runtime.restore(nothing as never), code('invalid_snapshot'))
    writeFileSync(path, 'torn')
    await assert.rejects(runtime.restore(path), code('invalid_snapshot'))
    assert.equal((await runtime.runs()).length, 1)
  })

  test('is held to the budget of its agent', async () => {
    const path = place()
    const chat = parrot().agent.session()
    await chat.generate('a')
    await writeCheckpoint(path, { snapshot: snapshot(chat.world) })
    const agent = new Agent({ name: 'parrot', model: scriptedModel(['B']), budget: { tokens: 1 } })
    await using runtime = await open({ agents: [agent] })
    const run = await runtime.restore(path, { input: 'b', tenant: 'acme' })
    await assert.rejects(run.result(), code('budget_exceeded'))
    assert.equal((await run.record()).tenant, 'acme')
    await assert.rejects(runtime.restore(path, { tenant: 'a/b' }), code('invalid_option'))
  })

  test('of an agent of any make goes on from what that kept', async () => {
    const path = place()
    const counter = (upTo: number): AgentRuntime => ({
      key: 'counter',
      async run(ctx) {
        let count = (ctx.state as number | undefined) ?? 0
        while (count < upTo) await ctx.checkpoint(++count)
        if (upTo < 5) await ctx.ask({ prompt: 'More?' })
        return { output: count }
      },
    })
    await using source = await createRuntime({ store: backendPlace('memory'), agents: [counter(3)] })
    const run = await source.submit('counter', 'go')
    await run.result()
    await run.export(path)
    await using runtime = await open({ agents: [counter(5)] })
    const again = await runtime.restore(path)
    assert.equal((await again.result()).output, 5)
    const kept: number[] = []
    for await (const event of again.events()) if (event.type === 'run.checkpointed') kept.push(event.number)
    assert.deepEqual(kept, [4, 5])
  })
}
