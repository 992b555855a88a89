import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { compareTexts } from './text-order.ts'
import { queryWords, wordsOf } from './words.ts'

describe('wordsOf', () => {
  it('cuts letters and digits from everything else, in lower case', () => {
    const words = wordsOf("Don't call node:sqlite v2.1, snake_case or C++!")
    assert.equal(words.join(' '), 'don t call node sqlite v2 1 snake case or c')
    assert.deepEqual(wordsOf(' \n—…"“()* 🌍'), [])
  })

  it('folds what is written in several ways', () => {
    for (const [one, other] of [
      ['ZÜRICH', 'zu\u0308rich'],
      ['Zurich', 'Zürich'],
      ['İstanbul', 'istanbul'],
      ['ΟΔΟΣ', 'οδός'],
      ['ﬁne', 'fine'],
      ['ｆｕｌｌ', 'full'],
      ['がく', 'か\u3099く'],
      ['한국', '\u1112\u1161\u11ab\u1100\u116e\u11a8'],
    ] as const) {
      assert.deepEqual(wordsOf(one), wordsOf(other), `${one} and ${other}`)
    }
    assert.notDeepEqual(wordsOf('が'), wordsOf('か'), 'a mark that makes another letter')
    assert.deepEqual(wordsOf('हिन्दी'), ['हिन्दी'], 'vowel signs stay')
  })

  it('gives characters and pairs of scripts without spaces', () => {
    assert.deepEqual(wordsOf('黒猫a1と'), ['黒', '猫', '黒猫', 'a1', 'と'])
    assert.deepEqual(queryWords('黒猫 a 犬'), ['黒猫', 'a', '犬'])
    assert.deepEqual(wordsOf('𠀋𠮟'), ['𠀋', '𠮟', '𠀋𠮟'])
  })

  it('bounds words and queries', () => {
    assert.deepEqual(wordsOf('x'.repeat(1_000)), ['x'.repeat(64)])
    assert.equal(wordsOf(`${'x'.repeat(63)}𐐀𐐁`)[0]!.isWellFormed(), true)
    const many = Array.from({ length: 5_000 }, (_, index) => `w${index}`).join(' ')
    assert.deepEqual(queryWords(many).length, 64)
    assert.deepEqual(queryWords('to be or not to be'), ['to', 'be', 'or', 'not'])
  })

  it('gives only what a tokenizer by spaces leaves as it is, and finds in a text all words of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        const words = wordsOf(text)
        for (const word of words) {
          assert.ok(word !== '' && word.length <= 64 && !/[\0-\x2f\x3a-\x60\x7b-\x7f]/.test(word), JSON.stringify(word))
        }
        const all = new Set(words)
        for (const word of queryWords(text)) assert.ok(all.has(word), JSON.stringify(word))
      }),
    )
  })
})

describe('compareTexts', () => {
  it('orders as UTF-8 bytes do', () => {
    const text = fc
      .array(fc.constantFrom('a', 'b', 'é', '\ud7ff', '\ue000', '\uffff', '🌍', '𐀀'))
      .map((list) => list.join(''))
    fc.assert(
      fc.property(text, text, (a, b) => {
        const wanted = Buffer.compare(Buffer.from(a), Buffer.from(b))
        assert.equal(Math.sign(compareTexts(a, b)), wanted)
      }),
      { numRuns: 500 },
    )
  })
})
