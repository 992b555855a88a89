// What a bundle weighs: the world's door builds for a browser, without anything of Node, and the agent's stays small.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { buildSync } from 'esbuild'
import { root } from '../gate/source.ts'

/** A minified browser bundle of code that imports the doors; the build fails on `node:` imports unless they are external. */
function bundle(code: string, options: { external?: string[] } = {}): Uint8Array {
  const { outputFiles } = buildSync({
    stdin: { contents: code, resolveDir: join(root, 'test'), loader: 'ts' },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    conditions: ['@tellurion/source'],
    logLevel: 'silent',
    ...options,
  })
  return outputFiles[0]?.contents ?? new Uint8Array()
}

describe('bundles', () => {
  test("the world's door builds for a browser", (t) => {
    const { length } = gzipSync(bundle("export * from 'tellurion/world'"))
    t.diagnostic(`tellurion/world: ${(length / 1000).toFixed(1)} kB gzip`)
    assert.ok(length > 1000)
  })

  test("the agent's door weighs at most 40 kB gzip", (t) => {
    const { length } = gzipSync(bundle("export * from 'tellurion/agent'", { external: ['node:*'] }))
    t.diagnostic(`tellurion/agent: ${(length / 1000).toFixed(1)} kB gzip`)
    assert.ok(length > 1000 && length <= 40_000, `${length} bytes`)
  })

  test('a module of Node would fail the build', () => {
    assert.throws(() => bundle("export { readFileSync } from 'node:fs'"), /Could not resolve "node:fs"/)
  })
})
