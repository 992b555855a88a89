import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { systemClock as clock } from '../clock/clock.ts'
import { seededRandom } from '../id/random.ts'
import { chunkText, type Chunk } from './chunk.ts'
import { chunkMarkdown } from './markdown.ts'
import type { ChunkSize } from './ruler.ts'

/** About as tokens are: wide characters count whole, others a quarter. */
const estimate = (text: string): number => {
  const wide = text.replace(/[^\u2e80-\uffff]/g, '').length
  return Math.ceil(wide + (text.length - wide) / 4)
}

/** What holds for all chunks of a text, whatever the text is. */
export function checkChunks(text: string, chunks: readonly Chunk[], options: ChunkSize): void {
  const { count = (piece: string) => piece.length, size = 1_000 } = options
  const { overlap = Math.floor(size / 10) } = options
  let rebuilt = ''
  chunks.forEach((chunk, index) => {
    assert.equal(chunk.text, text.slice(chunk.start, chunk.end))
    assert.equal(
      chunk.start + chunk.overlap,
      chunks[index - 1]?.end ?? 0,
      'begins where the one before ended, or earlier',
    )
    assert.ok(chunk.end > chunk.start + chunk.overlap, 'has something new')
    assert.ok(
      chunk.overlap === 0 || count(chunk.text.slice(0, chunk.overlap)) <= overlap,
      'repeats no more than it may',
    )
    rebuilt += chunk.text.slice(chunk.overlap)
  })
  assert.equal(rebuilt, text)
}

const starts = (text: string): Set<number> => {
  const all = new Set([text.length])
  for (const { index } of new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text)) all.add(index)
  return all
}

// Pieces that are easily cut wrongly.
const pieces = fc.constantFrom(
  ...'a|word |A sentence. |Why? |\n|\n\n|\r\n| |  |\t|é|e\u0301|n\u0303\u0323|日本語。|猫|が|か\u3099|한국어|한'.split(
    '|',
  ),
  ...'क्षि|ที่|привет | \u0301|\u200d|👩‍👩‍👧‍👦|🇳🇴🇸🇪|👍🏽|# T\n|## U\n|```js\n|```\n|~~~\n|T\n===\n|- x\n|> q\n|#'.split('|'),
  '| a | b |\n',
  '| - | - |\n',
)
const texts = fc.array(pieces, { maxLength: 300, size: 'max' }).map((list) => list.join(''))
const sizes = fc
  .integer({ min: 48, max: 300 })
  .chain((size) => fc.record({ size: fc.constant(size), overlap: fc.integer({ min: 0, max: Math.floor(size / 2) }) }))

describe('chunkText and chunkMarkdown', () => {
  for (const [name, cut] of [
    ['chunkText', chunkText],
    ['chunkMarkdown', chunkMarkdown],
  ] as const) {
    it(`${name} loses nothing, keeps to size and overlap, and never cuts a character`, () => {
      fc.assert(
        fc.property(texts, sizes, (text, options) => {
          const chunks = cut(text, options)
          checkChunks(text, chunks, options)
          const whole = starts(text)
          for (const { start, end } of chunks) {
            assert.ok(end - start <= options.size, `${end - start} > ${options.size}`)
            assert.ok(whole.has(start) && whole.has(end), `a character is cut at ${start} or ${end}`)
          }
        }),
        { numRuns: 200 },
      )
    })

    it(`${name} does so by tokens, whatever counts them`, () => {
      const counts: readonly ((text: string) => number)[] = [
        estimate,
        (text) => text.split(/\s+/).length,
        (text) => new TextEncoder().encode(text).length,
        // Cutting a text elsewhere may change how many tokens it is.
        (text) => Math.ceil(text.length / 3) + (text.length % 5),
      ]
      fc.assert(
        fc.property(texts, sizes, fc.constantFrom(...counts), (text, { size, overlap }, count) => {
          const options = { size, overlap, count }
          const chunks = cut(text, options)
          checkChunks(text, chunks, options)
          for (const chunk of chunks) {
            assert.ok(count(chunk.text) <= size, `${count(chunk.text)} > ${size}`)
            assert.ok(chunk.text.length <= size * 16)
          }
        }),
        { numRuns: 100 },
      )
    })

    it(`${name} takes any text at all`, () => {
      const anyPoint = fc.integer({ min: 0, max: 0x10ffff }).filter((point) => point < 0xd800 || point > 0xdfff)
      fc.assert(
        fc.property(fc.array(anyPoint, { maxLength: 1_000, size: 'max' }), (points) => {
          const text = points.map((point) => String.fromCodePoint(point)).join('')
          const options = { size: 16, overlap: 8 }
          const chunks = cut(text, options)
          checkChunks(text, chunks, options)
          for (const { text: piece } of chunks) assert.ok(piece.length <= 16 && piece.isWellFormed())
        }),
        { numRuns: 30 },
      )
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 0xd800, max: 0xe000 }), { maxLength: 200, size: 'max' }), (units) => {
          const text = String.fromCharCode(...units)
          checkChunks(text, cut(text, { size: 16 }), { size: 16 })
        }),
      )
    })

    it(`${name} takes time in proportion to the length of hostile texts`, () => {
      const random = seededRandom(3)
      const noise = Array.from({ length: 5_000 }, () => '# \n`|-=~ab.'[Math.floor(random() * 11)]).join('')
      const hostile = [
        'a',
        ' ',
        '\n',
        '\u0301',
        ' \u0301',
        '🇳🇴',
        '# \n',
        '## a\n# b\n',
        '```\n',
        '|-|\n',
        '~~~\n\n',
        '日本。',
        noise,
      ]
      for (const piece of hostile) {
        const length = piece === noise || piece === 'a' ? 10_000_000 : 500_000
        const text = piece.repeat(Math.ceil(length / piece.length))
        const began = clock.monotonic()
        const chunks = cut(text, {})
        const took = clock.monotonic() - began
        // A hundredth of this is usual. What takes the square of the length would take hours.
        assert.ok(took < length / 100, `${JSON.stringify(piece.slice(0, 12))} took ${Math.round(took)} ms`)
        assert.ok(chunks.length >= length / 1_000 && chunks.length < length / 100, `${chunks.length} chunks`)
        const covered = chunks.reduce((sum, chunk) => sum + chunk.text.length - chunk.overlap, 0)
        assert.equal(covered, text.length)
      }
    })
  }

  it('cut nothing out of nothing, and leave alone what fits', () => {
    assert.deepEqual(chunkText(''), [])
    assert.deepEqual(chunkMarkdown(''), [])
    assert.deepEqual(chunkText('short'), [{ text: 'short', start: 0, end: 5, overlap: 0 }])
  })

  it('refuse sizes that are none, and counts that count nothing', () => {
    for (const options of [
      { size: 15 },
      { size: 100.5 },
      { size: Number.NaN },
      { overlap: -1 },
      { size: 100, overlap: 51 },
      { overlap: 1.5 },
      { count: 'tokens' as unknown as (text: string) => number },
      { count: () => Number.NaN },
      { count: () => -1 },
      { count: () => 'x' as unknown as number },
    ]) {
      assert.throws(() => chunkText('a text', options), { code: 'invalid_option' })
    }
    assert.throws(() => chunkText('a text', { sise: 100 } as object), { code: 'unknown_option' })
  })

  it('end with chunks even where everything counts as too much, or as nothing', () => {
    const text = 'one two three '.repeat(20)
    const much = chunkText(text, { count: () => 1_000 })
    assert.equal(much.map((chunk) => chunk.text.slice(chunk.overlap)).join(''), text)
    const none = chunkText(text.repeat(100), { size: 16, overlap: 0, count: () => 0 })
    assert.ok(none.every((chunk) => chunk.text.length <= 256))
  })
})

describe('chunkText', () => {
  it('does not begin in the middle of the first character of the chunk before', () => {
    const text = 'क्षि한국어👍🏽한국어🇳🇴🇸🇪Why? 👩‍👩‍👧‍👦🇳🇴🇸🇪привет - x\n'
    const whole = starts(text)
    for (const { start, end } of chunkText(text, { size: 54, overlap: 24 })) {
      assert.ok(whole.has(start) && whole.has(end), `a character is cut at ${start} or ${end}`)
    }
  })

  const cutOf = (text: string, options: ChunkSize): string[] => chunkText(text, options).map((chunk) => chunk.text)

  it('cuts after a paragraph, else a line, a sentence, a word', () => {
    const options = { size: 40, overlap: 0 }
    assert.deepEqual(cutOf('The first paragraph is here.\n\nThe second. It goes on and on.', options), [
      'The first paragraph is here.\n\n',
      'The second. It goes on and on.',
    ])
    assert.deepEqual(cutOf('A line that is long enough.\nAnd another. One more sentence', options), [
      'A line that is long enough.\n',
      'And another. One more sentence',
    ])
    assert.deepEqual(cutOf('One sentence of words. Then “another one.” And the rest of it', options), [
      'One sentence of words. ',
      'Then “another one.” And the rest of it',
    ])
    assert.deepEqual(cutOf('no sentence ends in this row of many words', options), [
      'no sentence ends in this row of many ',
      'words',
    ])
    assert.deepEqual(cutOf('これは最初の文です。これは二番目の文です。', { size: 16, overlap: 0 }), [
      'これは最初の文です。',
      'これは二番目の文です。',
    ])
    assert.deepEqual(
      cutOf('x'.repeat(100), options).map((piece) => piece.length),
      [40, 40, 20],
    )
  })

  it('repeats whole sentences where they fit, else whole words', () => {
    const text = 'Alpha beta gamma. Delta epsilon. Zeta eta theta iota. Kappa lambda mu.'
    const chunks = chunkText(text, { size: 40, overlap: 20 })
    assert.deepEqual(
      chunks.map((chunk) => chunk.text),
      ['Alpha beta gamma. Delta epsilon. ', 'Delta epsilon. Zeta eta theta iota. ', 'eta theta iota. Kappa lambda mu.'],
    )
    assert.deepEqual(
      chunks.map((chunk) => chunk.overlap),
      [0, 15, 16],
    )
  })

  it('counts tokens by the function it is given', () => {
    const words = (text: string): number => text.trim().split(/\s+/).length
    const text = Array.from({ length: 200 }, (_, index) => `word${index}`).join(' ')
    const chunks = chunkText(text, { size: 20, overlap: 4, count: words })
    for (const chunk of chunks.slice(0, -1)) {
      const count = words(chunk.text)
      assert.ok(count >= 10 && count <= 20, String(count))
    }
    assert.ok(chunks.slice(1).every((chunk) => chunk.overlap > 0))
  })
})

describe('chunkMarkdown', () => {
  const guide = `---
title: Guide
---

# Guide

Welcome to the guide.

## Install

Run this:

\`\`\`sh
# not a heading
npm install tellurion

npm test
\`\`\`

| door | what |
| ---- | ---- |
| a    | one  |
| b    | two  |

Windows
-------

Use the same commands there, they do the same.

### Paths #

Short paths are best.

# Appendix ##

The end.
`

  it('knows the headings over each chunk', () => {
    const chunks = chunkMarkdown(guide, { size: 90, overlap: 0 })
    assert.deepEqual(
      chunks.map(({ headings, text }) => [headings.join(' › '), text.trim().split('\n')[0]]),
      [
        ['', '---'],
        ['Guide › Install', '## Install'],
        ['Guide › Install', '| door | what |'],
        ['Guide › Windows', 'Windows'],
        ['Guide › Windows › Paths', '### Paths #'],
        ['Appendix', '# Appendix ##'],
      ],
    )
    checkChunks(guide, chunks, { size: 90, overlap: 0 })
  })

  it('keeps code blocks and tables whole where they fit', () => {
    const code = guide.slice(guide.indexOf('```sh'), guide.indexOf('| door'))
    const table = guide.slice(guide.indexOf('| door'), guide.indexOf('Windows'))
    for (let size = 80; size < 400; size += 3) {
      for (const overlap of [0, 20, 40]) {
        const chunks = chunkMarkdown(guide, { size, overlap })
        for (const block of [code.trim(), table.trim()]) {
          assert.ok(
            chunks.some((chunk) => chunk.text.includes(block)),
            `${size}, ${overlap}: ${block}`,
          )
          for (const { text } of chunks) {
            if (text.includes(block)) continue
            assert.ok(!block.split('\n').some((line) => line.length > 3 && text.includes(`${line}\n`)), 'no part of it')
          }
        }
      }
    }
  })

  it('cuts a code block that is too long at a line', () => {
    const code = `\`\`\`ts\n${Array.from({ length: 60 }, (_, index) => `const value${index} = ${index}`).join('\n')}\n\`\`\`\n`
    const chunks = chunkMarkdown(`# A\n\nText.\n\n${code}`, { size: 200, overlap: 0 })
    assert.ok(chunks.length > 5)
    for (const { text } of chunks) assert.ok(text.endsWith('\n'), JSON.stringify(text.slice(-20)))
  })

  it('does not leave a heading behind without its text', () => {
    const text = `${'Words and words. '.repeat(8)}\n\n## Next\n\n${'More words here. '.repeat(8)}`
    for (let size = 100; size < 260; size += 7) {
      for (const { text: piece } of chunkMarkdown(text, { size, overlap: 0 })) {
        assert.ok(!/## Next\s*$/.test(piece), `${size}: ${JSON.stringify(piece.slice(-30))}`)
      }
    }
  })

  it('reads past the byte order mark that some editors write', () => {
    const paths = (text: string) => chunkMarkdown(text, { size: 40 }).map(({ headings }) => headings.join(' › '))
    for (const text of ['# Sea\n\nwaves\n', '---\ntitle: Sea\n---\n# Sea\n\nwaves and wind, wind and waves\n']) {
      assert.ok(paths(text).includes('Sea'))
      assert.deepEqual(paths(`\ufeff${text}`), paths(text))
    }
  })

  it('takes for headings only what are some', () => {
    const text =
      '#no\n\n####### seven\n\n    # code\n\ntext\n\n---\n\n- item\n---\n\n> quote\n===\n\n~~~\n# in a fence\n```\n~~~\n\n## yes\n'
    const chunks = chunkMarkdown(text, { size: 16, overlap: 0 })
    const seen = new Set(chunks.flatMap(({ headings }) => headings))
    assert.deepEqual([...seen], ['yes'])
  })

  it('shortens a heading that is longer than any', () => {
    const [chunk] = chunkMarkdown(`# ${'long '.repeat(1_000)}\n\ntext`, { size: 10_000 })
    assert.equal(chunk?.headings[0]?.length, 200)
  })
})
