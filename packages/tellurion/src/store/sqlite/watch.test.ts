// What another connection writes is noticed, also where nobody says so; what this one writes is not.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock as clock } from '../../clock/clock.ts'
import { openDatabase, type Database } from './database.ts'
import { touchDatabase, watchDatabase } from './watch.ts'

const folder = mkdtempSync(join(tmpdir(), 'tellurion-watch-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const layout = { mark: 1, version: 1, create: 'CREATE TABLE t (x INTEGER PRIMARY KEY) STRICT' }
let files = 0

async function pair(): Promise<readonly [Database, Database]> {
  const path = join(folder, `${++files}.db`)
  const one = await openDatabase(path, { layout, clock, synchronous: 'normal' })
  const other = await openDatabase(path, { layout, clock, synchronous: 'normal' })
  after(() => [one, other].forEach((database) => database.close()))
  return [one, other]
}

const write = (database: Database): void => void database.prepare('INSERT INTO t DEFAULT VALUES').run()

/** Waits for a call, at most so long. */
async function waitFor(met: () => boolean, limit = 2000): Promise<boolean> {
  const end = clock.monotonic() + limit
  while (!met() && clock.monotonic() < end) await pause(1)
  return met()
}

suite('watching a file', () => {
  test('tells of what another connection writes, touched or not', async () => {
    const [one, other] = await pair()
    let changes = 0
    const stop = watchDatabase(one, () => changes++)
    for (const touch of [false, true, true, false]) {
      const before = changes
      write(other)
      if (touch) touchDatabase(other)
      assert.ok(await waitFor(() => changes > before), touch ? 'touched' : 'not touched')
    }
    stop()
  })

  test('tells nothing of what this connection writes, nor of a touch without news', async () => {
    const [one] = await pair()
    let changes = 0
    const stop = watchDatabase(one, () => changes++)
    for (let round = 0; round < 5; round++) {
      write(one)
      touchDatabase(one)
      await pause(10)
    }
    assert.equal(changes, 0)
    stop()
  })

  test('is at rest for a moment after each change, and misses nothing', async () => {
    const [one, other] = await pair()
    const seen: number[] = []
    const rows = (): number => Number(one.prepare('SELECT count(*) AS n FROM t').get()?.['n'])
    const stop = watchDatabase(one, () => seen.push(rows()))
    const began = clock.monotonic()
    for (let row = 0; row < 400; row++) {
      write(other)
      touchDatabase(other)
      if (row % 4 === 0) await pause(0)
    }
    assert.ok(await waitFor(() => seen.at(-1) === 400))
    const most = (clock.monotonic() - began) / 2
    assert.ok(seen.length <= most, `${seen.length} changes, at most ${most}`)
    stop()
  })

  test('ends when it is told to', async () => {
    const [one, other] = await pair()
    let changes = 0
    const stop = watchDatabase(one, () => changes++)
    stop()
    stop()
    write(other)
    touchDatabase(other)
    await pause(40)
    assert.equal(changes, 0)
  })

  test('bears a file that is gone', () => {
    assert.doesNotThrow(() => touchDatabase({ path: join(folder, 'nowhere.db') } as Database))
  })
})
