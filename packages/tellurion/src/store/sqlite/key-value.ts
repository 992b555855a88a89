// The key-value port on a SQLite file. A name is kept as its UTF-16 code units, big end first: every text is a name,
// and names sort as they do in memory.

import type { Clock } from '../../clock/clock.ts'
import type { KeyScope, KeyValue, KeyValueEntry } from '../../port/key-value.ts'
import type { Database } from './database.ts'
import type { Writer } from './writer.ts'

/** The table. A record's rowid is its version: every write makes a new, higher one, also after a delete. */
export const keyValueTable = `
CREATE TABLE record (
  version INTEGER PRIMARY KEY AUTOINCREMENT,
  scope TEXT NOT NULL,
  owner BLOB NOT NULL,
  name BLOB NOT NULL,
  expires INTEGER,
  value BLOB NOT NULL,
  UNIQUE (scope, owner, name)
) STRICT;
CREATE INDEX record_expires ON record (expires) WHERE expires IS NOT NULL`

interface RecordRow {
  readonly version: number
  readonly name: Uint8Array
  readonly expires: number | null
  readonly value: Uint8Array
}

const where = 'scope = ? AND owner = ? AND name = ? AND (expires IS NULL OR expires > ?)'

/** Key-value records in a file that has `keyValueTable`. */
export function sqliteKeyValue(database: Database, { writer, clock }: { writer: Writer; clock: Clock }): KeyValue {
  return {
    get: ({ scope, owner }, name) =>
      database.read(() => {
        const read = database.prepare(`SELECT version, name, expires, value FROM record WHERE ${where}`)
        const row = read.get(scope, encode(owner), encode(name), clock.now()) as RecordRow | undefined
        return row && entryOf(row)
      }),
    set({ scope, owner }, name, value, { ttl, ifVersion } = {}) {
      const [by, key, bytes] = [encode(owner), encode(name), value.slice()]
      const now = clock.now()
      return writer.write(() => {
        if (ifVersion !== undefined) {
          const read = database.prepare(`SELECT version FROM record WHERE ${where}`)
          const stored = read.get(scope, by, key, now) as { version: number } | undefined
          if ((stored?.version ?? 0) !== ifVersion) return undefined
        }
        const write = database.prepare(
          'INSERT OR REPLACE INTO record (scope, owner, name, expires, value) VALUES (?, ?, ?, ?, ?)',
        )
        const expires = ttl === undefined ? null : Math.ceil(now + ttl)
        return Number(write.run(scope, by, key, expires, bytes).lastInsertRowid)
      })
    },
    delete({ scope, owner }, name) {
      const [by, key, now] = [encode(owner), encode(name), clock.now()]
      return writer.write(
        () => database.prepare(`DELETE FROM record WHERE ${where}`).run(scope, by, key, now).changes === 1,
        { single: true },
      )
    },
    list: ({ scope, owner }, { prefix = '', after, limit = 1_000 } = {}) =>
      database.read(() => {
        const read = database.prepare(
          `SELECT version, name, expires, value FROM record
           WHERE scope = ?1 AND owner = ?2 AND name >= ?3 AND (?4 IS NULL OR name > ?4)
             AND substr(name, 1, length(?3)) = ?3 AND (expires IS NULL OR expires > ?5)
           ORDER BY name LIMIT ?6`,
        )
        const from = after === undefined ? null : encode(after)
        const rows = read.all(scope, encode(owner), encode(prefix), from, clock.now(), limit)
        return (rows as unknown as RecordRow[]).map(entryOf)
      }),
  }
}

/** Deletes a session's records; part of a writer's job. */
export function forgetRecords(database: Database, { scope, owner }: KeyScope): void {
  database.prepare('DELETE FROM record WHERE scope = ? AND owner = ?').run(scope, encode(owner))
}

/** Deletes at most `limit` records that have lapsed; part of a writer's job. */
export function dropLapsed(database: Database, now: number, limit: number): void {
  const drop = database.prepare(
    'DELETE FROM record WHERE version IN (SELECT version FROM record WHERE expires <= ? LIMIT ?)',
  )
  drop.run(now, limit)
}

function entryOf({ version, name, expires, value }: RecordRow): KeyValueEntry {
  const entry = { name: decode(name), value: Uint8Array.from(value), version }
  return expires === null ? entry : { ...entry, expires }
}

function encode(text: string): Uint8Array {
  return Buffer.from(text, 'utf16le').swap16()
}

function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes).swap16().toString('utf16le')
}
