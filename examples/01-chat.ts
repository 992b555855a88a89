// A chat that remembers: one agent, one session, two turns. The model is the one that the environment names, such as by
// OPENAI_API_KEY; without a key a script plays its part, here and in the other examples. (ECS-96)

import { Agent, textOf } from 'tellurion'
import { modelFromEnv } from 'tellurion/model'
import { scriptedModel } from 'tellurion/testing'

const script = scriptedModel([
  'Hello Ada!',
  // The second reply is made from what the model is given: the whole conversation so far.
  ({ messages }) => `You said: ${textOf(messages.at(0)!)}`,
])

const helper = new Agent({
  name: 'helper',
  instructions: 'Be brief.',
  model: modelFromEnv() ?? script,
})

const chat = helper.session()

const first = await chat.generate('My name is Ada.')
console.log(first.text)
// prints: Hello Ada!

const second = await chat.generate('What did I say first?')
console.log(second.text)
// prints: You said: My name is Ada.

console.log(`${chat.messages.length} messages; this turn: ${second.steps} model call, ${second.stopReason}`)
// prints: 4 messages; this turn: 1 model call, idle
