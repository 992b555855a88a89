// Many runs and long runs: what waits costs rows and no memory, what has ended costs nothing, and going on with a run
// costs what its state weighs, whatever it has been through.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { runCommand } from '../gate/program.ts'
import { compileCache } from '../gate/source.ts'

/** Runs a program of the fixture and gives back its figures. */
async function figures<T>(program: string): Promise<T> {
  const args = ['--expose-gc', '--conditions=@tellurion/source', 'test/fixture/scale.ts', program]
  const { code, stdout, stderr } = await runCommand(process.execPath, args, { env: compileCache })
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout) as T
}

/** What is held after 10,000 runs beside what was held after 2,000. */
interface Weight {
  readonly bytesPerRun: number
  readonly handlesBefore: readonly string[]
  readonly handlesAfter: readonly string[]
}

/** Less than anything that is kept for each run, and more than what a heap of some megabytes moves by itself. */
const bytesOfNothing = 150

describe('scale', { concurrency: true }, () => {
  test('10,000 waiting runs are rows: no memory, no timers, no leases', async (context) => {
    const found = await figures<Weight & { count: number; leased: number; output: string; fileBytesPerRun: number }>(
      'waiting',
    )
    const { bytesPerRun, handlesBefore, handlesAfter, count, leased, output, fileBytesPerRun } = found
    context.diagnostic(
      `${bytesPerRun.toFixed(0)} bytes of heap and ${fileBytesPerRun.toFixed(0)} of file a waiting run`,
    )
    assert.ok(bytesPerRun < bytesOfNothing, `${bytesPerRun} bytes of heap a waiting run`)
    assert.deepEqual(handlesAfter, handlesBefore, 'timers and handles')
    assert.deepEqual({ count, leased }, { count: 10_000, leased: 0 })
    assert.ok(fileBytesPerRun < 8000, `${fileBytesPerRun} bytes of file a waiting run`)
    assert.equal(output, 'yes', 'and one of them goes on when it is answered')
  })

  test('10,000 runs go through one process and leave nothing in it', async (context) => {
    const { bytesPerRun, handlesBefore, handlesAfter, failed } = await figures<Weight & { failed: number }>('through')
    context.diagnostic(`${bytesPerRun.toFixed(0)} bytes of heap a run that has ended`)
    assert.ok(bytesPerRun < bytesOfNothing, `${bytesPerRun} bytes of heap a run`)
    assert.deepEqual(handlesAfter, handlesBefore, 'timers and handles')
    assert.equal(failed, 0)
  })

  test('turns that have ended are gone with the young, long before a full collection', async (context) => {
    const { bytesPerTurn } = await figures<{ bytesPerTurn: number }>('young')
    context.diagnostic(`${bytesPerTurn.toFixed(0)} bytes a turn`)
    // One world of such a turn has some 8,000.
    assert.ok(bytesPerTurn < 1500, `${bytesPerTurn} bytes a turn`)
  })

  test('a process that lets nothing go is found out', async (context) => {
    const { bytesPerRun } = await figures<Weight>('kept')
    context.diagnostic(`${bytesPerRun.toFixed(0)} bytes of heap a run that is kept`)
    assert.ok(bytesPerRun > 10 * bytesOfNothing)
  })

  test('going on after 100,000 events takes no longer than after 1,000', async (context) => {
    const { short, long, events } = await figures<{ short: number; long: number; events: number }>('resume')
    context.diagnostic(`${short.toFixed(1)} ms after 1,000 events, ${long.toFixed(1)} ms after ${events}`)
    assert.ok(events >= 100_000)
    // The events alone would take a hundred times as long to read.
    assert.ok(long < 4 * short + 10, `${long} ms after ${events} events, ${short} ms after 1,000`)
  })
})
