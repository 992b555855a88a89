// The journal in SQLite: the one insert that a commit is, and rows read back with their sums checked.

import { crc32 } from 'node:zlib'
import type { Database } from '../../../store/sqlite/database.ts'
import { storeError } from '../../../store/sqlite/failure.ts'
import type { Snapshot } from '../../../world/snapshot.ts'
import type { BranchRecord } from '../../run.ts'
import type { Commit, JournalRow, StoredEvent } from '../../run-store.ts'
import { firstSeq, stateSeq, type JournalIndex, type Mark } from '../lineage.ts'
import { decodeEvents, decodeOperations, encodeRow, type RowText } from '../row-codec.ts'

/** A branch with its key. */
export interface BranchRow extends BranchRecord {
  readonly key: number
}

/** What a commit writes, as text. */
export interface CommitText extends RowText {
  readonly versions: string | null
  readonly snapshot: string | undefined
  readonly bytes: number
}

/** Writes a commit down before its turn comes, so that what cannot be written is refused where it is handed in. */
export function encodeCommit(commit: Commit): CommitText {
  const text = encodeRow(commit.operations, commit.events)
  return {
    operations: text.operations,
    events: text.events,
    versions: commit.versions === undefined ? null : JSON.stringify(commit.versions),
    snapshot: commit.snapshot === undefined ? undefined : JSON.stringify(commit.snapshot),
    bytes: Buffer.byteLength(text.operations) + Buffer.byteLength(text.events),
  }
}

/**
 * Inserts a journal row if it is the next of the run's branch and the attempt still holds the run, in one statement;
 * whether it did.
 */
export function insertRow(
  database: Database,
  commit: Commit,
  { text, run, branch }: { text: CommitText; run: number; branch: BranchRow },
): boolean {
  // No run means no row: the column must not be null. As a SELECT that reads the table it inserts into, SQLite would
  // keep its result in a table of its own first.
  const insert = database.prepare(
    `INSERT OR IGNORE INTO journal (id, run, epoch, tick, finished, event, read, at, sum, operations, events, versions)
     VALUES ((?1 << 32) + ?2, (
       SELECT r.key FROM run r LEFT JOIN journal p ON p.id = (?1 << 32) + ?2 - 1 AND ?2 > ?16
       WHERE r.key = ?12 AND r.id = ?13 AND r.epoch = ?14 AND r.status = 'running' AND r.branch = ?1
         AND (p.id IS NOT NULL OR ?2 = ?16)
         AND ?15 = 1 + CASE WHEN p.run = r.key THEN p.event ELSE r.events END
     ), ?14, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)`,
  )
  const { seq, tick, finished, events, read, now, epoch, firstEvent } = commit
  const event = firstEvent - 1 + events.length
  const { changes } = insert.run(
    branch.key,
    seq,
    tick,
    finished ? 1 : 0,
    event,
    read,
    now,
    sumOf(seq, text.operations, text.events),
    text.operations,
    text.events,
    text.versions,
    run,
    commit.run,
    epoch,
    firstEvent,
    firstSeq(branch),
  )
  return changes === 1
}

/** The first row of a branch that begins with a state; part of the job that makes the branch. */
export function insertState(
  database: Database,
  branch: BranchRow,
  { run, state, now }: { readonly run: number; readonly state: Snapshot; readonly now: number },
): void {
  const text = encodeRow([], [])
  database
    .prepare(
      `INSERT INTO journal (id, run, epoch, tick, finished, event, read, at, sum, operations, events)
       VALUES ((?1 << 32) + ?2, ?3, 0, ?4, 1, 0, 0, ?5, ?6, ?7, ?8)`,
    )
    .run(
      branch.key,
      stateSeq,
      run,
      state.header.tick,
      now,
      sumOf(stateSeq, text.operations, text.events),
      text.operations,
      text.events,
    )
  insertSnapshot(database, branch, stateSeq, JSON.stringify(state))
}

/** Keeps the state after a row; part of the job that inserts the row. */
export function insertSnapshot(database: Database, branch: BranchRow, seq: number, body: string): number {
  const bytes = Buffer.byteLength(body)
  database
    .prepare('INSERT INTO snapshot (id, sum, bytes, body) VALUES ((?1 << 32) + ?2, ?3, ?4, ?5)')
    .run(branch.key, seq, sumOf(seq, body), bytes, body)
  return bytes
}

/** The branch of an id. */
export function findBranch(database: Database, id: string): BranchRow | undefined {
  const row = database.prepare('SELECT * FROM branch WHERE id = ?').get(id)
  return row && branchRow(row)
}

/** A selected row of the table of branches. */
export function branchRow(row: unknown): BranchRow {
  const { key, id, session, parent, parent_seq, created_at } = row as {
    key: number
    id: string
    session: string
    parent: string | null
    parent_seq: number | null
    created_at: number
  }
  const past = parent === null || parent_seq === null ? {} : { parent: { branch: parent, seq: parent_seq } }
  return { key, id, session, ...past, createdAt: created_at }
}

/** The record without its key. */
export function branchRecord({ id, session, parent, createdAt }: BranchRow): BranchRecord {
  return parent === undefined ? { id, session, createdAt } : { id, session, parent, createdAt }
}

/** The journal as the search for places sees it. */
export function journalIndex(database: Database): JournalIndex {
  const keyOf = (branch: BranchRecord): number => (branch as BranchRow).key
  return {
    branch: (id) => findBranch(database, id),
    head(branch) {
      const row = database
        .prepare(
          `SELECT id & 4294967295 AS seq FROM journal
           WHERE id BETWEEN (?1 << 32) AND (?1 << 32) + 4294967295 ORDER BY id DESC LIMIT 1`,
        )
        .get(keyOf(branch)) as { seq: number } | undefined
      return row?.seq ?? firstSeq(branch) - 1
    },
    oldest(branch) {
      const first = firstSeq(branch)
      const whole = database.prepare('SELECT 1 FROM journal WHERE id = (? << 32) + ?').get(keyOf(branch), first)
      return whole === undefined ? (firstSnapshot(database, keyOf(branch)) ?? first) : first
    },
    mark(branch, seq) {
      const row = database
        .prepare(
          `SELECT r.id AS run, tick, finished, event, at FROM journal j JOIN run r ON r.key = j.run
           WHERE j.id = (? << 32) + ?`,
        )
        .get(keyOf(branch), seq) as (Omit<Mark, 'finished'> & { readonly finished: number }) | undefined
      return row && { ...row, finished: row.finished === 1 }
    },
  }
}

/** The first row of a branch that has a snapshot. */
function firstSnapshot(database: Database, key: number): number | undefined {
  const row = database
    .prepare(
      `SELECT id & 4294967295 AS seq FROM snapshot
       WHERE id BETWEEN (?1 << 32) AND (?1 << 32) + 4294967295 ORDER BY id LIMIT 1`,
    )
    .get(key) as { seq: number } | undefined
  return row?.seq
}

interface StoredRow {
  readonly seq: number
  readonly run: string
  readonly tick: number
  readonly finished: number
  readonly event: number
  readonly at: number
  readonly sum: number
  readonly operations: string
  readonly events: string
  readonly versions: string | null
}

/** Rows of a branch itself, in order. */
export function readRange(
  database: Database,
  branch: BranchRecord,
  { from, to, limit = -1 }: { readonly from: number; readonly to: number; readonly limit?: number },
): readonly StoredRow[] {
  if (to < from) return []
  const read = database.prepare(
    `SELECT j.id & 4294967295 AS seq, r.id AS run, tick, finished, event, at, sum, operations, j.events AS events, versions
     FROM journal j JOIN run r ON r.key = j.run
     WHERE j.id BETWEEN (?1 << 32) + ?2 AND (?1 << 32) + ?3 ORDER BY j.id LIMIT ?4`,
  )
  const rows = read.all((branch as BranchRow).key, from, to, limit) as unknown as readonly StoredRow[]
  for (const row of rows) {
    if (row.sum !== sumOf(row.seq, row.operations, row.events)) throw torn(database, `row ${row.seq}`, branch)
  }
  return rows
}

/** The last rows of a branch itself, newest first, as long as they are asked for; `runKey` is their run's. */
export function* lastRows(
  database: Database,
  branch: BranchRow,
  limit: number,
): Generator<StoredRow & { readonly runKey: number }, void> {
  const read = database.prepare(
    `SELECT j.id & 4294967295 AS seq, j.run AS runKey, '' AS run, tick, finished, event, at, sum, operations, j.events AS events,
       versions
     FROM journal j WHERE j.id BETWEEN (?1 << 32) AND (?1 << 32) + 4294967295 ORDER BY j.id DESC LIMIT ?2`,
  )
  for (const found of read.iterate(branch.key, limit)) {
    // The columns that the statement names.
    const row = found as unknown as StoredRow & { readonly runKey: number }
    if (row.sum !== sumOf(row.seq, row.operations, row.events)) throw torn(database, `row ${row.seq}`, branch)
    yield row
  }
}

/** A row without its events. */
export function journalRow({ seq, run, tick, finished, at, operations, versions }: StoredRow): JournalRow {
  const row = { seq, run, tick, finished: finished === 1, operations: decodeOperations(operations), at }
  return versions === null ? row : { ...row, versions: JSON.parse(versions) as Record<string, number> }
}

/** The events of a row, numbered. */
export function eventsOf(row: StoredRow): readonly StoredEvent[] {
  const { event: last, at, operations, events, finished } = row
  const found = decodeEvents({ operations, events })
  const tick = finished === 1 ? row.tick - 1 : row.tick
  return found.map((event, index) => ({ seq: last - found.length + 1 + index, at, tick, event }))
}

/** Bytes of a row, as they were counted when it was committed. */
export function bytesOf({ operations, events }: RowText): number {
  return Buffer.byteLength(operations) + Buffer.byteLength(events)
}

/** Whether a state is kept for a row of the branch itself from `seq` on. */
export function hasSnapshot(database: Database, { key }: BranchRow, seq: number): boolean {
  const find = database.prepare(
    'SELECT 1 FROM snapshot WHERE id BETWEEN (?1 << 32) + ?2 AND (?1 << 32) + 4294967295 LIMIT 1',
  )
  return find.get(key, seq) !== undefined
}

/** The newest state kept for a row of the branch itself up to `seq`. */
export function readSnapshot(
  database: Database,
  branch: BranchRecord,
  seq: number,
): { readonly seq: number; readonly bytes: number; readonly snapshot: Snapshot } | undefined {
  const row = database
    .prepare(
      `SELECT id & 4294967295 AS seq, sum, bytes, body FROM snapshot
       WHERE id BETWEEN (?1 << 32) AND (?1 << 32) + ?2 ORDER BY id DESC LIMIT 1`,
    )
    .get((branch as BranchRow).key, seq) as { seq: number; sum: number; bytes: number; body: string } | undefined
  if (row === undefined) return undefined
  if (row.sum !== sumOf(row.seq, row.body)) throw torn(database, `the snapshot after row ${row.seq}`, branch)
  return { seq: row.seq, bytes: row.bytes, snapshot: JSON.parse(row.body) as Snapshot }
}

/** SQLite keeps no sums of its pages, so a flipped bit in a text would go unseen without one of ours. */
function sumOf(seq: number, text: string, more = ''): number {
  const sum = crc32(text, seq >>> 0)
  return more === '' ? sum : crc32(more, sum)
}

function torn(database: Database, what: string, branch: BranchRecord): Error {
  return storeError('store_corrupt', database.path, `${what} of branch ${branch.id} is damaged`)
}
