// The public names: docs/api.md lists exactly what the doors export, and each name says what it is.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { doors, namesOf } from '../gate/door.ts'
import { namesPage } from '../gate/page.ts'
import { root } from '../gate/source.ts'

describe('public names', () => {
  const all = doors()

  test('docs/api.md lists them', () => {
    assert.equal(readFileSync(join(root, 'docs/api.md'), 'utf8'), namesPage(all), 'is stale: run `npm run generate`')
  })

  for (const door of all)
    test(`every name of ${door.specifier} has a docstring`, () => {
      const silent = door.names.filter(({ kind, sentence }) => kind === 'unknown' || sentence === '')
      assert.deepEqual(
        silent.map(({ name, kind }) => `${kind} ${name}`),
        [],
      )
    })

  for (const door of all)
    test(`${door.specifier} exports at run time what it says`, async () => {
      const live = Object.keys(await import(join(root, door.path)))
      const said = door.names.flatMap(({ name, kind }) => (kind === 'type' || kind === 'interface' ? [] : [name]))
      assert.deepEqual(live.toSorted(), said.toSorted())
    })
})

describe('reading a door', () => {
  const declarations = [
    '/** Adds. More. */',
    'export function add(): void {}',
    '/**',
    ' * A sum: of two',
    ' * numbers. And more.',
    ' */',
    'export interface Sum {}',
    'export const silent = 1',
    '/** Halves. */',
    'export const half = (x: number): number => x / 2',
  ].join('\n')
  const read = (text: string) => namesOf('a/index.ts', text, () => declarations)

  test('takes kind and first sentence from the declaration, under the exported name', () => {
    assert.deepEqual(read("// A door.\n\nexport { add as plus, half, silent, type Sum } from './sum.ts'\n"), [
      { name: 'Sum', kind: 'interface', sentence: 'A sum: of two numbers.' },
      { name: 'half', kind: 'function', sentence: 'Halves.' },
      { name: 'plus', kind: 'function', sentence: 'Adds.' },
      { name: 'silent', kind: 'const', sentence: '' },
    ])
  })

  test('a name that is not declared is unknown', () => {
    assert.equal(read("export type { Nothing } from './sum.ts'\n")[0]?.kind, 'unknown')
  })

  test('refuses anything but explicit names', () => {
    assert.throws(() => read("export * from './sum.ts'\n"), /holds more than/)
    assert.throws(() => read('export const x = 1\n'), /holds more than/)
  })
})
