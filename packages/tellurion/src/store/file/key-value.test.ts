// Records in one file: the behaviour of the port, every torn or changed byte, every step of a save cut off, backups and
// what is left of what was deleted.

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import fc from 'fast-check'
import type { KeyScope, KeyValue } from '../../port/key-value.ts'
import { keyValueBehaviour } from '../../testing/key-value-behaviour.ts'
import { virtualClock } from '../../testing/virtual-clock.ts'
import { decode, encode, type Contents } from './format.ts'
import { fileKeyValue, type FileKeyValueOptions } from './key-value.ts'

const home = mkdtempSync(join(tmpdir(), 'file-key-value-'))
after(() => rmSync(home, { recursive: true, force: true }))
let places = 0
const place = (): string => join(home, String(++places), 'memory.jsonl')

const scope: KeyScope = { scope: 'project', owner: 'p' }
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const read = async (keyValue: KeyValue, name = 'k'): Promise<string | undefined> => {
  const entry = await keyValue.get(scope, name)
  return entry && new TextDecoder().decode(entry.value)
}
/** Opens, does something, closes. */
async function using<T>(
  path: string,
  use: (keyValue: KeyValue) => Promise<T>,
  options?: FileKeyValueOptions,
): Promise<T> {
  const keyValue = await fileKeyValue(path, options)
  try {
    return await use(keyValue)
  } finally {
    await keyValue.close()
  }
}
const write = (path: string, value: string, name = 'k') => using(path, (it) => it.set(scope, name, bytes(value)))

describe('the behaviour of the port', () => {
  for (const { name, run } of keyValueBehaviour) {
    test(name, async () => {
      const clock = virtualClock(1_000_000)
      const keyValue = await fileKeyValue(place(), { clock })
      await run({ keyValue, advance: (ms) => clock.advance(ms) })
      await keyValue.close()
    })
  }

  test('also when it is closed and opened again between any two calls', async () => {
    for (const { run } of keyValueBehaviour) {
      const clock = virtualClock(1_000_000)
      const path = place()
      const again = <T>(use: (keyValue: KeyValue) => Promise<T>): Promise<T> => using(path, use, { clock })
      // Compare-and-set by many at one time needs them in one store.
      let turn: Promise<unknown> = Promise.resolve()
      const inTurn = <T>(use: (keyValue: KeyValue) => Promise<T>): Promise<T> => {
        const next = turn.then(() => again(use))
        turn = next.catch(() => {})
        return next
      }
      const keyValue: KeyValue = {
        get: (...args) => inTurn((it) => it.get(...args)),
        set: (where, name, value, options) => {
          const copy = value.slice()
          return inTurn((it) => it.set(where, name, copy, options))
        },
        delete: (...args) => inTurn((it) => it.delete(...args)),
        list: (...args) => inTurn((it) => it.list(...args)),
      }
      await run({ keyValue, advance: (ms) => clock.advance(ms) })
    }
  })
})

describe('the form of the file', () => {
  test('is one that a person can read, and its owner alone', async () => {
    const path = place()
    await write(path, '{"text":"Likes tea"}')
    const lines = readFileSync(path, 'utf8').split('\n')
    assert.match(lines[0]!, /^tellurion-key-value 1 [0-9a-f]{64}$/)
    assert.deepEqual(lines.slice(1), [
      '{"saves":1,"lastVersion":1}',
      String.raw`{"scope":"project","owner":"p","name":"k","version":1,"text":"{\"text\":\"Likes tea\"}"}`,
      '',
    ])
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  test('law: whatever is written is read again', () => {
    const value = fc.oneof(
      fc.uint8Array(),
      fc.string({ unit: 'binary' }).map((text) => bytes(text)),
    )
    const entry = fc.record({
      key: fc
        .tuple(fc.constantFrom('global', 'project', 'session'), fc.string({ unit: 'binary' }))
        .map((it) => it.join(':')),
      name: fc.string({ unit: 'binary' }),
      value: value.map((it) => new Uint8Array(it)),
      version: fc.nat(),
      expires: fc.option(fc.nat(), { nil: undefined }),
    })
    fc.assert(
      fc.property(fc.array(entry), fc.nat(), fc.nat(), (entries, saves, lastVersion) => {
        const records: Contents['records'] = new Map()
        for (const { key, expires, ...rest } of entries) {
          const of = (records.get(key) ?? new Map()) as Map<string, unknown>
          of.set(rest.name, expires === undefined ? rest : { ...rest, expires })
          ;(records as Map<string, unknown>).set(key, of)
        }
        const decoded = decode(encode({ records, saves, lastVersion }))
        assert.deepEqual(decoded, { status: 'whole', contents: { records, saves, lastVersion } })
      }),
    )
  })
})

describe('a file that is torn or changed', () => {
  /** A folder whose file holds `new` and whose backup holds `old`. */
  async function saved(): Promise<{ path: string; whole: Buffer }> {
    const path = place()
    await write(path, 'old')
    await write(path, 'new')
    return { path, whole: readFileSync(path) }
  }

  test('at any byte is recognised, and the newest whole backup is taken', async () => {
    const { path, whole } = await saved()
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length))
      const keyValue = await fileKeyValue(path)
      assert.equal(keyValue.recoveredFrom, `${path}.1`)
      assert.equal(await read(keyValue), 'old', `cut to ${length} bytes`)
      await keyValue.close()
    }
  })

  test('by any flipped bit is recognised too', async () => {
    const { path, whole } = await saved()
    for (let at = 0; at < whole.length; at++) {
      for (const bit of [1, 4, 32, 128]) {
        const changed = Buffer.from(whole)
        changed[at]! ^= bit
        writeFileSync(path, changed)
        assert.equal(await using(path, read), 'old', `bit ${bit} of byte ${at}`)
      }
    }
  })

  test('or that is gone', async () => {
    const { path } = await saved()
    rmSync(path)
    assert.equal(await using(path, read), 'old')
  })

  test('is put aside by the next write, never over a backup', async () => {
    const { path, whole } = await saved()
    writeFileSync(path, whole.subarray(0, 100))
    await write(path, 'newer')
    assert.equal(await using(path, read), 'newer')
    assert.deepEqual(readFileSync(`${path}.damaged`), whole.subarray(0, 100))
    assert.equal(decode(readFileSync(`${path}.1`)).status, 'whole')
  })

  test('goes on with versions that were never given', async () => {
    const { path } = await saved()
    const lost = await using(path, (it) => it.set(scope, 'k', bytes('lost')))
    rmSync(path)
    const next = await using(path, (it) => it.set(scope, 'k', bytes('x')))
    assert.ok(next! > lost!)
  })

  test('without a whole backup is a clear error, and nothing is touched', async () => {
    const path = place()
    mkdirSync(dirname(path), { recursive: true })
    for (const content of ['', '{"my":"own file"}\n', 'tellurion-key-value 1 ', '\0'.repeat(1_000)]) {
      writeFileSync(path, content)
      await assert.rejects(fileKeyValue(path), {
        code: 'store_corrupt',
        message: /memory\.jsonl: it is torn, changed or of/,
      })
      assert.equal(readFileSync(path, 'utf8'), content)
    }
    assert.deepEqual(readdirSync(dirname(path)), ['memory.jsonl'])
  })

  test('a backup that is torn is passed over for an older one', async () => {
    const { path, whole } = await saved()
    await write(path, 'newest')
    rmSync(path)
    writeFileSync(`${path}.1`, whole.subarray(0, 50))
    const keyValue = await fileKeyValue(path)
    assert.deepEqual([keyValue.recoveredFrom, await read(keyValue)], [`${path}.2`, 'old'])
    await keyValue.close()
  })

  test('of a newer format is left alone', async () => {
    const { path } = await saved()
    const text = readFileSync(path, 'utf8')
    const { createHash } = await import('node:crypto')
    const sum = createHash('sha256')
      .update(`2\n${text.slice(text.indexOf('\n') + 1)}`)
      .digest('hex')
    writeFileSync(path, text.replace(/^.*$/m, `tellurion-key-value 2 ${sum}`))
    await assert.rejects(fileKeyValue(path), { code: 'store_newer' })
  })
})

describe('a save that is cut off', () => {
  test('before any of its steps leaves the old records or the new ones, whole, and a store that goes on', async () => {
    let steps = 0
    for (let cut = 1; ; cut++) {
      const path = place()
      for (let value = 1; value <= 7; value++) await write(path, String(value))
      let step = 0
      const onPoint = (): void => {
        if (++step === cut) throw new Error('cut off')
      }
      const keyValue = await fileKeyValue(path, { onPoint })
      const outcome = await keyValue.set(scope, 'k', bytes('8')).then(
        () => 'saved',
        () => 'failed',
      )
      if (outcome === 'saved') break
      steps = cut
      const found = await using(path, read)
      assert.ok(found === '7' || found === '8', `cut before step ${cut}: ${found}`)
      assert.equal(await read(keyValue), '7', 'what was not acknowledged is not shown')
      await write(path, '9')
      assert.equal(await using(path, read), '9')
    }
    assert.ok(steps >= 8, `${steps} steps were cut`)
  })

  test('hurts none of those that come later in the same store', async () => {
    let broken = true
    const onPoint = (): void => {
      if (broken) throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
    }
    const path = place()
    const keyValue = await fileKeyValue(path, { onPoint })
    await assert.rejects(keyValue.set(scope, 'k', bytes('1')), { code: 'store_full' })
    assert.equal(await read(keyValue), undefined)
    broken = false
    await keyValue.set(scope, 'k', bytes('2'))
    await keyValue.close()
    assert.equal(await using(path, read), '2')
  })
})

describe('backups', () => {
  test('are five, newest first', async () => {
    const path = place()
    for (let value = 1; value <= 9; value++) await write(path, String(value))
    const names = readdirSync(dirname(path)).toSorted()
    assert.deepEqual(names, ['memory.jsonl', ...[1, 2, 3, 4, 5].map((number) => `memory.jsonl.${number}`)])
    for (let number = 1; number <= 5; number++) {
      const decoded = decode(readFileSync(`${path}.${number}`))
      assert.ok(decoded.status === 'whole')
      const { value } = decoded.contents.records.get('project:p')!.get('k')!
      assert.equal(new TextDecoder().decode(value), String(9 - number))
    }
  })

  test('writes that come together are one save', async () => {
    const path = place()
    const keyValue = await fileKeyValue(path)
    await Promise.all(Array.from({ length: 500 }, (_, index) => keyValue.set(scope, `k${index}`, bytes('x'))))
    await keyValue.close()
    const decoded = decode(readFileSync(path))
    assert.ok(decoded.status === 'whole' && decoded.contents.saves <= 2)
    assert.equal(decoded.contents.records.get('project:p')?.size, 500)
  })

  test('what is purged is nowhere on the disk, what is kept is twice', async () => {
    const path = place()
    const clock = virtualClock(1)
    const keyValue = await fileKeyValue(path, { clock })
    await keyValue.set(scope, 'deleted', bytes('CANARY-1'))
    await keyValue.set(scope, 'lapsed', bytes('CANARY-2'), { ttl: 10 })
    await keyValue.set(scope, 'changed', bytes('CANARY-3'))
    await keyValue.set(scope, 'changed', bytes('kept'))
    await keyValue.delete(scope, 'deleted')
    await clock.advance(20)
    const canaries = (): string[] =>
      readdirSync(dirname(path)).filter((name) => readFileSync(join(dirname(path), name), 'utf8').includes('CANARY'))
    assert.ok(canaries().length >= 4)
    await keyValue.purge()
    assert.deepEqual(canaries(), [])
    rmSync(path)
    await keyValue.close()
    assert.equal(await using(path, (it) => read(it, 'changed'), { clock }), 'kept')
    assert.equal(await using(path, (it) => read(it, 'deleted'), { clock }), undefined)
  })
})

describe('bad places', () => {
  test('a path that is none', async () => {
    for (const path of ['', 'a\0b', undefined as never, 5 as never]) {
      await assert.rejects(fileKeyValue(path), { code: 'invalid_option' })
    }
  })

  test('a folder in the place of the file, or a file in the place of its folder', async () => {
    const path = place()
    mkdirSync(path, { recursive: true })
    await assert.rejects(fileKeyValue(path), { code: 'store_unavailable' })
    const file = place()
    await write(file, 'x')
    await assert.rejects(fileKeyValue(join(file, 'below')), { code: 'store_unavailable' })
  })

  test('a file that would grow too large: what fits is written, the rest is refused', async () => {
    const path = place()
    const keyValue = await fileKeyValue(path, { maxBytes: 2_000 })
    const writes = ['small', 'x'.repeat(5_000), 'also small'].map((text, index) =>
      keyValue.set(scope, `k${index}`, bytes(text)),
    )
    const outcomes = await Promise.allSettled(writes)
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    assert.equal((outcomes[1] as PromiseRejectedResult).reason.code, 'store_full')
    assert.deepEqual([await read(keyValue, 'k0'), await read(keyValue, 'k2')], ['small', 'also small'])
    await keyValue.close()
  })

  test('another process that has written the file is never overwritten', async () => {
    const path = place()
    const first = await fileKeyValue(path)
    await first.set(scope, 'k', bytes('first'))
    await write(path, 'second')
    await assert.rejects(first.set(scope, 'k', bytes('third')), { code: 'store_locked' })
    await first.close()
    assert.equal(await using(path, read), 'second')
  })

  test('a store that was closed says so', async () => {
    const path = place()
    const keyValue = await fileKeyValue(path)
    const last = keyValue.set(scope, 'k', bytes('last'))
    await keyValue.close()
    await last
    assert.equal(await using(path, read), 'last')
    for (const late of [
      keyValue.get(scope, 'k'),
      keyValue.set(scope, 'k', bytes('')),
      keyValue.delete(scope, 'k'),
      keyValue.list(scope),
      keyValue.purge(),
    ])
      await assert.rejects(late, { code: 'store_closed' })
    await keyValue.close()
  })

  test('opening for reading makes nothing', async () => {
    const path = place()
    assert.equal(await using(path, read), undefined)
    assert.equal(existsSync(path), false)
  })
})
