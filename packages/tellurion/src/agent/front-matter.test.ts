import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { maxFrontMatter, parseFrontMatter } from './front-matter.ts'

/** The fields of a text that begins with these lines, as plain data. */
function read(...lines: string[]): unknown {
  const found = parseFrontMatter(['---', ...lines, '---', 'Body.'].join('\n'))
  if ('problem' in found) return found.problem
  return Object.fromEntries(
    [...found.fields].map(([name, value]) => [name, value instanceof Map ? Object.fromEntries(value) : value]),
  )
}

describe('front matter', () => {
  test('ends before the rest of the file', () => {
    const text = '---\nname: a\n---\n# Body\n---\n'
    const found = parseFrontMatter(text)
    assert.ok('end' in found)
    assert.equal(text.slice(found.end), '# Body\n---\n')
    for (const odd of ['\uFEFF---\nname: a\n---\n', '--- \r\nname: a\r\n---\t\r\n', '---\nname: a\n---']) {
      const other = parseFrontMatter(odd)
      assert.ok('end' in other, JSON.stringify(odd))
      assert.deepEqual([other.fields.get('name'), odd.slice(other.end)], ['a', ''])
    }
  })

  test('reads texts as they stand, and never as anything else', () => {
    assert.deepEqual(read('a: one two', 'b: 1.0', 'c: true', 'd: null', 'e: 2026-01-01', 'f: ~', 'g:', 'h: http://x'), {
      a: 'one two',
      b: '1.0',
      c: 'true',
      d: 'null',
      e: '2026-01-01',
      f: '~',
      g: '',
      h: 'http://x',
    })
  })

  test('reads colons in a plain text, which people write although YAML does not', () => {
    assert.deepEqual(read('description: Use it when: it rains'), { description: 'Use it when: it rains' })
  })

  test('reads quotes', () => {
    assert.deepEqual(read(`a: "say \\"hi\\"\\n\\u00e9"`, `b: 'it''s # here'`, `c: ''`, `d: "x" # why`), {
      a: 'say "hi"\né',
      b: "it's # here",
      c: '',
      d: 'x',
    })
  })

  test('passes over comments and empty lines', () => {
    assert.deepEqual(read('# top', '', 'a: b # c', 'd: e#f', '  # more'), { a: 'b', d: 'e#f' })
  })

  test('reads texts of several lines', () => {
    assert.deepEqual(
      read('a: one', '  two "three"', '  four', 'b: |', '  x', '   y', '', '  z', '', 'c: >-', '  p', '  q', '', '  r'),
      {
        a: 'one two "three" four',
        b: 'x\n y\n\nz\n',
        c: 'p q\nr',
      },
    )
    assert.deepEqual(read('a: >', '  p', '  q', 'b: |-', '  x', 'c: |', 'd: e'), { a: 'p q\n', b: 'x', c: '', d: 'e' })
  })

  test('reads lists and one level of names', () => {
    assert.deepEqual(
      read(
        'a: [x, "y, z", \'w\']',
        'b:',
        '  - one',
        "  - 'two'",
        'c:',
        '- three',
        'd: []',
        'm:',
        '  author: me',
        '  version: "1.0"',
      ),
      { a: ['x', 'y, z', 'w'], b: ['one', 'two'], c: ['three'], d: [], m: { author: 'me', version: '1.0' } },
    )
  })
})

describe('what is not read is a problem that names its line', () => {
  const cases: readonly [lines: string[], problem: RegExp][] = [
    [['a: &anchor x'], /^line 2: .*'&' must be in quotes/],
    [['a: *alias'], /'\*' must be/],
    [['a: !!js/function "x"'], /'!' must be/],
    [['a: {b: c}'], /'\{' must be/],
    [['a: @x'], /'@' must be/],
    [['a: - x'], /'-' must be/],
    [['? a'], /^line 2: it is not `name: value`/],
    [['<<: x'], /not `name: value`/],
    [['a: b', 'a: c'], /^line 3: 'a' is there twice/],
    [['__proto__: x'], /'__proto__' is no name/],
    [['m:', '  constructor: x'], /'constructor' is no name/],
    [['m:', '  a: b', '  a: c'], /^line 4: 'a' is there twice/],
    [['m:', '  a:', '    b: c'], /^line 4: only one level/],
    [['a: b', '\tc: d'], /^line 3: it is indented by a tab/],
    [['a: |', ' \tx'], /indented by a tab/],
    [['  a: b'], /^line 2: it is indented without/],
    [['a: "open'], /ends on its own line/],
    [["a: 'open"], /ends on its own line/],
    [['a: "x" y'], /behind the closing quote/],
    [['a: "\\x41"'], /escape that is not read/],
    [['a: [x, y'], /ends on its own line/],
    [['a: [x,, y]'], /empty place/],
    [['a: [[x]]'], /texts only/],
    [['a: [{x: y}]'], /texts only/],
    [['a: [x", y]'], /not closed/],
    [['a: ["x" "y"]'], /must be|behind|comma/],
    [['b:', '  - - x'], /'-' must be/],
    [['b:', '  - x', '    - y'], /list in a list/],
    [['a: |2', '  x'], /begins no block/],
    [['a: >x'], /begins no block/],
    [['just words'], /not `name: value`/],
    [[`b: [${Array(201).fill('x').join(', ')}]`], /longer than 200/],
    [Array.from({ length: 65 }, (_, index) => `k${index}: v`), /more than 64 names/],
  ]
  for (const [lines, problem] of cases) {
    test(lines.join(' ⏎ ').slice(0, 60), () => assert.match(String(read(...lines)), problem))
  }

  test('no opening, no end, or one that comes too late', () => {
    for (const text of ['', 'name: a', '# Title\n---\nname: a\n---\n', ' ---\nname: a\n---\n']) {
      assert.match((parseFrontMatter(text) as { problem: string }).problem, /^line 1: it does not begin/)
    }
    assert.match((parseFrontMatter('---\nname: a\n') as { problem: string }).problem, /no second line of three dashes/)
    const late = `---\nname: ${'x'.repeat(maxFrontMatter)}\n---\n`
    assert.match((parseFrontMatter(late) as { problem: string }).problem, /in the first 16000 characters/)
  })
})

describe('hostile text', () => {
  test('law: whatever comes, there are fields or a problem of one line', () => {
    const pieces = `a|b:|: |- |"|'|\\|>|[|]|{|,|#| |  |\t|\n|\r\n|---|&|*|!|🌍|\0`.split('|')
    const piece = fc.constantFrom('|', ...pieces)
    const text = fc.array(piece, { maxLength: 60 }).map((all) => `---\n${all.join('')}\n---\n`)
    fc.assert(
      fc.property(fc.oneof(text, fc.string()), (each) => {
        const found = parseFrontMatter(each)
        if ('problem' in found) assert.match(found.problem, /^line \d+: [^\n]+$/)
        else
          for (const value of found.fields.values())
            for (const scalar of typeof value === 'string' ? [value] : value instanceof Map ? value.values() : value)
              assert.equal(typeof scalar, 'string')
      }),
      { numRuns: 2_000 },
    )
  })

  test('what takes others for ever takes no time', () => {
    const half = maxFrontMatter / 2
    for (const line of [
      `a: "${'\\"'.repeat(half - 20)}`,
      `a: '${"''".repeat(half - 20)}`,
      `a: [${"'".repeat(maxFrontMatter - 20)}]`,
      `a: [${'"'.repeat(maxFrontMatter - 20)}]`,
      `a: ${' #'.repeat(half - 20)}`,
      `a: ${' '.repeat(maxFrontMatter - 20)}x`,
      `${'a'.repeat(maxFrontMatter - 20)}`,
      `a: >\n${' x\n\n'.repeat(3_000)}`,
    ]) {
      const began = process.hrtime.bigint()
      parseFrontMatter(`---\n${line}\n---\n`)
      assert.ok(process.hrtime.bigint() - began < 500_000_000n, line.slice(0, 10))
    }
  })
})
