// `npm run build`: compiles both packages into their dist/ folders, joins their modules, and lays out what is published
// under build/, ready for `npm publish build/tellurion`. `npm run build -- FOLDER` does it in a copy of the project, as
// the test of packing does.

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { joinModules } from './join.ts'
import { root } from './source.ts'

const home = resolve(process.argv[2] ?? root)

interface Manifest {
  exports?: Record<string, string | Record<string, string>>
}

/** What is started by its path and not imported through a door. */
const programs: Readonly<Record<string, readonly string[]>> = {
  tellurion: [
    'dist/runtime/backend/sqlite/heart-thread.js',
    'dist/sandbox/quickjs-thread.js',
    'dist/web/page-thread.js',
  ],
  'tellurion-server': ['dist/cli/main.js'],
}

/** Compiles a package; false when it has type errors. */
function compile(folder: string): boolean {
  rmSync(join(folder, 'dist'), { recursive: true, force: true })
  const tsc = join(home, 'node_modules/typescript/lib/tsc.js')
  return spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: folder, stdio: 'inherit' }).status === 0
}

/** Lays out a compiled package as it is published: no source, and no condition that leads to it. */
function layOut(folder: string, target: string): void {
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target, { recursive: true })
  for (const part of ['dist', 'bin'])
    if (existsSync(join(folder, part))) cpSync(join(folder, part), join(target, part), { recursive: true })
  for (const page of ['LICENSE', 'README.md', 'CHANGELOG.md']) cpSync(join(home, page), join(target, page))
  const manifest: Manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  for (const door of Object.values(manifest.exports ?? {}))
    if (typeof door === 'object') delete door['@tellurion/source']
  writeFileSync(join(target, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
}

// The library first: the server's types come from its dist/.
for (const name of ['tellurion', 'tellurion-server']) {
  const folder = join(home, 'packages', name)
  if (!compile(folder)) process.exit(1)
  joinModules(folder, programs[name] ?? [])
  layOut(folder, join(home, 'build', name))
}
