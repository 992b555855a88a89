// The tests that share one process, as one test file: starting Node once for all of them is what keeps the suite fast.
// Files that touch signals, the environment or processes, or work for long, are named `*.isolated.test.ts` and get their own.

import { join } from 'node:path'
import { describe, test } from 'node:test'
import { isIsolated, root, testFiles } from './source.ts'

// Nothing runs before the suite is built, so that no hook or test of a file is taken for part of a running test.
describe('in one process', async () => {
  for (const path of testFiles()) {
    if (isIsolated(path)) continue
    try {
      await import(join(root, path))
    } catch (error) {
      test(`${path} loads`, () => {
        throw error
      })
    }
  }
})
