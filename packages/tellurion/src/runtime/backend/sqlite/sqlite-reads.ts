// Reading from the tables of durable runs. A read sees what was acknowledged, and never waits for a writer.

import type { Database } from '../../../store/sqlite/database.ts'
import type { Json } from '../../../schema/json.ts'
import { noRuns, type RunStatus, type SessionRecord } from '../../run.ts'
import type {
  JournalRow,
  Mail,
  MailKind,
  RunFilter,
  RunReads,
  SessionFilter,
  StoreCount,
  StoredEvent,
  StoredState,
} from '../../run-store.ts'
import {
  firstSeq,
  headOf,
  pastOf,
  placeOfTick,
  placesOfRun,
  rowOfEvent,
  type JournalIndex,
  type Place,
} from '../lineage.ts'
import {
  branchRecord,
  branchRow,
  bytesOf,
  eventsOf,
  findBranch,
  hasSnapshot,
  journalIndex,
  journalRow,
  lastRows,
  readRange,
  readSnapshot,
  type BranchRow,
} from './journal.ts'
import { accountTable } from './account-table.ts'
import { findRun, readRow, selectRun } from './run-row.ts'

/** Rows of the journal that are read at a time. */
const chunk = 64
/** Rows at the end of a branch that are looked through before places are searched. */
const newestRows = 16

/** The methods that write nothing. */
export function createSqliteReads(database: Database): RunReads {
  const index = journalIndex(database)
  const accounts = accountTable(database)
  const read = database.read
  return {
    mail: (run, after) => read(() => readMail(database, run, after)),
    getRun: (run) => read(() => findRun(database, run)?.record),
    listRuns: (filter) => read(() => listRuns(database, filter)),
    getSession: (id) => read(() => findSession(database, id)),
    listSessions: (filter) => read(() => listSessions(database, filter)),
    count: () => read(() => countAll(database)),
    getBranch: (id) =>
      read(() => {
        const branch = findBranch(database, id)
        return branch && branchRecord(branch)
      }),
    listBranches: (session) =>
      read(() => {
        const list = database.prepare('SELECT * FROM branch WHERE session = ? ORDER BY key')
        return list.all(session).map((row) => branchRecord(branchRow(row)))
      }),
    load: (id, { tick, since } = {}) =>
      read(() => {
        const branch = findBranch(database, id)
        if (branch === undefined) return undefined
        const news =
          since === undefined || tick !== undefined ? undefined : rowsSince(database, index, { branch, since })
        if (news !== undefined) return news
        const place = tick === undefined ? headOf(index, branch) : placeOfTick(index, branch, tick)
        return place && loadState(database, index, place)
      }),
    readEvents: (run, range) => read(() => readEvents(database, index, { run, ...range })),
    getAccount: (id) => read(() => accounts.get(id)),
    readRows: (id, range) => read(() => readRows(database, index, { id, ...range })),
  }
}

function readMail(database: Database, run: string, after: number): readonly Mail[] {
  const rows = database
    .prepare(
      `SELECT position, id, kind, at, payload FROM mail
       WHERE run = (SELECT key FROM run WHERE id = ?) AND position > ? ORDER BY position`,
    )
    .all(run, after) as unknown as readonly {
    position: number
    id: string
    kind: MailKind
    at: number
    payload: string
  }[]
  return rows.map(({ payload, ...item }) => ({ ...item, payload: JSON.parse(payload) as Json }))
}

/** The session of an id. */
export function findSession(database: Database, id: string): SessionRecord | undefined {
  const row = database.prepare('SELECT * FROM session WHERE id = ?').get(id)
  return row && sessionRecord(row)
}

/** A session's row as a record. */
export function sessionRecord(row: unknown): SessionRecord {
  const { id, user, branch, created_at, touched_at, own } = row as {
    id: string
    user: string
    branch: string
    created_at: number
    touched_at: number
    own: number
  }
  return { id, user, branch, createdAt: created_at, touchedAt: touched_at, own: own === 1 }
}

function listSessions(database: Database, filter: SessionFilter): SessionRecord[] {
  const { user, named = false, limit = 100, before } = filter
  const conditions = [
    ...(user === undefined ? [] : ['user = :user']),
    ...(named ? ['own = 0'] : []),
    ...(before === undefined ? [] : ['key < (SELECT key FROM session WHERE id = :before)']),
  ]
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  const list = database.prepare(`SELECT * FROM session ${where} ORDER BY key DESC LIMIT :limit`)
  const values = { ...(user === undefined ? {} : { user }), ...(before === undefined ? {} : { before }), limit }
  return list.all(values).map(sessionRecord)
}

function countAll(database: Database): StoreCount {
  const rows = database.prepare('SELECT status, count(*) AS count FROM run GROUP BY status').all()
  const runs = Object.fromEntries(
    (rows as unknown as { status: RunStatus; count: number }[]).map(({ status, count }) => [status, count]),
  )
  const { sessions } = database.prepare('SELECT count(*) AS sessions FROM session').get() as { sessions: number }
  return { runs: { ...noRuns, ...runs }, sessions }
}

function listRuns(database: Database, filter: RunFilter): ReturnType<typeof findRecords> {
  const { status, agent, session, parent, user, asking, limit = 100, before } = filter
  const conditions: string[] = []
  const values: (string | number)[] = []
  const where = (condition: string, ...bound: readonly (string | number)[]): void => {
    conditions.push(condition)
    values.push(...bound)
  }
  if (status !== undefined) where(`r.status IN (${status.map(() => '?').join(', ') || 'NULL'})`, ...status)
  if (agent !== undefined) where('r.agent = ?', agent)
  if (session !== undefined) where('r.session = ?', session)
  if (parent !== undefined) where('r.parent = ?', parent)
  if (user !== undefined) where('r.user = ?', user)
  if (asking === true) where('r.asking > 0')
  if (before !== undefined) where('r.key < (SELECT key FROM run WHERE id = ?)', before)
  const condition = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  return findRecords(database, `${selectRun} ${condition} ORDER BY r.key DESC LIMIT ?`, [...values, limit])
}

function findRecords(database: Database, sql: string, values: readonly (string | number)[]) {
  const rows = database.prepare(sql).all(...values)
  return rows.map((row) => readRow(database, row).record)
}

/** What is behind a row of a branch itself; undefined where some of it is gone, or has a snapshot. */
function rowsSince(
  database: Database,
  index: JournalIndex,
  { branch, since }: { readonly branch: BranchRow; readonly since: number },
): StoredState | undefined {
  const head = index.head(branch)
  if (since + 1 < firstSeq(branch) || since > head || hasSnapshot(database, branch, since + 1)) return undefined
  const found = readRange(database, branch, { from: since + 1, to: head })
  if (found.length !== head - since) return undefined
  const tailBytes = found.reduce((sum, row) => sum + bytesOf(row), 0)
  return { since, rows: found.map(journalRow), seq: head, snapshotBytes: 0, tailBytes }
}

function loadState(database: Database, index: JournalIndex, place: Place): StoredState {
  let rows: JournalRow[] = []
  let tailBytes = 0
  for (const { branch, seq } of pastOf(index, place)) {
    const found = readSnapshot(database, branch, seq)
    const stored = readRange(database, branch, {
      from: found === undefined ? firstSeq(branch) : found.seq + 1,
      to: seq,
    })
    rows = [...stored.map(journalRow), ...rows]
    for (const row of stored) tailBytes += bytesOf(row)
    if (found !== undefined) {
      return { snapshot: found.snapshot, rows, seq: place.seq, snapshotBytes: found.bytes, tailBytes }
    }
  }
  return { rows, seq: place.seq, snapshotBytes: 0, tailBytes }
}

function readEvents(
  database: Database,
  index: JournalIndex,
  { run, after: asked, limit }: { run: string; after: number; limit: number },
): readonly StoredEvent[] {
  const row = findRun(database, run)
  const branch = row && findBranch(database, row.record.branch)
  if (branch === undefined) return []
  const after = Math.max(0, asked)
  const { firstTick, events: last } = row!.record
  if (after >= last) return []
  const newest = newestEvents(database, branch, { run: row!.key, after })
  if (newest !== undefined) return newest.slice(0, limit)
  const events: StoredEvent[] = []
  let passed = after
  for (const place of placesOfRun(index, branch, run)) {
    // What came after the run in its session is not looked at; a row mostly has an event at least.
    let from = rowOfEvent(index, place, { run, firstTick, after: passed })
    for (let rows = 0; passed < last && from <= place.seq; from += rows) {
      rows = Math.min(chunk, last - passed)
      for (const stored of readRange(database, place.branch, { from, to: Math.min(place.seq, from + rows - 1) })) {
        if (stored.run !== run) continue
        passed = stored.event
        if (stored.events === '') continue
        for (const event of eventsOf(stored)) {
          if (events.length >= limit) return events
          if (event.seq > after) events.push(event)
        }
      }
    }
  }
  return events
}

/**
 * The events of a run after a number, looked for from the end of its branch; undefined where they do not lie there. Who
 * reads a run mostly reads the newest of its session.
 */
function newestEvents(
  database: Database,
  branch: BranchRow,
  { run, after }: { readonly run: number; readonly after: number },
): readonly StoredEvent[] | undefined {
  const found: (readonly StoredEvent[])[] = []
  for (const row of lastRows(database, branch, newestRows)) {
    if (row.runKey !== run) continue
    const events = row.event > after ? eventsOf(row) : []
    found.push(events)
    // The first of those that are wanted is among these, or there are none before this row.
    if (row.event - events.length <= after)
      return found
        .reverse()
        .flat()
        .filter(({ seq }) => seq > after)
  }
  return undefined
}

function readRows(
  database: Database,
  index: JournalIndex,
  { id, afterTick, limit }: { id: string; afterTick: number; limit: number },
): readonly JournalRow[] {
  const branch = findBranch(database, id)
  const after = branch && placeOfTick(index, branch, afterTick)
  if (branch === undefined || after === undefined) return []
  const parts = [...pastOf(index, headOf(index, branch))].filter(({ seq }) => seq > after.seq).reverse()
  const rows: JournalRow[] = []
  for (const part of parts) {
    const from = Math.max(after.seq + 1, firstSeq(part.branch))
    const range = { from, to: part.seq, limit: Math.max(0, limit - rows.length) }
    rows.push(...readRange(database, part.branch, range).map(journalRow))
  }
  return rows
}
