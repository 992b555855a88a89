// The one way to write to a SQLite file: what comes in one macrotask shares one transaction and is acknowledged when
// that is durable. A job that fails leaves nothing behind and hurts none of its neighbours.

import { setImmediate } from 'node:timers'
import type { Clock } from '../../clock/clock.ts'
import { TellurionError } from '../../error/error.ts'
import { systemRandom } from '../../id/random.ts'
import { isInDoubt, runBatch, type BatchJob, type Outcome } from './batch.ts'
import type { WritePoint } from './open-options.ts'
import type { Database } from './database.ts'
import { isBusy, storeError, storeFailure } from './failure.ts'

/** Most jobs that wait for a file; more are refused. */
const maxJobs = 100_000

/** Writes. Rejects with a store error; then nothing of the job was written. */
export interface Writer {
  /**
   * Runs a job in a transaction. `single` says that the job writes by one statement, which alone needs no transaction;
   * `relaxed` that nothing outside is told or done on the strength of it: it survives the process, and the loss of power
   * with the next job that must.
   */
  write<T>(job: () => T, options?: { readonly single?: boolean; readonly relaxed?: boolean }): Promise<T>
  /** Writes what waits and refuses what comes. */
  close(): Promise<void>
}

interface Waiting extends BatchJob {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** Makes the writer of an open file. `onPoint` is for crash tests. */
export function createWriter(
  database: Database,
  { clock, onPoint }: { readonly clock: Clock; readonly onPoint?: (point: WritePoint) => void },
): Writer {
  const { path, lockTimeout } = database
  let waiting: Waiting[] = []
  let due = false
  let closed = false
  let busySince: number | undefined
  let emptied: (() => void) | undefined
  const point = onPoint ?? (() => {})

  const schedule = (): void => {
    if (due) return
    due = true
    // Not a matter of time: the next macrotask, after everything that is ready now has come.
    setImmediate(flush)
  }
  const flush = (): void => {
    due = false
    const jobs = waiting
    waiting = []
    try {
      database.present()
      run(jobs)
    } catch (error) {
      fail(jobs, error)
    }
    if (waiting.length === 0) emptied?.()
  }
  const run = (jobs: readonly Waiting[]): void => {
    if (jobs.length === 0) return
    try {
      settle(jobs, runBatch(database, jobs, point))
      busySince = undefined
    } catch (error) {
      if (isBusy(error)) wait(jobs)
      else if (jobs.length === 1 || isInDoubt(error)) fail(jobs, error)
      // What cannot be written together may be, but for one.
      else for (const job of jobs) run([job])
    }
  }
  const settle = (jobs: readonly Waiting[], outcomes: readonly Outcome[]): void => {
    jobs.forEach(({ resolve, reject }, index) => {
      const outcome = outcomes[index]!
      if ('error' in outcome) reject(storeFailure(outcome.error, path))
      else resolve(outcome.value)
    })
  }
  /** Another process holds the file: again in a moment, chosen so that nobody starves, until it has been too long. */
  const wait = (jobs: readonly Waiting[]): void => {
    busySince ??= clock.monotonic()
    if (clock.monotonic() - busySince >= lockTimeout) {
      busySince = undefined
      fail(jobs, storeError('store_locked', path, `it has been locked for ${lockTimeout} ms`))
      return
    }
    waiting = [...jobs, ...waiting]
    if (due) return
    due = true
    clock.timer(1 + systemRandom() * 9, flush)
  }
  const fail = (jobs: readonly Waiting[], error: unknown): void => {
    const failure = storeFailure(error, path)
    for (const { reject } of jobs) reject(failure)
  }

  return {
    write<T>(run: () => T, { single = false, relaxed = false } = {}) {
      if (closed) return Promise.reject(storeError('store_closed', path, 'it has been closed'))
      if (waiting.length >= maxJobs) {
        return Promise.reject(new TellurionError('channel_full', `The store ${path} has ${maxJobs} writes waiting.`))
      }
      return new Promise<T>((resolve, reject) => {
        waiting.push({ run, single, relaxed, resolve: resolve as (value: unknown) => void, reject })
        schedule()
      })
    },
    async close() {
      closed = true
      if (waiting.length === 0) return
      await new Promise<void>((resolve) => (emptied = resolve))
    },
  }
}
