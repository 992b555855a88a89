// `npm run clean`: removes what the project's own commands make and can make again. Data, keys and what is installed stay.

import { globSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { root } from './source.ts'

const home = resolve(process.argv[2] ?? root)
const made = [
  'build',
  'coverage',
  'packages/*/dist',
  'packages/*/joined',
  'node_modules/.cache',
  '.docs-code-*',
  '*.tgz',
]

const found = made.flatMap((pattern) => globSync(pattern, { cwd: home })).toSorted()
for (const path of found) rmSync(join(home, path), { recursive: true, force: true })
console.log(found.length === 0 ? 'There is nothing to remove.' : `removed ${found.join(', ')}`)
