import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { z } from 'zod'
import { duration, flag, list, number, oneOf, secret, size, text, whole } from './kind.ts'
import { Secret } from 'tellurion/secret'

const cases: readonly [
  name: string,
  kind: z.ZodType,
  reads: readonly (readonly [unknown, unknown])[],
  refuses: readonly unknown[],
][] = [
  ['text', text(), [[' a b ', 'a b']], ['', '  ', 'a\nb', 'a\u0000', 1, null, ['a']]],
  [
    'whole',
    whole(1, 10),
    [
      [1, 1],
      ['10', 10],
      [' 7 ', 7],
    ],
    [0, 11, 1.5, '1.5', '', 'x', '0x5', '1e1', '-1', '١', Number.NaN, null, [1], {}],
  ],
  [
    'number',
    number(0, 2),
    [
      [0.5, 0.5],
      ['0.7', 0.7],
      [2, 2],
    ],
    ['-0.1', 2.1, '', '.', '1,5', 'NaN', 'Infinity', Number.NaN, Infinity],
  ],
  [
    'flag',
    flag(),
    [
      [true, true],
      ['TRUE', true],
      ['on', true],
      ['0', false],
      ['no', false],
    ],
    ['', 'maybe', 1, null],
  ],
  [
    'oneOf',
    oneOf(['info', 'warn'], { warning: 'warn' }),
    [
      ['INFO', 'info'],
      ['Warning', 'warn'],
    ],
    ['', 'wran', 'constructor', '__proto__', 1],
  ],
  [
    'list',
    list(3),
    [
      ['a, b,,c ', ['a', 'b', 'c']],
      [['a'], ['a']],
      ['', []],
    ],
    ['a,b,c,d', [1], ['a\nb'], 1],
  ],
  [
    'duration',
    duration(),
    [
      ['250ms', 250],
      ['30s', 30_000],
      ['1.5m', 90_000],
      ['24h', 86_400_000],
      ['7 d', 604_800_000],
    ],
    ['300', 300, '0s', '-1s', '5 minutes', '1e3s', '366d', '99999999999s', '', 's', '1S'],
  ],
  [
    'size',
    size(1, 1e12),
    [
      [512, 512],
      ['512', 512],
      ['100MB', 100_000_000],
      ['1.5 kb', 1500],
    ],
    ['', '0', '1TB', '2000GB', -1, 1.5, '0.0001KB', 'MB'],
  ],
]

for (const [name, kind, reads, refuses] of cases)
  describe(name, () => {
    for (const [given, value] of reads)
      test(`reads ${JSON.stringify(given)}`, () => assert.deepEqual(kind.parse(given), value))
    for (const given of refuses)
      test(`refuses ${JSON.stringify(given) ?? String(given)} in its own words`, () => {
        const { error } = kind.safeParse(given)
        for (const { message } of error?.issues ?? []) assert.match(message, /^must (?:be|not be) /)
        assert.ok(error !== undefined)
      })
  })

describe('secret', () => {
  test('is a text that does not show', () => {
    const value = secret(4).parse(' s3cret ')
    assert.ok(value instanceof Secret)
    assert.equal(value.reveal(), 's3cret')
    assert.equal(secret(4).parse(value), value)
  })

  for (const bad of ['abc', 'two words', 'ümlaut', 1])
    test(`refuses ${JSON.stringify(bad)} without showing it`, () => {
      const { error } = secret(4).safeParse(bad)
      assert.ok(error !== undefined)
      assert.ok(!JSON.stringify(error.issues.map(({ message }) => message)).includes(String(bad)))
    })
})

test('what is written in any way is a number or refused, never NaN and never something else', () => {
  const kinds = [whole(0, 100), number(0, 100), duration(), size(1, 100)]
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.double(), fc.stringMatching(/^[0-9.e-]{1,8} ?(ms|s|kb)?$/)), (given) => {
      for (const kind of kinds) {
        const { success, data } = kind.safeParse(given)
        assert.ok(!success || Number.isFinite(data))
      }
    }),
  )
})
