// Memory across sessions: facts are extracted from what a user says, kept in a file with backups, and quoted in later
// sessions; each user has their own, and forgetting is for good. (LOOM-05, LOOM-17, LOOM-39, AT-11)

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, textOf } from 'tellurion'
import { createFacts, factExtraction, factRecall, factTools, searchMessages } from 'tellurion/agent'
import { fileKeyValue } from 'tellurion/file'
import { scriptedModel } from 'tellurion/testing'

const folder = mkdtempSync(join(tmpdir(), 'memory-'))
const path = join(folder, 'memory.jsonl')

/** What each process of this program does first. */
async function open() {
  const store = await fileKeyValue(path)
  const facts = createFacts(store)
  // Instead of a model: it repeats what it was told about the user, and asks for what the user wants to have forgotten.
  const model = scriptedModel(({ messages }) => {
    const newest = messages.at(-1)
    if (newest?.role === 'tool') return `Done: ${textOf(newest)}`
    if (newest?.content === 'Forget me.') return { calls: [{ toolName: 'forget', input: { everything: true } }] }
    const notes = textOf(messages.at(0)!).match(/(?<=>\n).*(?=\n<)/g) ?? ['nobody']
    return `You are known as: ${notes.join('; ')}`
  })
  const small = scriptedModel(({ messages }) =>
    textOf(messages.at(0)!).includes('green tea')
      ? '[{"key": "drink", "text": "Likes green tea", "confidence": 0.9}]'
      : '[]',
  )
  const systems = [factRecall(facts), factExtraction(facts, { model: small })]
  const agent = new Agent({ name: 'butler', model, systems, tools: { ...factTools(facts) } })
  return { store, chatOf: (user: string) => ({ session: agent.session(), options: { resources: { user } } }) }
}

const monday = await open()
const { session, options } = monday.chatOf('ada')
await session.generate('Good morning! A green tea, as always.', options)
console.log(searchMessages(session.messages, 'tea')[0]?.excerpt)
// prints: Good morning! A green tea, as always.
await monday.store.set({ scope: 'global', owner: '' }, 'visits', Uint8Array.of(1))
await monday.store.close()
writeFileSync(path, 'torn') // the disk ate the file: the newest whole backup takes its place

const { store, chatOf } = await open()
console.log(store.recoveredFrom?.slice(folder.length + 1))
// prints: memory.jsonl.1
for (const user of ['ada', 'bob']) {
  const chat = chatOf(user)
  console.log(user, (await chat.session.generate('Who am I?', chat.options)).text)
}
// prints: ada You are known as: Likes green tea
// prints: bob You are known as: nobody
const chat = chatOf('ada')
console.log((await chat.session.generate('Forget me.', chat.options)).text, readdirSync(folder).join(' '))
// prints: Done: {"forgotten":1} memory.jsonl memory.jsonl.1
await store.close()
rmSync(folder, { recursive: true })
