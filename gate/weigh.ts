// What a browser would load of some code at its start, and what that weighs.

import { gzipSync } from 'node:zlib'
import { buildSync } from 'esbuild'

/** Where modules are looked for, and what stays outside. */
export interface WeighOptions {
  readonly resolveDir: string
  readonly conditions?: string[]
  readonly external?: string[]
}

const entryFile = 'weighed-entry.ts'

/**
 * The files that a minified browser bundle of this code loads at its start: the entry and what it imports statically,
 * without what is loaded later. The build fails on `node:` imports unless they are external.
 */
export function loadedFiles(code: string, { resolveDir, ...options }: WeighOptions): Uint8Array[] {
  const { outputFiles, metafile } = buildSync({
    stdin: { contents: code, resolveDir, loader: 'ts', sourcefile: entryFile },
    bundle: true,
    splitting: true,
    minify: true,
    write: false,
    metafile: true,
    outdir: '/bundle',
    absWorkingDir: '/',
    format: 'esm',
    platform: 'browser',
    logLevel: 'silent',
    ...options,
  })
  // What is imported later are entries too.
  const entry = Object.keys(metafile.outputs).find((path) => metafile.outputs[path]?.entryPoint?.endsWith(entryFile))
  const loaded = new Set<string>()
  const load = (path: string): void => {
    if (loaded.has(path)) return
    loaded.add(path)
    for (const each of metafile.outputs[path]?.imports ?? []) {
      if (each.kind === 'import-statement' && !each.external) load(each.path)
    }
  }
  if (entry !== undefined) load(entry)
  return outputFiles.filter(({ path }) => loaded.has(path.slice(1))).map(({ contents }) => contents)
}

/** Bytes of the files as gzip sends them. */
export function weigh(files: readonly Uint8Array[]): number {
  return files.reduce((sum, contents) => sum + gzipSync(contents).length, 0)
}
