// What a model is shown, in durable runs: compaction and retrieval keep their outcome, whoever goes on.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Agent } from '../agent/agent.ts'
import { readArchive } from '../agent/compaction-archive.ts'
import { compactContext } from '../agent/compact-context.ts'
import { Conversation } from '../agent/component.ts'
import { ConversationArchive } from '../agent/context-component.ts'
import { extractiveModel } from '../agent/extractive-model.ts'
import { textOf } from '../message/message.ts'
import { estimateTokens } from '../model/token-estimate.ts'
import { backendPlace, materials } from '../testing/backends.node.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { createRuntime } from './runtime.ts'

for (const material of materials) {
  describe(`compaction on ${material}`, () => {
    for (const archive of ['log', 'artifact'] as const) {
      test(`a session goes on past its window, in one process and then another (archive: ${archive})`, async () => {
        const store = backendPlace(material)
        const look = tool({
          description: 'Looks',
          inputSchema: { type: 'object' },
          effects: 'read',
          execute: ({ at }) => `Seen ${String(at)}: the fact is ${Number(at) * 7}-WREN. `.padEnd(900, 'and more '),
        })
        const agent = (): Agent => {
          const model = scriptedModel(({ messages }) => {
            const newest = messages.at(-1)!
            if (newest.role === 'tool') return `Done with ${textOf(newest).slice(0, 8)}`
            return { calls: [{ toolName: 'look', input: { at: Number(textOf(newest)) } }] }
          })
          const summaryModel = extractiveModel()
          const systems = [compactContext({ window: 1_500, countTokens: estimateTokens, summaryModel, archive })]
          return new Agent({ name: 'guide', model, tools: { look }, systems })
        }
        const turns = async (from: number, to: number, keep: boolean): Promise<void> => {
          const runtime = await createRuntime({ store, agents: [agent()] })
          const chat = runtime.session('guide', { id: 's' })
          for (let at = from; at < to; at++) {
            const { text, messages } = await chat.generate(String(at))
            assert.equal(text, `Done with ${`Seen ${at}: `.slice(0, 8)}`)
            assert.deepEqual([messages.length, textOf(messages[0]!)], [4, String(at)])
          }
          if (keep) {
            await check(runtime)
          }
          await runtime.close()
        }
        const check = async (runtime: Awaited<ReturnType<typeof createRuntime>>): Promise<void> => {
          const [record] = await runtime.runs({ limit: 1 })
          const run = runtime.run(record!.id)
          const world = await run.at(await run.lastTick())
          const [found] = world.query(Conversation, ConversationArchive)
          const [entity, [conversation, archived]] = found!
          assert.ok(archived.length >= 2)
          assert.ok(conversation.length < 30)
          if (archive === 'artifact') {
            assert.ok(archived.toArray().every(({ messages, artifact }) => messages.length === 0 && artifact))
            return
          }
          const everything = JSON.stringify([...(await readArchive(world, entity)), ...conversation])
          for (let at = 0; at < 24; at++) assert.ok(everything.includes(`the fact is ${at * 7}-WREN`), String(at))
        }
        if (material === 'memory') return turns(0, 24, true)
        await turns(0, 12, false)
        return turns(12, 24, true)
      })
    }
  })
}
