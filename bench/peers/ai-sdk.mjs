// The AI SDK: generateText and streamText.

import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { generateText, isStepCount, streamText, tool } from 'ai'
import { z } from 'zod'
import { answerText, turnOf } from './script.mjs'

const usage = {
  inputTokens: { total: 100, noCache: 100, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 10, text: 10, reasoning: 0 },
}
const finish = (unified) => ({ finishReason: { unified, raw: unified }, usage, warnings: [] })

const resultOf = (reply) =>
  typeof reply === 'string'
    ? { content: [{ type: 'text', text: reply }], ...finish('stop') }
    : {
        content: reply.map(({ id, name, input }) => ({
          type: 'tool-call',
          toolCallId: id,
          toolName: name,
          input: JSON.stringify(input),
        })),
        ...finish('tool-calls'),
      }

const modelOf = (more) => ({
  specificationVersion: 'v4',
  provider: 'bench',
  modelId: 'bench',
  supportedUrls: {},
  ...more,
})
const modelWith = (reply) => modelOf({ doGenerate: async ({ prompt }) => resultOf(await reply(prompt)) })

const lastId = (prompt) => {
  const last = prompt.at(-1)
  return last.role === 'tool' ? last.content.at(-1).toolCallId : undefined
}

const add = tool({
  description: 'Adds',
  inputSchema: z.object({ a: z.number(), b: z.number() }),
  execute: ({ a, b }) => String(a + b),
})
const system = 'Be brief.'

export const peer = {
  runs: (wait) => {
    const model = modelWith((prompt) => turnOf(lastId(prompt), wait))
    return {
      make: () => ({ instructions: system, model, tools: { add }, stopWhen: isStepCount(20), prompt: 'Add up.' }),
      start: async (options) => (await generateText(options)).steps.length,
    }
  },
  deltas: (count) => {
    const parts = [
      { type: 'stream-start', warnings: [] },
      { type: 'text-start', id: '1' },
      ...Array.from({ length: count }, () => ({ type: 'text-delta', id: '1', delta: 'word ' })),
      { type: 'text-end', id: '1' },
      { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage },
    ]
    const model = modelOf({ doStream: async () => ({ stream: ReadableStream.from(parts) }) })
    return async () => {
      let text = ''
      for await (const delta of streamText({ model, prompt: 'Tell.' }).textStream) text += delta
      return text
    }
  },
  chat: (history) => {
    const model = modelWith(() => answerText)
    return () => {
      const messages = [...history]
      return async () => {
        messages.push({ role: 'user', content: 'Go on.' })
        const { response } = await generateText({ instructions: system, model, tools: { add }, messages })
        messages.push(...response.messages)
      }
    }
  },
  parallel: (count, execute) => {
    const calls = Array.from({ length: count }, (_, index) => ({ id: `call_${index}`, name: 'wait', input: { index } }))
    const model = modelWith((prompt) => (lastId(prompt) === undefined ? calls : answerText))
    const wait = tool({ description: 'Waits', inputSchema: z.object({ index: z.number() }), execute })
    return async () => {
      const { steps } = await generateText({ model, tools: { wait }, stopWhen: isStepCount(5), prompt: 'Wait.' })
      return steps.flatMap(({ toolResults }) => toolResults.map(({ output }) => output))
    }
  },
  read: async (baseURL) => {
    const model = createOpenAICompatible({ name: 'bench', baseURL, apiKey: 'key', includeUsage: true })('bench')
    const prompt = [{ role: 'user', content: [{ type: 'text', text: 'Tell.' }] }]
    const { stream } = await model.doStream({ prompt })
    let seen = 0
    for await (const part of stream) if (part.type === 'text-delta') seen++
    return seen
  },
}
