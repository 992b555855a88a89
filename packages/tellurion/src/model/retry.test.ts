import assert from 'node:assert/strict'
import { test } from 'node:test'
import { user } from '../message/message.ts'
import type { ModelErrorKind, ModelEvent } from '../port/model.ts'
import { faultyModel, type Fault } from '../testing/faulty-model.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { complete } from './collect.ts'
import { failure } from './failure.ts'
import { isRetried, retry } from './retry.ts'

const request = { messages: [user('hi')] }
const ok = () => scriptedModel(() => 'fine', { chunkSize: 1 })
const error = (kind: ModelErrorKind, status?: number, retryAfter?: number): Fault => ({
  fault: 'error',
  failure: failure(kind, 'no', { ...(status && { status }), ...(retryAfter && { retryAfter }) }),
})

test('what is retried is decided by kind and status', () => {
  const retried = ([kind, status]: [ModelErrorKind, number?]) =>
    isRetried(failure(kind, '', status === undefined ? {} : { status }))
  const yes: [ModelErrorKind, number?][] = [
    ['network'],
    ['timeout'],
    ['timeout', 504],
    ['rate_limit', 429],
    ['service'],
    ...[500, 502, 503, 529].map((status): [ModelErrorKind, number] => ['service', status]),
  ]
  const no: [ModelErrorKind, number?][] = [
    ['validation', 400],
    ['authentication', 401],
    ['permission', 403],
    ['not_found', 404],
    ['validation', 422],
    ['service', 501],
    ['unknown'],
  ]
  for (const entry of yes) assert.ok(retried(entry), entry.join(' '))
  for (const entry of no) assert.ok(!retried(entry), entry.join(' '))
  assert.ok(!isRetried(failure('rate_limit', 'no quota', { status: 429, retryable: false })))
})

test('a reply that fails at once is asked for again, three times at most', async () => {
  const clock = virtualClock()
  const inner = faultyModel(ok(), () => error('service', 503))
  const replying = complete(retry(inner, { clock, jitter: 'none' }), request)
  await clock.runAll()
  const reply = await replying
  assert.equal(reply.status, 'failed')
  assert.equal(inner.calls, 4)
  assert.equal(clock.now(), 7_000)
})

test('the wait the provider asks for is kept', async () => {
  const clock = virtualClock()
  const inner = faultyModel(ok(), [error('rate_limit', 429, 12_000), error('rate_limit', 429, 3_600_000)])
  const replying = complete(retry(inner, { clock }), request)
  await clock.runAll()
  assert.equal((await replying).status, 'finished')
  assert.equal(clock.now(), 42_000, '12 s as asked, then an hour cut to the 30 s of the policy')
})

test('a reply that has begun to show is never begun anew', async () => {
  const clock = virtualClock()
  const inner = faultyModel(ok(), [{ fault: 'error', after: 2 }])
  const reply = await complete(retry(inner, { clock }), request)
  assert.equal(reply.status, 'failed')
  assert.deepEqual(reply.message, { role: 'assistant', content: 'fi', partial: true })
  assert.equal(inner.calls, 1)
})

test('cancelling ends the wait at once', async () => {
  const clock = virtualClock()
  const inner = faultyModel(ok(), () => error('network'))
  const controller = new AbortController()
  const events: ModelEvent[] = []
  const reading = (async () => {
    for await (const event of retry(inner, { clock, jitter: 'none' }).stream(request, { signal: controller.signal })) {
      events.push(event)
    }
  })()
  await clock.advance(500)
  controller.abort()
  await reading
  assert.deepEqual(events, [{ type: 'aborted' }])
  assert.equal(clock.pending, 0)
})
