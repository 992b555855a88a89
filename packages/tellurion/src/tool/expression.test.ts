// Expressions worked out, refused, and made at random.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { systemClock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { evaluate } from './expression.ts'

describe('evaluate', () => {
  const values: readonly [expression: string, value: string][] = [
    ['12*7', '84'],
    ['1 + 2 * 3', '7'],
    ['(1 + 2) * 3', '9'],
    ['10 - 4 - 3', '3'],
    ['100 / 10 / 5', '2'],
    ['7 % 4', '3'],
    ['-7 % 4', '-3'],
    ['7.5 % 0.7', '0.5'],
    ['2 ^ 3 ^ 2', '512'],
    ['-2 ^ 2', '-4'],
    ['2 ^ -1', '0.5'],
    ['(-3) ^ -3 * 27', '-1'],
    ['0 ^ 0', '1'],
    ['(-1) ^ 1000000001', '-1'],
    ['--3', '3'],
    ['+3 - -3', '6'],
    ['.5 + 1. + 1e3 + 2E-1', '1001.7'],
    ['0.1 + 0.2', '0.3'],
    ['1 / 3 * 3', '1'],
    ['1 / 3', '0.333333333333333'],
    ['-1 / 8', '-0.125'],
    ['123456789 * 987654321', '121932631112635269'],
    ['2 ^ 100', '1267650600228229401496703205376'],
    ['2 ^ 100 % 1000000007', '976371285'],
    ['2 ^ 0.5', '1.4142135623731'],
    ['1e300 * 1e300 / 1e599', '10'],
    ['1e400', '1' + '0'.repeat(400)],
    ['10 ^ -400 * 10 ^ 400', '1'],
    ['1e-9999', '0'],
    ['sqrt(16) + abs(-2)', '6'],
    ['max(1, 2, 3) - min(4, 5)', '-1'],
    ['round(2.5) + floor(-1.5) + ceil(1.2)', '3'],
    ['round(-2.5) + floor(3) + ceil(-0.5)', '1'],
    ['PI', '3.14159265358979'],
    ['ln(e) + log(100) + exp(0)', '4'],
    ['sin(0) + cos(0) + tan(0)', '1'],
    ['\t( 1 )\n', '1'],
  ]
  for (const [expression, value] of values)
    it(`${JSON.stringify(expression)} is ${value}`, () => assert.equal(evaluate(expression), value))

  const wrong: readonly [expression: string, words: RegExp][] = [
    ['', /a number was expected, not the end/],
    ['1 +', /a number was expected, not the end/],
    ['1 2', /an operator was expected, not '2' at position 3/],
    ['(1', /'\)' was expected, not the end/],
    ['1)', /an operator was expected, not '\)'/],
    ['sqrt 2', /'\(' after sqrt was expected/],
    ['sqrt(1, 2)', /'\)' was expected, not ','/],
    ['process.exit()', /there is no 'process' here: use numbers/],
    ['constructor', /no 'constructor'/],
    ['__proto__', /a number was expected, not '_'/],
    ['1 / 0', /division by zero/],
    ['5 % (2 - 2)', /division by zero/],
    ['sqrt(-1)', /no value/],
    ['9 ^ 9 ^ 9 ^ 9', /too large/],
    ['1e999999999', /too large/],
    ['1e999 / 1e999', /the number 1e999 is too large/],
    ['2 ^ 5000', /too large/],
    ['0 ^ -1', /division by zero/],
    ['1 / sin(0)', /division by zero/],
    ['(-8) ^ (1/3)', /no value/],
    ['1+'.repeat(100) + '1', /201 characters; 200 is the limit/],
    ['('.repeat(90) + '1' + ')'.repeat(90), /nested more than 50 deep/],
    ['-'.repeat(150) + '1', /nested more than 50 deep/],
    ['2^'.repeat(90) + '1', /nested more than 50 deep/],
  ]
  for (const [expression, words] of wrong)
    it(`refuses ${JSON.stringify(expression.slice(0, 20))}`, () =>
      assert.throws(
        () => evaluate(expression),
        (error) => error instanceof TellurionError && error.code === 'invalid_option' && words.test(error.message),
      ))

  it('agrees with whole numbers of any length', () => {
    // Trees are written out and worked out at once, so the expected value is not read from the text.
    type Tree = readonly [text: string, value: bigint]
    const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small', maxDepth: 4 },
        fc.nat().map((n): Tree => [String(n), BigInt(n)]),
        fc.tuple(tie('tree'), fc.constantFrom('+', '-', '*'), tie('tree')).map(([[a, x], sign, [b, y]]): Tree => {
          const value = sign === '+' ? x + y : sign === '-' ? x - y : x * y
          return [`(${a} ${sign} ${b})`, value]
        }),
        tie('tree').map(([a, x]): Tree => [`-${a}`, -x]),
      ),
    }))
    fc.assert(
      fc.property(tree, ([text, value]) => {
        fc.pre(text.length <= 200)
        assert.equal(evaluate(text), String(value))
      }),
    )
  })

  it('agrees with the language on fractions, as far as floats go', () => {
    const number = fc
      .tuple(fc.nat(9_999), fc.nat(999))
      .map(([whole, part]) => `${whole}.${String(part).padStart(3, '0')}`)
    fc.assert(
      fc.property(number, number, number, (a, b, c) => {
        fc.pre(Number(b) > 0 && Number(c) > 0)
        const expected = Number(a) / Number(b) - Number(c) / 7
        const found = Number(evaluate(`${a} / ${b} - ${c} / 7`))
        assert.ok(
          Math.abs(found - expected) <= 1e-11 * (1 + Number(a) / Number(b) + Number(c)),
          `${found} is ${expected}`,
        )
        assert.equal(evaluate(`${a} / ${b} * ${b}`), String(Number(a)))
      }),
    )
  })

  it('takes no longer for the longest numbers', () => {
    const start = systemClock.monotonic()
    const long = '9'.repeat(60)
    for (const each of [
      `${long}^9 / 7^600 + ${long}^9 / 11^500`,
      `(1/${long})^9+(1/7)^700+(1/${long})^9`,
      '2^2^2^2^2^2',
      '9^9^9^9^9',
    ]) {
      try {
        evaluate(each)
      } catch {}
    }
    assert.ok(systemClock.monotonic() - start < 20_000)
  })

  it('ends in a number or in one clear line, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'12.()+-*/%^, esqrt(piminmax') }), (text) => {
        try {
          assert.match(evaluate(text), /^-?\d+(\.\d+)?(e[+-]\d+)?$/)
        } catch (error) {
          assert.ok(error instanceof TellurionError && !error.message.includes('\n'))
        }
      }),
    )
  })
})
