// Facts over sessions, runs, restarts and processes that die: the same on every store, for one user each, and gone from the
// disk when they are forgotten.

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { Agent } from '../agent/agent.ts'
import { factExtraction } from '../agent/fact-extraction.ts'
import { factRecall } from '../agent/fact-recall.ts'
import { createFacts, type Facts } from '../agent/fact-store.ts'
import { factTools } from '../agent/fact-tools.ts'
import { textOf } from '../message/message.ts'
import type { KeyValue } from '../port/key-value.ts'
import { fileKeyValue } from '../store/file/key-value.ts'
import { sqliteKeyValueFile } from '../store/sqlite/key-value-file.ts'
import { sqliteVectorStore } from '../store/sqlite/vector-store.ts'
import { backendPlace } from '../testing/backends.node.ts'
import { hashEmbedding } from '../testing/hash-embedding.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { createRuntime } from './runtime.ts'

const home = mkdtempSync(join(tmpdir(), 'facts-'))
after(() => rmSync(home, { recursive: true, force: true }))
let places = 0

const stores: Readonly<Record<string, (folder: string) => Promise<KeyValue & { close(): Promise<void> }>>> = {
  file: (folder) => fileKeyValue(join(folder, 'memory.jsonl')),
  sqlite: (folder) => sqliteKeyValueFile(join(folder, 'memory.db'), { synchronous: 'normal' }),
}

/** Says what it was told about the user, and learns from them. */
function companion(facts: Facts): Agent {
  const model = scriptedModel(({ messages }) => {
    const quote = [...messages].map(textOf).find((text) => text.includes('<fact '))
    return `Known: ${quote?.match(/(?<=>\n).*(?=\n<)/g)?.join(', ') ?? 'nothing'}`
  })
  const extractor = scriptedModel(({ messages }) => {
    const said = (JSON.parse(textOf(messages.at(0)!)) as { user: string[] }).user.join(' ')
    const place = /I live in (\w+)/.exec(said)?.[1]
    return JSON.stringify(place === undefined ? [] : [{ key: 'home', text: `Lives in ${place}`, confidence: 0.9 }])
  })
  const systems = [factRecall(facts), factExtraction(facts, { model: extractor })]
  return new Agent({ name: 'companion', model, systems, tools: { ...factTools(facts) } })
}

for (const [material, open] of Object.entries(stores)) {
  describe(`facts in ${material}`, () => {
    test('go from session to session and over a restart, for one user each', async () => {
      const folder = join(home, String(++places))
      const runs = backendPlace('sqlite')
      const talk = async (user: string, session: string, text: string): Promise<string> => {
        // Everything is opened anew each time: nothing is kept in a process.
        const store = await open(folder)
        const runtime = await createRuntime({ store: runs, agents: [companion(createFacts(store))] })
        const { text: answer } = await runtime.session('companion', { id: session, user }).generate(text)
        await runtime.close()
        await store.close()
        return answer
      }
      assert.equal(await talk('ada', 's1', 'I live in Oslo.'), 'Known: nothing')
      assert.equal(await talk('ada', 's2', 'Hello!'), 'Known: Lives in Oslo')
      assert.equal(await talk('bob', 's3', 'Hello!'), 'Known: nothing')
      assert.equal(await talk('ada', 's2', 'I live in Bergen now.'), 'Known: Lives in Oslo')
      assert.equal(await talk('ada', 's1', 'And?'), 'Known: Lives in Bergen')
      assert.equal(await talk('bob', 's3', 'And?'), 'Known: nothing')
    })

    test('are gone from the disk when a user is forgotten, backups and vectors included', async () => {
      const folder = join(home, String(++places))
      const store = await open(folder)
      const vectors = { store: await sqliteVectorStore(join(folder, 'vectors.db')), embedding: hashEmbedding() }
      const facts = createFacts(store, { vectors })
      for (let index = 0; index < 20; index++) {
        await facts.remember('ada', [{ key: `k${index}`, text: `CANARY ${index} ${'x'.repeat(400)}` }])
        await facts.remember('bob', [{ key: `k${index}`, text: `Kept ${index}` }])
      }
      const holding = (text: string): string[] =>
        readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes(text))
      assert.ok(holding('CANARY').length > 0)
      assert.equal(await facts.forget('ada'), 20)
      assert.deepEqual(holding('CANARY'), [])
      assert.ok(holding('Kept').length > 0)
      assert.deepEqual(
        (await vectors.store.documents()).map(({ document }) => document),
        ['facts/bob'],
      )
      await store.close()
      await vectors.store.close()
    })
  })
}

test('a torn file of facts is recovered from its newest whole backup, and the talk goes on', async () => {
  const path = join(home, String(++places), 'memory.jsonl')
  const first = await fileKeyValue(path)
  await createFacts(first).remember('ada', [{ key: 'home', text: 'Lives in Oslo' }])
  await createFacts(first).remember('ada', [{ key: 'tea', text: 'Likes tea' }])
  await first.close()
  writeFileSync(path, readFileSync(path).subarray(0, 200))
  const second = await fileKeyValue(path)
  assert.equal(second.recoveredFrom, `${path}.1`)
  const agent = companion(createFacts(second, { user: 'ada' }))
  assert.equal((await agent.generate('Hello!')).text, 'Known: Lives in Oslo')
  await second.close()
})
