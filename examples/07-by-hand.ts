// The world by hand: what an agent is made of, with a component and a system of one's own, and the past kept tick by
// tick. (ECS-01..09, ECS-12)

import { user } from 'tellurion'
import { Conversation, LLM, SystemPrompt, agentComponents } from 'tellurion/agent'
import { errorHandling, memory, reasoning, toolExecution } from 'tellurion/agent'
import { scriptedModel } from 'tellurion/testing'
import { History, World, defineComponent, defineSystem, restore, run, snapshot } from 'tellurion/world'
import { z } from 'zod'

const Mood = defineComponent('Mood', z.object({ value: z.number() }))

/** Calms whoever is upset, a point a tick. A tick in which nothing changes ends the run. */
const soothe = defineSystem({
  name: 'soothe',
  priority: 3,
  query: [Mood, Conversation],
  each(entity, world) {
    world.update(entity, Mood, ({ value }) => ({ value: Math.max(0, value - 1) }))
  },
})

const world = new World({
  resources: { models: { m: scriptedModel(['Take a deep breath.']) } },
  systems: [reasoning, toolExecution, memory, errorHandling, soothe],
})
const entity = world.spawn(
  LLM({ model: 'm' }),
  SystemPrompt({ text: 'Be kind.' }),
  Conversation([user('Everything is on fire!')]),
  Mood({ value: 3 }),
)

world.on('model.replied', ({ usage }) => console.log(`the model replied, ${usage.outputTokens} token`))
// prints: the model replied, 1 token

const history = new History(world)
const stop = await run(world, { history })
console.log(`${stop.reason} after ${stop.ticks} ticks, mood ${world.require(entity, Mood).value}`)
// prints: idle after 3 ticks, mood 0

// Any finished tick can be gone back to; the present stays as it is.
const past = history.at(1)
console.log(
  `after tick 1: mood ${past.require(entity, Mood).value}, ${past.require(entity, Conversation).length} messages`,
)
// prints: after tick 1: mood 2, 2 messages

// And all of it is JSON.
const stored = JSON.stringify(snapshot(world))
const copy = restore(JSON.parse(stored), { components: [...agentComponents, Mood] })
console.log(copy.require(entity, Conversation).at(-1)?.content)
// prints: Take a deep breath.
