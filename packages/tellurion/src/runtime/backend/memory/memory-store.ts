// The run store in memory: each method is one synchronous piece of work, so nothing can come between.

import { TellurionError } from '../../../error/error.ts'
import type { KeyValue } from '../../../port/key-value.ts'
import type { Hints } from '../../hints.ts'
import { hasEnded, type RunRecord } from '../../run.ts'
import type { Commit, CommitResult, NewMail, NewRun, RunStore } from '../../run-store.ts'
import { headTick, lastPlaceOf, placeOfTick, stateSeq } from '../lineage.ts'
import { grantTo, lendTo, settleEnd, type AccountTable } from '../account-book.ts'
import { checkId, checkMail, checkNewRun, checkNewSession } from '../request.ts'
import { encodeRow } from '../row-codec.ts'
import {
  begunRun,
  committedRun,
  createdRun,
  deathCommit,
  hasLapsed,
  isAvailable,
  isDead,
  lapsedRun,
  mailedRun,
  mailRefuses,
  mayBegin,
  opensWork,
  queuedRun,
  retriedRun,
  retryMail,
  wantsOut,
} from '../run-state.ts'
import type { ClaimTable } from '../table-queue.ts'
import { createMemoryReads } from './memory-reads.ts'
import { pruneMemory } from './memory-retention.ts'
import {
  addBranch,
  addRun,
  addSession,
  copyOf,
  dropSession,
  emptyTables,
  noteEnd,
  type BranchTable,
  type RunTable,
  type Tables,
} from './memory-tables.ts'

/** An empty store, and its rows as a queue sees them. It tells hints by itself. */
export function createMemoryStore(options: { hints: Hints; keyValue: KeyValue }): {
  store: RunStore
  table: ClaimTable
} {
  const tables = emptyTables()
  const desk = new MemoryDesk(tables, options.hints)
  const reads = createMemoryReads(tables)
  const store: RunStore = {
    ...reads,
    createRun: async (run) => desk.createRun(run),
    createSession: async (session) => desk.createSession(session),
    async deleteSession(session) {
      const deleted = desk.deleteSession(session)
      if (deleted === 'deleted') await forget(options.keyValue, session)
      return deleted
    },
    beginAttempt: async (run, claim) => desk.beginAttempt(run, claim),
    heartbeat: async (held, leaseUntil) =>
      held.filter((lease) => !desk.extend(lease, leaseUntil)).map(({ run }) => run),
    commit: async (commit) => desk.commit(commit),
    async send(mail) {
      checkMail(mail)
      return desk.send(mail)
    },
    fork: async (fork) => desk.fork(fork),
    sweep: async (now) => desk.sweep(now),
    gc: async ({ before, limit }) => {
      const gone = desk.gc(before, limit)
      for (const owner of gone) await forget(options.keyValue, owner)
      return gone.length
    },
    prune: async ({ before, limit }) => pruneMemory(tables, before, limit),
    retry: async (...asked) => desk.retry(...asked),
    async close() {},
  }
  return { store, table: claimTable(tables) }
}

async function forget(keyValue: KeyValue, owner: string): Promise<void> {
  const scope = { scope: 'session', owner } as const
  for (;;) {
    const entries = await keyValue.list(scope)
    if (entries.length === 0) return
    for (const { name } of entries) await keyValue.delete(scope, name)
  }
}

/** Everything that writes. */
class MemoryDesk {
  readonly #tables: Tables
  readonly #hints: Hints
  #lastOrder = 0
  readonly #accounts: AccountTable

  constructor(tables: Tables, hints: Hints) {
    this.#tables = tables
    this.#hints = hints
    const { accounts } = tables
    this.#accounts = { get: (id) => accounts.get(id), put: (record) => void accounts.set(record.id, record) }
  }

  createRun(run: NewRun): Awaited<ReturnType<RunStore['createRun']>> {
    checkNewRun(run)
    const { runs, keys, sessions, branches } = this.#tables
    const known = runs.get(run.id) ?? (run.idempotencyKey === undefined ? undefined : keys.get(keyOf(run)))
    if (known !== undefined) return { status: 'known', run: known.record }
    const session = sessions.get(run.session)
    if (run.state !== undefined && session !== undefined) return { status: 'session_exists' }
    if (run.branch !== undefined && branches.get(run.branch)?.record.session !== run.session) {
      return { status: 'unknown_branch' }
    }
    if (session === undefined) {
      if (branches.has(run.newBranch)) throw branchTaken(run.newBranch)
      if (this.#exceedsSessions(run)) return { status: 'session_limit' }
    }
    const grant = grantTo(run, this.#accounts)
    if (grant.status === 'refused') return { status: 'budget', refused: grant }
    if (session === undefined) {
      addBranch(this.#tables, { id: run.newBranch, session: run.session, createdAt: run.now })
    }
    const { session: id, user, ownSession: own, newBranch, now: createdAt } = run
    const head = session ?? { id, user, branch: newBranch, createdAt, touchedAt: createdAt, own }
    if (session === undefined) addSession(this.#tables, head)
    else sessions.set(id, { ...head, touchedAt: Math.max(session.touchedAt, createdAt) })
    const branch = run.branch ?? head.branch
    const record = createdRun(
      { ...run, ...lendTo(run, grant, this.#accounts), input: copyOf(run.input), metadata: copyOf(run.metadata) },
      branch,
    )
    const slot: RunTable = { record, order: ++this.#lastOrder, turn: this.#nextTurn(branch), mail: [] }
    slot.mail.push({ id: 'input', kind: 'input', payload: JSON.stringify(run.input), at: createdAt })
    addRun(this.#tables, slot)
    if (run.state !== undefined) beginWith(branches.get(branch)!, run)
    if (run.idempotencyKey !== undefined) keys.set(keyOf(run), slot)
    this.#hints.send({ type: 'queue' })
    return { status: 'created', run: record }
  }

  #exceedsSessions({ ownSession, maxSessions, user }: Pick<NewRun, 'ownSession' | 'maxSessions' | 'user'>): boolean {
    if (ownSession || maxSessions === undefined) return false
    return (this.#tables.named.get(user) ?? 0) >= maxSessions
  }

  #nextTurn(branch: string): number {
    return (this.#tables.branches.get(branch)?.runs.at(-1)?.turn ?? 0) + 1
  }

  beginAttempt(id: string, claim: Parameters<RunStore['beginAttempt']>[1]): RunRecord | undefined {
    const slot = this.#tables.runs.get(id)
    if (slot === undefined) return undefined
    if (hasLapsed(slot.record, claim.now)) this.#lapse(slot, claim.now)
    if (!mayBegin(slot.record, claim) || isBlocked(this.#tables, slot)) return undefined
    const branch = this.#tables.branch(slot.record.branch)
    this.#put(slot, begunRun(slot.record, claim, branch === undefined ? 0 : headTick(this.#tables, branch)))
    return slot.record
  }

  extend({ run, epoch }: { run: string; epoch: number }, leaseUntil: number): boolean {
    const slot = this.#tables.runs.get(run)
    if (slot?.record.status !== 'running' || slot.record.epoch !== epoch) return false
    slot.record = { ...slot.record, leaseUntil }
    return true
  }

  commit(commit: Commit): CommitResult {
    const slot = this.#tables.runs.get(commit.run)
    const { record } = slot ?? {}
    if (slot === undefined || record?.status !== 'running' || record.epoch !== commit.epoch) {
      return { status: 'fenced' }
    }
    const branch = this.#tables.branch(commit.branch)
    const fits = branch !== undefined && branch.id === record.branch && commit.seq === this.#tables.head(branch) + 1
    if (!fits || commit.firstEvent !== record.events + 1) return { status: 'conflict' }
    if (mailRefuses(record, commit)) return { status: 'mail' }
    for (const child of commit.children ?? []) checkNewRun(child)
    for (const mail of commit.sends ?? []) checkMail(mail)
    return this.#write(slot, commit)
  }

  #write(slot: RunTable, commit: Commit): CommitResult {
    const { run, tick, finished, now: at } = commit
    const text = encodeRow(commit.operations, commit.events)
    const snapshot = commit.snapshot === undefined ? undefined : JSON.stringify(commit.snapshot)
    const event = slot.record.events + commit.events.length
    this.#tables.branches.get(commit.branch)?.rows.push({
      run,
      tick,
      finished,
      event,
      at,
      ...text,
      ...(commit.versions === undefined ? {} : { versions: JSON.stringify(commit.versions) }),
      ...(snapshot === undefined ? {} : { snapshot }),
    })
    const { end, interactions } = commit
    const kept = {
      ...commit,
      ...(end === undefined ? {} : { end: JSON.parse(JSON.stringify(end)) }),
      ...(interactions === undefined ? {} : { interactions: JSON.parse(JSON.stringify(interactions)) }),
    }
    settleEnd(slot.record, commit, this.#accounts)
    this.#put(slot, committedRun(slot.record, kept))
    for (const child of commit.children ?? []) this.createRun(child)
    for (const mail of commit.sends ?? []) this.send(mail)
    const bytes = Buffer.byteLength(text.operations) + Buffer.byteLength(text.events)
    if (snapshot === undefined) return { status: 'committed', bytes }
    return { status: 'committed', bytes, snapshotBytes: Buffer.byteLength(snapshot) }
  }

  send(mail: NewMail): Awaited<ReturnType<RunStore['send']>> {
    const slot = this.#tables.runs.get(mail.run)
    if (slot === undefined) return 'unknown'
    if (slot.mail.some(({ id }) => id === mail.id)) return 'duplicate'
    if (hasEnded(slot.record.status)) return 'ended'
    slot.mail.push({ id: mail.id, kind: mail.kind, payload: JSON.stringify(mail.payload), at: mail.now })
    this.#put(slot, mailedRun(slot.record, mail.kind, mail.now))
    if (wantsOut(slot.record, mail) && isBlocked(this.#tables, slot)) this.#putAside(slot, mail)
    this.#hints.send({ type: 'mail', run: mail.run })
    return 'sent'
  }

  /** Puts a run on a branch of its own, which goes on from what it has written itself. */
  #putAside(slot: RunTable, { aside, now }: NewMail): void {
    const { record } = slot
    const { runs, live, record: branch } = this.#tables.branches.get(record.branch)!
    const past = lastPlaceOf(this.#tables, branch, record)
    if (aside === undefined || (record.epoch > 0 && past === undefined)) return
    if (this.#tables.branches.has(aside)) throw branchTaken(aside)
    const parent = past && { branch: branch.id, seq: past.seq }
    const place = { id: aside, session: record.session, ...(parent && { parent }), createdAt: now }
    const own = addBranch(this.#tables, place)
    own.runs.push(...runs.splice(runs.indexOf(slot), 1))
    live.delete(slot)
    own.live.add(slot)
    slot.turn = 1
    this.#put(slot, { ...record, branch: aside })
    this.#hints.send({ type: 'queue' })
  }

  async fork(fork: Parameters<RunStore['fork']>[0]): ReturnType<RunStore['fork']> {
    checkId('branch', fork.id)
    const { branches, sessions } = this.#tables
    const source = branches.get(fork.branch)?.record
    const session = sessions.get(fork.session)
    if (source === undefined || session === undefined || source.session !== session.id) return undefined
    const place = placeOfTick(this.#tables, source, fork.tick)
    if (place === undefined) return undefined
    if (branches.has(fork.id)) throw branchTaken(fork.id)
    if (fork.head && (branches.get(session.branch)?.live.size ?? 0) > 0) return 'live'
    if (fork.head) sessions.set(session.id, { ...session, branch: fork.id, touchedAt: fork.now })
    const parent = { branch: place.branch.id, seq: place.seq }
    return addBranch(this.#tables, { id: fork.id, session: session.id, parent, createdAt: fork.now }).record
  }

  sweep(now: number): readonly string[] {
    const freed: string[] = []
    for (const slot of this.#tables.open) {
      const { record } = slot
      if (hasLapsed(record, now)) this.#lapse(slot, now)
      else if (record.status === 'waiting' && record.due !== undefined && record.due <= now) {
        this.#put(slot, queuedRun(record, now))
      }
      if (slot.record !== record && slot.record.status === 'queued') freed.push(record.id)
    }
    return freed
  }

  #lapse(slot: RunTable, now: number): void {
    const lapsed = lapsedRun(slot.record, now)
    if (!isDead(lapsed)) return this.#put(slot, lapsed)
    const branch = this.#tables.branch(lapsed.branch)
    if (branch === undefined) return
    const children: string[] = []
    for (const { record } of this.#tables.runs.values()) if (record.parent === lapsed.id) children.push(record.id)
    const remains = { seq: this.#tables.head(branch), tick: headTick(this.#tables, branch), children }
    this.#write(slot, deathCommit(lapsed, remains, now))
  }

  gc(before: number, limit: number): readonly string[] {
    for (const { id, ends = Infinity } of this.#tables.accounts.values())
      if (ends < before) this.#tables.accounts.delete(id)
    const gone: string[] = []
    for (const session of this.#tables.sessions.values()) {
      if (gone.length >= limit) break
      if (session.touchedAt < before && this.deleteSession(session.id) === 'deleted') gone.push(session.id)
    }
    return gone
  }

  createSession(asked: Parameters<RunStore['createSession']>[0]): Awaited<ReturnType<RunStore['createSession']>> {
    checkNewSession(asked)
    const { id, user, newBranch, now: createdAt } = asked
    const { sessions, branches } = this.#tables
    const known = sessions.get(id)
    if (known !== undefined) return { status: 'known', session: known }
    if (branches.has(newBranch)) throw branchTaken(newBranch)
    if (this.#exceedsSessions({ ...asked, ownSession: false })) return { status: 'session_limit' }
    addBranch(this.#tables, { id: newBranch, session: id, createdAt })
    const session = { id, user, branch: newBranch, createdAt, touchedAt: createdAt, own: false }
    addSession(this.#tables, session)
    return { status: 'created', session }
  }

  deleteSession(id: string): Awaited<ReturnType<RunStore['deleteSession']>> {
    const { sessions, own, runs, keys } = this.#tables
    if (!sessions.has(id)) return 'unknown'
    if (own.get(id)?.some(({ live }) => live.size > 0) === true) return 'live'
    for (const { record } of dropSession(this.#tables, id)) {
      runs.delete(record.id)
      if (record.idempotencyKey !== undefined) keys.delete(keyOf(record))
    }
    return 'deleted'
  }

  retry(...[id, now, accounts]: Parameters<RunStore['retry']>): Awaited<ReturnType<RunStore['retry']>> {
    const slot = this.#tables.runs.get(id)
    if (slot === undefined) return 'unknown'
    const again = retriedRun(slot.record, now, accounts)
    if (again === undefined) return 'not_failed'
    const grant = grantTo(again, this.#accounts)
    if (grant.status === 'refused') return 'budget'
    const { runs } = this.#tables.branches.get(slot.record.branch)!
    slot.turn = this.#nextTurn(slot.record.branch)
    runs.push(...runs.splice(runs.indexOf(slot), 1))
    this.#put(slot, { ...again, ...lendTo(again, grant, this.#accounts) })
    this.send(retryMail(again, now))
    return 'queued'
  }

  #put(slot: RunTable, record: RunRecord): void {
    const before = slot.record
    slot.record = record
    if (record.status === 'queued') this.#tables.queued.add(slot)
    else this.#tables.queued.delete(slot)
    if (hasEnded(record.status) !== hasEnded(before.status)) noteEnd(this.#tables, slot)
    this.#hints.send({ type: 'run', run: record.id, ...(record.status === 'running' ? { log: true } : {}) })
    if (opensWork(before, record) || before.availableAt > record.availableAt) this.#hints.send({ type: 'queue' })
    const session = hasEnded(record.status) ? this.#tables.sessions.get(record.session) : undefined
    if (session !== undefined && record.endedAt !== undefined) {
      this.#tables.sessions.set(session.id, { ...session, touchedAt: Math.max(session.touchedAt, record.endedAt) })
    }
  }
}

function claimTable(tables: Tables): ClaimTable {
  return {
    claimable({ agents, now, limit }) {
      const found: RunTable[] = []
      for (const slot of tables.queued) {
        if (!isAvailable(slot.record, now) || agents?.includes(slot.record.agent) === false) continue
        if (!isBlocked(tables, slot)) found.push(slot)
      }
      found.sort((a, b) => b.record.priority - a.record.priority || a.order - b.order)
      return found.slice(0, limit).map(({ record }) => ({ run: record.id, epoch: record.epoch }))
    },
    nextAvailable(now) {
      let next: number | undefined
      for (const { record } of tables.queued) {
        if (record.availableAt <= now) continue
        next = Math.min(next ?? Infinity, record.availableAt)
      }
      return next
    },
  }
}

/** Whether a run that came before it on its branch has not ended. */
function isBlocked(tables: Tables, slot: RunTable): boolean {
  const [first = slot] = tables.branches.get(slot.record.branch)?.live ?? []
  return first !== slot
}

/** A branch whose first row is a state. */
function beginWith(table: BranchTable, { id: run, state, now: at }: NewRun): void {
  const tick = state?.header.tick ?? 0
  table.first = stateSeq
  table.rows.push({ run, tick, finished: true, event: 0, at, ...encodeRow([], []), snapshot: JSON.stringify(state) })
}

const keyOf = ({ user, idempotencyKey }: { user: string; idempotencyKey?: string }): string =>
  JSON.stringify([user, idempotencyKey])

function branchTaken(id: string): TellurionError {
  return new TellurionError('duplicate_name', `There is a branch '${id}' already; make a new id.`)
}
