// The tables of the memory backend. Whatever comes from outside is kept as text, so what is read back is what a durable
// backend would give, and nobody can change it.

import type { Json } from '../../../schema/json.ts'
import type { AccountRecord } from '../../account.ts'
import type { BranchRecord, RunRecord, SessionRecord } from '../../run.ts'
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
  /** Runs in the order in which they may go. */
  readonly runs: RunTable[]
}

export interface Tables extends JournalIndex {
  readonly runs: Map<string, RunTable>
  /** Those of them that are queued. */
  readonly queued: Set<RunTable>
  readonly keys: Map<string, RunTable>
  readonly accounts: Map<string, AccountRecord>
  readonly sessions: Map<string, SessionRecord>
  readonly branches: Map<string, BranchTable>
}

/** Empty tables. */
export function emptyTables(): Tables {
  const branches = new Map<string, BranchTable>()
  return {
    runs: new Map(),
    queued: new Set(),
    keys: new Map(),
    accounts: new Map(),
    sessions: new Map(),
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

/** A row of a branch itself. */
export function rowAt(table: BranchTable | undefined, seq: number): JournalEntry | undefined {
  return table?.rows[seq - table.first]
}

/** A copy of plain JSON that shares nothing with it. */
export function copyOf<T extends Json>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
