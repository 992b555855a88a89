// The pages keep their word: their code type-checks, and what they link to is there. `docs-run` executes it.

import assert from 'node:assert/strict'
import { existsSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { blocksOf, docPages, writeBlocks, type CodeBlock } from '../gate/doc-code.ts'
import { brokenPromise, runCommand, type Outcome } from '../gate/program.ts'
import { root } from '../gate/source.ts'

async function typeCheck(blocks: readonly CodeBlock[]): Promise<Outcome> {
  const { path } = writeBlocks(blocks)
  try {
    return await runCommand(process.execPath, [join(root, 'node_modules/typescript/lib/tsc.js'), '-p', path])
  } finally {
    rmSync(path, { recursive: true, force: true })
  }
}

describe('docs', () => {
  const pages = docPages()

  test('every ts block type-checks', async () => {
    const { code, stdout } = await typeCheck(pages.flatMap(blocksOf).filter(({ use }) => use !== 'fragment'))
    assert.equal(code, 0, stdout)
  })

  for (const page of pages)
    test(`${page.path} links to what is there`, () => {
      const links = [...page.text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)].map((match) => match[1] ?? '')
      const dead = links.filter((link) => !existsSync(join(root, dirname(page.path), link)))
      assert.deepEqual(dead, [])
    })
})

describe('the check of docs has teeth', () => {
  const page = (...lines: string[]) => ({ path: 'docs/page.md', text: lines.join('\n') })

  test('blocks are found with their line and their use', () => {
    const text = page('# A', '', '```ts', 'a()', 'b()', '```', '```js', 'no', '```', '```ts run', 'c()', '```')
    assert.deepEqual(blocksOf(text), [
      { page: 'docs/page.md', line: 4, code: 'a()\nb()\n', use: 'check' },
      { page: 'docs/page.md', line: 11, code: 'c()\n', use: 'run' },
    ])
  })

  test('an unknown use is refused', () => {
    assert.throws(() => blocksOf(page('```ts nocheck', '```')), /page\.md:1: a block is/)
  })

  test('a wrong block fails the type check at the line of its page', async () => {
    const { code, stdout } = await typeCheck(blocksOf(page('text', '```ts', 'const x: string = 1', '```')))
    assert.notEqual(code, 0)
    assert.match(stdout, /page-line-3\.ts\(3,7\): error TS2322/)
  })

  test('promises are kept in order', () => {
    assert.equal(brokenPromise('// prints: a\n// prints: b\n', 'xa\nb!\n'), undefined)
    assert.equal(brokenPromise('// prints: a\n// prints: b\n', 'b\na\n'), 'b')
  })
})
