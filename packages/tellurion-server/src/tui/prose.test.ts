import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { visibleWidth } from '@earendil-works/pi-tui'
import fc from 'fast-check'
import { systemClock } from 'tellurion/world'
import { Prose } from './prose.ts'
import { createTheme } from './theme.ts'

const plain = createTheme(false)
const styled = createTheme(true)
const shown = (text: string, width = 40): string => new Prose(plain, text).lines(width).join('\n')

const article = [
  '# Title',
  'A *paragraph* that is long enough to be broken into more than one line of the window.',
  '- one\n- two\n\n- three, after a blank line',
  '1. first\n\n   goes on\n\n2. second',
  '```ts\nconst a = 1\n\nconst b = 2\n```',
  '> quoted\n> twice',
  '| a | b |\n|---|---|\n| 1 | 日本 |',
  'The `end`, with a [link](https://example.org).',
].join('\n\n')

describe('prose', () => {
  it('lays Markdown out', () => {
    assert.equal(
      shown('# Title\n\nSome **bold** and `code`.\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |'),
      'Title\n\nSome bold and code.\n\n- one\n- two\n\n┌───┬───┐\n│ a │ b │\n├───┼───┤\n│ 1 │ 2 │\n└───┴───┘',
    )
    assert.equal(shown('```sh\nls\n\nexit\n```'), '```sh\n  ls\n\n  exit\n```')
    assert.equal(shown('1. a\n\n   b\n\n2. c'), '1. a\n\n   b\n\n2. c')
    assert.equal(shown('one two three', 7), 'one two\nthree')
    assert.equal(shown('  \n\n'), '')
  })

  it('shows where a link leads, and takes mathematics and HTML for text', () => {
    assert.equal(shown('[good](https://evil.example/x)', 80), 'good (https://evil.example/x)')
    assert.equal(shown('![seen](https://evil.example/pixel.png) costs $5 and $6', 80), 'seen costs $5 and $6')
    assert.equal(shown('<b>hi</b> <script>x</script>', 80), '<b>hi</b> <script>x</script>')
    assert.equal(shown('&#27;[31m &lt; &#x202e;', 80), '&#27;[31m &lt; &#x202e;')
  })

  it('looks the same however it came', () => {
    const whole = shown(article)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (sizes) => {
        const prose = new Prose(plain)
        for (let at = 0, turn = 0; at < article.length; turn++) {
          const size = sizes[turn % sizes.length]!
          prose.append(article.slice(at, at + size))
          at += size
          if (turn % 3 === 0) prose.lines(40)
        }
        assert.equal(prose.lines(40).join('\n'), whole)
      }),
      { numRuns: 50 },
    )
  })

  it('lays out again only what can still change', () => {
    const prose = new Prose(plain, `${'A paragraph.\n\n'.repeat(5000)}The end`)
    const time = (work: () => void): number => {
      const before = systemClock.monotonic()
      work()
      return systemClock.monotonic() - before
    }
    const whole = time(() => prose.lines(80))
    const piece = time(() => {
      for (let count = 0; count < 10; count++) {
        prose.append(' more')
        prose.lines(80)
      }
    })
    assert.ok(piece < whole, `10 pieces took ${piece} ms, the whole ${whole} ms`)
    assert.equal(prose.lines(80).at(-1), `The end${' more'.repeat(10)}`)
    assert.equal(prose.lines(79).length, 10_001)
  })

  it('never lets a control, a bidi character or a sequence through, nor a line that is too wide', () => {
    const pieces = [
      [
        '\u001b[31m',
        '\u001b]8;;https://x\u0007',
        '\u009b2J',
        '\u202e',
        '\u200f',
        '\r',
        '\u0007',
        '\u{e0041}',
        '\ud83d',
      ],
      [
        '# ',
        '- ',
        '```\n',
        '| a | b |\n|---|\n',
        '[a](b)',
        '**',
        '`',
        '\n\n',
        '日本語',
        '👩‍👩‍👧',
        'é',
        '$$',
        'word ',
        '&#27;',
        '\t',
      ],
    ]
    const hostile = fc.constantFrom(...pieces.flat())
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 30 }), fc.integer({ min: 8, max: 60 }), (parts, width) => {
        for (const line of new Prose(styled, parts.join('')).lines(width)) {
          assert.ok(visibleWidth(line) <= width, `${visibleWidth(line)} > ${width}: ${JSON.stringify(line)}`)
          // eslint-disable-next-line no-control-regex
          const bare = line.replace(/\u001b\[\d+(?:;\d+)*m/g, '')
          assert.doesNotMatch(bare, /[\p{Cc}\p{Bidi_Control}\u{e0000}-\u{e007f}\p{Surrogate}]/u)
        }
      }),
      { numRuns: 300 },
    )
  })
})
