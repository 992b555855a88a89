// OpenAI Agents, without tracing; its client `openai` reads the wire.

import { Agent, Runner, tool, Usage } from '@openai/agents'
import OpenAI from 'openai'
import { z } from 'zod'
import { answerText, turnOf } from './script.mjs'

const usage = () => new Usage({ requests: 1, inputTokens: 100, outputTokens: 10, totalTokens: 110 })

const outputOf = (reply) =>
  typeof reply === 'string'
    ? [
        {
          type: 'message',
          role: 'assistant',
          status: 'completed',
          content: [{ type: 'output_text', text: reply }],
        },
      ]
    : reply.map(({ id, name, input }) => ({
        type: 'function_call',
        callId: id,
        name,
        arguments: JSON.stringify(input),
        status: 'completed',
      }))

const modelWith = (reply) => ({
  getResponse: async ({ input }) => ({ usage: usage(), output: outputOf(await reply(input)) }),
})

const lastId = (input) =>
  Array.isArray(input) && input.at(-1)?.type === 'function_call_result' ? input.at(-1).callId : undefined

const add = tool({
  name: 'add',
  description: 'Adds',
  parameters: z.object({ a: z.number(), b: z.number() }),
  execute: ({ a, b }) => String(a + b),
})
const agentWith = (model, tools = [add]) => new Agent({ name: 'bench', instructions: 'Be brief.', model, tools })
const runner = new Runner({ tracingDisabled: true })
const limits = { maxTurns: 20 }

export const peer = {
  runs: (wait) => {
    const agent = agentWith(modelWith((input) => turnOf(lastId(input), wait)))
    return {
      make: () => ({}),
      start: async () => (await runner.run(agent, 'Add up.', limits)).rawResponses.length,
    }
  },
  deltas: (count) => {
    const text = 'word '.repeat(count)
    const agent = agentWith({
      async *getStreamedResponse() {
        for (let index = 0; index < count; index++) yield { type: 'output_text_delta', delta: 'word ' }
        const plain = { requests: 1, inputTokens: 100, outputTokens: 10, totalTokens: 110 }
        yield { type: 'response_done', response: { id: 'r', usage: plain, output: outputOf(text) } }
      },
    })
    return async () => {
      const result = await runner.run(agent, 'Tell.', { stream: true })
      let read = ''
      for await (const event of result) {
        if (event.type === 'raw_model_stream_event' && event.data.type === 'output_text_delta') read += event.data.delta
      }
      return read
    }
  },
  chat: (history) => {
    const agent = agentWith(modelWith(() => answerText))
    const items = history.map(({ role, content }) =>
      role === 'user' ? { type: 'message', role, content } : outputOf(content)[0],
    )
    return () => {
      let input = items
      return async () => {
        const result = await runner.run(agent, [...input, { type: 'message', role: 'user', content: 'Go on.' }], limits)
        input = result.history
      }
    }
  },
  parallel: (count, execute) => {
    const calls = Array.from({ length: count }, (_, index) => ({ id: `call_${index}`, name: 'wait', input: { index } }))
    const wait = tool({ name: 'wait', description: 'Waits', parameters: z.object({ index: z.number() }), execute })
    const agent = agentWith(
      modelWith((input) => (lastId(input) === undefined ? calls : answerText)),
      [wait],
    )
    return async () => {
      const { history } = await runner.run(agent, 'Wait.', limits)
      return history.flatMap((item) => (item.type === 'function_call_result' ? [item.output.text ?? item.output] : []))
    }
  },
  read: async (baseURL) => {
    const client = new OpenAI({ apiKey: 'key', baseURL })
    const messages = [{ role: 'user', content: 'Tell.' }]
    const stream = await client.chat.completions.create({ model: 'bench', stream: true, messages })
    let seen = 0
    for await (const chunk of stream) if (chunk.choices[0]?.delta?.content) seen++
    return seen
  },
}
