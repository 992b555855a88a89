// The SQLite backend shows every behaviour of a backend, on files that are opened again and shared.

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import type { Backend } from '../../backend.ts'
import { backendBehaviour } from '../../../testing/backend-behaviour.ts'
import type { BackendBench } from '../../../testing/backend-bench.ts'
import { keyValueBehaviour } from '../../../testing/key-value-behaviour.ts'
import { virtualClock } from '../../../testing/virtual-clock.ts'
import { sqlite } from './sqlite.ts'

const folder = mkdtempSync(join(tmpdir(), 'tellurion-sqlite-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

interface FileBench extends BackendBench {
  close(): Promise<void>
}

function bench(): FileBench {
  const clock = virtualClock(1_000)
  const paths = new Map<Backend, string>()
  const at = async (path: string): Promise<Backend> => {
    // What is tested here does not depend on the power staying on.
    const backend = await sqlite(path, { synchronous: 'normal' })({ clock })
    paths.set(backend, path)
    return backend
  }
  return {
    clock,
    open: () => at(join(folder, `${++files}`, 'runs.db')),
    async reopen(backend) {
      await backend.close()
      return at(paths.get(backend)!)
    },
    join: (backend) => at(paths.get(backend)!),
    async close() {
      for (const backend of paths.keys()) await backend.close()
    },
  }
}

suite('sqlite', () => {
  for (const { name, run } of backendBehaviour) {
    test(name, async () => {
      const own = bench()
      try {
        await run(own)
      } finally {
        await own.close()
      }
    })
  }
  for (const { name, run } of keyValueBehaviour) {
    test(`key-value: ${name}`, async () => {
      const own = bench()
      const { keyValue } = await own.open()
      await run({ keyValue, advance: own.clock.advance })
      await own.close()
    })
  }
  test('is opened with what there is', async () => {
    const opened = (options: object) => sqlite(join(folder, 'never.db'), options)({ clock: virtualClock(1) })
    for (const wrong of [
      { maxBytes: Number.NaN },
      { maxBytes: -1 },
      { maxBytes: Infinity },
      { lockTimeout: Number.NaN },
      { lockTimeout: -1 },
      { synchronous: 'off' },
    ]) {
      await assert.rejects(opened(wrong), { code: 'invalid_option' }, JSON.stringify(wrong))
    }
    await assert.rejects(opened({ maxByte: 5 }), { code: 'unknown_option', message: /Did you mean 'maxBytes'/ })
    assert.equal(existsSync(join(folder, 'never.db')), false)
  })

  test('is deaf after it was closed, and says that it is closed', async () => {
    const own = bench()
    const { store, hints } = await own.open()
    await own.close()
    const stop = hints.listen(() => assert.fail('a hint of a closed store'))
    hints.send({ type: 'queue' })
    hints.send({ type: 'mail', run: 'r' })
    await assert.rejects(store.getRun('r'), { code: 'store_closed' })
    await assert.rejects(store.sweep(0), { code: 'store_closed' })
    await assert.rejects(store.retry('r', 0), { code: 'store_closed' })
    stop()
  })
  test('says that it keeps what it acknowledged', async () => {
    const own = bench()
    const backend = await own.open()
    assert.deepEqual([backend.name, backend.durable], ['sqlite', true])
    await own.close()
    await own.close()
  })
})
