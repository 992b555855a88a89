// Several processes on one file: each run is worked on by one of them, nothing is lost or doubled, and none starves.
// This file is also the program of those processes.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { systemClock as clock } from '../../../clock/clock.ts'
import { draftCommit, draftRun } from '../../../testing/run-store-draft.ts'
import { sqlite } from './sqlite.ts'

const processes = 4
const runs = 120
const rows = 6

/** What one process tells in the end. */
interface Told {
  readonly worker: string
  readonly ended: number
  /** The longest that one write took, in milliseconds. */
  readonly longest: number
}

/** The program: works on whatever there is until it is told to stop. */
async function program([path = '', worker = '']: readonly string[]): Promise<void> {
  const backend = await sqlite(path)({ clock })
  const stop = new AbortController()
  let [ended, longest] = [0, 0]
  const timed = async <T>(work: Promise<T>): Promise<T> => {
    const began = clock.monotonic()
    const result = await work
    longest = Math.max(longest, clock.monotonic() - began)
    return result
  }
  const deliver = async (id: string): Promise<void> => {
    const now = clock.now()
    const run = await timed(backend.store.beginAttempt(id, { worker, now, leaseUntil: now + 60_000 }))
    if (run === undefined) return
    for (let seq = 0; seq < rows; seq++) {
      const end = seq === rows - 1 ? { end: { to: 'succeeded', stopReason: 'stop' } as const } : {}
      const commit = draftCommit({ ...run, events: seq }, { seq, items: [`${worker}.${seq}`], now, ...end })
      assert.equal((await timed(backend.store.commit(commit))).status, 'committed')
    }
    ended++
  }
  process.stdin.on('data', () => stop.abort())
  await backend.queue.consume({ capacity: () => 3, deliver }, { signal: stop.signal })
  await backend.close()
  process.stdin.destroy()
  process.stdout.write(JSON.stringify({ worker, ended, longest } satisfies Told))
}

function start(path: string, worker: string): { stop(): void; told: Promise<Told> } {
  const words = [...process.execArgv.filter((word) => !word.startsWith('--test')), import.meta.filename]
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(process.execPath, [...words, 'program', path, worker], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.on('data', (bytes) => (said += String(bytes)))
  const told = new Promise<Told>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve(JSON.parse(said) as Told) : reject(new Error(`exit ${code}`))))
  })
  return { stop: () => child.stdin.end('stop'), told }
}

async function share(path: string): Promise<readonly Told[]> {
  const { store, hints, close } = await sqlite(path)({ clock })
  const workers = Array.from({ length: processes }, (_, index) => start(path, `w${index}`))
  for (let index = 0; index < runs; index++) await store.createRun(draftRun(`r${index}`, { now: clock.now() }))
  const live = async (): Promise<number> => (await store.listRuns({ status: ['queued', 'running'], limit: 1 })).length
  const over = Promise.withResolvers<void>()
  const look = (): void => void live().then((count) => count === 0 && over.resolve(), over.reject)
  const stop = hints.listen(look)
  look()
  await over.promise
  stop()
  for (const worker of workers) worker.stop()
  const told = await Promise.all(workers.map((worker) => worker.told))
  for (let index = 0; index < runs; index++) {
    const record = await store.getRun(`r${index}`)
    const events = await store.readEvents(`r${index}`, { after: 0, limit: 99 })
    assert.deepEqual([record?.status, record?.epoch], ['succeeded', 1])
    const [first] = events
    const worker = String((first!.event as { item?: string }).item).split('.')[0]
    const wanted = Array.from({ length: rows }, (_, seq) => [seq + 1, `${worker}.${seq}`])
    assert.deepEqual(
      events.map(({ seq, event }) => [seq, (event as { item?: string }).item]),
      wanted,
    )
  }
  await close()
  return told
}

function tests(): void {
  const folder = mkdtempSync(join(tmpdir(), 'tellurion-share-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  test('four processes share one file', { timeout: 120_000 }, async (context) => {
    const told = await share(join(folder, 'runs.db'))
    const ended = told.map(({ ended }) => ended)
    assert.equal(
      ended.reduce((sum, count) => sum + count),
      runs,
    )
    assert.ok(Math.min(...ended) > 0, `a process got no run: ${ended.join(', ')}`)
    const longest = Math.max(...told.map(({ longest }) => longest))
    assert.ok(longest < 5_000, `a write took ${longest} ms`)
    context.diagnostic(`runs by process: ${ended.join(', ')}; the longest write took ${Math.round(longest)} ms`)
  })
}

const [mode, ...words] = process.argv.slice(2)
if (mode === 'program') await program(words)
else tests()
