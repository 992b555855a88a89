import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TellurionError } from 'tellurion'
import { failureOf, RequestError } from './failure.ts'

const answer = (error: unknown) => failureOf(error, 'req_1')

describe('failureOf', () => {
  it('gives each code its status, with words and data', () => {
    const gone = new TellurionError('events_dropped', 'Read after 4.', { data: { oldest: 5 } })
    const { status, body } = answer(gone)
    assert.equal(status, 410)
    assert.deepEqual(body.error, {
      code: 'events_dropped',
      message: 'Read after 4.',
      retryable: false,
      requestId: 'req_1',
      data: { oldest: 5 },
    })
    assert.equal(answer(new TellurionError('unknown_run', 'x')).status, 404)
    assert.equal(answer(new TellurionError('run_live', 'x')).status, 409)
  })

  it('keeps the words of what nobody foresaw to itself', () => {
    const secret = 'sk-secret in /home/ada/data.db'
    for (const error of [
      new Error(secret),
      secret,
      undefined,
      { message: secret },
      new TellurionError('store_corrupt', secret),
    ]) {
      const { status, body } = answer(error)
      assert.equal(status, 500)
      assert.equal(body.error.code, 'internal_error')
      assert.doesNotMatch(JSON.stringify(body), /secret|home/)
      assert.match(body.error.message, /req_1/)
    }
  })

  it('does not say where a store is that cannot be reached', () => {
    for (const code of ['store_unavailable', 'store_locked', 'store_full', 'store_closed', 'runtime_closed'] as const) {
      const { status, body, headers } = answer(new TellurionError(code, '/srv/data/tellurion.db is locked'))
      assert.deepEqual([status, headers['retry-after'], body.error.code], [503, '1', code])
      assert.doesNotMatch(body.error.message, /srv/)
    }
  })

  it('says when to come again, at once or by what the error says', () => {
    assert.equal(answer(new TellurionError('session_limit', 'x')).headers['retry-after'], '60')
    assert.equal(answer(new RequestError('rate_limited', 'x', { 'retry-after': '7' })).headers['retry-after'], '7')
    assert.deepEqual(answer(new RequestError('method_not_allowed', 'x', { allow: 'GET' })).headers, { allow: 'GET' })
  })

  it('tells the embedding program everything', () => {
    const broken = new TellurionError('store_corrupt', 'The store data/x.db is damaged: page 7.')
    assert.equal(answer(broken).body.error.code, 'internal_error')
    const { status, body } = failureOf(broken, 'req_1', { candid: true })
    assert.deepEqual([status, body.error.code, body.error.message], [500, 'store_corrupt', broken.message])
    const locked = new TellurionError('store_locked', 'The store data/x.db is locked by process 7.')
    assert.notEqual(answer(locked).body.error.message, locked.message)
    assert.equal(failureOf(locked, 'req_1', { candid: true }).body.error.message, locked.message)
  })
})
