import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, test } from 'node:test'
import type { KeyScope } from '../../port/key-value.ts'
import { keyValueBehaviour } from '../../testing/key-value-behaviour.ts'
import { virtualClock } from '../../testing/virtual-clock.ts'
import { sqliteKeyValueFile } from './key-value-file.ts'

const home = mkdtempSync(join(tmpdir(), 'sqlite-key-value-'))
after(() => rmSync(home, { recursive: true, force: true }))
let places = 0
const place = (): string => join(home, String(++places), 'records.db')

const scope: KeyScope = { scope: 'project', owner: 'p' }
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('sqliteKeyValueFile', () => {
  for (const { name, run } of keyValueBehaviour) {
    test(name, async () => {
      const clock = virtualClock(1_000_000)
      const keyValue = await sqliteKeyValueFile(place(), { clock, synchronous: 'normal' })
      await run({ keyValue, advance: (ms) => clock.advance(ms) })
      await keyValue.close()
    })
  }

  test('what is purged is nowhere on the disk', async () => {
    const path = place()
    const clock = virtualClock(1)
    const keyValue = await sqliteKeyValueFile(path, { clock, synchronous: 'normal' })
    const canary = (length: number): Uint8Array => bytes('CANARY'.repeat(length))
    await keyValue.set(scope, 'kept', bytes('kept'))
    await keyValue.set(scope, 'small', canary(1))
    await keyValue.set(scope, 'large', canary(5_000))
    await keyValue.set(scope, 'lapsed', canary(10), { ttl: 10 })
    await keyValue.set(scope, 'changed', canary(2_000))
    await keyValue.set(scope, 'changed', bytes('x'))
    for (const name of ['small', 'large']) await keyValue.delete(scope, name)
    await clock.advance(20)
    const canaries = (): string[] =>
      readdirSync(dirname(path)).filter((name) => readFileSync(join(dirname(path), name)).includes('CANARY'))
    assert.ok(canaries().length > 0)
    await keyValue.purge()
    assert.deepEqual(canaries(), [])
    assert.equal((await keyValue.get(scope, 'kept'))?.value.length, 4)
    await keyValue.close()
  })

  test('says so when somebody who reads keeps it from emptying its log', async () => {
    const path = place()
    const keyValue = await sqliteKeyValueFile(path, { synchronous: 'normal' })
    await keyValue.set(scope, 'k', bytes('1'))
    const reader = new DatabaseSync(path)
    reader.exec('BEGIN; SELECT count(*) FROM record')
    await keyValue.delete(scope, 'k')
    await assert.rejects(keyValue.purge(), { code: 'store_locked' })
    reader.close()
    await keyValue.purge()
    await keyValue.close()
  })
})
