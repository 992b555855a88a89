// Streaming under the hood: the component `Streaming` switches the live events of an entity on, and whoever watches the
// world hears them, without a word in the agent. An entity without it answers just as well, in silence. (ECS-111, ECS-24)

import { textOf, user } from 'tellurion'
import { Conversation, LLM, Streaming, reasoning } from 'tellurion/agent'
import { modelFromEnv } from 'tellurion/model'
import { scriptedModel } from 'tellurion/testing'
import { World, run } from 'tellurion/world'

const script = (...replies: string[]) => modelFromEnv() ?? scriptedModel(replies, { chunkSize: 6 })
const world = new World({
  resources: { models: { poet: script('A wheel of brass.'), critic: script('No rhyme.', 'Still none.') } },
  systems: [reasoning],
})
const poet = world.spawn(LLM({ model: 'poet' }), Conversation([user('Write!')]), Streaming({ enabled: true }))
const critic = world.spawn(LLM({ model: 'critic' }), Conversation([user('Judge!')]))
const nameOf = (entity: number): string => (entity === poet ? 'poet' : 'critic')

// Each handler gets the events of one type, typed; what watches cannot write. The deltas are told as they come.
let pieces = 0
world.on('stream.started', ({ entity }) => console.log(`${nameOf(entity)} begins`))
world.on('text.delta', ({ entity, text }) => console.log(`${nameOf(entity)}: '${text}'`))
world.on('text.delta', () => pieces++)
world.on('stream.ended', ({ entity, failure }) => console.log(`${nameOf(entity)} ends ${failure?.message ?? 'well'}`))

// Both are asked in one tick; one of them is heard while it speaks.
await run(world)
// prints: poet begins
// prints: poet: 'A whee'
// prints: poet: 'l of b'
// prints: poet: 'rass.'
// prints: poet ends well
console.log(pieces, textOf(world.require(critic, Conversation).at(-1)!))
// prints: 3 No rhyme.

// Switched on at any time, here between two runs of the world, for what comes then.
world.set(critic, Streaming, { enabled: true })
world.append(critic, Conversation, user('Listen again!'))
await run(world)
// prints: critic begins
// prints: critic: 'Still '
// prints: critic: 'none.'
// prints: critic ends well
