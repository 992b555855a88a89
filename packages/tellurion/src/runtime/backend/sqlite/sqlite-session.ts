// Sessions that are over: which they are, and everything of one dropped. Parts of a writer's jobs.

import type { Database } from '../../../store/sqlite/database.ts'
import { forgetRecords } from '../../../store/sqlite/key-value.ts'

/** Sessions that nobody has touched since and that have no live run. */
export function staleSessions(database: Database, before: number, limit: number): readonly string[] {
  const rows = database
    .prepare(
      `SELECT id FROM session s WHERE touched_at < ?
         AND NOT EXISTS (SELECT 1 FROM run WHERE session = s.id AND live = 1) LIMIT ?`,
    )
    .all(before, limit)
  return rows.map(({ id }) => id as string)
}

/** Drops a session with its branches, runs and records. */
export function forgetSession(database: Database, session: string): void {
  const branches = database.prepare('SELECT key FROM branch WHERE session = ?').all(session)
  for (const { key } of branches) {
    const range = 'id BETWEEN (?1 << 32) AND (?1 << 32) + 4294967295'
    database.prepare(`DELETE FROM journal WHERE ${range}`).run(key as number)
    database.prepare(`DELETE FROM snapshot WHERE ${range}`).run(key as number)
  }
  database.prepare('DELETE FROM mail WHERE run IN (SELECT key FROM run WHERE session = ?)').run(session)
  database.prepare('DELETE FROM run WHERE session = ?').run(session)
  database.prepare('DELETE FROM branch WHERE session = ?').run(session)
  database.prepare('DELETE FROM session WHERE id = ?').run(session)
  forgetRecords(database, { scope: 'session', owner: session })
}
