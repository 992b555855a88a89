// The loop of models and tools by hand: ask, decide and perform each call, append its result, ask again. An agent does
// just this; whoever wants a loop of their own has the same two halves of the one pipeline. (ARC-29, ARC-28, LOOM-41)

import { createToolbox, tool, toolCallsOf, user, type Message } from 'tellurion'
import { complete } from 'tellurion/model'
import { scriptedModel } from 'tellurion/testing'
import { toolMessage } from 'tellurion/tool'
import { z } from 'zod'

const toolbox = createToolbox({
  add: tool({
    description: 'The sum of two numbers',
    inputSchema: z.object({ a: z.number(), b: z.number() }),
    effects: 'read',
    execute: ({ a, b }) => a + b,
  }),
})

const model = scriptedModel([
  {
    calls: [
      { toolName: 'add', input: { a: 1, b: 2 } },
      { toolName: 'subtract', input: { a: 3, b: 4 } },
    ],
  },
  'Three; and I cannot subtract.',
])

const messages: Message[] = [user('1 + 2? And 3 - 4?')]
for (let step = 0; step < 10; step++) {
  const reply = await complete(model, { messages, tools: toolbox.specs() })
  if (reply.status !== 'finished') throw new Error(reply.status)
  messages.push(reply.message)
  const calls = toolCallsOf(reply.message)
  if (calls.length === 0) break
  // Unknown tools, wrong arguments, timeouts and errors are results too: `execute` never rejects.
  for (const { toolCallId, toolName, input } of calls)
    messages.push(toolMessage(await toolbox.execute(toolName, input, { toolCallId })))
}

for (const { role, content } of messages) console.log(`${role}: ${typeof content === 'string' ? content : 'calls'}`)
// prints: user: 1 + 2? And 3 - 4?
// prints: assistant: calls
// prints: tool: 3
// prints: subtract
// prints: assistant: Three; and I cannot subtract.

console.log(JSON.stringify(toolbox.toOpenAIFormat()[0]?.function.parameters))
// prints: "required":["a","b"]
