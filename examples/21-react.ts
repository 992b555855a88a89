// Thought, action, observation: an agent that says what it thinks before it acts, and a reader of what it thought.
// (ECS-98, ECS-90)

import { Agent, tool } from 'tellurion'
import { react, reactSteps } from 'tellurion/agent'
import { modelFromEnv } from 'tellurion/model'
import { scriptedModel } from 'tellurion/testing'
import { z } from 'zod'

const people: Record<string, number> = { Oslo: 717_710, Bergen: 291_940 }
const population = tool({
  description: 'How many people live in a city',
  inputSchema: z.object({ city: z.string() }),
  effects: 'read',
  execute: ({ city }) => people[city] ?? `no figure for ${city}`,
})
const divide = tool({
  description: 'One number divided by another',
  inputSchema: z.object({ a: z.number(), b: z.number() }),
  effects: 'read',
  execute: ({ a, b }) => (a / b).toFixed(2),
})

const script = scriptedModel([
  {
    text: 'I need both populations first.',
    calls: [
      { toolName: 'population', input: { city: 'Oslo' } },
      { toolName: 'population', input: { city: 'Bergen' } },
    ],
  },
  {
    text: 'Now their ratio.',
    calls: [{ toolName: 'divide', input: { a: 717_710, b: 291_940 } }],
  },
  'Oslo is 2.46 times as large as Bergen.',
])

const agent = new Agent({
  name: 'geographer',
  model: modelFromEnv() ?? script,
  tools: { population, divide },
  ...react({ instructions: 'You know cities.', maxSteps: 8 }),
})
const { messages } = await agent.generate('How much larger is Oslo than Bergen?')

for (const { thought, actions } of reactSteps(messages)) {
  console.log(`${actions.length > 0 ? 'Thought' : 'Answer'}: ${thought}`)
  for (const { toolName, input, observation } of actions)
    console.log(`  ${toolName}(${JSON.stringify(input)}) -> ${observation}`)
}
// prints: Thought: I need both populations first.
// prints:   population({"city":"Oslo"}) -> 717710
// prints:   population({"city":"Bergen"}) -> 291940
// prints: Thought: Now their ratio.
// prints:   divide({"a":717710,"b":291940}) -> 2.46
// prints: Answer: Oslo is 2.46 times as large as Bergen.
