// `npm test -- words`: one file, one word, several, and a word that nothing has. A file that does not end is ended.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommand } from '../gate/program.ts'

const npmTest = (...words: string[]) => runCommand(process.execPath, ['gate/test.ts', ...words])
const passed = (stdout: string): number => Number(/^ℹ pass (\d+)$/m.exec(stdout)?.[1])

describe('npm test', () => {
  test('runs the one file that is named', async () => {
    const { code, stdout } = await npmTest('tool/wildcard.test.ts')
    assert.equal(code, 0, stdout)
    assert.ok(passed(stdout) > 0)
  })

  test('runs the files with one of the words in their path', async () => {
    const [one, two] = await Promise.all([npmTest('tool/wildcard'), npmTest('tool/wildcard', 'schema/canonical')])
    assert.equal(two.code, 0, two.stdout)
    assert.ok(passed(two.stdout) > passed(one.stdout))
  })

  test('says that no file has such a word', async () => {
    const { code, stderr } = await npmTest('no-such-word')
    assert.equal(code, 1)
    assert.match(stderr, /No test file has 'no-such-word' in its path/)
  })

  test('ends a file that leaves something open, and says what', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'linger-'))
    const path = join(folder, 'leak.test.mjs')
    writeFileSync(path, "import { test } from 'node:test'\ntest('leaks', () => void setInterval(() => {}, 1000))\n")
    const { code, stdout } = await runCommand(process.execPath, ['--import=./gate/linger.ts', '--test', path], {
      env: { LINGER_GRACE: '200' },
    })
    rmSync(folder, { recursive: true })
    assert.equal(code, 1, stdout)
    assert.match(stdout, /goes on 0\.2 s after its last test, kept by: .*Timeout/)
  })
})
