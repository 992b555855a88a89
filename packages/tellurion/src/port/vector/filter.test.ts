import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkFilter, filterBounds, filterPredicate } from './filter.ts'

describe('checkFilter', () => {
  it('says in one line what is wrong, and what to write instead', () => {
    for (const [filter, message] of [
      [5, 'A filter must be an object.'],
      [{}, "A filter must have a 'key', or say one of: document, source, and, or, not."],
      [{ adn: [] }, "A filter must have a 'key', or say one of: document, source, and, or, not. Did you mean 'and'?"],
      [{ key: 'a', equal: 1 }, "A filter has no comparison 'equal'. Did you mean 'equals'?"],
      [{ key: 'a' }, 'A filter needs exactly one comparison for its key, or the bounds of a range.'],
      [{ key: 'a', gt: 1, equals: 1 }, 'A filter needs exactly one comparison for its key, or the bounds of a range.'],
      [{ and: [], or: [] }, "A filter says 'and' and 'or' at once; join them by an 'and'."],
      [{ document: 'a' }, "A filter 'document' must be a list of texts."],
      [{ key: 'a', in: [{}] }, "A filter 'in' must be a list of texts, numbers, booleans or null."],
    ] as const) {
      assert.throws(() => checkFilter(filter), { code: 'invalid_option', message })
    }
  })

  it('gives a copy, without what is undefined', () => {
    const filter = { key: 'a', in: [1, 2], or: undefined }
    const checked = checkFilter(filter)
    filter.in.push(3)
    assert.deepEqual(checked, { key: 'a', in: [1, 2] })
    assert.equal(filterPredicate(checked)({ document: 'd', source: 's', metadata: { a: 3 } }), false)
  })

  it('takes filters up to their bounds', () => {
    let deep: object = { and: [] }
    for (let level = 0; level < filterBounds.depth; level++) deep = { not: deep }
    checkFilter(deep)
    assert.throws(() => checkFilter({ not: deep }), /nested deeper than 32/)
    const values = Array.from({ length: filterBounds.values }, () => 'x')
    checkFilter({ document: values })
    assert.throws(() => checkFilter({ and: [{ document: values }, { key: 'a', equals: 1 }] }), /10000 values/)
  })
})
