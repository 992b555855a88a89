// LangGraph: its prebuilt ReAct agent.

import { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { AIMessage, AIMessageChunk } from '@langchain/core/messages'
import { ChatGenerationChunk } from '@langchain/core/outputs'
import { tool } from '@langchain/core/tools'
import { createReactAgent } from '@langchain/langgraph/prebuilt'
import { z } from 'zod'
import { answerText, turnOf } from './script.mjs'

const usage = { input_tokens: 100, output_tokens: 10, total_tokens: 110 }

const messageOf = (reply) =>
  typeof reply === 'string'
    ? new AIMessage({ content: reply, usage_metadata: usage })
    : new AIMessage({
        content: '',
        tool_calls: reply.map(({ id, name, input }) => ({ id, name, args: input, type: 'tool_call' })),
        usage_metadata: usage,
      })

class ScriptedChat extends BaseChatModel {
  constructor(reply) {
    super({})
    this.reply = reply
  }

  _llmType() {
    return 'bench'
  }

  bindTools() {
    return this
  }

  async _generate(messages) {
    const message = messageOf(await this.reply(messages))
    return { generations: [{ text: String(message.content), message }] }
  }
}

class DeltaChat extends ScriptedChat {
  constructor(count) {
    super(() => answerText)
    this.count = count
  }

  async *_streamResponseChunks(_messages, _options, runManager) {
    for (let index = 0; index < this.count; index++) {
      const chunk = new ChatGenerationChunk({ text: 'word ', message: new AIMessageChunk('word ') })
      yield chunk
      await runManager?.handleLLMNewToken('word ', undefined, undefined, undefined, undefined, { chunk })
    }
  }
}

const add = tool(({ a, b }) => String(a + b), {
  name: 'add',
  description: 'Adds',
  schema: z.object({ a: z.number(), b: z.number() }),
})
const graphOf = (llm, tools = [add]) => createReactAgent({ llm, tools, prompt: 'Be brief.' })
const lastId = (messages) => messages.at(-1)?.tool_call_id
const options = { recursionLimit: 100 }

export const peer = {
  runs: (wait) => {
    const graph = graphOf(new ScriptedChat((messages) => turnOf(lastId(messages), wait)))
    return {
      make: () => ({ messages: [{ role: 'user', content: 'Add up.' }] }),
      start: async (input) => {
        const { messages } = await graph.invoke(input, options)
        return messages.filter((message) => message.getType() === 'ai').length
      },
    }
  },
  deltas: (count) => {
    const graph = graphOf(new DeltaChat(count))
    return async () => {
      let text = ''
      const input = { messages: [{ role: 'user', content: 'Tell.' }] }
      for await (const [chunk] of await graph.stream(input, { streamMode: 'messages' })) text += chunk.content
      return text
    }
  },
  chat: (history) => {
    const graph = graphOf(new ScriptedChat(() => answerText))
    return () => {
      let messages = [...history]
      return async () => {
        const result = await graph.invoke({ messages: [...messages, { role: 'user', content: 'Go on.' }] }, options)
        messages = result.messages
      }
    }
  },
  parallel: (count, execute) => {
    const calls = Array.from({ length: count }, (_, index) => ({ id: `call_${index}`, name: 'wait', input: { index } }))
    const wait = tool(execute, { name: 'wait', description: 'Waits', schema: z.object({ index: z.number() }) })
    const graph = graphOf(new ScriptedChat((messages) => (lastId(messages) === undefined ? calls : answerText)), [wait])
    return async () => {
      const { messages } = await graph.invoke({ messages: [{ role: 'user', content: 'Wait.' }] }, options)
      return messages.flatMap((message) => (message.getType() === 'tool' ? [message.content] : []))
    }
  },
}
