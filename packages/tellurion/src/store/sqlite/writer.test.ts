// Writes that come together share a transaction, and a job that fails leaves nothing and hurts nobody.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, suite, test } from 'node:test'
import { virtualClock } from '../../testing/virtual-clock.ts'
import type { WritePoint } from './open-options.ts'
import { openDatabase, type Database } from './database.ts'
import { createWriter, type Writer } from './writer.ts'

const folder = mkdtempSync(join(tmpdir(), 'tellurion-writer-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const layout = { mark: 1, version: 1, create: 'CREATE TABLE t (x INTEGER PRIMARY KEY) STRICT' }
let files = 0

interface Bench {
  readonly database: Database
  readonly writer: Writer
  readonly points: WritePoint[]
  readonly clock: ReturnType<typeof virtualClock>
  insert(x: number): number
  all(): readonly unknown[]
}

async function bench(): Promise<Bench> {
  const clock = virtualClock()
  const database = await openDatabase(join(folder, `${++files}.db`), { layout, clock, synchronous: 'normal' })
  after(() => database.close())
  const points: WritePoint[] = []
  return {
    database,
    writer: createWriter(database, { clock, onPoint: (point) => points.push(point) }),
    points,
    clock,
    insert: (x) => Number(database.prepare('INSERT INTO t VALUES (?)').run(x).changes),
    all: () =>
      database
        .prepare('SELECT x FROM t ORDER BY x')
        .all()
        .map(({ x }) => x),
  }
}

suite('the writer of a file', () => {
  test('puts what comes in one macrotask into one transaction', async () => {
    const { writer, insert, points, all } = await bench()
    const jobs = Array.from({ length: 50 }, (_, x) => writer.write(() => insert(x), { single: x % 2 === 0 }))
    assert.deepEqual(all(), [], 'nothing is written before its turn')
    await Promise.all(jobs)
    assert.equal(all().length, 50)
    assert.deepEqual(points, ['begin', ...Array<WritePoint>(50).fill('job'), 'commit', 'committed'])
  })
  test('waits for the disk only where a job must survive the loss of power', async () => {
    const path = join(folder, `${++files}.db`)
    const clock = virtualClock()
    for (const synchronous of ['full', 'normal'] as const) {
      const database = await openDatabase(path, { layout, clock, synchronous })
      const modes: unknown[] = []
      const mode = (): unknown => Object.values(database.sqlite.prepare('PRAGMA synchronous').get() ?? {})[0]
      const writer = createWriter(database, { clock, onPoint: (point) => point === 'begin' && modes.push(mode()) })
      const write = (relaxed: boolean, single = false): Promise<void> => writer.write(() => {}, { relaxed, single })
      await write(true)
      await write(true, true)
      await Promise.all([write(true), write(false), write(true)])
      await write(false)
      await write(true)
      await writer.write(() => {})
      assert.deepEqual(modes, synchronous === 'full' ? [1, 1, 2, 2, 1, 2] : [1, 1, 1, 1, 1, 1])
      database.close()
    }
  })
  test('writes a single statement without a transaction of its own', async () => {
    const { writer, insert, points } = await bench()
    await writer.write(() => insert(1), { single: true })
    assert.deepEqual(points, ['begin', 'committed'])
  })
  test('undoes a job that throws half-way, and keeps its neighbours', async () => {
    const { writer, insert, all } = await bench()
    const bad = writer.write(() => {
      insert(2)
      throw new Error('half-way')
    })
    const twice = writer.write(() => insert(4) + insert(4))
    const good = [writer.write(() => insert(1)), writer.write(() => insert(3), { single: true })]
    await assert.rejects(bad, { code: 'store_unavailable', message: /half-way/ })
    await assert.rejects(twice, { code: 'store_unavailable', message: /UNIQUE/ })
    assert.deepEqual(await Promise.all(good), [1, 1])
    assert.deepEqual(all(), [1, 3])
  })
  test('waits for another connection, job by job in order, while the event loop lives', async () => {
    const { database, writer, insert, all, clock } = await bench()
    const other = new DatabaseSync(database.path)
    other.exec('BEGIN IMMEDIATE; INSERT INTO t VALUES (100)')
    const order: number[] = []
    const jobs = [1, 2, 3].map((x) => writer.write(() => insert(x)).then(() => order.push(x)))
    for (let turn = 0; turn < 20; turn++) await clock.advance(10)
    assert.equal(order.length, 0, 'nothing can be written yet')
    other.exec('COMMIT')
    other.close()
    const late = writer.write(() => insert(4)).then(() => order.push(4))
    while (order.length < 4) await clock.advance(10)
    await Promise.all([...jobs, late])
    assert.deepEqual(
      [order, all()],
      [
        [1, 2, 3, 4],
        [1, 2, 3, 4, 100],
      ],
    )
  })
  test('writes what waits before it closes, and nothing after', async () => {
    const { writer, insert, all } = await bench()
    const last = writer.write(() => insert(1))
    await writer.close()
    await assert.rejects(
      writer.write(() => insert(2)),
      { code: 'store_closed' },
    )
    assert.equal(await last, 1)
    assert.deepEqual(all(), [1])
  })
})
