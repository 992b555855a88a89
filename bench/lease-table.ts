// The floor of durable runs: a table of runs with leases and a table of steps, by hand and with nothing around. One
// statement a step, committed before the next one begins. Also the program of its worker processes.

import { DatabaseSync } from 'node:sqlite'
import { plainSqlite, type Mode } from './durable.ts'

/** Steps of a run, and what each of them keeps. */
export const stepsOfRun = 10
export const body = 'What was found so far. '.repeat(87)

const tables = `
CREATE TABLE IF NOT EXISTS run (key INTEGER PRIMARY KEY, status TEXT NOT NULL, lease_until INTEGER, began REAL, ended REAL) STRICT;
CREATE INDEX IF NOT EXISTS queued ON run (key) WHERE status = 'queued';
CREATE TABLE IF NOT EXISTS step (id INTEGER PRIMARY KEY, state TEXT NOT NULL, events TEXT NOT NULL) STRICT;
`

/** Opens the file and makes its tables. */
export function openLeaseTable(path: string, mode: Mode): DatabaseSync {
  return plainSqlite(path, mode, tables)
}

/** Adds queued runs. */
export function addRuns(file: DatabaseSync, count: number): void {
  const add = file.prepare("INSERT INTO run (status) VALUES ('queued')")
  file.exec('BEGIN')
  for (let index = 0; index < count; index++) add.run()
  file.exec('COMMIT')
}

/** Works until no run is queued. */
export function workOff(file: DatabaseSync): void {
  const claim = file.prepare(
    `UPDATE run SET status = 'running', lease_until = ?1 + 3000, began = ifnull(began, ?1)
     WHERE key = (SELECT key FROM run WHERE status = 'queued' LIMIT 1) RETURNING key`,
  )
  const keep = file.prepare(
    `INSERT INTO step (id, state, events) SELECT (key << 32) + ?2, ?3, ?4 FROM run WHERE key = ?1 AND status = 'running'`,
  )
  const end = file.prepare("UPDATE run SET status = 'succeeded', lease_until = NULL, ended = ? WHERE key = ?")
  for (;;) {
    const run = claim.get(Date.now()) as { key: number } | undefined
    if (run === undefined) return
    for (let step = 0; step < stepsOfRun; step++) {
      const events = [
        { type: 'note.taken', step },
        { type: 'note.read', step },
        { type: 'run.checkpointed', number: step + 1 },
      ]
      keep.run(run.key, step, JSON.stringify({ step, body }), JSON.stringify(events))
    }
    end.run(Date.now(), run.key)
  }
}

if (process.argv[1] === import.meta.filename) {
  const [path = '', mode = 'full'] = process.argv.slice(2)
  process.once('message', () => {
    const file = openLeaseTable(path, mode as Mode)
    workOff(file)
    file.close()
    process.disconnect?.()
  })
  process.send?.({ type: 'ready' })
}
