// Everything that writes to the tables of durable runs, as parts of a writer's jobs: each decides and writes at once
// under the file's write lock.

import { TellurionError } from '../../../error/error.ts'
import type { Database } from '../../../store/sqlite/database.ts'
import { dropLapsed } from '../../../store/sqlite/key-value.ts'
import type { Snapshot } from '../../../world/snapshot.ts'
import type { Hint } from '../../hints.ts'
import { hasEnded, type RunRecord } from '../../run.ts'
import type { Commit, CommitResult, NewMail, NewRun, RunStore } from '../../run-store.ts'
import { grantTo, lendTo, settleEnd, type AccountTable } from '../account-book.ts'
import { headTick, lastPlaceOf, placeOfTick, type JournalIndex } from '../lineage.ts'
import {
  begunRun,
  committedRun,
  createdRun,
  deathCommit,
  hasLapsed,
  isDead,
  lapsedRun,
  longestLease,
  mailedRun,
  mailRefuses,
  mayBegin,
  opensWork,
  queuedRun,
  retriedRun,
  retryMail,
  wantsOut,
  type Claim,
} from '../run-state.ts'
import { accountTable, dropAccounts } from './account-table.ts'
import {
  branchRecord,
  encodeCommit,
  findBranch,
  insertRow,
  insertSnapshot,
  insertState,
  journalIndex,
  type BranchRow,
  type CommitText,
} from './journal.ts'
import { findRun, insertRun, nextTurn, putRun, readRow, selectRun, type RunRow } from './run-row.ts'
import { sessionRecord } from './sqlite-reads.ts'
import { forgetSession, staleSessions } from './sqlite-session.ts'

/** Most lapsed records of the key-value store that one `gc` drops. */
const lapsedAtOnce = 1_000

/** The keys of a run and its branch, which never change. */
interface Address {
  readonly run: number
  readonly branch: BranchRow
}

/** Writes of one open file. `tell` is called inside the job: hints are for after it. */
export class SqliteDesk {
  readonly #database: Database
  readonly #index: JournalIndex
  readonly #accounts: AccountTable
  readonly #tell: (hint: Hint) => void
  readonly #addresses = new Map<string, Address>()

  constructor(database: Database, tell: (hint: Hint) => void) {
    this.#database = database
    this.#index = journalIndex(database)
    this.#accounts = accountTable(database)
    this.#tell = tell
  }

  createRun(run: NewRun): Awaited<ReturnType<RunStore['createRun']>> {
    const known = findRun(this.#database, run.id) ?? this.#keyed(run)
    if (known !== undefined) return { status: 'known', run: known.record }
    const branch = run.branch === undefined ? undefined : findBranch(this.#database, run.branch)
    if (run.branch !== undefined && branch?.session !== run.session) return { status: 'unknown_branch' }
    if (run.state !== undefined && this.#hasSession(run.session)) return { status: 'session_exists' }
    if (this.#exceedsSessions(run)) return { status: 'session_limit' }
    const grant = grantTo(run, this.#accounts)
    if (grant.status === 'refused') return { status: 'budget', refused: grant }
    const head = this.#headOf(run)
    const { id, key } = branch ?? head
    const record = createdRun({ ...run, ...lendTo(run, grant, this.#accounts) }, id)
    insertRun(this.#database, record, key)
    if (run.state !== undefined) this.#beginWith(head, run.state, run)
    this.#tell({ type: 'queue' })
    return { status: 'created', run: record }
  }

  /** Puts a state at the beginning of the branch that was made for a run. */
  #beginWith(branch: BranchRow, state: Snapshot, { id, now }: NewRun): void {
    insertState(this.#database, branch, { run: findRun(this.#database, id)!.key, state, now })
  }

  #hasSession(id: string): boolean {
    return this.#database.prepare('SELECT 1 FROM session WHERE id = ?').get(id) !== undefined
  }

  #keyed({ user, idempotencyKey }: NewRun): RunRow | undefined {
    if (idempotencyKey === undefined) return undefined
    const row = this.#database
      .prepare(`${selectRun} WHERE r.user = ? AND r.idempotency_key = ?`)
      .get(user, idempotencyKey)
    return row && readRow(this.#database, row)
  }

  #exceedsSessions(run: Pick<NewRun, 'session' | 'user' | 'ownSession' | 'maxSessions'>): boolean {
    const { session, user, ownSession, maxSessions } = run
    if (ownSession || maxSessions === undefined) return false
    const known = this.#database.prepare('SELECT 1 FROM session WHERE id = ?').get(session)
    if (known !== undefined) return false
    const count = this.#database.prepare('SELECT count(*) AS n FROM session WHERE user = ? AND own = 0')
    return (count.get(user) as { n: number }).n >= maxSessions
  }

  createSession(asked: Parameters<RunStore['createSession']>[0]): Awaited<ReturnType<RunStore['createSession']>> {
    const { id, user, newBranch, now, maxSessions } = asked
    const known = this.#database.prepare('SELECT * FROM session WHERE id = ?').get(id)
    if (known !== undefined) return { status: 'known', session: sessionRecord(known) }
    const limit = maxSessions === undefined ? {} : { maxSessions }
    if (this.#exceedsSessions({ session: id, user, ownSession: false, ...limit })) return { status: 'session_limit' }
    this.#headOf({ session: id, user, newBranch, ownSession: false, now })
    const session = { id, user, branch: newBranch, createdAt: now, touchedAt: now, own: false }
    return { status: 'created', session }
  }

  deleteSession(id: string): Awaited<ReturnType<RunStore['deleteSession']>> {
    if (!this.#hasSession(id)) return 'unknown'
    const live = this.#database.prepare('SELECT 1 FROM run WHERE session = ? AND live = 1 LIMIT 1').get(id)
    if (live !== undefined) return 'live'
    forgetSession(this.#database, id)
    return 'deleted'
  }

  /** The branch that new runs of the session go on; made when the session is new. */
  #headOf(run: Pick<NewRun, 'session' | 'user' | 'newBranch' | 'ownSession' | 'now'>): BranchRow {
    const { session, user, newBranch, ownSession, now } = run
    const found = this.#database.prepare('SELECT branch FROM session WHERE id = ?').get(session) as
      | { branch: string }
      | undefined
    const branch = found === undefined ? undefined : findBranch(this.#database, found.branch)
    if (branch !== undefined) {
      this.#touch(session, now)
      return branch
    }
    this.#database
      .prepare('INSERT INTO session (id, user, branch, created_at, touched_at, own) VALUES (?, ?, ?, ?, ?, ?)')
      .run(session, user, newBranch, now, now, ownSession ? 1 : 0)
    return this.#addBranch({ id: newBranch, session, createdAt: now })
  }

  #addBranch({ id, session, parent, createdAt }: Omit<BranchRow, 'key'>): BranchRow {
    if (findBranch(this.#database, id) !== undefined) {
      throw new TellurionError('duplicate_name', `There is a branch '${id}' already; make a new id.`)
    }
    const { lastInsertRowid } = this.#database
      .prepare('INSERT INTO branch (id, session, parent, parent_seq, created_at) VALUES (?, ?, ?, ?, ?)')
      .run(id, session, parent?.branch ?? null, parent?.seq ?? null, createdAt)
    return { key: Number(lastInsertRowid), id, session, ...(parent === undefined ? {} : { parent }), createdAt }
  }

  #touch(session: string, now: number): void {
    this.#database.prepare('UPDATE session SET touched_at = max(touched_at, ?) WHERE id = ?').run(now, session)
  }

  beginAttempt(id: string, claim: Claim): RunRecord | undefined {
    let row = findRun(this.#database, id)
    if (row !== undefined && hasLapsed(row.record, claim.now)) row = this.#lapse(row, claim.now)
    if (row === undefined || !mayBegin(row.record, claim) || this.#isBlocked(row)) return undefined
    const branch = findBranch(this.#database, row.record.branch)
    if (branch === undefined) return undefined
    const record = begunRun(row.record, claim, headTick(this.#index, branch))
    this.#put(row, record)
    this.#keepAddress(id, { run: row.key, branch })
    return record
  }

  /** Whether a run that comes before it on its branch has not ended. */
  #isBlocked({ branchKey, turn }: RunRow): boolean {
    const before = this.#database.prepare('SELECT 1 FROM run WHERE branch = ? AND live = 1 AND turn < ? LIMIT 1')
    return before.get(branchKey, turn) !== undefined
  }

  /** Extends a lease; false when it was lost. */
  extend({ run, epoch }: { run: string; epoch: number }, leaseUntil: number): boolean {
    const extend = this.#database.prepare(
      "UPDATE run SET lease_until = ? WHERE id = ? AND epoch = ? AND status = 'running'",
    )
    return extend.run(leaseUntil, run, epoch).changes === 1
  }

  /** A commit that changes nothing but the journal: one insert. */
  append(commit: Commit, text: CommitText): CommitResult {
    const known = this.#addresses.get(commit.run)
    if (known?.branch.id !== commit.branch || !insertRow(this.#database, commit, { text, ...known })) {
      const place = this.#placeOf(commit)
      if (typeof place === 'string') return { status: place }
      const { row, branch } = place
      if (!insertRow(this.#database, commit, { text, run: row.key, branch })) return { status: 'conflict' }
    }
    return { status: 'committed', bytes: text.bytes }
  }

  /** The run of a commit as it stands, and its branch. */
  #placeOf({ run, branch: id, epoch }: Commit): { row: RunRow; branch: BranchRow } | 'fenced' | 'conflict' {
    const row = findRun(this.#database, run)
    if (row === undefined || row.record.status !== 'running' || row.record.epoch !== epoch) return 'fenced'
    const known = this.#addresses.get(run)?.branch
    const branch = row.record.branch !== id ? undefined : known?.id === id ? known : findBranch(this.#database, id)
    if (branch === undefined) return 'conflict'
    this.#keepAddress(run, { run: row.key, branch })
    return { row, branch }
  }

  /** A cache, and no more: what has gone is found again. */
  #keepAddress(run: string, address: Address): void {
    if (this.#addresses.size >= 10_000) this.#addresses.clear()
    this.#addresses.set(run, address)
  }

  /** Any commit. */
  commit(commit: Commit, text: CommitText): CommitResult {
    const place = this.#placeOf(commit)
    if (typeof place === 'string') return { status: place }
    const { row, branch } = place
    const fits = commit.seq === this.#index.head(branch) + 1 && commit.firstEvent === row.record.events + 1
    if (!fits) return { status: 'conflict' }
    if (mailRefuses(row.record, commit)) return { status: 'mail' }
    return this.#write(commit, { text, row, branch })
  }

  #write(commit: Commit, { text, row, branch }: { text: CommitText; row: RunRow; branch: BranchRow }): CommitResult {
    if (!insertRow(this.#database, commit, { text, run: row.key, branch })) return { status: 'conflict' }
    const snapshotBytes =
      text.snapshot === undefined ? undefined : insertSnapshot(this.#database, branch, commit.seq, text.snapshot)
    if (commit.end !== undefined || commit.interactions !== undefined || commit.ranFor !== undefined) {
      settleEnd(row.record, commit, this.#accounts)
      this.#put(row, committedRun(row.record, commit))
    }
    if (commit.end !== undefined) this.#addresses.delete(commit.run)
    for (const child of commit.children ?? []) this.createRun(child)
    for (const mail of commit.sends ?? []) this.send(mail, JSON.stringify(mail.payload))
    const { bytes } = text
    return { status: 'committed', bytes, ...(snapshotBytes === undefined ? {} : { snapshotBytes }) }
  }

  send(mail: NewMail, payload: string): Awaited<ReturnType<RunStore['send']>> {
    const row = findRun(this.#database, mail.run)
    if (row === undefined) return 'unknown'
    const twin = this.#database.prepare('SELECT 1 FROM mail WHERE run = ? AND id = ?')
    if (twin.get(row.key, mail.id) !== undefined) return 'duplicate'
    if (hasEnded(row.record.status)) return 'ended'
    const record = mailedRun(row.record, mail.kind, mail.now)
    this.#database
      .prepare('INSERT INTO mail (run, position, id, kind, at, payload) VALUES (?, ?, ?, ?, ?, ?)')
      .run(row.key, record.mail, mail.id, mail.kind, mail.now, payload)
    this.#put(row, record)
    if (wantsOut(record, mail) && this.#isBlocked(row)) this.#putAside({ ...row, record }, mail)
    this.#tell({ type: 'mail', run: mail.run })
    return 'sent'
  }

  /** Puts a run on a branch of its own, which goes on from what it has written itself. */
  #putAside({ key, record }: RunRow, { aside, now }: NewMail): void {
    const { branch: id, session, epoch } = record
    const branch = findBranch(this.#database, id)
    const past = branch && lastPlaceOf(this.#index, branch, record)
    if (aside === undefined || (epoch > 0 && past === undefined)) return
    const parent = past && { branch: id, seq: past.seq }
    const own = this.#addBranch({ id: aside, session, ...(parent && { parent }), createdAt: now })
    this.#database.prepare('UPDATE run SET branch = ?, turn = 1 WHERE key = ?').run(own.key, key)
    this.#tell({ type: 'queue' })
  }

  fork(fork: Parameters<RunStore['fork']>[0]): Awaited<ReturnType<RunStore['fork']>> {
    const source = findBranch(this.#database, fork.branch)
    const session = this.#database.prepare('SELECT id, branch FROM session WHERE id = ?').get(fork.session) as
      | { id: string; branch: string }
      | undefined
    if (source === undefined || session === undefined || source.session !== session.id) return undefined
    const place = placeOfTick(this.#index, source, fork.tick)
    if (place === undefined) return undefined
    if (fork.head && this.#isLive(session.branch)) return 'live'
    const parent = { branch: place.branch.id, seq: place.seq }
    const branch = this.#addBranch({ id: fork.id, session: session.id, parent, createdAt: fork.now })
    if (fork.head) {
      this.#database.prepare('UPDATE session SET branch = ? WHERE id = ?').run(fork.id, session.id)
      this.#touch(session.id, fork.now)
    }
    return branchRecord(branch)
  }

  #isLive(branch: string): boolean {
    const live = this.#database.prepare(
      'SELECT 1 FROM run WHERE branch = (SELECT key FROM branch WHERE id = ?) AND live = 1 LIMIT 1',
    )
    return live.get(branch) !== undefined
  }

  /** Whether `sweep` would find something: a read, so that looking costs no write lock. */
  needsSweep(now: number): boolean {
    return this.#lapsed(now, 1).length > 0 || this.#due(now, 1).length > 0
  }

  sweep(now: number): readonly string[] {
    const freed: string[] = []
    for (const row of this.#lapsed(now, -1)) {
      const { record } = this.#lapse(row, now)
      if (record.status === 'queued') freed.push(record.id)
    }
    for (const row of this.#due(now, -1)) {
      this.#put(row, queuedRun(row.record, now))
      freed.push(row.record.id)
    }
    return freed
  }

  #lapsed(now: number, limit: number): readonly RunRow[] {
    const rows = this.#database
      .prepare(
        `${selectRun} WHERE r.status = 'running' AND (r.lease_until <= ? OR r.lease_until > ?) ORDER BY r.key LIMIT ?`,
      )
      .all(now, now + longestLease, limit)
    return rows.map((row) => readRow(this.#database, row))
  }

  #due(now: number, limit: number): readonly RunRow[] {
    const rows = this.#database
      .prepare(`${selectRun} WHERE r.status = 'waiting' AND r.due <= ? ORDER BY r.key LIMIT ?`)
      .all(now, limit)
    return rows.map((row) => readRow(this.#database, row))
  }

  #lapse(row: RunRow, now: number): RunRow {
    const lapsed = lapsedRun(row.record, now)
    if (!isDead(lapsed)) return this.#put(row, lapsed)
    const branch = findBranch(this.#database, lapsed.branch)
    if (branch === undefined) return row
    const children = this.#database.prepare('SELECT id FROM run WHERE parent = ? AND live = 1').all(lapsed.id)
    const commit = deathCommit(
      lapsed,
      {
        seq: this.#index.head(branch),
        tick: headTick(this.#index, branch),
        children: children.map(({ id }) => id as string),
      },
      now,
    )
    this.#write(commit, { text: encodeCommit(commit), row: { ...row, record: lapsed }, branch })
    return findRun(this.#database, lapsed.id) ?? row
  }

  gc(before: number, limit: number): number {
    const gone = staleSessions(this.#database, before, limit)
    for (const session of gone) forgetSession(this.#database, session)
    dropLapsed(this.#database, before, lapsedAtOnce)
    dropAccounts(this.#database, before)
    return gone.length
  }

  retry(...[id, now, accounts]: Parameters<RunStore['retry']>): Awaited<ReturnType<RunStore['retry']>> {
    const row = findRun(this.#database, id)
    if (row === undefined) return 'unknown'
    const again = retriedRun(row.record, now, accounts)
    if (again === undefined) return 'not_failed'
    const grant = grantTo(again, this.#accounts)
    if (grant.status === 'refused') return 'budget'
    const record = { ...again, ...lendTo(again, grant, this.#accounts) }
    this.#put({ ...row, turn: nextTurn(this.#database, row.branchKey) }, record)
    this.send(retryMail(record, now), 'null')
    return 'queued'
  }

  #put(row: RunRow, record: RunRecord): RunRow {
    const after = { ...row, record }
    putRun(this.#database, after)
    this.#tell({ type: 'run', run: record.id, ...(record.status === 'running' ? { log: true } : {}) })
    if (opensWork(row.record, record) || row.record.availableAt > record.availableAt) this.#tell({ type: 'queue' })
    if (record.endedAt !== undefined && hasEnded(record.status)) this.#touch(record.session, record.endedAt)
    return after
  }
}
