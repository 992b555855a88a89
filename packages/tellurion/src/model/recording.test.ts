import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assistant, user } from '../message/message.ts'
import type { ModelRequest } from '../port/model.ts'
import { faultyModel } from '../testing/faulty-model.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { breaker } from './breaker.ts'
import { collect, complete } from './collect.ts'
import { priced } from './priced.ts'
import { record, replay, type Recording } from './recording.ts'
import { macrotask, virtualClock } from '../testing/virtual-clock.ts'

const request: ModelRequest = { messages: [user('hi')], temperature: 0, system: 'Be brief.' }
const other: ModelRequest = { messages: [user('hi'), assistant('one'), user('more')] }

test('a recording survives JSON and is given again, event by event', async () => {
  const recordings: Recording[] = []
  const script = scriptedModel(['one', { calls: [{ toolName: 'add', input: { a: 1 } }] }, 'three'], { chunkSize: 2 })
  const recorder = record(script, recordings)
  const first = await complete(recorder, request)
  const second = await complete(recorder, other)
  const third = await complete(recorder, request)

  const model = replay(JSON.parse(JSON.stringify(recordings)) as Recording[])
  assert.equal(model.name, 'test/scripted')
  assert.deepEqual(await complete(model, other), second, 'found by content, not by order alone')
  assert.deepEqual(await complete(model, request), first)
  assert.deepEqual(await complete(model, request), third, 'the same question twice: in the order recorded')
  const exhausted = await complete(model, request)
  assert.ok(exhausted.status === 'failed')
  assert.equal(exhausted.failure.code, 'provider_exhausted')
  assert.match(exhausted.failure.message, /all 2 replies to this request were given/)
})

test('ids, headers and the order of fields do not matter; the content does', async () => {
  const recordings: Recording[] = []
  await complete(record(scriptedModel(['one']), recordings), {
    ...request,
    headers: { authorization: 'Bearer s3cret' },
  })
  assert.ok(!JSON.stringify(recordings).includes('s3cret'))
  const same = { system: 'Be brief.', temperature: 0, messages: [{ id: 'm1', content: 'hi', role: 'user' as const }] }
  assert.equal((await complete(replay(recordings), same)).status, 'finished')
  const different = await complete(replay(recordings), { ...request, temperature: 1 })
  assert.ok(different.status === 'failed')
  assert.match(different.failure.message, /no reply to this request was recorded/)
})

test('failures are recorded, cancelled and abandoned calls are not', async () => {
  const recordings: Recording[] = []
  const faulty = faultyModel(
    scriptedModel(() => 'abc', { chunkSize: 1 }),
    [{ fault: 'error' }, { fault: 'hang', after: 1 }],
  )
  const recorder = record(faulty, recordings)
  await complete(recorder, request)
  assert.equal(recordings.length, 1)
  const controller = new AbortController()
  await collect(recorder.stream(request, { signal: controller.signal }), () => controller.abort())
  for await (const event of recorder.stream(request, {})) if (event.type === 'text.delta') break
  assert.equal(recordings.length, 1)
  assert.equal((await complete(replay(recordings), request)).status, 'failed')
})

test('a priced model says what each reply cost', async () => {
  const usage = { inputTokens: 100, outputTokens: 10, totalTokens: 110 }
  const model = priced(
    scriptedModel(() => ({ text: 'x', usage }), { name: 'vendor/model' }),
    (used, name) => {
      assert.equal(name, 'vendor/model')
      return used.inputTokens * 2 + used.outputTokens * 8
    },
  )
  const reply = await complete(model, request)
  assert.ok(reply.status === 'finished')
  assert.deepEqual(reply.usage, { ...usage, cost: 280 })
})

test('a price that is no number fails the reply instead of fooling a budget', async () => {
  const reply = await complete(
    priced(scriptedModel(['x']), () => Number.NaN),
    request,
  )
  assert.ok(reply.status === 'failed')
  assert.equal(reply.failure.code, 'invalid_option')
  assert.match(reply.failure.message, /it returned NaN/)
})

test('a model behind a breaker is refused after five failures, and the refusal says how long', async () => {
  const clock = virtualClock()
  const inner = faultyModel(
    scriptedModel(() => 'up'),
    (call) => (call < 5 ? { fault: 'error' } : undefined),
  )
  const model = breaker(inner, { clock })
  for (let call = 0; call < 5; call++) await complete(model, request)
  const refused = await complete(model, request)
  assert.ok(refused.status === 'failed')
  const { code, kind, retryAfter, retryable } = refused.failure
  assert.deepEqual([code, kind, retryAfter, retryable], ['breaker_open', 'service', 60_000, true])
  assert.equal(inner.calls, 5)
  await clock.advance(60_000)
  assert.equal(model.state, 'half_open')
  await complete(model, request)
  await complete(model, request)
  assert.equal(model.state, 'closed')
})

test('wrong requests and cancelled calls do not open a breaker', async () => {
  const inner = faultyModel(
    scriptedModel(() => 'up'),
    (call) =>
      call % 2 === 0
        ? { fault: 'error', failure: { kind: 'validation', code: 'model_validation', message: 'no', retryable: false } }
        : { fault: 'hang' },
  )
  const model = breaker(inner, { failures: 1 })
  for (let call = 0; call < 6; call++) {
    const controller = new AbortController()
    const replying = complete(model, request, { signal: controller.signal })
    await macrotask()
    if (call % 2 === 1) controller.abort()
    const expected = call % 2 === 1 ? 'aborted' : 'failed'
    assert.equal((await replying).status, expected)
  }
  assert.equal(model.state, 'closed')
})
