// pi: the agent loop of @earendil-works/pi-agent-core.

import { Agent } from '@earendil-works/pi-agent-core'
import { createAssistantMessageEventStream, Type } from '@earendil-works/pi-ai'
import { answerText, turnOf } from './script.mjs'

const model = {
  id: 'bench',
  name: 'bench',
  api: 'bench',
  provider: 'bench',
  baseUrl: '',
  reasoning: false,
  input: ['text'],
  cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
  contextWindow: 1_000_000,
  maxTokens: 1000,
}
const cost = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, total: 0 }
const usage = { input: 100, output: 10, cacheRead: 0, cacheWrite: 0, totalTokens: 110, cost }

const message = (content, stopReason) => ({
  role: 'assistant',
  content,
  api: 'bench',
  provider: 'bench',
  model: 'bench',
  usage,
  stopReason,
  timestamp: 0,
})
const callMessage = (calls) =>
  message(
    calls.map(({ id, name, input }) => ({ type: 'toolCall', id, name, arguments: input })),
    'toolUse',
  )

/** A stream function that gives `reply(messages)`: tool calls or a text. */
const streamFn =
  (reply) =>
  (_, { messages }) => {
    const stream = createAssistantMessageEventStream()
    const give = (given) => {
      const whole = typeof given === 'string' ? message([{ type: 'text', text: given }], 'stop') : callMessage(given)
      stream.push({ type: 'start', partial: whole })
      stream.push({ type: 'done', reason: whole.stopReason, message: whole })
    }
    const given = reply(messages)
    if (given instanceof Promise) void given.then(give)
    else give(given)
    return stream
  }

const deltaFn = (count) => () => {
  const stream = createAssistantMessageEventStream()
  const partial = message([{ type: 'text', text: '' }], 'stop')
  stream.push({ type: 'start', partial })
  stream.push({ type: 'text_start', contentIndex: 0, partial })
  for (let index = 0; index < count; index++) {
    partial.content[0].text += 'word '
    stream.push({ type: 'text_delta', contentIndex: 0, delta: 'word ', partial })
  }
  stream.push({ type: 'text_end', contentIndex: 0, content: partial.content[0].text, partial })
  stream.push({ type: 'done', reason: 'stop', message: partial })
  return stream
}

const tool = (name, properties, execute) => ({
  name,
  label: name,
  description: name,
  parameters: Type.Object(properties),
  execute: async (_, input) => ({ content: [{ type: 'text', text: await execute(input) }], details: {} }),
})
const add = tool('add', { a: Type.Number(), b: Type.Number() }, ({ a, b }) => String(a + b))

function agentWith(streaming, tools = [add], messages = []) {
  return new Agent({ initialState: { systemPrompt: 'Be brief.', model, tools, messages }, streamFn: streaming })
}

const lastId = (messages) => messages.at(-1)?.toolCallId

export const peer = {
  runs: (wait) => {
    const streaming = streamFn((messages) => turnOf(lastId(messages), wait))
    return {
      make: () => agentWith(streaming),
      start: async (agent) => {
        let seen = 0
        agent.subscribe(() => void seen++)
        await agent.prompt('Add up.')
        return agent.state.messages.filter(({ role }) => role === 'assistant').length
      },
    }
  },
  deltas: (count) => {
    const streaming = deltaFn(count)
    return async () => {
      const agent = agentWith(streaming)
      let text = ''
      agent.subscribe((event) => {
        if (event.type === 'message_update' && event.assistantMessageEvent.type === 'text_delta') {
          text += event.assistantMessageEvent.delta
        }
      })
      await agent.prompt('Tell.')
      return text
    }
  },
  chat: (history) => {
    const streaming = streamFn(() => answerText)
    const messages = history.map(({ role, content }) =>
      role === 'user' ? { role, content, timestamp: 0 } : message([{ type: 'text', text: content }], 'stop'),
    )
    return () => {
      const agent = agentWith(streaming, [add], messages)
      return () => agent.prompt('Go on.')
    }
  },
  parallel: (count, execute) => {
    const calls = Array.from({ length: count }, (_, index) => ({ id: `call_${index}`, name: 'wait', input: { index } }))
    const streaming = streamFn((messages) => (lastId(messages) === undefined ? calls : answerText))
    const wait = tool('wait', { index: Type.Number() }, execute)
    return async () => {
      const agent = agentWith(streaming, [wait])
      await agent.prompt('Wait.')
      return agent.state.messages.flatMap(({ role, content }) => (role === 'toolResult' ? [content[0].text] : []))
    }
  },
}
