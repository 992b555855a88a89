import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Message } from '../message/message.ts'
import { assistant, user } from '../message/message.ts'
import { collect, complete } from '../model/collect.ts'
import { failure } from '../model/failure.ts'
import type { Model, ModelEvent, ModelRequest } from '../port/model.ts'
import { faultyModel } from './faulty-model.ts'
import { scriptedModel } from './scripted-model.ts'
import { virtualClock } from './virtual-clock.ts'

const request: ModelRequest = { messages: [user('hi')] }

async function eventsOf(model: Model, signal?: AbortSignal): Promise<ModelEvent[]> {
  const events: ModelEvent[] = []
  for await (const event of model.stream(request, { signal })) events.push(event)
  return events
}

test('replies come in order, and then the script is exhausted, in its own type', async () => {
  const model = scriptedModel([
    'one',
    {
      text: 'two',
      calls: [
        { toolName: 'add', input: { a: 1 } },
        { toolName: 'add', input: {}, toolCallId: 'mine' },
      ],
    },
    assistant('three'),
    failure('rate_limit', 'slow down', { status: 429 }),
    ({ messages }) => `you said ${String(messages.at(-1)?.content)}`,
    { events: [{ type: 'aborted' }] },
  ])
  const replies = []
  for (let call = 0; call < 7; call++) replies.push(await complete(model, request))
  const [one, two, three, limited, said, events, exhausted] = replies
  assert.ok(one?.status === 'finished' && one.message.content === 'one' && one.finishReason === 'stop')
  assert.ok(two?.status === 'finished' && two.finishReason === 'tool-calls')
  assert.deepEqual(two.message.content, [
    { type: 'text', text: 'two' },
    { type: 'tool-call', toolCallId: 'call_1', toolName: 'add', input: { a: 1 } },
    { type: 'tool-call', toolCallId: 'mine', toolName: 'add', input: {} },
  ])
  assert.ok(three?.status === 'finished' && three.message.content === 'three')
  assert.ok(limited?.status === 'failed' && limited.failure.kind === 'rate_limit')
  assert.ok(said?.status === 'finished' && said.message.content === 'you said hi')
  assert.equal(events?.status, 'aborted')
  assert.ok(exhausted?.status === 'failed')
  assert.equal(exhausted.failure.code, 'provider_exhausted')
  assert.match(exhausted.failure.message, /the script holds 6 replies and this is call 7/)
  assert.equal(model.calls, 7)
})

test('deltas are split as asked, never inside a character, and joined again are the whole', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 5 }), async (text, chunkSize) => {
      const model = scriptedModel([{ reasoning: text, text, calls: [{ toolName: 't', input: { text } }] }], {
        chunkSize,
      })
      const joined = { 'text.delta': '', 'reasoning.delta': '', 'tool.delta': '' }
      for (const event of await eventsOf(model)) {
        if (event.type === 'tool.delta') joined['tool.delta'] += event.delta
        else if (event.type === 'text.delta' || event.type === 'reasoning.delta') {
          assert.ok(event.text.isWellFormed())
          assert.ok(Array.from(event.text).length <= chunkSize)
          joined[event.type] += event.text
        }
      }
      assert.deepEqual(joined, { 'text.delta': text, 'reasoning.delta': text, 'tool.delta': JSON.stringify({ text }) })
    }),
    { numRuns: 50 },
  )
})

test('it keeps what it was asked, as it was then', async () => {
  const model = scriptedModel(['a', 'b'])
  const messages: Message[] = [user('first')]
  await complete(model, { messages })
  messages.push(user('second'))
  await complete(model, { messages })
  assert.deepEqual(
    model.requests.map((asked) => asked.messages.length),
    [1, 2],
  )
  const forgetful = scriptedModel(['a'], { keepRequests: false })
  await complete(forgetful, request)
  assert.deepEqual(forgetful.requests, [])
})

test('nothing is taken from the script before the first event is asked for', async () => {
  const model = scriptedModel(['a'])
  const unread = model.stream(request, {})
  assert.equal(model.calls, 0)
  assert.equal((await collect(unread)).status, 'finished')
  assert.equal(model.calls, 1)
})

test('a function that throws is a failure, one that waits can be cancelled', async () => {
  const model = scriptedModel([
    () => {
      throw new Error('no idea')
    },
    () => new Promise<string>(() => {}),
  ])
  const failed = await complete(model, request)
  assert.ok(failed.status === 'failed')
  assert.match(failed.failure.message, /no idea/)
  const controller = new AbortController()
  const waiting = complete(model, request, { signal: controller.signal })
  queueMicrotask(() => controller.abort())
  assert.equal((await waiting).status, 'aborted')
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
})

test('with a delay each event takes its time, and cancelling ends it at once', async () => {
  const clock = virtualClock()
  const model = scriptedModel(['abc', 'abc'], { chunkSize: 1, delay: 20, clock })
  const whole = eventsOf(model)
  await clock.runAll()
  assert.equal((await whole).length, 4)
  assert.equal(clock.now(), 80)
  const controller = new AbortController()
  const cut = eventsOf(model, controller.signal)
  await clock.advance(50)
  controller.abort()
  assert.deepEqual(
    (await cut).map((event) => event.type),
    ['text.delta', 'text.delta', 'aborted'],
  )
  assert.equal(clock.pending, 0)
})

test('a faulty model goes wrong as planned, and only then', async () => {
  const clock = virtualClock()
  const inner = () => scriptedModel(() => 'abc', { chunkSize: 1 })
  const model = faultyModel(
    inner(),
    [
      { fault: 'error', after: 2 },
      { fault: 'cut', after: 1 },
      { fault: 'twice' },
      undefined,
      { fault: 'slow', wait: 10 },
      { fault: 'throw', after: 1, error: new Error('broken') },
    ],
    { clock },
  )
  const course = async () =>
    (await eventsOf(model)).map((event) => (event.type === 'text.delta' ? event.text : event.type))
  assert.deepEqual(await course(), ['a', 'b', 'error'])
  assert.deepEqual(await course(), ['a'])
  assert.deepEqual(await course(), ['a', 'b', 'c', 'finish', 'finish', 'too late'])
  assert.deepEqual(await course(), ['a', 'b', 'c', 'finish'])
  const slow = course()
  await clock.runAll()
  assert.deepEqual(await slow, ['a', 'b', 'c', 'finish'])
  assert.equal(clock.now(), 40)
  await assert.rejects(course(), /broken/)
  assert.deepEqual(await course(), ['a', 'b', 'c', 'finish'])
  assert.deepEqual([model.calls, model.open], [7, 0])

  const once = faultyModel(inner(), () => ({ fault: 'throw-at-once' }))
  assert.throws(() => once.stream(request, {}), /a model that throws/)
})

test('a call that breaks before its first event is not made', async () => {
  const inner = scriptedModel(['one', 'two'])
  const model = faultyModel(inner, [{ fault: 'error' }, { fault: 'cut' }, { fault: 'error', after: 1 }])
  assert.equal((await eventsOf(model)).at(-1)?.type, 'error')
  assert.deepEqual(await eventsOf(model), [])
  assert.equal(inner.calls, 0)
  assert.deepEqual(await eventsOf(model), [
    { type: 'text.delta', text: 'one' },
    { type: 'error', failure: failure('service', 'HTTP 503', { status: 503, model: 'test/scripted' }) },
  ])
  assert.equal(inner.calls, 1)
})

test('a hanging model ends when it is cancelled, a deaf one never', async () => {
  const hanging = faultyModel(
    scriptedModel(() => 'abc', { chunkSize: 1 }),
    [{ fault: 'hang', after: 1 }, { fault: 'deaf' }],
  )
  const controller = new AbortController()
  const { signal } = controller
  const events = eventsOf(hanging, signal)
  let heard = false
  const deaf = hanging.stream(request, { signal })[Symbol.asyncIterator]()
  void deaf.next().then(() => (heard = true))
  assert.equal(hanging.open, 1)
  await virtualClock().settle()
  controller.abort()
  assert.deepEqual(
    (await events).map((event) => event.type),
    ['text.delta', 'aborted'],
  )
  await virtualClock().settle()
  assert.equal(heard, false)
  assert.equal(hanging.open, 0)
})
