// Secrets that have become plain texts, in every spelling that an answer, an address or a header may give them.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { TellurionError } from '../error/error.ts'
import { createRedactor } from './redactor.ts'
import { Secret } from './secret.ts'

const key = 'sk-live/ä+"0123456789'
const redactor = createRedactor([new Secret(key), 'https://ada:p%40ssw0rd%21@db.example/x'])
const base64 = (text: string): string => Buffer.from(text).toString('base64')

describe('a redactor', () => {
  test('finds secrets in whatever spelling', () => {
    const spellings: readonly string[] = [
      `Incorrect API key: ${key}.`,
      `two: ${key}${key}`,
      JSON.stringify({ error: { key } }),
      `https://host.example/?key=${encodeURIComponent(key)}`,
      encodeURI(key),
      encodeURIComponent(key).toLowerCase(),
      JSON.stringify({ key }).replaceAll('/', '\\/'),
      JSON.stringify({ key }).replace('ä', '\\u00e4'),
      new URLSearchParams({ key }).toString(),
      `Basic ${base64(`user:${key}`)}`,
      base64(key),
      base64(`x${key}y`),
      base64(`xy${key}`),
      Buffer.from(key).toString('base64url'),
      Buffer.from(key).toString('hex'),
      Buffer.from(key).toString('hex').toUpperCase(),
      'cannot reach https://ada:p%40ssw0rd%21@db.example/x',
      'password authentication failed: p@ssw0rd!',
      'p%40ssw0rd%21',
    ]
    for (const spelling of spellings) {
      const clean = redactor.text(spelling)
      assert.match(clean, /\[redacted\]/, spelling)
      assert.ok(!clean.includes(key) && !clean.includes('ssw0rd'), clean)
    }
    assert.equal(redactor.text('nothing to hide'), 'nothing to hide')
  })

  test('values are cleaned in texts and names, and stay the same where there is nothing', () => {
    const dirty = { a: [1, null, `x ${key}`], [key]: true, deep: { deeper: [{ url: key }] } }
    const clean = redactor.value(dirty)
    assert.deepEqual(clean, {
      a: [1, null, 'x [redacted]'],
      '[redacted]': true,
      deep: { deeper: [{ url: '[redacted]' }] },
    })
    assert.ok(JSON.stringify(dirty).includes('0123456789'), 'what was given is left as it was')
    const fine = { a: [1, { b: 'c' }] }
    assert.equal(redactor.value(fine), fine)
    const bytes = new Uint8Array([1])
    assert.equal(redactor.value(bytes), bytes)
  })

  test('errors tell the same without it, down their causes', () => {
    const root = Object.assign(new Error(`fetch ${key}`), { request: { headers: { authorization: `Bearer ${key}` } } })
    const error = new TellurionError('run_failed', `It failed with ${key}`, {
      cause: new AggregateError([new Error(key)], 'all', { cause: root }),
      data: { url: `https://x/?k=${encodeURIComponent(key)}` },
    })
    const clean = redactor.error(error) as TellurionError
    assert.equal(clean, error)
    const cause = clean.cause as AggregateError
    const told = [clean.message, clean.stack, JSON.stringify(clean), cause.errors[0].message, String(cause.cause)]
    const fields = JSON.stringify((cause.cause as typeof root).request)
    for (const text of [...told, fields, (cause.cause as Error).stack])
      assert.ok(!String(text).includes('0123456789'), text)
    assert.equal(clean.message, 'It failed with [redacted]')
    assert.equal(redactor.error(`x ${key}`), 'x [redacted]')
  })

  test('knows what it is told later', () => {
    const later = createRedactor()
    assert.equal(later.text('topsecret'), 'topsecret')
    later.add('topsecret')
    assert.equal(later.text('topsecret'), '[redacted]')
  })

  test('refuses what it could not hide', () => {
    for (const short of ['', 'abc', ' 12345 ', new Secret('x')]) {
      assert.throws(() => createRedactor([short]), { code: 'invalid_option' })
    }
    assert.throws(() => createRedactor([7 as never]), { code: 'invalid_option' })
  })

  test('no secret of any characters gets through, in text or JSON', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 6, maxLength: 40, unit: 'binary' }),
        fc.string(),
        fc.string(),
        (secret, a, b) => {
          fc.pre(
            secret.trim().length >= 6 &&
              secret.trim() === secret &&
              secret.isWellFormed() &&
              !'[redacted]'.includes(secret),
          )
          const each = createRedactor([secret])
          assert.ok(!each.text(a + secret + b).includes(secret) || (a + '[redacted]' + b).includes(secret))
          const inJson = JSON.stringify(secret).slice(1, -1)
          assert.ok(!each.text(JSON.stringify({ a: secret })).includes(inJson) || '{"a":"[redacted]"}'.includes(inJson))
        },
      ),
      { numRuns: 30 },
    )
  })
})
