// `npm test`: the whole suite in one run of Node's test runner, so that its closing lines count everything.
// `npm test -- world tool.test` runs only the test files whose paths contain one of the words; `npm run coverage` also says
// which lines of the packages were run, as a table and in coverage/lcov.info.

import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { compileCache, isIsolated, root, testFiles } from './source.ts'

/** Milliseconds the whole suite may take. */
const longest = 20 * 60_000

const args = process.argv.slice(2)
const covers = args.includes('--coverage')
const words = args.filter((arg) => arg !== '--coverage')
const tests = testFiles()
const chosen =
  words.length === 0
    ? ['gate/suite.ts', ...tests.filter(isIsolated)]
    : tests.filter((path) => words.some((word) => path.includes(word)))

const coverage = [
  '--experimental-test-coverage',
  '--test-coverage-include=packages/*/src/**/*.ts',
  '--test-coverage-exclude=**/*.test.ts',
  '--test-reporter-destination=stdout',
  '--test-reporter=lcov',
  '--test-reporter-destination=coverage/lcov.info',
]

if (chosen.length === 0) {
  console.error(`No test file has ${words.map((word) => `'${word}'`).join(' or ')} in its path.`)
  process.exitCode = 1
} else {
  if (covers) mkdirSync(join(root, 'coverage'), { recursive: true })
  const limits = ['--test-concurrency=2', '--test-timeout=240000']
  const reporter = ['--test-reporter=spec', ...(covers ? coverage : [])]
  const linger = `--import=${pathToFileURL(join(root, 'gate/linger.ts')).href}`
  const options = ['--conditions=@tellurion/source', linger, '--test', ...reporter, ...limits]
  const { status, signal } = spawnSync(process.execPath, [...options, ...chosen], {
    cwd: root,
    // Coverage counts what was compiled from source, and not what a cache holds of it.
    env: { ...process.env, ...(covers ? {} : compileCache) },
    stdio: 'inherit',
    timeout: longest,
  })
  if (signal !== null) console.error(`The suite was ended by ${signal}; it may take ${longest / 60_000} minutes.`)
  process.exitCode = status ?? 1
}
