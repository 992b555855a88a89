// `npm run golden`: adds what this version writes to the corpus of golden snapshots. It only ever adds: what a version
// has written stays as it is, for every later version must load it.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { playGolden } from './golden-scene.ts'
import { root } from './source.ts'

const { version } = JSON.parse(readFileSync(join(root, 'packages/tellurion/package.json'), 'utf8')) as {
  version: string
}
const folder = join(root, 'test/golden', version)
mkdirSync(folder, { recursive: true })

for (const [name, state] of await playGolden(version)) {
  const file = join(folder, `${name}.json`)
  if (existsSync(file)) continue
  writeFileSync(file, `${JSON.stringify(state)}\n`)
  console.log(`wrote test/golden/${version}/${name}.json`)
}
