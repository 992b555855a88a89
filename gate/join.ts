// Joins the modules of a compiled package: one file a door, and chunks for what doors share. A hundred small files take
// longer to load than to run; what is loaded later stays a file of its own.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync } from 'esbuild'

interface Manifest {
  readonly exports?: Readonly<Record<string, string | { readonly default?: string }>>
}

/** The files that a package is entered by, relative to it. */
function entries(manifest: Manifest): string[] {
  const doors = Object.values(manifest.exports ?? {}).flatMap((door) =>
    typeof door === 'object' && door.default !== undefined ? [door.default] : [],
  )
  return doors.map((path) => path.replace(/^\.\//, ''))
}

/** Joins what lies compiled in `folder`/dist. `more` names entries that no door leads to, such as a program. */
export function joinModules(folder: string, more: readonly string[] = []): void {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  const joined = join(folder, 'joined')
  rmSync(joined, { recursive: true, force: true })
  buildSync({
    entryPoints: [...entries(manifest), ...more].map((path) => join(folder, path)),
    outbase: join(folder, 'dist'),
    outdir: joined,
    bundle: true,
    splitting: true,
    chunkNames: 'chunk/[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node24',
    packages: 'external',
    logLevel: 'error',
  })
  const dist = join(folder, 'dist')
  for (const path of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    if (path.endsWith('.js')) rmSync(join(dist, path))
  }
  moveInto(joined, dist)
  rmSync(joined, { recursive: true, force: true })
}

/** Moves the joined files to their place, without the comments that name the modules they were made of. */
function moveInto(from: string, to: string): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) {
      mkdirSync(target, { recursive: true })
      moveInto(source, target)
    } else writeFileSync(target, readFileSync(source, 'utf8').replace(/^\/\/ \S+\.js$\n/gm, ''))
  }
}
