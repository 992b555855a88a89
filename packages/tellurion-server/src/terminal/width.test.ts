import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fit, widthOf } from './width.ts'

describe('width', () => {
  for (const [text, width] of [
    ['', 0],
    ['abc', 3],
    ['é', 1],
    ['e\u0301', 1],
    ['漢字', 4],
    ['カナ', 4],
    ['😀', 2],
    ['→ x', 3],
  ] as const)
    it(`of ${JSON.stringify(text)} is ${width}`, () => assert.equal(widthOf(text), width))

  it('cuts to a width, never through a wide character', () => {
    assert.equal(fit('hello', 5), 'hello')
    assert.equal(fit('hello!', 5), 'hell…')
    assert.equal(fit('漢字漢字', 6), '漢字…')
    assert.equal(fit('漢字漢字', 8), '漢字漢字')
    assert.equal(fit('x'.repeat(1_000), Infinity).length, 1_000)
  })
})
