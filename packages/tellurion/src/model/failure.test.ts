// Classifying failures: by status, by structured code, by the type of what was thrown.

import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { TellurionError } from '../error/error.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import type { ModelErrorKind } from '../port/model.ts'
import { failure, failureError, failureFromError, kindOfCode } from './failure.ts'
import {
  failureFromBody,
  failureFromStatus,
  maxRetryAfter,
  recoveryGuidance,
  retryAfterOf,
} from './provider-failure.ts'

const headers = (entries: Record<string, string>): Headers => new Headers(entries)

test('a status decides kind and retry', () => {
  const cases: readonly (readonly [number, ModelErrorKind, boolean])[] = [
    [400, 'validation', false],
    [401, 'authentication', false],
    [402, 'permission', false],
    [403, 'permission', false],
    [404, 'not_found', false],
    [408, 'timeout', true],
    [422, 'validation', false],
    [429, 'rate_limit', true],
    [500, 'service', true],
    [501, 'service', false],
    [502, 'service', true],
    [503, 'service', true],
    [504, 'timeout', true],
    [529, 'service', true],
  ]
  for (const [status, kind, retryable] of cases) {
    const found = failureFromStatus(status, '{"error":{"message":"No"}}')
    assert.deepEqual([found.kind, found.retryable, found.status], [kind, retryable, status])
  }
})

test('words decide nothing', () => {
  const found = failureFromStatus(
    400,
    '{"error":{"message":"rate limit, context length exceeded, 503, invalid api key"}}',
  )
  assert.deepEqual([found.kind, found.code, found.retryable], ['validation', 'model_validation', false])
})

test('a structured code refines the status, wherever the vendor puts it', () => {
  const cases: readonly (readonly [number, unknown, string, boolean])[] = [
    [400, { error: { code: 'context_length_exceeded' } }, 'context_overflow', false],
    [400, { error: { type: 'exceed_context_size_error', code: 400 } }, 'context_overflow', false],
    [413, { type: 'error', error: { type: 'request_too_large' } }, 'context_overflow', false],
    [413, 'too large', 'context_overflow', false],
    [429, { error: { type: 'insufficient_quota', code: 'insufficient_quota' } }, 'model_rate_limit', false],
    [400, [{ error: { code: 400, details: [{ reason: 'API_KEY_INVALID' }] } }], 'model_authentication', false],
    [400, { error: { code: 'model_not_found' } }, 'model_not_found', false],
    [
      400,
      { type: 'error', error: { type: 'invalid_request_error', message: 'prompt is too long' } },
      'model_validation',
      false,
    ],
  ]
  for (const [status, body, code, retryable] of cases) {
    const found = failureFromStatus(status, typeof body === 'string' ? body : JSON.stringify(body))
    assert.deepEqual([found.code, found.retryable], [code, retryable], JSON.stringify(body))
  }
})

test('an error in mid-stream is classified by its type, or by the status it names', () => {
  const kinds = (body: unknown): unknown => [failureFromBody(body).kind, failureFromBody(body).retryable]
  assert.deepEqual(kinds({ type: 'error', error: { type: 'overloaded_error', message: 'x' } }), ['service', true])
  assert.deepEqual(kinds({ error: { type: 'rate_limit_error' } }), ['rate_limit', true])
  assert.deepEqual(kinds({ error: { code: 429, message: 'x' } }), ['rate_limit', true])
  assert.deepEqual(kinds({ error: { code: '400', message: 'x' } }), ['validation', false])
  assert.deepEqual(kinds({ error: 'something' }), ['service', true])
  assert.equal(failureFromBody({ error: { code: 'context_length_exceeded' } }).code, 'context_overflow')
})

test('the provider’s message is found in every usual place', () => {
  const message = (body: unknown): string => failureFromStatus(400, JSON.stringify(body)).message
  for (const body of [
    { error: { message: 'Hm' } },
    { error: 'Hm' },
    { message: 'Hm' },
    { detail: 'Hm' },
    [{ error: { message: 'Hm' } }],
  ]) {
    assert.match(message(body), /^HTTP 400: Hm\. /)
  }
  assert.match(failureFromStatus(502, '<html><body>Bad gateway</body></html>').message, /HTML page/)
  assert.match(failureFromStatus(500, 'plain words').message, /plain words/)
})

test('a message is one line, bounded, says where and what helps, and shows no secret', () => {
  const body = JSON.stringify({ error: { message: `key sk-secret-1234 is\n\u001b[31mwrong ${'x'.repeat(5000)}` } })
  const context = { model: 'openai/gpt-5', url: 'https://api.example/v1', secrets: ['sk-secret-1234'] }
  const { message, model } = failureFromStatus(401, body, undefined, context)
  assert.match(message, /^openai\/gpt-5: HTTP 401 from https:\/\/api\.example\/v1: key \[redacted\] is \[31mwrong/)
  assert.ok(message.length < 700 && !message.includes('\n') && !message.includes('\u001b'))
  assert.equal(model, 'openai/gpt-5')
})

test('Retry-After is read as seconds, as milliseconds and as a date; silly values are capped or left out', () => {
  const clock = virtualClock()
  const now = clock.now()
  const date = new Date(Math.ceil(now / 1000) * 1000 + 5_000)
  const read = (entries: Record<string, string>): number | undefined => retryAfterOf(headers(entries), clock)
  assert.equal(read({ 'retry-after': '3' }), 3_000)
  assert.equal(read({ 'retry-after': ' 1.5 ' }), 1_500)
  assert.equal(read({ 'retry-after-ms': '250', 'retry-after': '9' }), 250)
  assert.equal(read({ 'retry-after': date.toUTCString() }), date.getTime() - now)
  assert.equal(read({ 'retry-after': new Date(now - 99_000).toUTCString() }), 0)
  assert.equal(read({ 'retry-after': '-5' }), 0)
  assert.equal(read({ 'retry-after': '99999999999' }), maxRetryAfter)
  assert.equal(read({ 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' }), maxRetryAfter)
  for (const silly of ['soon', '', '1e9', 'NaN', '0x10']) assert.equal(read({ 'retry-after': silly }), undefined, silly)
  assert.equal(read({}), undefined)
})

test('any header gives a wait within bounds, or none', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'grapheme-ascii' }), fc.double().map(String), fc.date().map(String)),
      (text) => {
        const wait = retryAfterOf({ get: (name) => (name === 'retry-after' ? text : null) })
        return wait === undefined || (wait >= 0 && wait <= maxRetryAfter)
      },
    ),
  )
})

test('what the platform throws is classified by its code', () => {
  const failed = (code: string): TypeError =>
    new TypeError('fetch failed', { cause: Object.assign(new Error(), { code }) })
  assert.equal(failureFromError(failed('ECONNREFUSED')).kind, 'network')
  assert.equal(failureFromError(failed('ENOTFOUND')).retryable, true)
  assert.equal(failureFromError(failed('UND_ERR_SOCKET')).kind, 'network')
  assert.equal(failureFromError(failed('UND_ERR_HEADERS_TIMEOUT')).kind, 'timeout')
  assert.equal(failureFromError(failed('ETIMEDOUT')).kind, 'timeout')
  assert.equal(failureFromError(new DOMException('x', 'TimeoutError')).kind, 'timeout')
  assert.equal(failureFromError(new TypeError('Failed to fetch'), { connection: true }).kind, 'network')
  assert.equal(failureFromError(new TypeError('x is not a function')).kind, 'unknown')
  assert.equal(failureFromError(Object.assign(new Error('x'), { code: 'ERR_INVALID_ARG_TYPE' })).kind, 'unknown')
  assert.equal(failureFromError('just text').message, 'just text')
  assert.match(
    failureFromError(failed('ECONNREFUSED'), { url: 'http://h:1' }).message,
    /cannot reach http:\/\/h:1: connection refused/,
  )
})

test('a failure becomes an error and comes back the same', () => {
  const failed = failureFromStatus(429, '{}', headers({ 'retry-after': '2' }), { model: 'openai/gpt-5' })
  const error = failureError(failed, new Error('cause'))
  assert.ok(error instanceof TellurionError && error.cause instanceof Error)
  assert.deepEqual([error.code, error.retryable], ['model_rate_limit', true])
  assert.deepEqual(failureFromError(error), failed)
})

test('every kind has guidance, and every kind’s code leads back to it', () => {
  const kinds: readonly ModelErrorKind[] = [
    ...(['network', 'timeout', 'rate_limit', 'validation', 'permission'] as const),
    ...(['authentication', 'service', 'not_found', 'unknown'] as const),
  ]
  for (const kind of kinds) {
    assert.ok(recoveryGuidance(kind).length > 5)
    assert.equal(kindOfCode(failure(kind, 'x').code), kind)
  }
  assert.equal(kindOfCode('context_overflow'), 'validation')
  assert.equal(kindOfCode('missing_key'), 'authentication')
})

test('no body makes classification throw', () => {
  fc.assert(
    fc.property(fc.integer({ min: 300, max: 599 }), fc.oneof(fc.string(), fc.json()), (status, body) => {
      const found = failureFromStatus(status, body)
      assert.ok(found.message.isWellFormed() && found.message.length < 700)
      failureFromBody(body)
    }),
  )
})
