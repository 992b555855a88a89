import assert from 'node:assert/strict'
import { test } from 'node:test'
import { user } from '../message/message.ts'
import { faultyModel } from '../testing/faulty-model.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { complete } from './collect.ts'
import { timeout } from './timeout.ts'

const request = { messages: [user('hi')] }

test('a silent model is aborted, and the reply fails with kind timeout and what had come', async () => {
  const clock = virtualClock()
  const inner = faultyModel(scriptedModel(['abcd'], { chunkSize: 1 }), [{ fault: 'hang', after: 2 }])
  const replying = complete(timeout(inner, { idle: 5_000, clock }), request)
  await clock.runAll()
  const reply = await replying
  assert.ok(reply.status === 'failed')
  assert.equal(reply.failure.kind, 'timeout')
  assert.match(reply.failure.message, /nothing came for 5000 ms/)
  assert.equal(reply.message?.content, 'ab')
  assert.equal(clock.now(), 5_000)
  assert.equal(inner.open, 0, 'the work itself was stopped')
})

test('a model that keeps talking is cut only by the total', async () => {
  const clock = virtualClock()
  const slow = () => scriptedModel(['abcdefghij'], { chunkSize: 1, delay: 900, clock })
  const patient = complete(timeout(slow(), { idle: 1_000, clock }), request)
  await clock.runAll()
  assert.equal((await patient).status, 'finished')

  const before = clock.now()
  const hasty = complete(timeout(slow(), { idle: 1_000, total: 5_000, clock }), request)
  await clock.runAll()
  const reply = await hasty
  assert.ok(reply.status === 'failed' && reply.failure.kind === 'timeout')
  assert.equal(reply.message?.content, 'abcde')
  assert.equal(clock.now() - before, 5_000)
})

test('time in which the reader thinks is no silence', async () => {
  const clock = virtualClock()
  const model = timeout(scriptedModel(['ab'], { chunkSize: 1 }), { idle: 100, clock })
  const types: string[] = []
  const reading = (async () => {
    for await (const event of model.stream(request, {})) {
      types.push(event.type)
      await new Promise<void>((resolve) => clock.timer(1_000, resolve))
    }
  })()
  await clock.runAll()
  await reading
  assert.deepEqual(types, ['text.delta', 'text.delta', 'finish'])
})

test('a deaf model is left alone, and cancelling is not called a timeout', async () => {
  const clock = virtualClock()
  const deaf = faultyModel(
    scriptedModel(() => 'x'),
    () => ({ fault: 'deaf' }),
  )
  const replying = complete(timeout(deaf, { total: 1_000, clock }), request)
  await clock.runAll()
  const reply = await replying
  assert.ok(reply.status === 'failed' && reply.failure.kind === 'timeout')

  const controller = new AbortController()
  const cancelled = complete(timeout(deaf, { total: 1_000, clock }), request, { signal: controller.signal })
  await clock.advance(10)
  controller.abort()
  assert.equal((await cancelled).status, 'aborted')
  assert.equal(clock.pending, 0)
})

test('a timeout without a time is refused', () => {
  assert.throws(() => timeout(scriptedModel([]), {}), /'total', 'idle' or both/)
  assert.throws(() => timeout(scriptedModel([]), { idle: 0 }), /'idle' must be a number of milliseconds above 0/)
})
