// What a bundle weighs: the world's door builds for a browser, without anything of Node, and the agent's stays small.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { buildSync } from 'esbuild'
import { root } from '../gate/source.ts'

/**
 * The files that a minified browser bundle of this code loads at its start: the entry and what it imports statically,
 * without what is loaded later. The build fails on `node:` imports unless they are external.
 */
function bundle(code: string, options: { external?: string[] } = {}): Uint8Array[] {
  const { outputFiles, metafile } = buildSync({
    stdin: { contents: code, resolveDir: join(root, 'test'), loader: 'ts', sourcefile: 'entry.ts' },
    bundle: true,
    splitting: true,
    minify: true,
    write: false,
    metafile: true,
    outdir: '/bundle',
    absWorkingDir: '/',
    format: 'esm',
    platform: 'browser',
    conditions: ['@tellurion/source'],
    logLevel: 'silent',
    ...options,
  })
  const entry = Object.keys(metafile.outputs).find((path) => metafile.outputs[path]?.entryPoint !== undefined)
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

const weigh = (files: readonly Uint8Array[]): number =>
  files.reduce((sum, contents) => sum + gzipSync(contents).length, 0)

describe('bundles', () => {
  test("the world's door builds for a browser", (t) => {
    const length = weigh(bundle("export * from 'tellurion/world'"))
    t.diagnostic(`tellurion/world: ${(length / 1000).toFixed(1)} kB gzip`)
    assert.ok(length > 1000)
  })

  test('a program with an agent weighs at most 40 kB gzip', (t) => {
    const external = { external: ['node:*'] }
    const whole = weigh(bundle("export * from 'tellurion/agent'", external))
    const length = weigh(bundle("export { Agent } from 'tellurion/agent'", external))
    t.diagnostic(
      `Agent of tellurion/agent: ${(length / 1000).toFixed(1)} kB gzip, the whole door ${(whole / 1000).toFixed(1)} kB`,
    )
    assert.ok(length > 1000 && length <= 40_000, `${length} bytes`)
  })

  test('a module of Node would fail the build', () => {
    assert.throws(() => bundle("export { readFileSync } from 'node:fs'"), /Could not resolve "node:fs"/)
  })
})
