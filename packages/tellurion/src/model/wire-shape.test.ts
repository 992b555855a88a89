// The law of shapes: whatever JSON a server sends in place of what the API says, the answer is a reply that a world can
// hold, or a failure that does not blame the network.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Model, ModelReply } from '../port/model.ts'
import type { Json } from '../schema/json.ts'
import { jsonProblem } from '../schema/plain-json.ts'
import { anthropicLanguage, openAILanguage } from '../testing/wire-script.ts'
import { complete } from './collect.ts'
import { model } from './named-model.ts'

const request = { messages: [{ role: 'user', content: 'Hello' }] } as const

const saying = (name: string, body: string): Model =>
  model(name, { apiKey: 'test-key', env: {}, fetch: (async () => new Response(body)) as typeof fetch })

const steps = [
  { reasoning: 'Hm.' },
  { text: 'Let me see.' },
  { call: { id: 'c1', name: 'look', pieces: ['{"a":', '1}'] } },
  { finish: 'tool-calls' },
] as const

/** Every place in a JSON value. */
function places(value: Json, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([key, item]) => places(item, [...path, key]))]
}

/** The value with another one in this place. */
function replaced(value: Json, [key, ...rest]: readonly string[], other: Json): Json {
  if (key === undefined) return other
  const copy = structuredClone(value) as Record<string, Json>
  copy[key] = replaced(copy[key] as Json, rest, other)
  return copy
}

const strange = fc.oneof(
  fc.constantFrom<Json[]>(null, true, 0, -1, 1e300, '', 'text', '\ud800', [], [null], {}, { type: 'text' }, [[]]),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
)

function problemOf(reply: ModelReply): string | undefined {
  if (reply.status === 'aborted') return 'aborted'
  if (reply.status === 'failed') {
    const { code, message } = reply.failure
    return code === 'model_network' && !message.includes('cut off') ? message : undefined
  }
  const { message, usage } = reply
  for (const count of Object.values(usage)) if (!Number.isFinite(count) || count < 0) return `usage of ${count}`
  return jsonProblem(message)
}

for (const [name, language] of [
  ['openai/m', openAILanguage],
  ['anthropic/m', anthropicLanguage],
] as const) {
  describe(name, () => {
    test('a strange value anywhere in a stream is read over or an invalid reply', async () => {
      const events = language.events(steps).map((event) => event.slice(event.indexOf('data: ') + 6).trim())
      const parsed = events.map((event) => (event === '[DONE]' ? event : (JSON.parse(event) as Json)))
      const spots = parsed.flatMap((event, index) => places(event).map((path) => ({ index, path })))
      const law = fc.asyncProperty(fc.constantFrom(...spots), strange, async ({ index, path }, other) => {
        const changed = parsed.with(index, replaced(parsed[index]!, path, other))
        const body = changed.map((event) => `data: ${event === '[DONE]' ? event : JSON.stringify(event)}\n\n`).join('')
        assert.equal(problemOf(await complete(saying(name, body), request)), undefined)
      })
      await fc.assert(law, { numRuns: 1_000 })
    })

    test('what is no event stream at all is an invalid reply', async () => {
      for (const body of ['OK', 'null', '123', '"hi"', '[]', '{}', Buffer.from('data: {}\n\n', 'utf16le').toString()]) {
        const reply = await complete(saying(name, body), request)
        assert.equal(reply.status === 'failed' && reply.failure.code, 'invalid_reply', body)
      }
    })
  })
}

test('arguments that are neither text nor an object are handed on to be refused', async () => {
  const call = { index: 0, id: 'c1', function: { name: 'look', arguments: 5 } }
  const chunk = { choices: [{ delta: { tool_calls: [call] }, finish_reason: 'tool_calls' }] }
  const reply = await complete(saying('openai/m', `data: ${JSON.stringify(chunk)}\n\n`), request)
  assert.deepEqual(reply.status === 'finished' && reply.message.content, [
    { type: 'tool-call', toolCallId: 'c1', toolName: 'look', input: 5 },
  ])
})
