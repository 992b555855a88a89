// Time travel: every tick of a durable run can be looked at, compared, gone back to and gone on from; messages can be
// edited and answered anew. What has been done outside is told, for no past undoes it. (ECS-112, ECS-94)

import { Agent, textOf, tool } from 'tellurion'
import { Conversation, KVStore, LLM } from 'tellurion/agent'
import { createRuntime, memory } from 'tellurion/runtime'
import { demoModel } from 'tellurion/model'
import { z } from 'zod'

const note = tool({
  description: 'Writes a note',
  inputSchema: z.object({ text: z.string() }),
  effects: { mode: 'write', repeat: 'safe', paths: () => ['notes'] },
  execute: ({ text }) => `noted ${text}`,
})
const agent = new Agent({ name: 'scribe', model: demoModel(), tools: { note } })
await using runtime = await createRuntime({ store: memory(), agents: [agent] })

const run = await runtime.submit('scribe', 'use note {"text": "milk"}', { session: 'kitchen' })
console.log((await run.result()).text)
// prints: note says: noted milk

// Look: the world after any finished tick, and what changed on the way.
const last = await run.lastTick()
for (const tick of [0, 1, last]) {
  const world = await run.at(tick)
  const [found] = world.query(LLM, Conversation)
  console.log(`after tick ${tick}: ${found?.[1][1].length ?? 0} messages`)
}
// prints: after tick 0: 0 messages
// prints: after tick 1: 3 messages
// prints: 4 messages
const { changes } = await run.difference(1, last)
console.log(changes.map(({ component }) => component).join(' '))
// prints: Conversation TurnUsage

// Fork: another run goes on from there, changed; this one stands as it is.
const fork = await run.fork({
  tick: 1,
  edit: (world) => world.query(LLM).forEach(([entity]) => world.set(entity, KVStore, { mood: 'better' })),
  input: 'use note {"text": "honey"}',
})
console.log((await fork.result()).text)
// prints: note says: noted honey

// Edit and regenerate: the session goes on from the new branch. The note that was written is still written.
const [asked] = await run.messages()
const edited = await run.edit(asked?.id ?? '', 'use note {"text": "bread"}')
console.log((await edited.result()).text, edited.outsideEffects.map(({ toolName }) => toolName).join(' '))
// prints: note says: noted bread note

// Undo: later runs go on from the tick before.
await edited.undo({ ticks: await edited.lastTick() })
const next = await (await runtime.submit('scribe', 'hello', { session: 'kitchen' })).result()
console.log(next.messages.map(textOf)[0], next.messages.length)
// prints: hello 2
