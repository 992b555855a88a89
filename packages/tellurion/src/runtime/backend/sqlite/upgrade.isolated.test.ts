// A file that an older version wrote is brought up when it is opened, whole, once, and by whoever comes first.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { systemClock as clock } from '../../../clock/clock.ts'
import { draftRun } from '../../../testing/run-store-draft.ts'
import { sqlite } from './sqlite.ts'

const folder = mkdtempSync(join(tmpdir(), 'tellurion-upgrade-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('a file of format 1 keeps its runs and learns of accounts', async () => {
  const path = join(folder, 'old.db')
  const old = await sqlite(path)({ clock })
  await old.store.createRun(draftRun('r'))
  await old.close()
  const file = new DatabaseSync(path)
  file.exec('DROP TABLE account; PRAGMA user_version = 1')
  file.close()

  const both = await Promise.all([sqlite(path)({ clock }), sqlite(path)({ clock })])
  const [first, second] = both
  assert.equal((await first.store.getRun('r'))?.agent, 'echo')
  const accounts = [{ id: 'user.ada', limits: { tokens: 10 } }]
  await first.store.createRun(draftRun('s', { limits: { tokens: 4 }, accounts }))
  assert.equal((await second.store.getAccount('user.ada'))?.lent.tokens, 4)
  for (const each of both) await each.close()
  const after = new DatabaseSync(path)
  assert.equal((after.prepare('PRAGMA user_version').get() as { user_version: number }).user_version, 2)
  after.close()
})
