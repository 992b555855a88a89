// What a browser gets: the world's door bundles without anything of Node, and the agent's door stays small.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { buildSync } from 'esbuild'
import { root } from '../gate/source.ts'

/** A minified browser bundle of some code that may import the doors; the build fails on any `node:` import. */
function bundle(code: string): Uint8Array {
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
  })
  return outputFiles[0]?.contents ?? new Uint8Array()
}

describe('in a browser', () => {
  test("the world's door bundles", (t) => {
    const { length } = gzipSync(bundle("export * from 'tellurion/world'"))
    t.diagnostic(`tellurion/world: ${(length / 1000).toFixed(1)} kB gzip`)
    assert.ok(length > 1000)
  })

  test("the agent's door bundles to at most 40 kB gzip", (t) => {
    const { length } = gzipSync(bundle("export * from 'tellurion/agent'"))
    t.diagnostic(`tellurion/agent: ${(length / 1000).toFixed(1)} kB gzip`)
    assert.ok(length > 1000 && length <= 40_000, `${length} bytes`)
  })

  test('a module of Node would fail the build', () => {
    assert.throws(() => bundle("export { readFileSync } from 'node:fs'"), /Could not resolve "node:fs"/)
  })
})
