// Noticing what other processes write to a SQLite file: its data version is looked at often and costs microseconds.

import { setInterval } from 'node:timers'
import type { Database } from './database.ts'

/** Milliseconds between two looks. Other processes live in real time, so this does too, and keeps no process alive. */
const interval = 25

/** Calls `changed` after another connection has written. The returned function ends that. */
export function watchDatabase(database: Database, changed: () => void): () => void {
  const read = database.prepare('PRAGMA data_version')
  const version = (): number => (read.get() as { data_version: number }).data_version
  let seen = version()
  const timer = setInterval(() => {
    try {
      const now = version()
      if (now === seen) return
      seen = now
      changed()
    } catch {
      // A hint may be lost, and whoever works with the file hears of its errors.
    }
  }, interval)
  timer.unref()
  return () => timer.close()
}
