// docs/features.md is complete: every promised id once, in order, each with a place and something that shows it.

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { root } from '../gate/source.ts'

/** The ids of the features that this version promises. */
const promised = [
  'ECS-01..116',
  'AT-01..04, 06..85, 87..97',
  'ARC-01..05, 07..13, 16..45, 47, 49, 51, 69, 75..78, 81..90',
  'LOOM-01..05, 07..25, 28..31, 34..66, 71, 73, 74',
].flatMap(expand)

/** `A-01..03, 07` as ids. */
function expand(list: string): string[] {
  const [system = '', rest = ''] = list.split(/-(.*)/s)
  return rest.split(', ').flatMap((range) => {
    const [first = 0, last = first] = range.split('..').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => `${system}-${String(first + index).padStart(2, '0')}`)
  })
}

interface Row {
  readonly id: string
  readonly home: readonly string[]
  readonly shown: readonly string[]
}

/** The rows of the page: an id, what it is, where it lives, what shows it; paths are in backticks. */
function rowsOf(page: string): Row[] {
  return [...page.matchAll(/^\| ([A-Z]+-\d+) \|([^|]*)\|([^|]*)\|([^|]*)\|$/gm)].map(
    ([, id = '', , home = '', shown = '']) => ({
      id,
      home: pathsOf(home),
      shown: pathsOf(shown),
    }),
  )
}

const pathsOf = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')

/** Whether a path of the page leads somewhere: from the root, or from the library's source. */
const isThere = (path: string): boolean =>
  [path, join('packages/tellurion/src', path)].some((place) => existsSync(join(root, place)))

/** What is wrong with a page, one line each. */
function faults(page: string, ids: readonly string[], exists = isThere): string[] {
  const rows = rowsOf(page)
  const missing = ids.filter((id) => rows.every((row) => row.id !== id)).map((id) => `${id} has no row`)
  const wrong = rows.flatMap(({ id, home, shown }, index) => [
    ...(ids.includes(id) ? [] : [`${id} is not promised`]),
    ...(rows.findIndex((row) => row.id === id) === index ? [] : [`${id} has two rows`]),
    ...(home.length === 0 ? [`${id} lives nowhere`] : []),
    ...(shown.some((path) => /\.test\.ts$|^examples\//.test(path)) ? [] : [`${id} is shown by no test or example`]),
    ...[...home, ...shown].filter((path) => !exists(path)).map((path) => `${id} names ${path}, which is not there`),
  ])
  return [...missing, ...wrong]
}

describe('docs/features.md', () => {
  test('maps every promised feature to its place and its proof', () => {
    assert.deepEqual(faults(readFileSync(join(root, 'docs/features.md'), 'utf8'), promised), [])
  })

  test('the list of ids is whole', () => {
    assert.deepEqual(expand('A-08..10, 12'), ['A-08', 'A-09', 'A-10', 'A-12'])
    assert.equal(promised.length, new Set(promised).size)
  })

  test('each fault is found', () => {
    const page = [
      '| A-01 | Good. | `src/a.ts` | `src/a.test.ts` |',
      '| A-02 | No proof. | `src/a.ts` | `docs/a.md` |',
      '| A-03 | No home. | | `examples/a.ts` |',
      '| A-04 | Dead. | `src/gone.ts` | `src/a.test.ts` |',
      '| A-04 | Again. | `src/a.ts` | `src/a.test.ts` |',
      '| A-09 | Unasked. | `src/a.ts` | `src/a.test.ts` |',
    ].join('\n')
    assert.deepEqual(
      faults(page, expand('A-01..05'), (path) => !path.includes('gone')),
      [
        'A-05 has no row',
        'A-02 is shown by no test or example',
        'A-03 lives nowhere',
        'A-04 names src/gone.ts, which is not there',
        'A-04 has two rows',
        'A-09 is not promised',
      ],
    )
  })
})
