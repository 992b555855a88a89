import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { span, tableLines, type Column } from './table.ts'
import { widthOf } from './width.ts'

const columns: readonly Column<readonly [string, number, string]>[] = [
  { title: 'NAME', of: (row) => row[0], most: 8 },
  { title: 'N', of: (row) => String(row[1]), right: true },
  { title: 'TEXT', of: (row) => row[2] },
]

describe('tableLines', () => {
  test('aligns its columns', () => {
    assert.deepEqual(
      tableLines(
        [
          ['a', 7, 'first'],
          ['long', 12, ''],
        ],
        columns,
        80,
      ),
      ['NAME   N  TEXT', 'a      7  first', 'long  12'],
    )
  })

  test('keeps to the width, wide characters counted as two', () => {
    const rows = [
      ['a name of length', 1, 'x'.repeat(200)],
      ['漢字漢字漢字', 2, '漢'.repeat(100)],
    ] as const
    const lines = tableLines(rows, columns, 40)
    assert.deepEqual(lines.map(widthOf), [17, 40, 40])
    assert.match(lines[1]!, /^a name …  1  x+…$/)
  })

  test('cuts nothing in a pipe', () => {
    const [, line] = tableLines([['a name of length', 1, 'x'.repeat(200)]], columns, Infinity)
    assert.equal(line, `a name of length  1  ${'x'.repeat(200)}`)
  })
})

test('span says how long', () => {
  assert.deepEqual([-5, 59_999, 60_000, 3_599_999, 86_399_999, 200_000_000].map(span), [
    '0s',
    '59s',
    '1m',
    '59m',
    '23h',
    '2d',
  ])
})
