// Two agents of one world write to each other; then a coordinator divides work among several. (ECS-102, ECS-89, LOOM-43)

import { Agent, textOf } from 'tellurion'
import { Conversation, coordinator, hear, messageTool, orchestrate } from 'tellurion/agent'
import { modelFromEnv } from 'tellurion/model'
import { scriptedModel, type ScriptedReply } from 'tellurion/testing'
import { World, run } from 'tellurion/world'

const world = new World()
const instructions = 'You are one of two, ada and bob. Only what you send with the tool reaches the other one.'
const letter = (to: string, message: string) => ({ calls: [{ toolName: 'send', input: { to, message } }] })

/** An agent that lives in the world, beside the others. */
function peer(name: string, script: ScriptedReply[]) {
  const model = modelFromEnv() ?? scriptedModel(script)
  return new Agent({ name, model, instructions, tools: { send: messageTool() } }).furnish(world)
}
const ada = peer('ada', [letter('bob', 'What is 2 + 2?'), 'I asked Bob.', 'Bob says 4.'])
peer('bob', [letter('ada', '4'), 'Told her.'])

hear(world, ada, 'Ask Bob what 2 + 2 is.')
await run(world, { maxTicks: 20 })
const heard = [...world.require(ada, Conversation)].map(textOf).filter((text) => text.startsWith('[bob]'))
console.log('ada heard:', heard.join(' '))
// prints: ada heard: [bob] 4

const plan = [
  { id: 'hole', agent: 'digger', task: 'Dig a hole' },
  { id: 'tree', agent: 'gardener', task: 'Plant a tree in it', dependsOn: ['hole'] },
]
const says = (name: string, text: string) =>
  new Agent({ name, model: modelFromEnv() ?? scriptedModel([text]), instructions: 'Be brief.' })
const garden = orchestrate({
  name: 'garden',
  agents: [says('planner', JSON.stringify(plan)), says('digger', 'It is deep.'), says('gardener', 'It stands.')],
  strategy: coordinator({ planner: 'planner', workers: { digger: 'digs', gardener: 'plants' } }),
})
// A planner that writes no list of tasks fails the run, and the error says so.
const { text } = await garden.generate('I want a tree.').catch((error: Error) => ({ text: error.message }))
console.log(text)
// prints: ## Dig a hole
// prints: It is deep.
// prints: ## Plant a tree in it
// prints: It stands.
