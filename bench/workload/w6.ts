// W6, size and start: from an empty process to the first answer with the built library, what is installed, and what a
// browser would load.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { joinModules } from '../../gate/join.ts'
import { loadedFiles, weigh } from '../../gate/weigh.ts'
import { measureStart } from '../start.ts'
import type { Figures, Workload } from './workload.ts'

const root = join(import.meta.dirname, '../..')
const source = join(root, 'packages/tellurion')
const consumer = join(root, 'build/bench')
const installed = join(consumer, 'node_modules/tellurion')

/** Compiles the library into a consumer's `node_modules`, as it is published, with its dependencies linked beside it. */
function installLibrary(): void {
  rmSync(consumer, { recursive: true, force: true })
  mkdirSync(installed, { recursive: true })
  const tsc = join(root, 'node_modules/typescript/lib/tsc.js')
  const options = ['-p', 'tsconfig.build.json', '--outDir', join(installed, 'dist')]
  // Type errors are the check's business; what was compiled runs.
  spawnSync(process.execPath, [tsc, ...options], { cwd: source, stdio: 'ignore' })
  if (!existsSync(join(installed, 'dist/index.js'))) throw new Error('The library does not compile: npm run build.')
  const manifest: { exports: Record<string, string | Record<string, string>> } = JSON.parse(
    readFileSync(join(source, 'package.json'), 'utf8'),
  )
  for (const door of Object.values(manifest.exports)) if (typeof door === 'object') delete door['@tellurion/source']
  writeFileSync(join(installed, 'package.json'), JSON.stringify(manifest))
  joinModules(installed)
  for (const { name, folder } of dependencies()) {
    const link = join(consumer, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(folder, link, 'junction')
  }
  for (const [name, program] of Object.entries(programs)) writeFileSync(join(consumer, name), program)
}

/** The library's dependencies, and where they are installed. */
function dependencies(): { name: string; folder: string }[] {
  const manifest: { dependencies?: object } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'))
  const { resolve } = createRequire(join(source, 'package.json'))
  return Object.keys(manifest.dependencies ?? {}).map((name) => {
    let folder = dirname(resolve(name))
    while (!existsSync(join(folder, 'package.json')) || !folder.endsWith(name)) folder = dirname(folder)
    return { name, folder }
  })
}

const instant = `
const answer = [{ type: 'text.delta', text: 'Hello.' }, { type: 'finish', finishReason: 'stop', usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 } }]
const model = { name: 'bench/instant', async *stream() { yield* answer } }
`
const programs = {
  'loop.mjs': `${instant}
let text = ''
for await (const event of model.stream()) if (event.type === 'text.delta') text += event.text
console.log(text)`,
  'tellurion.mjs': `import { Agent } from 'tellurion'
${instant}
console.log((await new Agent({ name: 'hello', model }).generate('Hello!')).text)`,
}

/** Bytes of a package's files. */
function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !join(entry.parentPath).includes(join(folder, 'node_modules')))
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

/** Bytes of a program with an agent as a browser gets it at its start; modules of Node are left outside. */
function bundled(): number {
  return weigh(loadedFiles("export { Agent } from 'tellurion/agent'", { resolveDir: consumer, external: ['node:*'] }))
}

function size(): Figures {
  const parts = dependencies().map(({ folder }) => folder)
  const bytes = [installed, ...parts].reduce((sum, folder) => sum + sizeOf(folder), 0)
  return { installed: bytes / 1e6, packages: parts.length + 1, bundle: bundled() / 1000 }
}

export default {
  title: 'W6  start to first answer over an empty process; what is installed and loaded',
  prepare: installLibrary,
  metrics: [
    { name: 'start', unit: 'ms over empty', better: 'lower' },
    { name: 'installed', unit: 'MB installed', better: 'lower' },
    { name: 'packages', unit: 'packages', better: 'lower' },
    { name: 'bundle', unit: 'kB gzip, Agent', better: 'lower' },
  ],
  cells: {
    loop: async (scale) => ({ start: await measureStart(join(consumer, 'loop.mjs'), scale) }),
    tellurion: async (scale) => ({ start: await measureStart(join(consumer, 'tellurion.mjs'), scale), ...size() }),
  },
  targets: [
    { cell: 'tellurion', metric: 'start', most: 25 },
    { cell: 'tellurion', metric: 'installed', most: 3 },
    { cell: 'tellurion', metric: 'packages', most: 3 },
    { cell: 'tellurion', metric: 'bundle', most: 40 },
  ],
} satisfies Workload
