import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createWildcard } from './wildcard.ts'

/** The plain definition: try every length for each `*`. */
function reference(pattern: string, text: string): boolean {
  if (pattern === '') return text === ''
  if (!pattern.startsWith('*'))
    return pattern[0] === text[0] && text !== '' && reference(pattern.slice(1), text.slice(1))
  for (let taken = 0; taken <= text.length; taken++) if (reference(pattern.slice(1), text.slice(taken))) return true
  return false
}

describe('createWildcard', () => {
  it('matches as the definition says', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '.'), maxLength: 8 })
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 10 })
    fc.assert(
      fc.property(pattern, text, (each, some) => assert.equal(createWildcard(each)(some), reference(each, some))),
      { numRuns: 2_000 },
    )
  })

  it('reads nothing but the star', () => {
    assert.equal(createWildcard('a.c')('abc'), false)
    assert.equal(createWildcard('(a+)+$')('(a+)+$'), true)
    assert.equal(createWildcard('*')('two\nlines'), true)
    assert.equal(createWildcard('a*a')('a'), false)
  })

  it('is quick where a regular expression would hang', () => {
    assert.equal(createWildcard(`${'a*'.repeat(30)}b`)('a'.repeat(50_000)), false)
  })
})
