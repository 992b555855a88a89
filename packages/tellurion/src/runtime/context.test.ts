// What a model is shown, in durable runs: what was compacted and what was found is kept, whoever goes on.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Agent } from '../agent/agent.ts'
import { readArchive } from '../agent/compaction-archive.ts'
import { compactContext } from '../agent/compact-context.ts'
import { Conversation } from '../agent/component.ts'
import { ConversationArchive, Retrieved } from '../agent/context-component.ts'
import { extractiveModel } from '../agent/extractive-model.ts'
import { retrieval } from '../agent/retrieval.ts'
import { textOf } from '../message/message.ts'
import { estimateTokens } from '../model/token-estimate.ts'
import type { KeyValue } from '../port/key-value.ts'
import type { Retriever } from '../port/retriever.ts'
import { backendPlace, materials } from '../testing/backends.node.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { createArtifacts } from '../tool/artifact.ts'
import { tool } from '../tool/tool.ts'
import type { BackendOpener } from './backend.ts'
import { compressed } from './backend/compressed.ts'
import { createRuntime, type Runtime } from './runtime.ts'

const look = tool({
  description: 'Looks',
  inputSchema: { type: 'object' },
  effects: 'read',
  execute: ({ at }) => `Seen ${String(at)}: the fact is ${Number(at) * 7}-WREN. `.padEnd(900, 'and more '),
})

/** Looks once for each message, and says so; its window is full after a few. */
function guide(archive: 'log' | 'artifact'): Agent {
  const model = scriptedModel(({ messages }) => {
    const newest = messages.at(-1)!
    if (newest.role === 'tool') return `Done with ${textOf(newest).slice(0, 8)}`
    return { calls: [{ toolName: 'look', input: { at: Number(textOf(newest)) } }] }
  })
  const summaryModel = extractiveModel()
  const systems = [compactContext({ window: 1_500, countTokens: estimateTokens, summaryModel, archive })]
  return new Agent({ name: 'guide', model, tools: { look }, systems })
}

async function talk(runtime: Runtime, from: number, to: number): Promise<void> {
  const chat = runtime.session('guide', { id: 's' })
  for (let at = from; at < to; at++) {
    const { text, messages } = await chat.generate(String(at))
    assert.equal(text, `Done with ${`Seen ${at}: `.slice(0, 8)}`)
    assert.deepEqual([messages.length, textOf(messages[0]!)], [4, String(at)])
  }
}

for (const material of materials) {
  describe(`compaction on ${material}`, () => {
    for (const archive of ['log', 'artifact'] as const) {
      test(`a session goes on past its window, in one process and then another (archive: ${archive})`, async () => {
        const place = backendPlace(material)
        let keyValue: KeyValue | undefined
        const store: BackendOpener = async (given) => {
          const backend = await (archive === 'artifact' ? compressed(place) : place)(given)
          keyValue = backend.keyValue
          return backend
        }
        const open = (): Promise<Runtime> => createRuntime({ store, agents: [guide(archive)] })
        let runtime = await open()
        await talk(runtime, 0, 12)
        if (material === 'sqlite') {
          await runtime.close()
          runtime = await open()
        }
        await talk(runtime, 12, 24)
        const [record] = await runtime.runs({ limit: 1 })
        const run = runtime.run(record!.id)
        const world = await run.at(await run.lastTick())
        const entity = world.query(ConversationArchive)[0]![0]
        const items = world.require(entity, ConversationArchive).toArray()
        assert.ok(items.length >= 2)
        if (archive === 'artifact')
          assert.ok(items.every(({ messages, artifact }) => messages.length === 0 && artifact))
        const kept = await readArchive(world, entity, { artifacts: createArtifacts(keyValue!, 's') })
        const everything = JSON.stringify([...kept, ...world.require(entity, Conversation)])
        for (let at = 0; at < 24; at++) assert.ok(everything.includes(`the fact is ${at * 7}-WREN`), String(at))
        await runtime.close()
      })
    }
  })
}

for (const material of materials) {
  test(`retrieval on ${material}: documents are kept with the run, whoever goes on, and what is found is told of`, async () => {
    const store = backendPlace(material)
    const asked: string[] = []
    const retriever: Retriever = {
      async retrieve(query) {
        asked.push(query)
        return [{ id: `on ${query}`, text: `All about ${query}.`, source: 'shelf', score: 1 }]
      },
    }
    const agent = (): Agent => {
      const model = scriptedModel(({ messages }) => {
        const done = messages.at(-1)?.role === 'tool'
        const [, id = 'nothing'] = /<document id="([^"]+)"/.exec([...messages].map(textOf).join('\n')) ?? []
        return done || !id.includes('tides') ? `I have read ${id}.` : { calls: [{ toolName: 'ask', input: {} }] }
      })
      const ask = tool({ description: 'a', inputSchema: { type: 'object' }, needsApproval: true, execute: () => 'yes' })
      return new Agent({ name: 'guide', model, tools: { ask }, systems: retrieval({ retriever }) })
    }
    let runtime = await createRuntime({ store, agents: [agent()] })
    const { id } = await runtime.submit('guide', 'tides', { session: 's' })
    const { interactions } = await runtime.run(id).result()
    if (material === 'sqlite') {
      await runtime.close()
      runtime = await createRuntime({ store, agents: [agent()] })
    }
    const run = runtime.run(id)
    await runtime.interactions.answer(interactions[0]!.id, 'approve')
    assert.equal((await run.result()).text, 'I have read on tides.')
    assert.deepEqual(asked, ['tides'], 'what was found is not searched again')
    const events = []
    for await (const event of run.events()) if (event.type === 'retrieval.completed') events.push(event)
    assert.deepEqual(
      events.map(({ query, count }) => [query, count]),
      [['tides', 1]],
    )
    const world = await run.at(await run.lastTick())
    assert.equal(world.query(Retrieved)[0]?.[1][0].query, 'tides')
    const next = await (await runtime.submit('guide', 'moons', { session: 's' })).result()
    assert.equal(next.text, 'I have read on moons.')
    assert.deepEqual(next.messages.map(textOf), ['moons', 'I have read on moons.'])
    await runtime.close()
  })
}
