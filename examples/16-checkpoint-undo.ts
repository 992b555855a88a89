// Checkpoints and undo: ticks with a name, gone back to in memory and in a store; a tick as one file, gone on from in
// another store. Saving one never changes the live world. (ECS-112, ECS-15, ECS-45, ECS-60, ECS-81, ECS-94)

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, textOf, type Message } from 'tellurion'
import { Checkpoint, checkpoint } from 'tellurion/agent'
import { modelFromEnv } from 'tellurion/model'
import { createRuntime, memory, readCheckpoint } from 'tellurion/runtime'
import { scriptedModel } from 'tellurion/testing'

const asked = (messages: Iterable<Message>) => [...messages].filter(({ role }) => role === 'user').map(textOf)
const script = scriptedModel(({ messages }) => `You said ${asked(messages).join(', ')}.`)
const poet = new Agent({ name: 'poet', model: modelFromEnv() ?? script, systems: [checkpoint] })

// In memory: a session can be put back by turns, or to a name.
const chat = poet.session()
chat.world.on('checkpoint.created', ({ label, tick }) => console.log(`tick ${tick} is ${label}`))
chat.world.on('checkpoint.restored', ({ label, tick }) =>
  console.log(`back to tick ${tick}${label ? `, ${label}` : ''}`),
)
await chat.generate('rain')
await chat.checkpoint('weather')
// prints: tick 1 is weather
await chat.generate('snow')
await chat.generate('hail')
await chat.undo()
// prints: back to tick 2
await chat.restore('weather')
// prints: back to tick 1, weather
console.log(asked(chat.messages).join())
// prints: rain

// The system labels ticks by itself where it is told to, at most so many; the states are kept outside the world.
chat.world.update(chat.entity, Checkpoint, (old) => ({ ...old, every: 1, keep: 2 }))
await chat.generate('fog')
// prints: tick 2 is tick-2
console.log(JSON.stringify(chat.checkpoints))
// prints: {"weather":1,"tick-2":2}

// Stored runs have the same: a name is kept with the session, for every process that has the store.
const file = join(mkdtempSync(join(tmpdir(), 'checkpoint-')), 'weather.checkpoint')
await using here = await createRuntime({ store: memory(), agents: [poet] })
const run = await here.submit('poet', 'rain', { session: 'clouds' })
await run.result()
await run.checkpoint('weather')
await run.export(file, { tick: 'weather' })
const fork = await run.fork({ tick: 'weather', input: 'sun' })
console.log((await fork.result()).text)
// prints: You said rain, sun.

// One file goes on elsewhere: another process, another store, another machine.
console.log((await readCheckpoint(file)).run?.agent)
// prints: poet
await using there = await createRuntime({ store: memory(), agents: [poet] })
const moved = await there.restore(file, { session: 'clouds', input: 'wind' })
console.log((await moved.result()).text, (await moved.record()).firstTick)
// prints: You said rain, wind. 2
