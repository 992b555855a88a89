// Secrets that have become plain texts, in every spelling that an answer, an address or a header may give them.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { TellurionError } from '../error/error.ts'
import { createRedactor } from './redactor.ts'
import { Secret } from './secret.ts'

const key = 'sk-live/ä+"0123456789'
const redactor = createRedactor([new Secret(key), 'https://ada:p%40ssw0rd%21@db.example/x'])
const flat = (_: string, value: unknown): unknown =>
  typeof value === 'bigint'
    ? String(value)
    : typeof value === 'object' && value !== null && 'self' in value
      ? 'self'
      : value
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
      JSON.stringify(JSON.stringify({ key })),
      encodeURIComponent(encodeURIComponent(key)),
      `<a title="${key.replaceAll('"', '&quot;')}">`,
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
  })

  test('values of any kind are cleaned, and stay what they are', () => {
    class Login {
      readonly user = 'ada'
      readonly #quiet = key
      password = key
      toString(): string {
        return `${this.user} ${this.#quiet.length}`
      }
    }
    class Told {
      toJSON(): object {
        return { key }
      }
    }
    const cycle: Record<string, unknown> = { key }
    cycle['self'] = cycle
    const one = { key }
    const bytes = Buffer.from(`a ${key} b`)
    const values: readonly (readonly [unknown, (clean: never) => unknown, unknown])[] = [
      [new Map([[key, [key]]]), (map: Map<string, string>) => [...map], [['[redacted]', ['[redacted]']]]],
      [new Set([key, 'x']), (set: Set<string>) => [...set], ['[redacted]', 'x']],
      [
        bytes,
        (clean: Buffer) => [Buffer.isBuffer(clean), clean.toString()],
        [true, `a ${'*'.repeat(bytes.length - 4)} b`],
      ],
      [
        new Uint8Array(bytes),
        (clean: Uint8Array) => [clean.constructor === Uint8Array, clean.length],
        [true, bytes.length],
      ],
      [new Uint8Array(bytes).buffer, (clean: ArrayBuffer) => clean.byteLength, bytes.length],
      [new DataView(new Uint8Array(bytes).buffer), (clean: DataView) => clean.byteLength, bytes.length],
      [
        new Uint16Array(new Uint8Array(Buffer.from(`${key}x`.padEnd(40))).buffer.slice(0, 40)),
        (clean: Uint16Array) => clean.length,
        20,
      ],
      [
        new Login(),
        (clean: Login) => [clean instanceof Login, clean.user, clean.password],
        [true, 'ada', '[redacted]'],
      ],
      [new Told(), (clean: object) => clean, { key: '[redacted]' }],
      [{ toJSON: () => key }, (clean: string) => clean, '[redacted]'],
      [
        new URL(`https://x.example/?key=${encodeURIComponent(key)}`),
        (clean: string) => clean,
        'https://x.example/?key=[redacted]',
      ],
      [new URLSearchParams({ key }), String, 'key=[redacted]'],
      [
        new Headers({ authorization: 'Bearer p@ssw0rd!' }),
        (clean: object) => clean,
        { authorization: 'Bearer [redacted]' },
      ],
      [
        new Error(key, { cause: [key] }),
        (clean: Error) => [clean instanceof Error, clean.message, clean.cause],
        [true, '[redacted]', ['[redacted]']],
      ],
      [cycle, (clean: typeof cycle) => [clean['key'], clean['self'] === clean], ['[redacted]', true]],
      [[one, one], (clean: readonly object[]) => clean[0] === clean[1], true],
      [
        Object.create(null, { key: { value: key, enumerable: true } }),
        (clean: { key: string }) => clean.key,
        '[redacted]',
      ],
      [
        JSON.parse(`{"__proto__":${JSON.stringify(key)}}`),
        (clean: object) => Object.getOwnPropertyDescriptor(clean, '__proto__')?.value,
        '[redacted]',
      ],
    ]
    for (const [value, look, expected] of values) {
      const clean: unknown = redactor.value(value)
      assert.notEqual(clean, value)
      assert.deepEqual(look(clean as never), expected)
      for (const text of [inspect(clean, { depth: 9 }), JSON.stringify(clean, flat)])
        assert.doesNotMatch(text ?? '', /0123456789|ssw0rd/)
      const bytesOf = ArrayBuffer.isView(clean)
        ? Buffer.from(clean.buffer)
        : clean instanceof ArrayBuffer
          ? Buffer.from(clean)
          : ''
      assert.ok(!bytesOf.toString('latin1').includes('0123456789'))
    }
    const fine = [
      new Map([[1, new Set([2n])]]),
      new Uint8Array([1]),
      new Date(),
      /x/,
      new Secret(key),
      new Error('x'),
      Symbol('x'),
    ]
    for (const value of [...fine, fine]) assert.equal(redactor.value(value), value)
  })

  test('numbers that are a secret are hidden too, and others are not', () => {
    const digits = createRedactor(['4711081500', 'sk-000000'])
    const clean = digits.value({ a: 4711081500, b: 4711081500n, c: 471, d: 1.5e300 })
    assert.deepEqual(clean, { a: '[redacted]', b: '[redacted]', c: 471, d: 1.5e300 })
  })

  test('lines of a long key, and a name in an address that is a token', () => {
    const lines = ['-----BEGIN KEY-----', 'MIIEvQIBADANBgkqhkiG9w0', 'x'.repeat(24), '-----END KEY-----']
    const keys = createRedactor([lines.join('\n'), 'https://ghp_0123456789abcdef@git.example/x'])
    assert.equal(keys.text(`read ${lines[1]}`), 'read [redacted]')
    assert.equal(keys.text(lines[0]!), lines[0])
    assert.equal(keys.text('login ghp_0123456789abcdef failed'), 'login [redacted] failed')
  })

  test('what lies too deep or goes round in many ways costs no time', () => {
    let deep: unknown = key
    for (let depth = 0; depth < 100_000; depth++) deep = [deep]
    assert.doesNotMatch(inspect(redactor.value(deep), { depth: 2_000, maxArrayLength: 1 }), /0123456789/)
    let wide: unknown = { key }
    for (let depth = 0; depth < 60; depth++) wide = { a: wide, b: wide }
    assert.notEqual(redactor.value(wide), wide)
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

  test('a secret in pieces is found, and nothing else is kept back', () => {
    const pieces = (given: readonly string[], ...secrets: string[]): readonly string[] => {
      const stream = createRedactor(secrets).stream()
      return [...given.map((piece) => stream.push(piece)), stream.end()]
    }
    const cases: readonly (readonly [readonly string[], readonly string[], readonly string[]])[] = [
      [['top', 'sec', 'ret!'], ['topsecret'], ['', '', '[redacted]!', '']],
      [['a top of all'], ['topsecret'], ['a top of all', '']],
      [['at the top', ' of all'], ['topsecret'], ['at the ', 'top of all', '']],
      [['at the top'], ['topsecret'], ['at the ', 'top']],
      [
        ['abcdef', 'ghij'],
        ['abcdef', 'abcdefghij'],
        ['', '[redacted]', ''],
      ],
      [['at the top', ' of all'], ['topsecret'], ['at the ', 'top of all', '']],
      [['at the top'], ['topsecret'], ['at the ', 'top']],
      [
        ['abcdef', 'ghij'],
        ['abcdef', 'abcdefghij'],
        ['', '[redacted]', ''],
      ],
      [
        ['abcdef', 'gx'],
        ['abcdef', 'abcdefghij'],
        ['', '[redacted]gx', ''],
      ],
      [
        ['abcdef', 'xyz'],
        ['abcdef', 'defghi'],
        ['', '[redacted]xyz', ''],
      ],
      [
        ['abcdef', 'ghi'],
        ['abcdef', 'defghi'],
        ['', '[redacted]ghi', ''],
      ],
      [['toptoptops', 'ecret'], ['topsecret'], ['toptop', '', '[redacted]']],
      [['', 'topsecret ', ''], ['topsecret'], ['', '[redacted] ', '', '']],
    ]
    for (const [given, secrets, expected] of cases) assert.deepEqual(pieces(given, ...secrets), expected)
  })

  test('law: pieces together are what the text is as a whole, and what is kept back is short', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 60 })
    const secrets = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 6, maxLength: 9 }), {
      minLength: 1,
      maxLength: 3,
    })
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 8 }), secrets, (given, hidden) => {
        const each = createRedactor(hidden)
        const stream = each.stream()
        let shown = ''
        for (const piece of given) shown += stream.push(piece)
        shown += stream.end()
        for (const secret of hidden) assert.ok(!shown.includes(secret))
        if (hidden.length === 1) assert.equal(shown, each.text(given.join('')))
      }),
    )
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
