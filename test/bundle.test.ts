// What a bundle weighs: the world's door builds for a browser, without anything of Node, and the agent's stays small.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { root } from '../gate/source.ts'
import { loadedFiles, weigh } from '../gate/weigh.ts'

const bundle = (code: string, options: { external?: string[] } = {}): Uint8Array[] =>
  loadedFiles(code, { resolveDir: join(root, 'test'), conditions: ['@tellurion/source'], ...options })

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

  test("the client's door builds for a browser and weighs at most 12 kB gzip", (t) => {
    const length = weigh(bundle("export * from 'tellurion/client'"))
    t.diagnostic(`tellurion/client: ${(length / 1000).toFixed(1)} kB gzip`)
    assert.ok(length > 1000 && length <= 12_000, `${length} bytes`)
  })

  test('a module of Node would fail the build', () => {
    assert.throws(() => bundle("export { readFileSync } from 'node:fs'"), /Could not resolve "node:fs"/)
  })
})
