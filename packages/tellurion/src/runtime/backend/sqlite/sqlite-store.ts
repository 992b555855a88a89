// The run store on SQLite: each method one read, or one job of the file's writer. Hints go out after the transaction.

import type { Database } from '../../../store/sqlite/database.ts'
import type { Writer } from '../../../store/sqlite/writer.ts'
import type { Hint, Hints } from '../../hints.ts'
import type { Commit, RunStore } from '../../run-store.ts'
import { checkId, checkMail, checkNewRun, checkNewSession } from '../request.ts'
import { isOrdinary } from '../run-state.ts'
import type { ClaimTable } from '../table-queue.ts'
import { encodeCommit } from './journal.ts'
import { createSqliteReads, findSession } from './sqlite-reads.ts'
import { SqliteRetention } from './sqlite-retention.ts'
import { SqliteDesk } from './sqlite-writes.ts'

/** The store of an open file. It tells hints by itself. */
export function createSqliteStore(database: Database, { writer, hints }: { writer: Writer; hints: Hints }): RunStore {
  const retention = new SqliteRetention(database)
  let told: Hint[] = []
  const desk = new SqliteDesk(database, (hint) => told.push(hint))
  /** Runs a job and tells afterwards what it changed. */
  const write = async <T>(job: () => T, options?: { readonly relaxed: boolean }): Promise<T> => {
    const [value, news] = await writer.write(() => {
      told = []
      return [job(), told] as const
    }, options)
    for (const hint of news) hints.send(hint)
    return value
  }
  return {
    ...createSqliteReads(database),
    async createRun(run) {
      checkNewRun(run)
      return write(() => desk.createRun(run))
    },
    async createSession(session) {
      checkNewSession(session)
      // Mostly it is there already, which takes no write.
      const known = await database.read(() => findSession(database, session.id))
      if (known !== undefined) return { status: 'known', session: known }
      return write(() => desk.createSession(session))
    },
    deleteSession: (session) => write(() => desk.deleteSession(session)),
    // Who holds a run is nothing that a machine which has lost its power still has to know.
    beginAttempt: (run, claim) => write(() => desk.beginAttempt(run, claim), { relaxed: true }),
    async heartbeat(held, leaseUntil) {
      if (held.length === 0) return []
      const extend = (): string[] => held.filter((lease) => !desk.extend(lease, leaseUntil)).map(({ run }) => run)
      return write(extend, { relaxed: true })
    },
    async commit(commit) {
      for (const child of commit.children ?? []) checkNewRun(child)
      for (const mail of commit.sends ?? []) checkMail(mail)
      const text = encodeCommit(commit)
      if (!isOrdinary(commit)) return write(() => desk.commit(commit, text))
      const relaxed = onlyCounts(commit)
      const result = await writer.write(() => desk.append(commit, text), { single: true, relaxed })
      if (result.status === 'committed') hints.send({ type: 'run', run: commit.run, log: true })
      return result
    },
    async send(mail) {
      checkMail(mail)
      const payload = JSON.stringify(mail.payload)
      return write(() => desk.send(mail, payload))
    },
    async fork(fork) {
      checkId('branch', fork.id)
      return write(() => desk.fork(fork))
    },
    async sweep(now) {
      return (await database.read(() => desk.needsSweep(now))) ? write(() => desk.sweep(now)) : []
    },
    gc: ({ before, limit }) => write(() => desk.gc(before, limit)),
    async prune({ before, limit }) {
      const branches = retention.due(before)
      return branches.length === 0 ? 0 : write(() => retention.drop(branches, before, limit))
    },
    retry: (...asked) => write(() => desk.retry(...asked)),
    close: () => writer.close(),
  }
}

/** Whether a commit says no more than that a tick is over: what happened in it is kept already. */
function onlyCounts({ operations, events }: Commit): boolean {
  return events.length === 0 && operations.every(([kind]) => kind === 'header')
}

/** The runs that can be claimed, for the queue. */
export function sqliteClaimTable(database: Database): ClaimTable {
  return {
    claimable({ agents, now, limit }) {
      // Left to itself SQLite takes the index of all statuses, and sorts.
      const select = `SELECT r.id AS run, r.epoch FROM run r INDEXED BY run_queue
        WHERE r.status = 'queued' AND (r.available_at <= ?1 OR r.available_at = r.created_at)
          AND NOT EXISTS (SELECT 1 FROM run o WHERE o.branch = r.branch AND o.live = 1 AND o.turn < r.turn)`
      const order = 'ORDER BY r.priority DESC, r.key LIMIT ?2'
      const rows =
        agents === undefined
          ? database.prepare(`${select} ${order}`).all(now, limit)
          : database
              .prepare(`${select} AND r.agent IN (SELECT value FROM json_each(?3)) ${order}`)
              .all(now, limit, JSON.stringify(agents))
      return rows as unknown as ReturnType<ClaimTable['claimable']>
    },
    nextAvailable(now) {
      const row = database
        .prepare("SELECT min(available_at) AS next FROM run WHERE status = 'queued' AND available_at > ?")
        .get(now) as { next: number | null }
      return row.next ?? undefined
    },
  }
}
