// Reading from the tables in memory.

import type { Json } from '../../../schema/json.ts'
import type { Snapshot } from '../../../world/snapshot.ts'
import type { JournalRow, RunFilter, RunReads, StoredEvent, StoredState } from '../../run-store.ts'
import { noRuns, type BranchRecord } from '../../run.ts'
import { headOf, pastOf, placeOfTick, placesOfRun, rowOfEvent, type Place } from '../lineage.ts'
import { decodeEvents, decodeOperations } from '../row-codec.ts'
import { rowAt, type JournalEntry, type RunTable, type Tables } from './memory-tables.ts'

/** The methods that write nothing. */
export function createMemoryReads(tables: Tables): RunReads {
  const { runs, sessions } = tables
  return {
    async mail(run, after) {
      const items = runs.get(run)?.mail.slice(Math.max(0, after)) ?? []
      return items.map(({ payload, ...item }, index) => ({
        position: Math.max(0, after) + index + 1,
        ...item,
        payload: JSON.parse(payload) as Json,
      }))
    },
    getRun: async (run) => runs.get(run)?.record,
    listRuns: async (filter) => listRuns(tables, filter),
    getSession: async (session) => sessions.get(session),
    async listSessions({ user, named = false, limit = 100, before }) {
      const all = [...sessions.values()]
      const end = before === undefined ? all.length : all.findIndex(({ id }) => id === before)
      const found = all
        .slice(0, Math.max(0, end))
        .filter((session) => (user === undefined || session.user === user) && !(named && session.own))
      return found.reverse().slice(0, limit)
    },
    async count() {
      const counted = { ...noRuns }
      for (const { record } of runs.values()) counted[record.status]++
      return { runs: counted, sessions: sessions.size }
    },
    getAccount: async (id) => tables.accounts.get(id),
    getBranch: async (branch) => tables.branch(branch),
    async listBranches(session) {
      return (tables.own.get(session) ?? []).map(({ record }) => record)
    },
    async load(id, { tick, since } = {}) {
      const branch = tables.branch(id)
      if (branch === undefined) return undefined
      const news = since === undefined || tick !== undefined ? undefined : rowsSince(tables, branch, since)
      if (news !== undefined) return news
      const place = tick === undefined ? headOf(tables, branch) : placeOfTick(tables, branch, tick)
      if (place === undefined) return undefined
      const rows: JournalRow[] = []
      let tailBytes = 0
      for (const [entry, seq] of backwards(tables, place)) {
        if (entry.snapshot !== undefined) {
          const snapshot = JSON.parse(entry.snapshot) as Snapshot
          const snapshotBytes = Buffer.byteLength(entry.snapshot)
          return { snapshot, rows: rows.reverse(), seq: place.seq, snapshotBytes, tailBytes }
        }
        rows.push(journalRow(entry, seq))
        tailBytes += bytesOf(entry)
      }
      return { rows: rows.reverse(), seq: place.seq, snapshotBytes: 0, tailBytes }
    },
    readEvents: async (run, range) => readEvents(tables, run, range),
    async readRows(id, { afterTick, limit }) {
      const branch = tables.branch(id)
      const after = branch && placeOfTick(tables, branch, afterTick)
      if (branch === undefined || after === undefined) return []
      const rows: JournalRow[] = []
      for (const [entry, seq] of backwards(tables, headOf(tables, branch))) {
        if (seq <= after.seq) break
        rows.push(journalRow(entry, seq))
      }
      return rows.reverse().slice(0, limit)
    },
  }
}

/** What is behind a row of a branch itself; undefined where some of it is gone, or has a snapshot. */
function rowsSince(tables: Tables, branch: BranchRecord, since: number): StoredState | undefined {
  const table = tables.branches.get(branch.id)
  const head = tables.head(branch)
  if (table === undefined || since + 1 < table.first || since > head) return undefined
  const found = table.rows.slice(since + 1 - table.first)
  if (found.some(({ snapshot }) => snapshot !== undefined)) return undefined
  const rows = found.map((entry, index) => journalRow(entry, since + 1 + index))
  return { since, rows, seq: head, snapshotBytes: 0, tailBytes: found.reduce((sum, entry) => sum + bytesOf(entry), 0) }
}

const bytesOf = ({ operations, events }: JournalEntry): number =>
  Buffer.byteLength(operations) + Buffer.byteLength(events)

function* backwards(tables: Tables, from: Place): Generator<[JournalEntry, number]> {
  for (const { branch, seq: last } of pastOf(tables, from)) {
    const table = tables.branches.get(branch.id)
    for (let seq = last; seq >= (table?.first ?? 0); seq--) yield [rowAt(table, seq)!, seq]
  }
}

function journalRow(entry: JournalEntry, seq: number): JournalRow {
  const { run, tick, finished, at, versions } = entry
  const row = { seq, run, tick, finished, operations: decodeOperations(entry.operations), at }
  return versions === undefined ? row : { ...row, versions: JSON.parse(versions) as Record<string, number> }
}

function listRuns({ runs, own }: Tables, filter: RunFilter): Awaited<ReturnType<RunReads['listRuns']>> {
  const { status, agent, session, parent, user, asking, limit = 100, before } = filter
  const end = before === undefined ? Infinity : (runs.get(before)?.order ?? 0)
  const fits = ({ record, order }: RunTable): boolean =>
    order < end &&
    (status === undefined || status.includes(record.status)) &&
    (agent === undefined || record.agent === agent) &&
    (session === undefined || record.session === session) &&
    (parent === undefined || record.parent === parent) &&
    (user === undefined || record.user === user) &&
    (asking !== true || record.interactions.length > 0)
  const all = session === undefined ? [...runs.values()] : (own.get(session) ?? []).flatMap((branch) => branch.runs)
  // Runs that were tried again stand behind others of their branch.
  if (session !== undefined) all.sort((a, b) => a.order - b.order)
  const found = all.filter(fits).map(({ record }) => record)
  return found.reverse().slice(0, limit)
}

function readEvents(tables: Tables, run: string, range: { after: number; limit: number }): readonly StoredEvent[] {
  const { record } = tables.runs.get(run) ?? {}
  const branch = record && tables.branch(record.branch)
  if (record === undefined || branch === undefined) return []
  const after = Math.max(0, range.after)
  const events: StoredEvent[] = []
  let passed = after
  for (const place of placesOfRun(tables, branch, run)) {
    // What came after the run in its session is not looked at.
    let seq = rowOfEvent(tables, place, { run, firstTick: record.firstTick, after: passed })
    for (; passed < record.events && seq <= place.seq; seq++) {
      const entry = rowAt(tables.branches.get(place.branch.id), seq)
      if (entry === undefined || entry.run !== run) continue
      passed = entry.event
      const found = decodeEvents(entry)
      let number = entry.event - found.length
      const tick = entry.finished ? entry.tick - 1 : entry.tick
      for (const event of found) {
        if (events.length >= range.limit) return events
        if (++number > after) events.push({ seq: number, at: entry.at, tick, event })
      }
    }
  }
  return events
}
