// `npm test`: the whole suite in one run of Node's test runner, so that its closing lines count everything.
// `npm test -- world tool.test` runs only the test files whose paths contain one of the words.

import { spawnSync } from 'node:child_process'
import { filesOf, root } from './source.ts'

const words = process.argv.slice(2)
const tests = filesOf('packages/*/src/**/*.test.ts', 'test/*.test.ts').map(({ path }) => path)
const chosen =
  words.length === 0
    ? ['gate/suite.ts', ...tests.filter((path) => path.endsWith('.isolated.test.ts'))]
    : tests.filter((path) => words.some((word) => path.includes(word)))

if (chosen.length === 0) {
  console.error(`No test file has ${words.map((word) => `'${word}'`).join(' or ')} in its path.`)
  process.exitCode = 1
} else {
  const options = ['--conditions=@tellurion/source', '--test', '--test-reporter=spec', '--test-concurrency=2']
  const { status } = spawnSync(process.execPath, [...options, ...chosen], { cwd: root, stdio: 'inherit' })
  process.exitCode = status ?? 1
}
