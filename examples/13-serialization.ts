// Serialization: a world is JSON and comes back from it, in a newer version of the program too. A component that has
// changed its shape says how; what the program does not know is refused. (ECS-104, ECS-91)

import { user } from 'tellurion'
import { Conversation, LLM, agentComponents, reasoning } from 'tellurion/agent'
import { modelFromEnv } from 'tellurion/model'
import { scriptedModel } from 'tellurion/testing'
import { World, defineComponent, restore, run, snapshot, type Snapshot } from 'tellurion/world'
import { z } from 'zod'

// The program as it was: a mood is a number.
const OldMood = defineComponent('Mood', z.object({ value: z.number() }))

const m = modelFromEnv() ?? scriptedModel(['Hello!', 'As I said.'])
const world = new World({ resources: { models: { m } }, systems: [reasoning] })
const entity = world.spawn(LLM({ model: 'm' }), Conversation([user('Hi')]), OldMood({ value: 3 }))
await run(world)

const text = JSON.stringify(snapshot(world))
console.log(`tick ${world.header.tick}, in ${text.length > 500 ? 'more' : 'less'} than 500 characters`)
// prints: tick 1, in more than 500 characters

// The program as it is: a mood has a word for it. `migrate` brings each stored value to the present version, once.
const Mood = defineComponent('Mood', z.object({ value: z.number(), word: z.string() }), {
  version: 2,
  migrate(stored) {
    const { value } = stored as { value: number }
    return { value, word: value > 2 ? 'upset' : 'calm' }
  },
})

const stored = JSON.parse(text) as Snapshot
const revived = restore(stored, { components: [...agentComponents, Mood] })
console.log(JSON.stringify(revived.require(entity, Mood)))
// prints: {"value":3,"word":"upset"}

// It goes on where it stood: live things are bound again, by their names.
revived.bind('models', { m })
revived.addSystem(reasoning)
revived.append(entity, Conversation, user('Pardon?'))
const stop = await run(revived)
console.log(stop.reason, revived.header.tick, revived.require(entity, Conversation).at(-1)?.content)
// prints: idle 2 As I said.

// Nothing is half-loaded: not an unknown component, not a version that this program does not know yet, not a torn file.
for (const [what, broken, components] of [
  ['unknown', stored, agentComponents],
  ['newer', snapshot(revived), [...agentComponents, OldMood]],
  ['torn', { ...stored, entities: [7, 7] }, [...agentComponents, Mood]],
] as const) {
  try {
    restore(broken, { components })
  } catch (error) {
    console.log(what, (error as { code: string }).code)
  }
}
// prints: unknown unknown_component
// prints: newer newer_version
// prints: torn invalid_snapshot
