import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { systemClock } from '../../../clock/clock.ts'
import { sqlite } from './sqlite.ts'

const fixture = new URL('../../../../../../test/fixture/busy-worker.ts', import.meta.url).pathname

/** Lets a worker block its loop for 1.5 s with a lease of 0.4 s, while another process looks for lapsed leases. */
async function freedWhileBusy(stall: number): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tellurion-heart-'))
  const file = join(folder, 'runs.db')
  const child = spawn(process.execPath, ['--conditions=@tellurion/source', fixture, file, String(stall)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  try {
    await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()))
    const backend = await sqlite(file)({ clock: systemClock })
    const freed: string[] = []
    const end = systemClock.monotonic() + 1200
    while (systemClock.monotonic() < end) {
      freed.push(...(await backend.store.sweep(systemClock.now())))
      await new Promise<void>((resolve) => void systemClock.timer(50, resolve))
    }
    await backend.close()
    return freed
  } finally {
    child.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('the heart', () => {
  test('keeps the lease of a worker whose loop is busy', async () => {
    assert.deepEqual(await freedWhileBusy(30_000), [])
  })

  test('stops when the main loop has not answered for too long: others may take over', async () => {
    assert.equal((await freedWhileBusy(100)).length, 1)
  })
})
