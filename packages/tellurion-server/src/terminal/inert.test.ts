import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { exactJson, exactText, inert, inertLine, inertStream } from './inert.ts'

const dangerous = /[\p{Cc}\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c\u{e0000}-\u{e007f}]/u

describe('inert text', () => {
  const cases: readonly [what: string, text: string, shown: string][] = [
    ['colours and cursor moves', 'a\u001b[31mb\u001b[2J\u009b1A', 'a[31mb[2J1A'],
    ['titles and links', '\u001b]0;title\u0007x\u001b]8;;http://x\u001b\\', ']0;titlex]8;;http://x\\'],
    ['carriage returns and backspaces', 'safe\rforged\b\b', 'safeforged'],
    ['bidi controls', 'ab\u202ecd\u2066\u2069\u200f', 'abcd'],
    ['hidden tags', 'a\u{e0041}\u{e0042}b', 'ab'],
    ['half characters', 'a\ud83d', 'a\ufffd'],
    ['line feeds and tabs, which stay', 'a\n\tb', 'a\n\tb'],
    ['other scripts and emoji, which stay', 'é 漢字 👩‍👩‍👧 עברית', 'é 漢字 👩‍👩‍👧 עברית'],
  ]
  for (const [what, text, shown] of cases) it(`deals with ${what}`, () => assert.equal(inert(text), shown))

  it('is one line where one is wanted', () => {
    assert.equal(inertLine(' a\r\nb\n\n\u2028c\td '), 'a b   c d')
  })

  it('keeps JSON exact and shows what is hidden', () => {
    const value = { path: 'a\u202etxt.exe', '\u001b[31m': ['\u{e0041}', '\u009b', '\ud83d'] }
    const text = exactJson(value)
    assert.doesNotMatch(text, dangerous)
    assert.deepEqual(JSON.parse(text), value)
    assert.match(text, /\\u202e.*\\u001b.*\\udb40\\udc41.*\\u009b.*\\ud83d/)
    assert.equal(exactJson(undefined), 'null')
  })

  it('holds for any value', () => {
    const text = fc.array(fc.integer({ min: 0, max: 0x10ffff })).map((codes) => String.fromCodePoint(...codes))
    fc.assert(
      fc.property(fc.dictionary(text, text, { maxKeys: 3 }), (value) => {
        const json = exactJson(value)
        assert.doesNotMatch(json, dangerous)
        assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(value)))
      }),
      { numRuns: 30 },
    )
  })

  it('shows what a text hides', () => {
    const text = exactText('a\r\n\tb\u001b[31m\u202e\u{e0041}\ud83d 😀\r')
    assert.equal(text, 'a\n    b\\u001b[31m\\u202e\\ue0041\\ud83d 😀\\u000d')
  })

  it('puts together a character that comes in two halves', () => {
    const clean = inertStream()
    assert.deepEqual([clean('a\ud83d'), clean('\ude00b'), clean('\u001bc')], ['a', '😀b', 'c'])
  })
})
