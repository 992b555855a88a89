// A file that was deleted, moved or replaced while it is open takes nothing more, and says so; nothing at its path is harmed.

import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { sqliteKeyValueFile, type KeyValueFile } from './key-value-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'tellurion-presence-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const scope = { scope: 'global', owner: '' } as const
const value = new Uint8Array([1])

async function open(path = join(folder, `${++files}.db`)): Promise<{ path: string; file: KeyValueFile }> {
  const file = await sqliteKeyValueFile(path, { synchronous: 'normal' })
  after(() => file.close().catch(() => {}))
  return { path, file }
}

/** Longer than between two looks. */
const look = (): Promise<void> => pause(25)

async function refusesAll(file: KeyValueFile, message: RegExp): Promise<void> {
  const refusal = (error: Error & { code?: string }): boolean =>
    error.code === 'store_gone' && message.test(error.message)
  await assert.rejects(file.set(scope, 'new', value), refusal)
  await assert.rejects(file.get(scope, 'k'), refusal)
  const many = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => file.set(scope, `k${index}`, value)))
  assert.ok(many.every(({ status }) => status === 'rejected'))
}

suite('a file that is open', { skip: process.platform === 'win32' }, () => {
  for (const [part, message] of [
    ['', /: the file is not there any more while it is open; put it back/],
    ['-wal', /: its log, .*-wal, is not there any more/],
    ['-shm', /: its index, .*-shm, is not there any more/],
  ] as const) {
    test(`refuses everything once it lost ${part === '' ? 'itself' : part}`, async () => {
      const { path, file } = await open()
      await file.set(scope, 'k', value)
      unlinkSync(`${path}${part}`)
      await look()
      await refusesAll(file, message)
    })
  }

  test('takes writes again when it was put back', async () => {
    const { path, file } = await open()
    renameSync(path, `${path}.away`)
    await look()
    await refusesAll(file, /the file is not there any more/)
    renameSync(`${path}.away`, path)
    await file.set(scope, 'k', value)
    await file.close()
    const again = await open(path)
    assert.deepEqual(
      (await again.file.list(scope)).map(({ name }) => name),
      ['k'],
    )
  })

  test('does no harm to what took its place, also when it is closed', async () => {
    const { path, file } = await open()
    await file.set(scope, 'old', value)
    for (const part of ['', '-wal', '-shm']) unlinkSync(`${path}${part}`)
    const other = await open(path)
    await other.file.set(scope, 'fresh', value)
    await look()
    await refusesAll(file, /the file has been replaced/)
    await file.close()
    await other.file.set(scope, 'later', value)
    await other.file.close()
    const third = await open(path)
    assert.deepEqual(
      (await third.file.list(scope)).map(({ name }) => name),
      ['fresh', 'later'],
    )
  })

  test('whose log alone was lost keeps what it had acknowledged when it is closed', async () => {
    const { path, file } = await open()
    await file.set(scope, 'k', value)
    unlinkSync(`${path}-wal`)
    await look()
    await assert.rejects(file.set(scope, 'new', value), { code: 'store_gone' })
    await file.close()
    const again = await open(path)
    assert.deepEqual(
      (await again.file.list(scope)).map(({ name }) => name),
      ['k'],
    )
  })
})
