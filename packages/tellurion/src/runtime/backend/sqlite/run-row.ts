// A run's record as a row, and back. What is asked for by SQL has a column; the rest is one JSON text.

import type { Database } from '../../../store/sqlite/database.ts'
import type { Json } from '../../../schema/json.ts'
import { hasEnded, type RunRecord, type RunStatus } from '../../run.ts'

/** A run as SQL sees it: its keys, and its record with what the journal says of a running one. */
export interface RunRow {
  readonly key: number
  readonly branchKey: number
  readonly turn: number
  readonly record: RunRecord
}

interface Columns {
  readonly key: number
  readonly id: string
  readonly branch: number
  readonly branch_id: string
  readonly turn: number
  readonly status: RunStatus
  readonly epoch: number
  readonly events: number
  readonly read: number
  readonly mail: number
  readonly priority: number
  readonly available_at: number
  readonly lease_until: number | null
  readonly due: number | null
  readonly agent: string
  readonly session: string
  readonly user: string
  readonly parent: string | null
  readonly idempotency_key: string | null
  readonly created_at: number
  readonly more: string
  readonly input: string
}

/** The fields of a record that no SQL asks for. */
type More = Pick<
  RunRecord,
  | 'tenant'
  | 'limits'
  | 'accounts'
  | 'metadata'
  | 'startedAt'
  | 'endedAt'
  | 'retries'
  | 'crashes'
  | 'worker'
  | 'firstTick'
  | 'interactions'
  | 'ranFor'
  | 'result'
  | 'error'
  | 'stopReason'
  | 'usage'
>

/** Selects run rows; conditions and order are put behind it. The run is `r`. */
export const selectRun = `
SELECT r.*, b.id AS branch_id, (SELECT payload FROM mail WHERE run = r.key AND position = 1) AS input
FROM run r JOIN branch b ON b.key = r.branch`

/** A selected row as it stands now. */
export function readRow(database: Database, row: unknown): RunRow {
  const columns = row as Columns
  return {
    key: columns.key,
    branchKey: columns.branch,
    turn: columns.turn,
    record: withJournal(database, columns, recordOf(columns)),
  }
}

/** The run of an id. */
export function findRun(database: Database, id: string): RunRow | undefined {
  const row = database.prepare(`${selectRun} WHERE r.id = ?`).get(id)
  return row && readRow(database, row)
}

function recordOf(row: Columns): RunRecord {
  const more = JSON.parse(row.more) as More
  return {
    id: row.id,
    agent: row.agent,
    session: row.session,
    branch: row.branch_id,
    status: row.status,
    priority: row.priority,
    input: JSON.parse(row.input) as Json,
    user: row.user,
    ...(row.parent === null ? {} : { parent: row.parent }),
    ...(row.idempotency_key === null ? {} : { idempotencyKey: row.idempotency_key }),
    createdAt: row.created_at,
    availableAt: row.available_at,
    epoch: row.epoch,
    ...(row.lease_until === null ? {} : { leaseUntil: row.lease_until }),
    mail: row.mail,
    read: row.read,
    events: row.events,
    ...(row.due === null ? {} : { due: row.due }),
    ...more,
  }
}

/** Ordinary commits leave the run's row alone, so the row of a running one is behind its journal. */
function withJournal(database: Database, { key, branch, status }: Columns, record: RunRecord): RunRecord {
  if (status !== 'running') return record
  const last = database
    .prepare(
      `SELECT run, epoch, event, read FROM journal
       WHERE id BETWEEN (?1 << 32) AND (?1 << 32) + 4294967295 ORDER BY id DESC LIMIT 1`,
    )
    .get(branch) as { run: number; epoch: number; event: number; read: number } | undefined
  if (last?.run !== key) return record
  const crashes = last.epoch === record.epoch ? 0 : record.crashes
  return { ...record, events: last.event, read: Math.max(record.read, last.read), crashes }
}

/** Writes a record over its row; part of a writer's job. `turn` only where it changes. */
export function putRun(database: Database, { key, turn, record }: Omit<RunRow, 'branchKey'>): void {
  database
    .prepare(
      `UPDATE run SET status = ?, live = ?, epoch = ?, events = ?, read = ?, mail = ?, available_at = ?,
         lease_until = ?, due = ?, asking = ?, more = ?, turn = ?, stamp = (SELECT max(stamp) + 1 FROM run)
       WHERE key = ?`,
    )
    .run(
      record.status,
      hasEnded(record.status) ? 0 : 1,
      record.epoch,
      record.events,
      record.read,
      record.mail,
      record.availableAt,
      record.leaseUntil ?? null,
      record.due ?? null,
      record.interactions.length,
      moreOf(record),
      turn,
      key,
    )
}

/** Adds a row for a new record, last among the runs of its branch; part of a writer's job. */
export function insertRun(database: Database, record: RunRecord, branchKey: number): void {
  database
    .prepare(
      `INSERT INTO run (id, branch, turn, live, status, epoch, events, read, mail, priority, available_at, asking,
         stamp, agent, session, user, parent, idempotency_key, created_at, more)
       VALUES (?, ?, ?, 1, ?, 0, 0, 0, 1, ?, ?, 0, (SELECT ifnull(max(stamp), 0) + 1 FROM run), ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      record.id,
      branchKey,
      nextTurn(database, branchKey),
      record.status,
      record.priority,
      record.availableAt,
      record.agent,
      record.session,
      record.user,
      record.parent ?? null,
      record.idempotencyKey ?? null,
      record.createdAt,
      moreOf(record),
    )
  database
    .prepare(
      `INSERT INTO mail (run, position, id, kind, at, payload)
       VALUES ((SELECT key FROM run WHERE id = ?), 1, 'input', 'input', ?, ?)`,
    )
    .run(record.id, record.createdAt, JSON.stringify(record.input))
}

/** The turn behind all runs of a branch that have not ended. */
export function nextTurn(database: Database, branchKey: number): number {
  const row = database
    .prepare('SELECT ifnull(max(turn), 0) + 1 AS next FROM run WHERE branch = ? AND live = 1')
    .get(branchKey) as { next: number }
  return row.next
}

function moreOf(record: RunRecord): string {
  const { metadata, startedAt, endedAt, retries, crashes, worker, firstTick, interactions, ranFor } = record
  const { result, error, stopReason, usage, tenant, limits, accounts } = record
  const attempt = { metadata, startedAt, endedAt, retries, crashes, worker, firstTick, interactions, ranFor }
  return JSON.stringify({ ...attempt, result, error, stopReason, usage, tenant, limits, accounts } satisfies Record<
    keyof More,
    unknown
  >)
}
