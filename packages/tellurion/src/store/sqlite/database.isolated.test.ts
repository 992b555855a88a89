// What is no whole store of ours is refused with a clear error, and left exactly as it was.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, suite, test } from 'node:test'
import { systemClock as clock } from '../../clock/clock.ts'
import { seededRandom } from '../../id/random.ts'
import { sqliteKeyValueFile } from './key-value-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'tellurion-database-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const fresh = (): string => join(folder, `${++files}.db`)
const scope = { scope: 'global', owner: '' } as const

/** A store with `count` records of a kilobyte. */
async function filled(count: number): Promise<string> {
  const path = fresh()
  const file = await sqliteKeyValueFile(path, { synchronous: 'normal' })
  await Promise.all(Array.from({ length: count }, (_, index) => file.set(scope, `k${index}`, new Uint8Array(1_000))))
  await file.close()
  return path
}

/** Opening is refused with `code`, and the bytes stay what they were. */
async function refuses(path: string, code: string): Promise<void> {
  const before = existsSync(path) && statSync(path).isFile() ? readFileSync(path) : undefined
  await assert.rejects(sqliteKeyValueFile(path), (error: Error & { code?: string }) => {
    assert.equal(error.code, code, error.message)
    assert.match(error.message, /^The store /)
    return true
  })
  if (before !== undefined) assert.ok(before.equals(readFileSync(path)), 'the file was changed')
}

suite('opening a SQLite file', () => {
  test('makes the file and its folders', async () => {
    const path = join(folder, 'deep', 'er', 'runs.db')
    await (await sqliteKeyValueFile(path)).close()
    await (await sqliteKeyValueFile(path)).close()
    assert.ok(existsSync(path))
  })
  test('refuses paths that are none', async () => {
    for (const path of ['', ':memory:', 'a\0b', 'file:x.db', undefined as unknown as string]) {
      await assert.rejects(sqliteKeyValueFile(path), { code: 'invalid_option' })
    }
  })
  test('a folder, and a folder that is a file', async () => {
    await refuses(folder, 'store_unavailable')
    const file = fresh()
    writeFileSync(file, 'text')
    await refuses(join(file, 'x.db'), 'store_unavailable')
  })
  test('a file that is no database', async () => {
    for (const bytes of ['x', 'not a database'.repeat(100), '\0'.repeat(4_096)]) {
      const path = fresh()
      writeFileSync(path, bytes)
      await refuses(path, 'store_corrupt')
    }
  })
  test('an empty file becomes a store', async () => {
    const path = fresh()
    writeFileSync(path, '')
    await (await sqliteKeyValueFile(path)).close()
  })
  test('the database of another program', async () => {
    for (const sql of ['CREATE TABLE theirs (x)', 'PRAGMA application_id = 7']) {
      const path = fresh()
      const other = new DatabaseSync(path)
      other.exec(`${sql}; PRAGMA user_version = 3`)
      other.close()
      await refuses(path, 'store_corrupt')
    }
  })
  test('a store of a newer version', async () => {
    const path = await filled(1)
    const newer = new DatabaseSync(path)
    newer.exec('PRAGMA user_version = 99')
    newer.close()
    await refuses(path, 'store_newer')
  })
  test('a store cut off at many lengths', async () => {
    const path = await filled(40)
    const whole = readFileSync(path)
    for (let length = 1; length < whole.length; length += 1_777) {
      const cut = fresh()
      writeFileSync(cut, whole.subarray(0, length))
      await refuses(cut, 'store_corrupt')
    }
  })
  test('a store with flipped bits: refused, or read with no error but a typed one, and never hung', async () => {
    const path = await filled(40)
    const whole = readFileSync(path)
    const random = seededRandom(5)
    let refusals = 0
    for (let round = 0; round < 60; round++) {
      const bad = Buffer.from(whole)
      // The beginning of pages is where SQLite's own structures lie.
      const at = Math.floor(random() * (whole.length / 4_096)) * 4_096 + Math.floor(random() * 64)
      bad[at]! ^= 1 << Math.floor(random() * 8)
      const flipped = fresh()
      writeFileSync(flipped, bad)
      try {
        const file = await sqliteKeyValueFile(flipped)
        await file.list(scope)
        await file.close()
      } catch (error) {
        refusals++
        assert.match((error as { code: string }).code, /^store_(corrupt|newer|unavailable)$/, String(error))
      }
    }
    assert.ok(refusals > 20, `${refusals} of 60 were refused`)
  })
  test('a store that may grow no further says so, keeps what it has, and goes on when there is room', async () => {
    const path = fresh()
    const file = await sqliteKeyValueFile(path, { maxBytes: 200_000 })
    const results = await Promise.allSettled(
      Array.from({ length: 300 }, (_, index) => file.set(scope, `k${index}`, new Uint8Array(4_000))),
    )
    const kept = results.flatMap(({ status }, index) => (status === 'fulfilled' ? [`k${index}`] : []))
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []))
    assert.ok(kept.length > 10 && refused.length > 100, `${kept.length} kept`)
    assert.deepEqual([...new Set(refused)], ['store_full'])
    const names = (await file.list(scope)).map(({ name }) => name)
    assert.deepEqual(names.sort(), [...kept].sort())
    for (const name of kept.slice(0, 5)) await file.delete(scope, name)
    assert.notEqual(await file.set(scope, 'again', new Uint8Array(4_000)), undefined)
    await file.close()
    assert.ok(statSync(path).size <= 200_000)
  })
  test('a closed file says so', async () => {
    const file = await sqliteKeyValueFile(fresh())
    await file.close()
    await assert.rejects(file.set(scope, 'k', new Uint8Array()), { code: 'store_closed' })
    await assert.rejects(file.get(scope, 'k'), { code: 'store_closed' })
  })
  test('a file that another connection keeps locked is given up after a time, and works again afterwards', async () => {
    const path = await filled(1)
    const file = await sqliteKeyValueFile(path, { lockTimeout: 150 })
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    const began = clock.monotonic()
    await assert.rejects(file.set(scope, 'k', new Uint8Array()), { code: 'store_locked', retryable: true })
    assert.ok(clock.monotonic() - began < 5_000)
    const late = file.set(scope, 'late', new Uint8Array())
    clock.timer(30, () => other.exec('ROLLBACK'))
    assert.notEqual(await late, undefined)
    other.close()
    await file.close()
  })
})

const program = `
  import { sqliteKeyValueFile } from ${JSON.stringify(new URL('key-value-file.ts', import.meta.url).href)}
  const scope = { scope: 'global', owner: '' }
  try {
    const file = await sqliteKeyValueFile(process.argv[1])
    for (let index = 0; index < 200; index++) await file.set(scope, 'k' + index, new Uint8Array(4000))
    console.log('fine')
  } catch (error) {
    console.log(error.code)
  }`

suite('what only another process can show', () => {
  const words = ['--conditions=@tellurion/source', '--input-type=module', '--eval', program]
  const { NODE_TEST_CONTEXT: _, ...env } = process.env

  test('a folder and a file that may not be written', { skip: process.getuid?.() !== 0 && 'needs root' }, async () => {
    // Somebody who may pass but not write.
    const closed = join(folder, 'closed')
    const path = await filled(1)
    mkdirSync(closed, { mode: 0o755 })
    copyFileSync(path, join(closed, 'there.db'))
    for (const name of ['there.db', 'new.db', 'deep/new.db']) {
      const file = join(closed, name)
      const before = existsSync(file) ? readFileSync(file) : undefined
      const nobody = { uid: 65_534, gid: 65_534 }
      spawnSync('chmod', ['755', folder])
      const { stdout } = spawnSync(process.execPath, [...words, file], { env, encoding: 'utf8', ...nobody })
      assert.equal(stdout.trim(), 'store_read_only', name)
      assert.deepEqual(existsSync(file) ? readFileSync(file) : undefined, before)
    }
  })
  test('a file that the system lets grow no further', { skip: process.platform === 'win32' }, () => {
    const path = fresh()
    const { stdout } = spawnSync('sh', ['-c', 'ulimit -f 400; exec "$@"', 'sh', process.execPath, ...words, path], {
      env,
      encoding: 'utf8',
    })
    assert.match(stdout.trim(), /^store_(full|unavailable)$/)
    const left = new DatabaseSync(path)
    const { n } = left.prepare('SELECT count(*) AS n FROM record').get() as { n: number }
    const check = left.prepare('PRAGMA integrity_check').get() as { integrity_check: string }
    assert.ok(n > 5, `${n} records are kept`)
    assert.equal(check.integrity_check, 'ok')
    left.close()
  })
})
