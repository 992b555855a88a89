// `npm test`: the whole suite in one run of Node's test runner, so that its closing lines count everything.
// `npm test -- world tool.test` runs only the test files whose paths contain one of the words.

import { spawnSync } from 'node:child_process'
import { compileCache, isIsolated, root, testFiles } from './source.ts'

const words = process.argv.slice(2)
const tests = testFiles()
const chosen =
  words.length === 0
    ? ['gate/suite.ts', ...tests.filter(isIsolated)]
    : tests.filter((path) => words.some((word) => path.includes(word)))

if (chosen.length === 0) {
  console.error(`No test file has ${words.map((word) => `'${word}'`).join(' or ')} in its path.`)
  process.exitCode = 1
} else {
  const limits = ['--test-concurrency=2', '--test-timeout=60000']
  const options = ['--conditions=@tellurion/source', '--test', '--test-reporter=spec', ...limits]
  const { status } = spawnSync(process.execPath, [...options, ...chosen], {
    cwd: root,
    env: { ...process.env, ...compileCache },
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
}
