// A chat that remembers: one agent, one session, two turns. The model is scripted, so there is no key and no network;
// with model('openai/gpt-5') in its place the rest stays as it is. (ECS-96)

import { Agent, textOf } from 'tellurion'
import { scriptedModel } from 'tellurion/testing'

const helper = new Agent({
  name: 'helper',
  instructions: 'Be brief.',
  model: scriptedModel([
    'Hello Ada!',
    // The second reply is made from what the model is given: the whole conversation so far.
    ({ messages }) => `You said: ${textOf(messages.at(0) ?? { role: 'user', content: '' })}`,
  ]),
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
