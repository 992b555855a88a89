import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { cleanLine, cleanText, hasHidden } from './clean-text.ts'
import { differenceLines } from './difference.ts'
import { LineReader } from './line-reader.ts'
import { checkServerName, offeredName } from './tool-name.ts'
import { contentParts, type ContentBlock } from './tool-result.ts'

describe('words of a stranger', () => {
  const cases: readonly [given: string, clean: string][] = [
    ['plain words\nand\ttabs', 'plain words\nand\ttabs'],
    ['a\u0000b\u0007c\u001B[31md', 'abc[31md'],
    ['\u202Eevil\u202C \u2066x\u2069', 'evil x'],
    ['zero\u200Bwidth\u200D\uFEFF\u2060', 'zerowidth'],
    ['tags \u{E0041}\u{E0042}\u{E007F}', 'tags '],
    ['selectors \uFE0F\u{E0100}\u{E01EF}', 'selectors '],
    ['private \uE000\u{F0000}', 'private '],
    ['lines\u2028and\u2029paragraphs', 'linesandparagraphs'],
    ['soft\u00ADhyphen', 'softhyphen'],
    ['broken \uD800', 'broken \uFFFD'],
    ['a\r\nb\rc', 'a\nbc'],
    ['fillers \u3164\u115f\uffa0\u034f\u180b.', 'fillers .'],
  ]
  for (const [given, clean] of cases)
    test(JSON.stringify(given), () => {
      assert.equal(cleanText(given, 100), clean)
    })

  test('are cut, and have nothing hidden whatever they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.nat(200), (text, max) => {
        const clean = cleanText(text, max)
        assert.ok(clean.length <= max + ' [cut]'.length)
        assert.ok(!hasHidden(clean))
        const line = cleanLine(text, max)
        assert.ok(!/[\n\t]/.test(line) && !hasHidden(line))
      }),
    )
  })
})

describe('results', () => {
  test('are told without what nobody sees, and with what emoji need', () => {
    const hidden = String.fromCodePoint(...[...'obey'].map((letter) => 0xe0000 + letter.charCodeAt(0)))
    const said = `seen${hidden}\u202e\u200b\u2063\u001b[8m 👩‍💻❤️`
    const kinds: readonly ContentBlock[] = [
      { type: 'text', text: said },
      { type: 'resource', resource: { uri: 'file:///a', text: said } },
    ]
    for (const block of kinds)
      assert.match(JSON.stringify(contentParts([block])), /"(?:\[resource file:\/\/\/a\]\\n)?seen\[8m 👩‍💻❤️"/)
  })
})

describe('names', () => {
  test('of tools keep what models take', () => {
    assert.equal(offeredName('git', 'create_issue'), 'git_create_issue')
    assert.match(offeredName('git', 'create issue'), /^git_create_issue_[0-9a-f]{8}$/)
    assert.match(offeredName('git', ''), /^git__[0-9a-f]{8}$/)
    assert.equal(offeredName('a', 'x'.repeat(62)), `a_${'x'.repeat(62)}`)
    assert.match(offeredName('a', 'x'.repeat(63)), /^a_x{53}_[0-9a-f]{8}$/)
  })

  test('of different tools and servers differ, and name their server', () => {
    const server = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9-]{0,29}$/)
    const tool = fc.oneof(fc.string({ maxLength: 100 }), fc.stringMatching(/^[a-z_ ]{1,80}$/))
    fc.assert(
      fc.property(server, tool, server, tool, (one, first, other, second) => {
        const [a, b] = [offeredName(one, first), offeredName(other, second)]
        assert.match(a, /^[a-zA-Z0-9_-]{1,64}$/)
        assert.equal(a.slice(0, a.indexOf('_')), one)
        assert.equal(a === b, one === other && first === second)
      }),
    )
  })

  for (const name of ['', '1a', 'a_b', 'a b', 'a.b', 'ä', '-a', 'x'.repeat(31), '__proto__'])
    test(`of servers are none: ${JSON.stringify(name)}`, () => {
      assert.throws(() => checkServerName(name), {
        code: 'invalid_name',
        message: /use 1 to 30 letters, digits and '-'/,
      })
    })
})

describe('a difference', () => {
  test('is told place by place', () => {
    const before = { description: 'A', inputSchema: { properties: { a: {}, b: { type: 'string' } } } }
    const after = { description: 'B', inputSchema: { properties: { b: { type: 'number' }, c: {} } } }
    assert.deepEqual(differenceLines(before, after), [
      'description: "A" → "B"',
      'inputSchema.properties.a: removed {}',
      'inputSchema.properties.b.type: "string" → "number"',
      'inputSchema.properties.c: added {}',
    ])
  })

  test('says what nobody sees', () => {
    assert.deepEqual(differenceLines({ d: 'A' }, { d: 'A\u200B\u202E' }), ['d: "A" → "A" (with 2 hidden characters)'])
  })

  test('is bounded', () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`k${at}`, 'x'.repeat(10_000)]))
    const lines = differenceLines({}, many)
    assert.deepEqual([lines.length, lines.at(-1)], [21, 'and more'])
    for (const line of lines) assert.ok(line.length < 500)
  })
})

describe('lines', () => {
  test('are the same however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-zé€]{0,20}$/)),
        fc.array(fc.integer({ min: 1, max: 30 })),
        (texts, cuts) => {
          const bytes = new TextEncoder().encode(texts.map((text) => `${text}\n`).join(''))
          const got: string[] = []
          const reader = new LineReader(1_000, (line) => got.push(new TextDecoder().decode(line)))
          let at = 0
          for (let turn = 0; at < bytes.length; turn++) {
            const size = cuts[turn % Math.max(cuts.length, 1)] ?? 7
            assert.ok(reader.push(bytes.subarray(at, at + size)))
            at += size
          }
          reader.end()
          assert.deepEqual(got, texts)
        },
      ),
    )
  })

  test('that are too long are told, whole or in pieces', () => {
    const got: number[] = []
    const reader = new LineReader(5, (line) => got.push(line.length))
    assert.ok(reader.push(Buffer.from('12345\n')))
    assert.ok(!reader.push(Buffer.from('123456\n')))
    assert.ok(reader.push(Buffer.from('123')))
    assert.ok(!reader.push(Buffer.from('456')))
    assert.ok(reader.push(Buffer.from('1\n')))
    assert.deepEqual(got, [5, 1])
  })
})
