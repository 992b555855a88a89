// Expressions worked out, refused, and made at random.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { TellurionError } from '../error/error.ts'
import { evaluate } from './expression.ts'

describe('evaluate', () => {
  const values: readonly [expression: string, value: number][] = [
    ['12*7', 84],
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['10 - 4 - 3', 3],
    ['100 / 10 / 5', 2],
    ['7 % 4', 3],
    ['2 ^ 3 ^ 2', 512],
    ['-2 ^ 2', -4],
    ['2 ^ -1', 0.5],
    ['--3', 3],
    ['+3 - -3', 6],
    ['.5 + 1. + 1e3 + 2E-1', 1001.7],
    ['sqrt(16) + abs(-2)', 6],
    ['max(1, 2, 3) - min(4, 5)', -1],
    ['round(2.5) + floor(-1.5) + ceil(1.2)', 3],
    ['PI', Math.PI],
    ['ln(e) + log(100) + exp(0)', 4],
    ['sin(0) + cos(0) + tan(0)', 1],
    ['\t( 1 )\n', 1],
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

  it('agrees with the language on what it understands alike', () => {
    // Trees are written out and worked out at once, so the expected value is not read from the text.
    type Tree = readonly [text: string, value: number]
    const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small', maxDepth: 4 },
        fc.nat(99).map((n): Tree => [String(n), n]),
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
        assert.equal(evaluate(text) + 0, value + 0)
      }),
    )
  })

  it('ends in a number or in one clear line, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'12.()+-*/%^, esqrt(piminmax') }), (text) => {
        try {
          assert.ok(Number.isFinite(evaluate(text)))
        } catch (error) {
          assert.ok(error instanceof TellurionError && !error.message.includes('\n'))
        }
      }),
    )
  })
})
