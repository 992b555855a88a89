// Tools: the model calls two of them, both run side by side, and their results go back to it by themselves. (ECS-97)

import { Agent, tool } from 'tellurion'
import { modelFromEnv } from 'tellurion/model'
import { scriptedModel } from 'tellurion/testing'
import { z } from 'zod'

const weather = tool({
  description: 'Current weather of a place',
  inputSchema: z.object({ place: z.string() }),
  effects: 'read',
  execute: ({ place }) => ({ place, celsius: place === 'Oslo' ? 4 : 21 }),
})

const convert = tool({
  description: 'Celsius in Fahrenheit',
  inputSchema: z.object({ celsius: z.number() }),
  effects: 'read',
  execute: ({ celsius }) => celsius * 1.8 + 32,
})

const script = scriptedModel([
  {
    text: 'Let me look.',
    calls: [
      { toolName: 'weather', input: { place: 'Oslo' } },
      { toolName: 'weather', input: { place: 'Lima' } },
    ],
  },
  { calls: [{ toolName: 'convert', input: { celsius: 'four' } }] },
  { calls: [{ toolName: 'convert', input: { celsius: 4 } }] },
  'Oslo has 4 °C (39 °F), Lima 21 °C.',
])

const guide = new Agent({
  name: 'guide',
  tools: { weather, convert },
  model: modelFromEnv() ?? script,
})

const stream = guide.stream('How warm is it in Oslo and Lima?')
for await (const event of stream) {
  if (event.type === 'tool.ended') console.log(`${event.toolName}: ${event.code ?? event.content}`)
}
// prints: weather: {"place":"Oslo","celsius":4}
// prints: weather: {"place":"Lima","celsius":21}
// Arguments that do not fit the schema never reach the tool; the model is told what is wrong and may try again.
// prints: convert: tool_input_invalid
// prints: convert: 39.2

const { text, steps } = await stream.result()
console.log(`${text} (${steps} model calls)`)
// prints: Oslo has 4 °C (39 °F), Lima 21 °C. (4 model calls)
