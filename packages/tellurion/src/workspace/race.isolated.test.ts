// A thread that swaps files, folders, links and hard links as fast as it can, against every tool: nothing outside is read,
// nothing outside is changed. `RACE_SECONDS=60` lets it run longer than the 10 seconds of CI. A reader that resolves the
// path first and opens it then is the broken variant: the same thread must beat it.

import assert from 'node:assert/strict'
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { readFile, realpath } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { systemClock } from '../clock/clock.ts'
import { memoryKeyValue } from '../port/memory-key-value.ts'
import type { Json } from '../schema/json.ts'
import { createArtifacts } from '../tool/artifact.ts'
import { createToolbox } from '../tool/toolbox.ts'
import { fileTools } from './file-tools.ts'
import { undoEdits } from './undo.ts'
import { createWorkspace } from './workspace.ts'

const duration = Number(process.env['RACE_SECONDS'] ?? 10) * 1_000

/** Swaps pairs of names until it is told to stop; a pair is a thing in the root and what takes its place. */
const racer = `
const { workerData: { pairs, flag } } = require('node:worker_threads')
const { renameSync } = require('node:fs')
let swaps = 0
const attempt = (from, to) => { try { renameSync(from, to) } catch {} }
while (Atomics.load(flag, 0) === 0) {
  for (const [name, other] of pairs) {
    attempt(name, name + '.off')
    attempt(other, name)
    attempt(name, other)
    attempt(name + '.off', name)
    swaps++
  }
}
Atomics.store(flag, 1, swaps)
`

test(
  'no race leads out of the root',
  { skip: process.platform !== 'linux' && 'needs Linux', timeout: duration + 60_000 },
  async (t) => {
    const base = realpathSync(mkdtempSync(join(tmpdir(), 'tellurion-race-')))
    const [root, outside, park] = ['root', 'outside', 'park'].map((name) => join(base, name)) as [
      string,
      string,
      string,
    ]
    for (const folder of [
      root,
      outside,
      park,
      join(root, 'd'),
      join(root, 'd/e'),
      join(root, 'm'),
      join(root, 'plain'),
    ])
      mkdirSync(folder)
    const canary = 'canary outside\n'
    for (const name of ['secret', 'f', 'only', 'elsewhere']) writeFileSync(join(outside, name), canary)
    mkdirSync(join(outside, 'deep'))
    writeFileSync(join(outside, 'deep/f'), canary)
    for (const name of ['f', 'h', 'd/f', 'd/e/f', 'm/f', 'plain/f']) writeFileSync(join(root, name), 'inside\n')
    symlinkSync(join(outside, 'secret'), join(root, 'f.on'))
    linkSync(join(outside, 'f'), join(root, 'h.on'))
    symlinkSync(outside, join(root, 'd.on'))
    symlinkSync(join(outside, 'deep'), join(root, 'd/e.on'))
    symlinkSync(outside, join(root, 'm.on'))
    const pairs = [
      [join(root, 'f'), join(root, 'f.on')],
      [join(root, 'h'), join(root, 'h.on')],
      [join(root, 'd'), join(root, 'd.on')],
      [join(root, 'd/e'), join(root, 'd/e.on')],
      [join(root, 'm'), join(root, 'm.on')],
      // A folder that leaves the root and comes back.
      [join(root, 'plain'), join(park, 'away')],
      [join(park, 'plain'), join(root, 'plain')],
    ]
    const flag = new Int32Array(new SharedArrayBuffer(8))
    const worker = new Worker(racer, { eval: true, workerData: { pairs, flag } })
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    const picture = (): string[] =>
      readdirSync(outside, { recursive: true, withFileTypes: true }).map((entry) => {
        const path = join(entry.parentPath, entry.name)
        return `${path} ${entry.isFile() ? readFileSync(path, 'utf8') : 'folder'} ${(statSync(path).mode & 0o777).toString(8)}`
      })
    const before = picture()
    const descriptors = readdirSync('/proc/self/fd').length

    const workspace = createWorkspace({ root })
    const toolbox = createToolbox({ ...fileTools(workspace) })
    const artifacts = createArtifacts(memoryKeyValue(), 's', { limit: Infinity })
    const tally: Record<string, { done: number; refused: number }> = {}
    let number = 0
    const attempt = async (name: string, input: Json): Promise<object> => {
      const outcome = await toolbox.execute(name, input, { results: { artifacts }, idempotencyKey: `k${++number}` })
      const said = String(outcome.content)
      assert.ok(!said.includes('canary outside'), `${name} ${JSON.stringify(input)} read outside: ${said}`)
      assert.ok(!/(^|\n)elsewhere(\n|$)/.test(said), `${name} listed outside: ${said}`)
      const count = (tally[name] ??= { done: 0, refused: 0 })
      if (outcome.isError === true) count.refused++
      else count.done++
      return outcome
    }
    const files = ['f', 'h', 'd/f', 'd/e/f', 'm/f', 'plain/f', 'd/secret', 'm/only', 'd/e/deep/f']
    const folders = ['d', 'd/e', 'm', 'plain', '']
    let naive = 0
    t.after(async () => {
      Atomics.store(flag, 0, 1)
      await ended
      rmSync(base, { recursive: true })
    })
    const began = systemClock.monotonic()
    while (systemClock.monotonic() - began < duration) {
      for (let round = 0; round < 10; round++) {
        await Promise.all([
          ...files.map((path) => attempt('readFile', { path })),
          ...folders.map((path) => attempt('listFiles', { path })),
          attempt('grepFiles', { pattern: 'canary' }),
          attempt('grepFiles', { pattern: 'canary', path: 'd' }),
          attempt('globFiles', { glob: '**' }),
        ])
        for (let tries = 0; tries < 10; tries++) if ((await resolvedThenOpened(root, 'd/f'))?.includes(canary)) naive++
      }
      const past = (
        await Promise.all([
          ...files.map((path) => attempt('writeFile', { path, content: 'inside\n' + String(number) })),
          attempt('writeFile', { path: `d/made/${number}`, content: 'x' }),
          attempt('writeFile', { path: `m/${number}`, content: 'x' }),
          attempt('editFile', { path: 'd/f', edits: [{ at: 'start', text: 'inside' }] }),
          attempt('moveFile', { from: 'm/f', to: `d/e/${number}` }),
          attempt('deleteFile', { path: 'd/e/f' }),
          attempt('deleteFile', { path: 'd/secret' }),
        ])
      ).toReversed()
      await undoEdits(workspace, past, { artifacts })
      await attempt('writeFile', { path: 'd/f', content: 'inside\n' })
    }
    Atomics.store(flag, 0, 1)
    await ended
    assert.deepEqual(picture(), before)
    // Whatever was refused in whatever moment, nothing stays open.
    assert.ok(readdirSync('/proc/self/fd').length <= descriptors + 5)
    const swaps = Atomics.load(flag, 1)
    t.diagnostic(`${duration / 1000} s, ${swaps} rounds of swaps, ${number} calls: ${JSON.stringify(tally)}; no escape`)
    t.diagnostic(`a reader that resolves and then opens was led outside ${naive} times`)
    assert.ok(swaps > 1_000, `only ${swaps} rounds`)
    assert.ok(
      (tally['readFile']?.done ?? 0) > duration / 200 && (tally['writeFile']?.done ?? 0) > duration / 500,
      JSON.stringify(tally),
    )
    if (duration >= 5_000) assert.ok(naive > 0, 'the thread did not even beat the broken variant')
  },
)

/** The broken variant: it looks where a path leads, and opens it after that. */
async function resolvedThenOpened(root: string, path: string): Promise<string | undefined> {
  try {
    const real = await realpath(join(root, path))
    return real.startsWith(root + sep) ? await readFile(join(root, path), 'utf8') : undefined
  } catch {
    return undefined
  }
}
