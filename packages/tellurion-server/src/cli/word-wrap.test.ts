import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { widthOf } from '../terminal/width.ts'
import { createWordWrap } from './word-wrap.ts'

function wrap(text: string, columns: number, size = Infinity): string {
  const wrapper = createWordWrap(() => columns)
  let out = ''
  for (let at = 0; at < text.length; at += size) out += wrapper.push(text.slice(at, at + size))
  return out + wrapper.flush()
}

describe('createWordWrap', () => {
  const cases: readonly [text: string, columns: number, wrapped: string][] = [
    ['one two three', 20, 'one two three'],
    ['one two three', 7, 'one two\nthree'],
    ['one two three', 8, 'one two\nthree'],
    ['a\n\nb c', 3, 'a\n\nb c'],
    ['  indented line', 10, '  indented\nline'],
    ['extraordinary word', 5, 'extraordinary\nword'],
    ['so extraordinary', 5, 'so\nextraordinary'],
    ['漢字漢字', 4, '漢字\n漢字'],
    ['a 漢字', 4, 'a 漢\n字'],
    ['a\tb', 8, 'a\nb'],
    ['', 8, ''],
  ]
  for (const [text, columns, wrapped] of cases)
    it(`wraps ${JSON.stringify(text)} at ${columns}`, () => assert.equal(wrap(text, columns), wrapped))

  it('gives a word out when it is whole, and what is left when told', () => {
    const wrapper = createWordWrap(() => 80)
    assert.deepEqual([wrapper.push('Hel'), wrapper.push('lo wor'), wrapper.flush()], ['', 'Hello', ' wor'])
  })

  it('does the same in whatever pieces the text comes; keeps its words; overflows with single words only', () => {
    const unit = fc.constantFrom('a', 'bc', '漢', ' ', '  ', '\n', 'word', '\t')
    fc.assert(
      fc.property(
        fc.array(unit),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 5 }),
        (parts, columns, size) => {
          const text = parts.join('')
          const wrapped = wrap(text, columns)
          assert.equal(wrap(text, columns, size), wrapped)
          assert.equal(wrapped.replace(/\s/g, ''), text.replace(/\s/g, ''))
          for (const line of wrapped.split('\n'))
            if (!line.includes('\t') && widthOf(line.trimEnd()) > columns)
              assert.match(line.trim(), /^(?:\S[a-z]*|漢)$/)
        },
      ),
    )
  })
})
