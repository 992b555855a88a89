import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TellurionError } from './error.ts'
import { checkOptions, checkWhole } from './option.ts'

const refused = (code: string, words: RegExp) => (error: unknown) =>
  error instanceof TellurionError && error.code === code && words.test(error.message)

describe('options', () => {
  test('that are known pass, none at all too', () => {
    checkOptions('tea', { milk: undefined, sugar: 2 }, ['milk', 'sugar'])
    checkOptions('tea', {}, ['milk'])
  })

  test('that are not known are refused with the nearest name', () => {
    assert.throws(
      () => checkOptions('tea', { suger: 2 }, ['milk', 'sugar']),
      refused('unknown_option', /^tea has no option 'suger'\. Did you mean 'sugar'\?$/),
    )
    assert.throws(
      () => checkOptions('tea', { constructor: 2 }, ['milk', 'sugar']),
      refused('unknown_option', /^tea has no option 'constructor'\. Known: milk, sugar\.$/),
    )
  })

  test('are an object', () => {
    for (const none of [null, 'milk', 5, undefined]) {
      assert.throws(
        () => checkOptions('tea', none as never, ['milk', 'sugar']),
        refused('invalid_option', /^tea takes one object, with milk, sugar\.$/),
      )
    }
  })
})

test('a whole number is left out, or in its range', () => {
  for (const value of [undefined, 1, 7]) checkWhole('cups', value, { most: 7 })
  checkWhole('cups', 0, { least: 0 })
  for (const [value, words] of [
    [0, /^cups must be a whole number from 1 to 7, not 0\.$/],
    [8, /to 7/],
    [1.5, /not 1\.5/],
    [Number.NaN, /not NaN/],
    ['3' as never, /not 3/],
    [null as never, /not null/],
  ] as const) {
    assert.throws(() => checkWhole('cups', value, { most: 7 }), refused('invalid_option', words))
  }
  assert.throws(() => checkWhole('cups', Infinity), refused('invalid_option', /from 1, not Infinity/))
})
