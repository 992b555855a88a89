// The file of a server is deleted or replaced under it: it says so, takes nothing more, and hurts nothing that took its
// place. Put back, everything goes on.

import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { sqlite } from 'tellurion/sqlite'
import { openServerDesk } from './server-desk.ts'

test('a server whose store was taken away says so, and goes on when it is back', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tellurion-gone-'))
  const path = join(folder, 'runs.db')
  const own = await openServerDesk({ store: sqlite(path, { synchronous: 'normal' }) })
  t.after(async () => {
    await own.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const { id } = await own.ran('look')
  for (const part of ['', '-wal', '-shm']) renameSync(`${path}${part}`, `${path}${part}.away`)
  await pause(25)
  const health = async (): Promise<readonly unknown[]> => {
    const { status, json } = await own.ask('GET', '/health', { as: 'nobody' })
    const { checks } = json as { checks: { store: object } }
    return [status, checks.store]
  }
  const detail = 'The file of the store was deleted or replaced.'
  assert.deepEqual(await health(), [503, { ok: false, detail }])
  const refused = await own.ask('POST', '/api/v1/runs', { body: { input: 'x' } })
  assert.deepEqual([refused.status, refused.code], [503, 'store_gone'])
  assert.doesNotMatch(refused.text, /runs\.db/)
  assert.equal((await own.ask('GET', `/api/v1/runs/${id}`)).status, 503)
  for (const part of ['', '-wal', '-shm']) renameSync(`${path}${part}.away`, `${path}${part}`)
  assert.deepEqual(await health(), [200, { ok: true }])
  await own.ran('look')
})
