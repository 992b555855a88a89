// One transaction for several jobs: whole or not at all, and no job sees or harms what another one did by halves.

import type { WritePoint } from './open-options.ts'
import type { Database } from './database.ts'
import { sqliteCode } from './failure.ts'

/** A part of a transaction. It runs at once and without waiting, and runs again when the transaction was rolled back. */
export interface BatchJob {
  readonly run: () => unknown
  /** It writes by one statement, which is whole or not at all by itself. */
  readonly single: boolean
  /** What it writes may be lost with the power as long as nothing that was written later is kept. */
  readonly relaxed: boolean
}

/** What became of a job inside its transaction. */
export type Outcome = { readonly value: unknown } | { readonly error: unknown }

/** SQLite's code for an error of the device. */
const ioError = 10
/** Result codes that undo their statement and nothing else: error, too big, constraint, mismatch, range. */
const harmless: ReadonlySet<number> = new Set([1, 18, 19, 20, 25])

/** Whether it is not known if a commit that met this error was written. */
export function isInDoubt(error: unknown): boolean {
  return sqliteCode(error) === ioError
}

/** Runs jobs in one transaction, which is durable when this returns. Throws when it was rolled back. */
export function runBatch(
  database: Database,
  jobs: readonly BatchJob[],
  point: (point: WritePoint) => void,
): readonly Outcome[] {
  const [first] = jobs
  database.relax(jobs.every(({ relaxed }) => relaxed))
  point('begin')
  if (jobs.length === 1 && first?.single === true) {
    const value = first.run()
    point('committed')
    return [{ value }]
  }
  database.prepare('BEGIN IMMEDIATE').run()
  try {
    const outcomes = jobs.map((job) => {
      const outcome = job.single ? { value: job.run() } : runGuarded(database, job)
      point('job')
      return outcome
    })
    point('commit')
    database.prepare('COMMIT').run()
    point('committed')
    return outcomes
  } catch (error) {
    if (database.sqlite.isTransaction) database.sqlite.exec('ROLLBACK')
    throw error
  }
}

/** A job of several statements: what it wrote goes when it fails. */
function runGuarded(database: Database, job: BatchJob): Outcome {
  database.prepare('SAVEPOINT job').run()
  try {
    const value = job.run()
    database.prepare('RELEASE job').run()
    return { value }
  } catch (error) {
    const code = sqliteCode(error)
    if (!database.sqlite.isTransaction || (code !== undefined && !harmless.has(code))) throw error
    database.sqlite.exec('ROLLBACK TO job; RELEASE job')
    return { error }
  }
}
