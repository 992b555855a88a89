// A damaged record is a clear error for its own run and none for the others; a store of another kind is refused.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, suite, test } from 'node:test'
import { virtualClock } from '../../../testing/virtual-clock.ts'
import { sqliteKeyValueFile } from '../../../store/sqlite/key-value-file.ts'
import { begin, draftCommit, draftSnapshot } from '../../../testing/run-store-draft.ts'
import type { Backend } from '../../backend.ts'
import { sqlite } from './sqlite.ts'

const folder = mkdtempSync(join(tmpdir(), 'tellurion-damage-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

async function withRuns(work: (backend: Backend, other: DatabaseSync, path: string) => Promise<void>): Promise<void> {
  const path = join(folder, `${++files}.db`)
  const backend = await sqlite(path, { synchronous: 'normal' })({ clock: virtualClock(1_000) })
  for (const id of ['bad', 'good']) {
    const run = await begin(backend.store, id)
    await backend.store.commit(
      draftCommit(run, { seq: 0, items: ['a letter'], snapshot: draftSnapshot(['a letter'], 1) }),
    )
    await backend.store.commit(draftCommit({ ...run, events: 1 }, { seq: 1, items: ['a second letter'] }))
  }
  const other = new DatabaseSync(path)
  try {
    await work(backend, other, path)
  } finally {
    other.close()
    await backend.close()
  }
}

const corrupt = { code: 'store_corrupt' } as const
const ofBad = `(SELECT key FROM run WHERE id = 'bad')`

suite('damage', () => {
  test('a flipped bit in a row, its events or a snapshot is noticed, by whoever reads it', () =>
    withRuns(async ({ store }, other) => {
      other.exec(`UPDATE journal SET operations = replace(operations, 'second', 'secone') WHERE run = ${ofBad}`)
      await assert.rejects(store.load('b-bad'), corrupt)
      await assert.rejects(store.readRows('b-bad', { afterTick: 0, limit: 9 }), corrupt)
      await assert.rejects(store.readEvents('bad', { after: 0, limit: 9 }), corrupt)
      other.exec("UPDATE snapshot SET body = replace(body, 'letter', 'litter')")
      await assert.rejects(store.load('b-good'), corrupt)
      assert.equal((await store.readEvents('good', { after: 0, limit: 9 })).length, 2)
      assert.equal((await store.getRun('bad'))?.status, 'running')
    }))
  test('a record that is no JSON any more is noticed, and the other run goes on', () =>
    withRuns(async ({ store }, other) => {
      other.exec("UPDATE run SET more = substr(more, 2) WHERE id = 'bad'")
      await assert.rejects(store.getRun('bad'), corrupt)
      await assert.rejects(store.send({ run: 'bad', id: 'm', kind: 'cancel', payload: 0, now: 0 }), corrupt)
      assert.equal(await store.send({ run: 'good', id: 'm', kind: 'cancel', payload: 0, now: 0 }), 'sent')
    }))
  test('a file of records alone is no store of runs', async () => {
    const path = join(folder, 'records.db')
    await (await sqliteKeyValueFile(path)).close()
    await assert.rejects(sqlite(path)({ clock: virtualClock() }), corrupt)
  })
  test('the log beside the file stays small, and the space of what is gone is used again', () =>
    withRuns(async ({ store }, _, path) => {
      let largest = 0
      for (let round = 0; round < 12; round++) {
        const run = await begin(store, `r${round}`)
        for (let seq = 0; seq < 40; seq++) {
          const items = ['x'.repeat(20_000)]
          const end = seq === 39 ? { end: { to: 'succeeded', stopReason: 'stop' } as const } : {}
          await store.commit(draftCommit({ ...run, events: seq }, { seq, items, now: 1, ...end }))
        }
        largest = Math.max(largest, statSync(`${path}-wal`).size)
        assert.equal(await store.gc({ before: 2, limit: 9 }), 1)
      }
      assert.ok(largest < 20_000_000, `the log grew to ${largest} bytes`)
      assert.ok(statSync(path).size < 4_000_000, `the file grew to ${statSync(path).size} bytes`)
    }))
})
