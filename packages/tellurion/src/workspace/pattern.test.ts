import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { systemClock } from '../clock/clock.ts'
import { createPattern } from './pattern.ts'

describe('a pattern', () => {
  it('matches what the platform matches', () => {
    const cases: [string, string][] = [
      ['abc', 'xabcx'],
      ['^abc$', 'abc'],
      ['^abc$', 'abcd'],
      ['a.c', 'a\nc'],
      ['a|b|', ''],
      ['(foo|bar)+baz', 'foobarbaz'],
      ['\\bword\\b', 'a word.'],
      ['\\bword\\b', 'swords'],
      ['\\Bor\\B', 'words'],
      ['x{2,3}', 'axxa'],
      ['^x{2,3}$', 'xxxx'],
      ['^(?:a{0,2}b){2}$', 'aabb'],
      ['[^a-c]', 'abc'],
      ['[^a-c]', 'abcd'],
      ['[\\w-]+@[\\w.]+', 'me@x.org'],
      ['[]]', ']'],
      ['\\u{1F30D}', 'the 🌍'],
      ['^.$', '🌍'],
      ['\\x41\\u0042', 'AB'],
      ['\\d+\\s\\S', '12 x'],
      ['function \\w+\\(\\) {', 'function f() {'],
      ['(?<year>\\d{4})', '2026'],
      ['a??b*?c+?', 'c'],
      ['(a*)*b', 'aaab'],
      ['$', ''],
      ['\\t', 'a\tb'],
      ['[\\b]', '\b'],
      ['a{,2}', 'a{,2}'],
      ['', 'anything'],
    ]
    for (const [source, text] of cases) {
      const expected =
        source === '[]]'
          ? true
          : new RegExp(
              source.replace('() {', '() \\{').replace('a{,', 'a\\{,'),
              source.includes('u{') || text === '🌍' ? 'u' : '',
            ).test(text)
      assert.equal(createPattern(source).test(text), expected, `${source} on ${text}`)
    }
  })

  it('agrees with the platform on any pattern and text', () => {
    const leaf = fc.constantFrom('a', 'b', 'c', 'A', ' ', '.', '[ab]', '[^a]', '\\w', '\\W', '\\b', '\\B', '^', '$', '')
    const { tree } = fc.letrec<{ tree: string }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => a + b),
        fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `(?:${a}|${b})`),
        fc
          .tuple(tie('tree'), fc.constantFrom('*', '+', '?', '{2}', '{0,2}', '{1,}', '*?'))
          .map(([a, times]) => `(?:${a})${times}`),
      ),
    }))
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'B', ' ', '\n', '-'), maxLength: 8 })
    fc.assert(
      fc.property(tree, text, fc.boolean(), (source, each, ignoreCase) => {
        const expected = new RegExp(source, ignoreCase ? 'iu' : 'u').test(each)
        assert.equal(
          createPattern(source, { ignoreCase }).test(each),
          expected,
          `/${source}/ on ${JSON.stringify(each)}`,
        )
      }),
      { numRuns: 3_000 },
    )
  })

  it('knows both cases of letters, in classes and their complements too', () => {
    const yes: [string, string][] = [
      ['straße', 'STRAßE'],
      ['[a-c]x', 'Bx'],
      ['ÄRGER', 'ärger'],
      ['δ', 'Δ'],
    ]
    for (const [source, text] of yes) assert.ok(createPattern(source, { ignoreCase: true }).test(text), source)
    assert.ok(!createPattern('^[^a]$', { ignoreCase: true }).test('A'))
    assert.ok(!createPattern('^[^k]$', { ignoreCase: true }).test('K'))
    assert.ok(!createPattern('abc').test('ABC'))
  })

  it('looks at a part of a text as if it were the whole', () => {
    const pattern = createPattern('^b$')
    assert.ok(pattern.test('abc', 1, 2))
    assert.ok(!pattern.test('abc'))
    assert.ok(createPattern('\\bb').test('ab', 1))
  })

  it('takes time in proportion to the text, whatever the pattern', () => {
    const text = `${'a'.repeat(50_000)}!`
    const hostile = [
      '(a+)+$',
      '(a|aa)+$',
      '(a|a?)+$',
      '(.*a){20}$',
      '(a*)*b',
      '([a-z]+)*\\d',
      '^(([a-z])+.)+[A-Z]([a-z])+$',
      '(a?){50}a{50}$',
      '(x+x+)+y',
      '(?:a|b|ab)*c',
      '((a{1,10}){1,10})$',
      '\\b(a+)*\\b$',
      '(.*)*(.*)*(.*)*x',
    ]
    for (const source of hostile) {
      const began = systemClock.monotonic()
      const pattern = createPattern(source)
      const found = pattern.test(text)
      const took = systemClock.monotonic() - began
      assert.equal(found, ['(.*a){20}$'].includes(source) ? false : found)
      assert.ok(took < 20_000, `${source} took ${took} ms`)
    }
    // The platform's own matcher needs exponential time for the first of them.
    assert.ok(!createPattern(hostile[0]!).test(text))
  })

  it('gives up when its bound of work is passed, and keeps a bounded number of states', () => {
    const source = '(a|b)*a(a|b){15}c'
    let seed = 7
    let text = ''
    for (let index = 0; index < 30_000; index++) {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      text += seed % 7 < 3 ? 'a' : 'b'
    }
    assert.ok(!createPattern(source).test(text))
    assert.throws(() => createPattern(source, { effort: 10_000 }).test(text), /takes too much work/)
  })

  it('says what is not supported, or wrong, and where', () => {
    const wrong: [string, RegExp][] = [
      ['a(?=b)', /wrong at 2: looking ahead or behind is not supported/],
      ['(?<!b)a', /wrong at 1: looking ahead or behind/],
      ['(a)\\1', /wrong at 4: references to groups are not supported/],
      ['(?<n>a)\\k<n>', /references to groups/],
      ['(a', /wrong at 1: '\(' is never closed/],
      ['a)', /wrong at 2: '\)' closes nothing/],
      ['[a', /wrong at 1: '\[' is never closed/],
      ['*a', /'\*' repeats nothing/],
      ['a**', /may not follow a repetition/],
      ['^*', /nothing to repeat/],
      ['a{3,2}', /wrong way round/],
      ['a{9999}', /more than 1000 times/],
      ['[z-a]', /wrong way round/],
      ['[\\d-z]', /a range goes from one character to another/],
      ['\\p{L}', /'\\p' is not supported/],
      ['\\u12', /needs four hexadecimal digits/],
      ['\\x1', /needs two hexadecimal digits/],
      ['\\', /ends with '\\'/],
      ['(?i)a', /only groups of the forms/],
      ['((a{1000}){1000})', /too large/],
      ['(((){1000}){1000}){1000}(', /never closed/],
      [`${'('.repeat(60)}a${')'.repeat(60)}`, /nested too deeply/],
      ['a'.repeat(1_001), /at most 1000 characters/],
    ]
    for (const [source, message] of wrong) {
      assert.throws(() => createPattern(source), { code: 'invalid_option', message }, source)
    }
    // Nothing a thousand million times is still nothing.
    assert.ok(createPattern('(((){1000}){1000}){1000}a').test('a'))
  })

  it('knows when it is a text and nothing else', () => {
    assert.equal(createPattern('import \\{').literal, 'import {')
    assert.equal(createPattern('a.c').literal, undefined)
    assert.equal(createPattern('ab', { ignoreCase: true }).literal, undefined)
  })
})
