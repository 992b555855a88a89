// Collecting a stream of events into one reply.

import assert from 'node:assert/strict'
import test from 'node:test'
import type { Model, ModelEvent, Usage } from '../port/model.ts'
import { collect, complete } from './collect.ts'
import { failure } from './failure.ts'

const usage: Usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3 }
const finish: ModelEvent = { type: 'finish', finishReason: 'stop', usage }
const text = (piece: string): ModelEvent => ({ type: 'text.delta', text: piece })
const thought = (piece: string): ModelEvent => ({ type: 'reasoning.delta', text: piece })
const call: ModelEvent = {
  type: 'tool.call',
  call: { type: 'tool-call', toolCallId: 'c1', toolName: 'look', input: {} },
}
const broken = failure('service', 'overloaded')

async function* stream(...events: readonly ModelEvent[]): AsyncGenerator<ModelEvent> {
  for (const event of events) yield event
}

async function messageOf(...events: readonly ModelEvent[]) {
  const reply = await collect(stream(...events))
  return reply.message
}

test('only text is a plain string, nothing at all an empty one', async () => {
  assert.deepEqual(await messageOf(text('a'), text('b'), finish), { role: 'assistant', content: 'ab' })
  assert.deepEqual(await messageOf(finish), { role: 'assistant', content: '' })
})

test('reasoning, text and calls become parts in the order they came', async () => {
  const end: ModelEvent = { type: 'reasoning.end', signature: 's', providerMetadata: { v: { a: 1 } } }
  assert.deepEqual(await messageOf(thought('h'), thought('m'), end, text('a'), text('b'), call, text('c'), finish), {
    role: 'assistant',
    content: [
      { type: 'reasoning', text: 'hm', signature: 's', providerMetadata: { v: { a: 1 } } },
      { type: 'text', text: 'ab' },
      { type: 'tool-call', toolCallId: 'c1', toolName: 'look', input: {} },
      { type: 'text', text: 'c' },
    ],
  })
})

test('reasoning that nobody ended is closed by what follows, and redacted reasoning has no text', async () => {
  assert.deepEqual(await messageOf(thought('h'), text('a'), { type: 'reasoning.end', redacted: 'r' }, finish), {
    role: 'assistant',
    content: [
      { type: 'reasoning', text: 'h' },
      { type: 'text', text: 'a' },
      { type: 'reasoning', text: '', redacted: 'r' },
    ],
  })
})

test('an end of reasoning that brings nothing is no part', async () => {
  assert.deepEqual(await messageOf({ type: 'reasoning.end' }, text('a'), finish), { role: 'assistant', content: 'a' })
})

test('a surrogate pair split over two deltas is whole again, a lone half is replaced', async () => {
  assert.equal((await messageOf(text('\ud83d'), text('\ude00'), finish))?.content, '😀')
  assert.equal((await messageOf(text('a\ud83d'), finish))?.content, 'a\ufffd')
})

test('restart voids what came', async () => {
  const restart: ModelEvent = { type: 'restart', failure: broken }
  assert.deepEqual(await messageOf(text('old'), call, restart, text('new'), finish), {
    role: 'assistant',
    content: 'new',
  })
})

test('a failed reply keeps its text without calls, and no message when nothing came', async () => {
  const error: ModelEvent = { type: 'error', failure: broken }
  assert.deepEqual(await collect(stream(text('a'), call, text('b'), error)), {
    status: 'failed',
    failure: broken,
    message: { role: 'assistant', content: 'ab', partial: true },
  })
  assert.deepEqual(await collect(stream(call, error)), { status: 'failed', failure: broken })
})

test('an aborted reply keeps what came', async () => {
  assert.deepEqual(await collect(stream(thought('h'), text('a'), { type: 'aborted' })), {
    status: 'aborted',
    message: {
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'h' },
        { type: 'text', text: 'a' },
      ],
      partial: true,
    },
  })
})

test('a stream without a last event is invalid, one that throws is unknown, one that rejects with an abort is aborted', async () => {
  const cut = await collect(stream(text('a')))
  assert.equal(cut.status === 'failed' && cut.failure.code, 'invalid_reply')
  assert.equal(cut.message?.content, 'a')
  async function* throwing(error: Error): AsyncGenerator<ModelEvent> {
    yield text('a')
    throw error
  }
  const thrown = await collect(throwing(new Error('bug')))
  assert.equal(thrown.status === 'failed' && thrown.failure.code, 'model_unknown')
  const aborted = await collect(throwing(new DOMException('stop', 'AbortError')))
  assert.deepEqual(aborted, { status: 'aborted', message: { role: 'assistant', content: 'a', partial: true } })
})

test('onEvent sees every event once and first; what it throws comes out, and the stream is closed', async () => {
  const seen: string[] = []
  await collect(stream(text('a'), call, finish), (event) => seen.push(event.type))
  assert.deepEqual(seen, ['text.delta', 'tool.call', 'finish'])
  let closed = false
  async function* endless(): AsyncGenerator<ModelEvent> {
    try {
      for (;;) yield text('a')
    } finally {
      closed = true
    }
  }
  const mine = new Error('mine')
  const collecting = collect(endless(), () => {
    throw mine
  })
  await assert.rejects(collecting, mine)
  assert.equal(closed, true)
})

test('nothing after the last event is read', async () => {
  const reply = await collect(stream(finish, text('late')))
  assert.equal(reply.message?.content, '')
})

test('complete gives the signal on, and never rejects', async () => {
  const { signal } = new AbortController()
  let given: AbortSignal | undefined
  const model: Model = {
    name: 'test/one',
    stream(_request, options) {
      given = options.signal
      return stream(text('a'), { ...finish, model: 'one-1', responseId: 'r1' } as ModelEvent)
    },
  }
  assert.deepEqual(await complete(model, { messages: [] }, { signal }), {
    status: 'finished',
    message: { role: 'assistant', content: 'a' },
    finishReason: 'stop',
    usage,
    model: 'one-1',
    responseId: 'r1',
  })
  assert.equal(given, signal)
  const faulty: Model = {
    name: 'test/two',
    stream() {
      throw new TypeError('broken model')
    },
  }
  const reply = await complete(faulty, { messages: [] })
  assert.equal(reply.status === 'failed' && reply.failure.model, 'test/two')
})
