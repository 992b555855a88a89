// The ```ts run blocks of the pages, executed as a reader would: each ends with 0 and prints what it promises.

import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { after, describe, test } from 'node:test'
import { blocksOf, docPages, writeBlocks } from '../gate/doc-code.ts'
import { brokenPromise, runSource } from '../gate/program.ts'

describe('the code of the docs', () => {
  const { path, files } = writeBlocks(
    docPages()
      .flatMap(blocksOf)
      .filter(({ use }) => use === 'run'),
  )
  after(() => rmSync(path, { recursive: true, force: true }))

  test('is there', () => assert.ok(files.size > 5))

  for (const [{ page, line, code: text }, file] of files)
    test(`${page}:${line}`, async () => {
      const { code, stdout, stderr } = await runSource(file)
      assert.equal(code, 0, stderr)
      assert.equal(brokenPromise(text, stdout), undefined, `it printed:\n${stdout}`)
    })
})
