// The pages keep their word: their code type-checks and runs, and what they link to is there.

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { blocksOf, writeBlocks } from '../gate/doc-code.ts'
import { brokenPromise, runCommand, runSource } from '../gate/program.ts'
import { filesOf, root } from '../gate/source.ts'

const tsc = join(root, 'node_modules/typescript/lib/tsc.js')
const typeCheck = (folder: string) => runCommand(process.execPath, [tsc, '-p', folder])

function freshFolder(): string {
  const folder = mkdtempSync(join(root, '.docs-code-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

describe('docs', { concurrency: 2 }, () => {
  const pages = filesOf('*.md', 'docs/**/*.md')
  const blocks = pages.flatMap(blocksOf).filter(({ use }) => use !== 'fragment')
  const folder = freshFolder()
  const files = writeBlocks(blocks, folder)

  test('every ts block type-checks', async () => {
    const { code, stdout } = await typeCheck(folder)
    assert.equal(code, 0, stdout)
  })

  for (const [block, file] of files)
    if (block.use === 'run')
      test(`${block.page}:${block.line} runs`, async () => {
        const { code, stdout, stderr } = await runSource(file)
        assert.equal(code, 0, stderr)
        assert.equal(brokenPromise(block.code, stdout), undefined, `it printed:\n${stdout}`)
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
    const folder = freshFolder()
    writeBlocks(blocksOf(page('text', '```ts', 'const x: string = 1', '```')), folder)
    const { code, stdout } = await typeCheck(folder)
    assert.notEqual(code, 0)
    assert.match(stdout, /page-line-3\.ts\(3,7\): error TS2322/)
  })

  test('promises are kept in order', () => {
    assert.equal(brokenPromise('// prints: a\n// prints: b\n', 'xa\nb!\n'), undefined)
    assert.equal(brokenPromise('// prints: a\n// prints: b\n', 'b\na\n'), 'b')
  })
})
