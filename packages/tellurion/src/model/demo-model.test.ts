import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assistant, toolCallsOf, user, type Message, type ToolMessage } from '../message/message.ts'
import type { ModelEvent, ModelRequest, ToolSpec } from '../port/model.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { complete } from './collect.ts'
import { demoModel } from './demo-model.ts'
import { model } from './named-model.ts'

const spec = (name: string, property: string): ToolSpec => ({
  name,
  description: name,
  inputSchema: { type: 'object', properties: { [property]: { type: 'string' } } },
})
const tools = [
  spec('calculator', 'expression'),
  spec('clock', 'timeZone'),
  spec('list_files', 'path'),
  spec('read_file', 'path'),
]

async function eventsOf(request: ModelRequest, signal?: AbortSignal): Promise<ModelEvent[]> {
  const events: ModelEvent[] = []
  for await (const event of demoModel().stream(request, { signal })) events.push(event)
  return events
}

async function replyTo(request: ModelRequest): Promise<{ text: string; calls: unknown[]; message: Message }> {
  const reply = await complete(demoModel(), request)
  assert.equal(reply.status, 'finished')
  const { message } = reply as Extract<typeof reply, { status: 'finished' }>
  const calls = toolCallsOf(message).map(({ toolName, input }) => [toolName, input])
  return { text: typeof message.content === 'string' ? message.content : '', calls, message }
}

/** What it says when its calls end like this. */
async function answered(text: string, ...results: (string | { error: string })[]): Promise<string> {
  const { message } = await replyTo({ messages: [user(text)], tools })
  const answers = toolCallsOf(message).map(({ toolCallId, toolName }, index): ToolMessage => {
    const result = results[index] ?? ''
    return typeof result === 'string'
      ? { role: 'tool', toolCallId, toolName, content: result }
      : { role: 'tool', toolCallId, toolName, content: result.error, isError: true }
  })
  return (await replyTo({ messages: [user(text), message, ...answers], tools })).text
}

describe('demoModel', () => {
  it('calls the tools that a text asks for, all at once', async () => {
    const { calls } = await replyTo({
      messages: [user('What is 12*7 and what time is it in Tokyo? List files in src.')],
      tools,
    })
    assert.deepEqual(calls, [
      ['calculator', { expression: '12*7' }],
      ['clock', { timeZone: 'Asia/Tokyo' }],
      ['list_files', { path: 'src' }],
    ])
  })

  it('calls one after another where parallel calls are not wanted', async () => {
    const request = { messages: [user('1+1 and 2+2')], tools, parallelToolCalls: false }
    const first = await replyTo(request)
    assert.deepEqual(first.calls, [['calculator', { expression: '1+1' }]])
    const [{ toolCallId = '' } = {}] = toolCallsOf(first.message)
    const result: ToolMessage = { role: 'tool', toolCallId, toolName: 'calculator', content: '2' }
    const second = await replyTo({ ...request, messages: [...request.messages, first.message, result] })
    assert.deepEqual(second.calls, [['calculator', { expression: '2+2' }]])
    assert.notEqual(toolCallsOf(second.message)[0]?.toolCallId, toolCallId)
  })

  it('makes sentences of results', async () => {
    assert.equal(await answered('what is 12*7?', '84'), '12*7 = 84.')
    assert.equal(await answered('what time is it?', 'Friday, 18:00'), 'It is Friday, 18:00.')
    assert.equal(await answered('ls src', 'a.ts\nb.ts'), 'src holds:\na.ts\nb.ts')
    assert.equal(await answered('ls', ''), 'The folder is empty.')
    assert.equal(await answered('read a.txt and 1+1', 'Hello.', '2'), 'a.txt says:\nHello.\n1+1 = 2.')
  })

  it('takes errors of tools as they come', async () => {
    const text = await answered('1/0 and 1+1', { error: 'division by zero' }, '2')
    assert.equal(text, 'I could not calculate 1/0: division by zero.\n1+1 = 2.')
    assert.equal(
      await answered('read x.md', { error: "The tool 'read_file' failed: no such file" }),
      'I could not read x.md: no such file.',
    )
  })

  it('shows only the beginning of a long file, and says so', async () => {
    const text = await answered('read long.txt', 'line\n'.repeat(500))
    assert.ok(text.length < 500)
    assert.match(text, /the whole has 500 lines and 2499 characters/)
  })

  it('says what it is, what it can do with these tools, and how to connect a real model', async () => {
    const all = await replyTo({ messages: [user('Who are you?')], tools })
    assert.match(
      all.text,
      /demo model.*calculate.*tell the time.*list files.*read them.*OPENAI_API_KEY.*LLM_BASE_URL.*\.env/,
    )
    const none = await replyTo({ messages: [user('Who are you?')] })
    assert.match(none.text, /without tools there is nothing I can do/)
    const other = await replyTo({ messages: [user('Who are you?')], tools: [spec('weather', 'place')] })
    assert.match(other.text, /use weather/)
  })

  it('says which tool it misses', async () => {
    const { text, calls } = await replyTo({ messages: [user('what is 1+1 and what time is it?')] })
    assert.deepEqual([text, calls], ['For that I would need a calculator and a clock, and none was given to me.', []])
  })

  it('looks at the newest request alone', async () => {
    const messages = [user('1+1'), assistant('1+1 = 2.'), user('thanks')]
    assert.deepEqual((await replyTo({ messages, tools })).calls, [])
  })

  it('keeps to the tool choice', async () => {
    const messages = [user('1+1 and what time is it')]
    assert.deepEqual((await replyTo({ messages, tools, toolChoice: 'none' })).calls, [])
    const one = await replyTo({ messages, tools, toolChoice: { tool: 'clock' } })
    assert.deepEqual(one.calls, [['clock', {}]])
    const reply = await complete(demoModel(), { messages: [user('hi')], tools, toolChoice: 'required' })
    assert.ok(reply.status === 'failed' && reply.failure.code === 'model_validation')
  })

  it('refuses structured output honestly', async () => {
    const output = { name: 'output', schema: { type: 'object' } }
    const reply = await complete(demoModel(), { messages: [user('1+1')], output })
    assert.ok(reply.status === 'failed' && reply.failure.code === 'model_validation' && !reply.failure.retryable)
    assert.match(reply.failure.message, /cannot give structured output: connect a real model/)
  })

  it('streams word by word, the same each time, and estimates usage', async () => {
    const request = { messages: [user('hello')], tools }
    const events = await eventsOf(request)
    assert.deepEqual(await eventsOf(request), events)
    const words = events.flatMap((event) => (event.type === 'text.delta' ? [event.text] : []))
    assert.ok(words.length > 20 && words.every((word) => /^\s*\S+$/.test(word)))
    const last = events.at(-1)
    assert.ok(last?.type === 'finish' && last.usage.inputTokens > 0 && last.usage.outputTokens >= words.length)
    assert.equal(last.usage.totalTokens, last.usage.inputTokens + last.usage.outputTokens)
  })

  it('stops at the limit of output tokens', async () => {
    const events = await eventsOf({ messages: [user('hello')], maxOutputTokens: 5 })
    const last = events.at(-1)
    assert.ok(last?.type === 'finish' && last.finishReason === 'length' && last.usage.outputTokens <= 5)
  })

  it('waits before each word when told, and stops at once when cancelled', async () => {
    const clock = virtualClock()
    const controller = new AbortController()
    const events: ModelEvent[] = []
    const reading = (async () => {
      const options = { signal: controller.signal }
      for await (const event of demoModel({ delay: 20, clock }).stream({ messages: [user('hello')] }, options))
        events.push(event)
    })()
    await clock.advance(59)
    assert.equal(events.length, 2)
    controller.abort()
    await reading
    assert.deepEqual(events.at(-1), { type: 'aborted' })
    assert.equal(clock.pending, 0)
    assert.deepEqual(await eventsOf({ messages: [user('hello')] }, controller.signal), [{ type: 'aborted' }])
  })

  it('refuses options that it does not have', () => {
    assert.throws(() => demoModel({ dealy: 5 } as object), /'dealy'.*'delay'/)
    assert.throws(() => demoModel({ delay: -1 }), /delay must be milliseconds/)
  })

  it("is model('demo')", () => assert.equal(model('demo').name, 'tellurion/demo'))
})
