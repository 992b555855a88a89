// The tables of the memory backend. Whatever comes from outside is kept as text, so what is read back is what a durable
// backend would give, and nobody can change it.

import type { Json } from '../../../schema/json.ts'
import type { AccountRecord } from '../../account.ts'
import { hasEnded, type BranchRecord, type RunRecord, type SessionRecord } from '../../run.ts'
import type { MailKind } from '../../run-store.ts'
import { firstSeq, type JournalIndex } from '../lineage.ts'
import type { RowText } from '../row-codec.ts'

export interface MailRow {
  readonly id: string
  readonly kind: MailKind
  readonly payload: string
  readonly at: number
}

export interface RunTable {
  record: RunRecord
  /** Place among all runs, and among those of the branch. */
  readonly order: number
  turn: number
  readonly mail: MailRow[]
}

export interface JournalEntry extends RowText {
  readonly run: string
  readonly tick: number
  readonly finished: boolean
  /** Number of the run's last event after this row. */
  readonly event: number
  readonly at: number
  readonly versions?: string
  readonly snapshot?: string
}

export interface BranchTable {
  readonly record: BranchRecord
  readonly rows: JournalEntry[]
  /** Number of the first of `rows`: older ones were dropped. */
  first: number
  /** Runs in the order in which they may go, and those of them that have not ended. */
  readonly runs: RunTable[]
  readonly live: Set<RunTable>
}

export interface Tables extends JournalIndex {
  readonly runs: Map<string, RunTable>
  /** Those of them that are queued, and those that have not ended. */
  readonly queued: Set<RunTable>
  readonly open: Set<RunTable>
  readonly keys: Map<string, RunTable>
  readonly accounts: Map<string, AccountRecord>
  readonly sessions: Map<string, SessionRecord>
  /** How many named sessions each user has. */
  readonly named: Map<string, number>
  readonly branches: Map<string, BranchTable>
  /** The branches of each session, oldest first. */
  readonly own: Map<string, BranchTable[]>
}

/** Empty tables. */
export function emptyTables(): Tables {
  const branches = new Map<string, BranchTable>()
  return {
    runs: new Map(),
    queued: new Set(),
    open: new Set(),
    keys: new Map(),
    accounts: new Map(),
    sessions: new Map(),
    named: new Map(),
    own: new Map(),
    branches,
    branch: (id) => branches.get(id)?.record,
    head(branch) {
      const { first, rows } = branches.get(branch.id) ?? { first: firstSeq(branch), rows: [] }
      return first + rows.length - 1
    },
    oldest(branch) {
      const { first, rows } = branches.get(branch.id) ?? { first: firstSeq(branch), rows: [] }
      return first === firstSeq(branch) ? first : first + rows.findIndex(({ snapshot }) => snapshot !== undefined)
    },
    mark: (branch, seq) => rowAt(branches.get(branch.id), seq),
  }
}

/** Adds a branch without rows. */
export function addBranch({ branches, own }: Tables, record: BranchRecord): BranchTable {
  const table: BranchTable = { record, rows: [], first: firstSeq(record), runs: [], live: new Set() }
  branches.set(record.id, table)
  const others = own.get(record.session)
  if (others === undefined) own.set(record.session, [table])
  else others.push(table)
  return table
}

/** Adds a run that is queued, last in its branch. */
export function addRun({ runs, queued, open, branches }: Tables, slot: RunTable): void {
  runs.set(slot.record.id, slot)
  queued.add(slot)
  open.add(slot)
  const branch = branches.get(slot.record.branch)
  branch?.runs.push(slot)
  branch?.live.add(slot)
}

/** A run has ended, or begins anew behind those of its branch. */
export function noteEnd({ open, branches }: Tables, slot: RunTable): void {
  const live = branches.get(slot.record.branch)?.live
  if (hasEnded(slot.record.status)) {
    open.delete(slot)
    live?.delete(slot)
  } else {
    open.add(slot)
    live?.add(slot)
  }
}

/** Adds a session. */
export function addSession({ sessions, named }: Tables, session: SessionRecord): void {
  sessions.set(session.id, session)
  if (!session.own) named.set(session.user, (named.get(session.user) ?? 0) + 1)
}

/** Takes a session out with its branches, and gives their runs. */
export function dropSession({ sessions, named, branches, own }: Tables, id: string): readonly RunTable[] {
  const session = sessions.get(id)
  const gone = own.get(id) ?? []
  sessions.delete(id)
  own.delete(id)
  for (const { record } of gone) branches.delete(record.id)
  const left = session === undefined || session.own ? undefined : (named.get(session.user) ?? 0) - 1
  if (session !== undefined && left === 0) named.delete(session.user)
  else if (session !== undefined && left !== undefined) named.set(session.user, left)
  return gone.flatMap(({ runs }) => runs)
}

/** A row of a branch itself. */
export function rowAt(table: BranchTable | undefined, seq: number): JournalEntry | undefined {
  return table?.rows[seq - table.first]
}

/** A copy of plain JSON that shares nothing with it. */
export function copyOf<T extends Json>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
