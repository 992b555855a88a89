// Every example runs as its reader would run it, and prints what it promises. Those that need a vendor's key get a local
// server that speaks that vendor's wire.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { brokenPromise, promised, runSource } from '../gate/program.ts'
import { filesOf } from '../gate/source.ts'

const examples = filesOf('examples/**/*.ts')

describe('examples', () => {
  for (const { path, text } of examples)
    test(path, async () => {
      assert.ok(promised(text).length > 0, 'it has no `// prints: …` line')
      const { code, stdout, stderr } = await runSource(path)
      assert.equal(code, 0, `${stdout}${stderr}`)
      assert.equal(brokenPromise(text, stdout), undefined, `it printed:\n${stdout}`)
    })
})
