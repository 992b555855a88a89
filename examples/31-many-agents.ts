// Two agents of one world write to each other; then a coordinator divides work among several. (ECS-102, ECS-89, LOOM-43)

import { Agent, textOf } from 'tellurion'
import { Conversation, coordinator, hear, messageTool, orchestrate } from 'tellurion/agent'
import { World, run } from 'tellurion/world'
import { scriptedModel } from 'tellurion/testing'

const world = new World()
const letter = (to: string, message: string) => ({ calls: [{ toolName: 'send', input: { to, message } }] })
function peer(name: string, script: Parameters<typeof scriptedModel>[0]) {
  return new Agent({ name, model: scriptedModel(script), tools: { send: messageTool() } }).furnish(world)
}
const ada = peer('ada', [letter('bob', 'What is 2 + 2?'), 'I asked Bob.', 'Bob says 4.'])
peer('bob', [letter('ada', '4'), 'Told her.'])
hear(world, ada, 'Ask Bob what 2 + 2 is.')
await run(world)
console.log(
  'ada heard:',
  [...world.require(ada, Conversation)].map(textOf).find((text) => text.startsWith('[bob]')),
)

const plan = [
  { id: 'hole', agent: 'digger', task: 'Dig a hole' },
  { id: 'tree', agent: 'gardener', task: 'Plant a tree in it', dependsOn: ['hole'] },
]
const says = (name: string, text: string) => new Agent({ name, model: scriptedModel(() => text) })
const garden = orchestrate({
  name: 'garden',
  agents: [says('planner', JSON.stringify(plan)), says('digger', 'It is deep.'), says('gardener', 'It stands.')],
  strategy: coordinator({ planner: 'planner', workers: { digger: 'digs', gardener: 'plants' } }),
})
// prints: ## Dig a hole
console.log((await garden.generate('I want a tree.')).text)
