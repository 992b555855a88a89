import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { editLines, type LineEdit } from './line-edit.ts'
import { anchorHash, joinLines, readAnchor, splitLines } from './line.ts'

const anchor = (text: string, number: number): string => `${number}:${anchorHash(splitLines(text), number - 1)}`
const edited = (text: string, ...edits: LineEdit[]): string => joinLines(editLines('f', splitLines(text), edits).lines)

describe('lines', () => {
  it('are the text again when they are put together', () => {
    const unit = fc.constantFrom('a', '\n', '\r', '\r\n', 'ü', '\u2028')
    fc.assert(fc.property(fc.string({ unit }), (text) => assert.equal(joinLines(splitLines(text)), text)))
    assert.deepEqual(splitLines(''), [])
    assert.deepEqual(splitLines('a\r\nb'), [
      { text: 'a', end: '\r\n' },
      { text: 'b', end: '' },
    ])
  })

  it('have anchors that tell equal lines among different neighbours apart', () => {
    const lines = splitLines('f {\n}\ng {\n}\n\n}\n')
    const hashes = [1, 3, 5].map((index) => anchorHash(lines, index))
    assert.equal(new Set(hashes).size, 3)
    for (const hash of hashes) assert.match(hash, /^[0-9a-v]{4}$/)
  })

  it('have anchors spread over all values: two lines share one about once in a million', () => {
    const seen = new Set<string>()
    for (let index = 0; index < 10_000; index++) seen.add(anchorHash([{ text: `line ${index}` }], 0))
    // 10,000 of 1,048,576 meet about 48 times.
    assert.ok(seen.size > 9_880, String(seen.size))
  })

  it('have anchors that are read with what a model copies along', () => {
    for (const text of ['12:k3f9', ' 12:k3f9', '12:k3f9|const a = 1', '12:k3f9 '])
      assert.deepEqual(readAnchor(text), { number: 12, hash: 'k3f9' })
    for (const text of ['12', 'k3f9', '12:k3f', '12:k3f99', '12:K3F9', '-1:k3f9', ''])
      assert.equal(readAnchor(text), undefined)
  })
})

describe('edits', () => {
  const text = 'one\ntwo\nthree\nfour\n'

  it('replace, delete, and put lines before and after', () => {
    assert.equal(edited(text, { at: anchor(text, 2), text: 'TWO' }), 'one\nTWO\nthree\nfour\n')
    assert.equal(
      edited(text, { at: anchor(text, 2), through: anchor(text, 3), text: 'x\ny\nz' }),
      'one\nx\ny\nz\nfour\n',
    )
    assert.equal(edited(text, { at: anchor(text, 1), through: anchor(text, 4) }), '')
    assert.equal(edited(text, { at: anchor(text, 2), action: 'before', text: 'x' }), 'one\nx\ntwo\nthree\nfour\n')
    assert.equal(edited(text, { at: anchor(text, 4), action: 'after', text: 'x\n' }), `${text}x\n`)
    assert.equal(edited(text, { at: 'start', text: 'x' }), `x\n${text}`)
    assert.equal(edited(text, { at: 'end', text: 'x' }), `${text}x\n`)
    assert.equal(edited('', { at: 'end', text: 'x' }), 'x\n')
    assert.equal(edited(text, { at: anchor(text, 2), text: '' }), 'one\n\nthree\nfour\n')
  })

  it('mean the file as it was, all of them', () => {
    const out = edited(
      text,
      { at: anchor(text, 4), text: '4' },
      { at: anchor(text, 1), text: 'a\nb' },
      { at: anchor(text, 3), action: 'before', text: 'c' },
    )
    assert.equal(out, 'a\nb\ntwo\nc\nthree\n4\n')
  })

  it('keep how lines end, the last one too', () => {
    const crlf = 'a\r\nb\r\nc'
    assert.equal(edited(crlf, { at: anchor(crlf, 2), text: 'x\ny' }), 'a\r\nx\r\ny\r\nc')
    assert.equal(edited(crlf, { at: 'end', text: 'd' }), 'a\r\nb\r\nc\r\nd')
    assert.equal(edited(crlf, { at: anchor(crlf, 3), text: 'C\n' }), 'a\r\nb\r\nC')
    assert.equal(edited(crlf, { at: anchor(crlf, 3) }), 'a\r\nb')
    const mixed = 'a\nb\r\nc\n'
    assert.equal(edited(mixed, { at: anchor(mixed, 2), text: 'x\r\ny' }), 'a\nx\r\ny\r\nc\n')
    assert.equal(edited('a', { at: anchor('a', 1), text: 'b' }), 'b')
    assert.equal(edited('a\n', { at: anchor('a\n', 1), text: 'b' }), 'b\n')
  })

  it('refuse what is stale, and show what there is', () => {
    const now = 'zero\none\ntwo\nthree\nfour\n'
    assert.throws(() => edited(now, { at: anchor(text, 3), text: 'x' }), {
      code: 'file_changed',
      message: new RegExp(
        `no line ${anchor(text, 3)} any more, it may be line 4 now\\. Nothing was changed\\..*\\n${anchor(now, 2)}\\|one\\n.*\\n${anchor(now, 4)}\\|three`,
      ),
    })
    const other = 'one\n2\nthree\nfour\n'
    assert.throws(() => edited(other, { at: anchor(text, 2), text: 'x' }), /it is gone or was changed/)
    // A neighbour has changed: the line may mean something else now.
    assert.throws(() => edited(other, { at: anchor(text, 3), text: 'x' }), { code: 'file_changed' })
    assert.throws(() => edited('', { at: anchor(text, 1), text: 'x' }), /The file is empty now/)
    assert.throws(() => edited('one\n', { at: anchor(text, 4), text: 'x' }), { code: 'file_changed' })
  })

  it('refuse what overlaps or says nothing', () => {
    const [a, b, c] = [anchor(text, 1), anchor(text, 2), anchor(text, 3)]
    const wrong: [LineEdit[], RegExp][] = [
      [
        [
          { at: a, through: b, text: 'x' },
          { at: b, text: 'y' },
        ],
        /Two edits of f touch line 2/,
      ],
      [
        [
          { at: b, text: 'x' },
          { at: b, text: 'y' },
        ],
        /Two edits of f touch line 2/,
      ],
      [
        [
          { at: a, through: c },
          { at: b, action: 'before', text: 'y' },
        ],
        /touch line 2/,
      ],
      [
        [
          { at: 'start', text: 'x' },
          { at: 'start', text: 'y' },
        ],
        /touch line 1/,
      ],
      [[{ at: c, through: a, text: 'x' }], /goes from 3:\w+ back to 1:/],
      [[{ at: a, action: 'after' }], /puts lines after another, but has no text/],
      [[{ at: a, action: 'before', through: b, text: 'x' }], /has through, which only replace takes/],
      [[{ at: 'end' }], /at the end of f takes text/],
      [[{ at: 'line 2', text: 'x' }], /"line 2" is no anchor; take number:hash/],
      [[{ at: '2', text: 'x' }], /is no anchor/],
    ]
    for (const [edits, message] of wrong) assert.throws(() => edited(text, ...edits), { code: 'file_access', message })
  })

  it('change nothing but the lines that they name', () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '{', '}'), maxLength: 4 })
    const file = fc.record({
      lines: fc.array(line, { minLength: 1, maxLength: 12 }),
      end: fc.constantFrom('\n', '\r\n'),
      closed: fc.boolean(),
    })
    fc.assert(
      fc.property(file, fc.nat(), fc.nat(), fc.option(fc.array(line, { maxLength: 4 })), (given, x, y, put) => {
        const { lines, end, closed } = given
        const before = lines.join(end) + (closed || lines.at(-1) === '' ? end : '')
        const count = splitLines(before).length
        const [from, to] = [x % count, y % count].sort((a, b) => a - b) as [number, number]
        const text = put === null ? undefined : put.map((each) => `${each}\n`).join('')
        const edit = { at: anchor(before, from + 1), through: anchor(before, to + 1) }
        const after = splitLines(edited(before, { ...edit, ...(text === undefined ? {} : { text }) }))
        const old = splitLines(before)
        const middle = text === undefined ? [] : text === '' ? [''] : (put as string[])
        assert.deepEqual(
          after.map((each) => each.text),
          [...old.slice(0, from).map((each) => each.text), ...middle, ...old.slice(to + 1).map((each) => each.text)],
        )
        for (const [index, each] of after.entries()) {
          if (index < after.length - 1) assert.equal(each.end, before.includes('\n') ? end : '\n')
          else assert.equal(each.end === '', old.at(-1)?.end === '' && each.text !== '')
        }
      }),
      { numRuns: 1_000 },
    )
  })
})
