// Our wires beside the vendors' own clients, before the same server: they ask at the same place, and read
// the same reply out of the same bytes.

import assert from 'node:assert/strict'
import test from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { textOf, toolCallsOf } from '../message/message.ts'
import type { ModelReply } from '../port/model.ts'
import { anthropicLanguage, openAILanguage, type WireLanguage, type WireScript } from '../testing/wire-script.ts'
import { serveWire, type WireServer } from '../testing/wire-server.node.ts'
import { complete } from './collect.ts'
import { model } from './named-model.ts'

const text = 'Hé, 世界 👩‍👩‍👧 "quoted"\n'
const json = '{"place":"Ålesund \\ud83d\\ude00","days":[1,2]}'

const script: WireScript = {
  steps: [
    { text: text.slice(0, 4) },
    { text: text.slice(4) },
    { call: { id: 'call_1', name: 'forecast', pieces: [...json] } },
    { call: { id: 'call_2', name: 'now', pieces: ['{}'] } },
    { finish: 'tool-calls' },
  ],
}

/** What both sides must agree on. */
interface Read {
  readonly text: string
  readonly calls: readonly (readonly [id: string, name: string, input: unknown])[]
  readonly usage: readonly [input: number, output: number]
  readonly model: string | undefined
  readonly id: string | undefined
}

function readOf(reply: ModelReply): Read {
  assert.ok(reply.status === 'finished')
  const { message, usage } = reply
  return {
    text: textOf(message),
    calls: toolCallsOf(message).map((call) => [call.toolCallId, call.toolName, call.input]),
    usage: [usage.inputTokens, usage.outputTokens],
    model: reply.model,
    id: reply.responseId,
  }
}

async function readByOpenAI(baseURL: string): Promise<Read> {
  const client = new OpenAI({ apiKey: 'test-key', baseURL, maxRetries: 0 })
  const stream = client.chat.completions.stream({
    model: 'scripted-1',
    messages: [{ role: 'user', content: 'Hello' }],
    stream_options: { include_usage: true },
  })
  const { id, model: answered, choices, usage } = await stream.finalChatCompletion()
  const message = choices[0]?.message
  return {
    text: message?.content ?? '',
    calls: (message?.tool_calls ?? []).map((call) => {
      assert.ok(call.type === 'function')
      return [call.id, call.function.name, JSON.parse(call.function.arguments)]
    }),
    usage: [usage?.prompt_tokens ?? 0, usage?.completion_tokens ?? 0],
    model: answered,
    id,
  }
}

async function readByAnthropic(baseURL: string): Promise<Read> {
  const client = new Anthropic({ apiKey: 'test-key', baseURL, maxRetries: 0 })
  const stream = client.messages.stream({
    model: 'scripted-1',
    max_tokens: 100,
    messages: [{ role: 'user', content: 'Hello' }],
  })
  const { id, model: answered, content, usage } = await stream.finalMessage()
  return {
    text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    calls: content.flatMap((block) =>
      block.type === 'tool_use' ? [[block.id, block.name, block.input] as const] : [],
    ),
    usage: [usage.input_tokens, usage.output_tokens],
    model: answered,
    id,
  }
}

const sides = [
  { vendor: 'openai', language: openAILanguage, official: readByOpenAI, sameHeaders: ['authorization'] },
  {
    vendor: 'anthropic',
    language: anthropicLanguage,
    official: readByAnthropic,
    // Its client sends another API version and the key as a bearer token; the API takes both ways.
    sameHeaders: [],
  },
] as const

async function beside(
  { vendor, language }: { vendor: string; language: WireLanguage },
  said: WireScript,
  check: (ask: () => Promise<ModelReply>, server: WireServer) => Promise<void>,
): Promise<void> {
  const server = await serveWire(language, said)
  try {
    const asked = model(`${vendor}/scripted-1`, { apiKey: 'test-key', baseURL: server.baseURL, env: {} })
    await check(() => complete(asked, { messages: [{ role: 'user', content: 'Hello' }] }), server)
  } finally {
    await server.close()
  }
}

for (const side of sides) {
  test(`${side.vendor}: the vendor's client reads the same reply`, async () => {
    await beside(side, script, async (ask, server) => {
      const [ours, theirs] = [readOf(await ask()), await side.official(server.baseURL)]
      assert.deepEqual(ours, theirs)
      assert.equal(ours.text, text)
      const [mine, other] = server.requests
      assert.deepEqual([mine?.method, mine?.path], [other?.method, other?.path])
      for (const header of [...side.sameHeaders, 'content-type']) {
        assert.equal(mine?.headers[header], other?.headers[header], header)
      }
      const { model: asked, stream } = JSON.parse(mine?.body ?? '{}') as { model?: string; stream?: boolean }
      assert.deepEqual([asked, stream], ['scripted-1', true])
    })
  })

  test(`${side.vendor}: where the vendor's client throws, ours fails with the same status`, async () => {
    for (const status of [400, 401, 403, 404, 429, 500]) {
      await beside(side, { status }, async (ask, server) => {
        const ours = await ask()
        const thrown = await side.official(server.baseURL).then(
          () => undefined,
          (error: unknown) => error as { status?: number },
        )
        assert.deepEqual([ours.status === 'failed' && ours.failure.status, thrown?.status], [status, status])
      })
    }
  })

  test(`${side.vendor}: where the vendor's client sees an error in mid-stream, so does ours`, async () => {
    await beside(side, { steps: [{ text: 'Half' }, { error: 'Overloaded' }] }, async (ask, server) => {
      assert.equal((await ask()).status, 'failed')
      await assert.rejects(side.official(server.baseURL))
    })
  })
}
