// What becomes of a run's record, as pure functions that every store shares: a store only has to keep what they return.

import type { ErrorData } from '../../error/error.ts'
import { hasEnded, type RunRecord } from '../run.ts'
import type { AccountClaim } from '../account.ts'
import { cancelMail } from '../offspring.ts'
import type { Commit, MailKind, NewMail, NewRun, RunEnd } from '../run-store.ts'

/** Leases that may lapse in a row, with no commit between them, until a run is a dead letter. */
const crashLimit = 100

/** The record of a run that was just created. Its input is the first item of its inbox. */
export function createdRun(run: NewRun, branch: string): RunRecord {
  const { id, agent, session, priority, input, metadata, user, availableAt, now } = run
  const asked = { id, agent, session, branch, priority, input, metadata, user, createdAt: now, availableAt }
  return {
    ...asked,
    status: 'queued',
    ...(run.tenant === undefined ? {} : { tenant: run.tenant }),
    ...(run.limits === undefined ? {} : { limits: run.limits }),
    ...(run.accounts === undefined || run.accounts.length === 0 ? {} : { accounts: run.accounts }),
    ...(run.parent === undefined ? {} : { parent: run.parent }),
    ...(run.idempotencyKey === undefined ? {} : { idempotencyKey: run.idempotencyKey }),
    retries: 0,
    crashes: 0,
    epoch: 0,
    mail: 1,
    read: 0,
    events: 0,
    firstTick: 0,
    interactions: [],
    ranFor: 0,
  }
}

/** Who takes a run, and until when. */
export interface Claim {
  readonly worker: string
  readonly now: number
  readonly leaseUntil: number
  readonly any?: boolean
}

/** Whether a queued run may be claimed. One that was never to wait need not, also where the clock was set back since. */
export function isAvailable({ availableAt, createdAt }: RunRecord, now: number): boolean {
  return availableAt <= now || availableAt === createdAt
}

/** No lease is as long: one that seems to be is of a clock that was set back. Milliseconds. */
export const longestLease = 86_400_000

/** Whether the holder of a running run has lost it. */
export function hasLapsed({ status, leaseUntil }: RunRecord, now: number): boolean {
  return status === 'running' && leaseUntil !== undefined && (leaseUntil <= now || leaseUntil > now + longestLease)
}

/** Whether the record alone allows an attempt. A lapsed lease has to be swept first. */
export function mayBegin(run: RunRecord, { now, any }: Claim): boolean {
  if (run.status === 'queued') return any === true || isAvailable(run, now)
  return any === true && (run.status === 'waiting' || run.status === 'paused')
}

/** The record with its next attempt begun. `headTick` is the branch's last tick. */
export function begunRun(run: RunRecord, claim: Claim, headTick: number): RunRecord {
  const { due: _, ...rest } = run
  const first = run.epoch === 0 ? { startedAt: claim.now, firstTick: headTick + 1 } : {}
  const { worker, leaseUntil } = claim
  return { ...rest, ...first, status: 'running', epoch: run.epoch + 1, worker, leaseUntil }
}

/** Whether a commit touches nothing but the journal. */
export function isOrdinary(commit: Commit): boolean {
  return (
    commit.end === undefined &&
    commit.interactions === undefined &&
    commit.ranFor === undefined &&
    commit.snapshot === undefined &&
    (commit.children === undefined || commit.children.length === 0) &&
    (commit.sends === undefined || commit.sends.length === 0)
  )
}

/** Whether a run with this much mail may not end or park the way the commit wants. */
export function mailRefuses(run: RunRecord, { end, cut, read }: Commit): boolean {
  return end !== undefined && end.to !== 'queued' && !(cut === true && hasEnded(end.to)) && run.mail > read
}

/** The record after a commit that was let in. */
export function committedRun(run: RunRecord, commit: Commit): RunRecord {
  const going: RunRecord = {
    ...run,
    crashes: 0,
    read: Math.max(run.read, commit.read),
    events: run.events + commit.events.length,
    ranFor: run.ranFor + (commit.ranFor ?? 0),
    interactions: commit.interactions ?? run.interactions,
  }
  return commit.end === undefined ? going : ended(released(going), commit.end, commit.now)
}

function ended(run: RunRecord, end: RunEnd, now: number): RunRecord {
  switch (end.to) {
    case 'waiting':
      return { ...run, status: 'waiting', ...(end.due === undefined ? {} : { due: end.due }) }
    case 'paused':
      return { ...run, status: 'paused' }
    case 'queued': {
      const { availableAt, retried, error } = end
      const retries = run.retries + (retried ? 1 : 0)
      return { ...run, status: 'queued', availableAt, retries, ...(error === undefined ? {} : { error }) }
    }
    case 'succeeded':
    case 'failed':
    case 'cancelled':
    case 'timed_out': {
      const { to: status, spent: _spent, ...outcome } = end
      const { error: _, ...rest } = run
      return { ...rest, ...outcome, status, endedAt: now, interactions: [] }
    }
    default:
      return end satisfies never
  }
}

/** The record after an item came into its inbox. */
export function mailedRun(run: RunRecord, kind: MailKind, now: number): RunRecord {
  const mailed = { ...run, mail: run.mail + 1 }
  const wakes =
    (run.status === 'waiting' && kind !== 'checkpoint') ||
    (run.status === 'paused' && (kind === 'resume' || kind === 'cancel'))
  // What was paused before it began still begins when it was to.
  const hasBegun = run.epoch > 0 || kind !== 'resume'
  if (wakes) return queuedRun(mailed, hasBegun ? now : run.availableAt)
  // It holds nothing that would have to be let go of first.
  if (run.status === 'queued' && kind === 'pause') return { ...mailed, status: 'paused' }
  const hurries = run.status === 'queued' && kind === 'cancel' && run.availableAt > now
  return hurries ? { ...mailed, availableAt: now } : mailed
}

/** Whether mail lets a run end that stands behind others: then it leaves their branch. */
export function wantsOut(run: RunRecord, { kind, aside }: NewMail): boolean {
  return kind === 'cancel' && aside !== undefined && run.status === 'queued'
}

/** The record after its lease lapsed: to be claimed again, or failed when that happened too often. */
export function lapsedRun(run: RunRecord, now: number): RunRecord {
  return queuedRun({ ...run, crashes: run.crashes + 1 }, now)
}

/** The record, to be claimed from `now` on. */
export function queuedRun(run: RunRecord, now: number): RunRecord {
  return { ...released(run), status: 'queued', availableAt: now }
}

/** Whether a lapse made the run a dead letter. */
export function isDead(run: RunRecord): boolean {
  return run.crashes >= crashLimit
}

/** Where a dead letter's branch stands, and which runs worked for it. */
interface Remains {
  readonly seq: number
  readonly tick: number
  readonly children: readonly string[]
}

/** The last commit of a dead letter: its log says what happened, its parent hears of it, and its children are to end. */
export function deathCommit(run: RunRecord, { seq, tick, children }: Remains, now: number): Commit {
  const error: ErrorData = {
    code: 'run_crashed',
    message: `Run ${run.id} lost its worker ${run.crashes} times without getting any further.`,
    retryable: false,
  }
  const { id, branch, epoch, read, parent } = run
  const row = { run: id, branch, seq: seq + 1, epoch, tick, finished: false, operations: [], read, now }
  const payload = { run: id, status: 'failed', error: { ...error } }
  const news: NewMail[] = parent === undefined ? [] : [{ run: parent, id: `child.${id}`, kind: 'child', payload, now }]
  return {
    ...row,
    events: [{ type: 'run.failed', stopReason: 'failed', error } as { type: string }],
    firstEvent: run.events + 1,
    end: { to: 'failed', error, stopReason: 'failed' },
    sends: [...news, ...children.map((child) => cancelMail(child, now))],
  }
}

/** A dead letter with another try: as many retries as a new run, nothing of its end left. */
export function retriedRun(
  run: RunRecord,
  now: number,
  accounts: readonly AccountClaim[] = run.accounts ?? [],
): RunRecord | undefined {
  if (run.status !== 'failed' && run.status !== 'timed_out') return undefined
  const { endedAt: _e, result: _r, stopReason: _s, usage: _u, ...rest } = run
  return { ...queuedRun(rest, now), accounts, retries: 0, crashes: 0, ranFor: 0 }
}

/** What such a run finds in its inbox. */
export function retryMail({ id: run, epoch }: RunRecord, now: number): NewMail {
  return { run, id: `retry-${epoch}`, kind: 'retry', payload: null, now }
}

/** Whether a change of record may let a worker go on with this or another run of the branch. */
export function opensWork(before: RunRecord, after: RunRecord): boolean {
  return before.status !== after.status && (after.status === 'queued' || hasEnded(after.status))
}

function released(run: RunRecord): RunRecord {
  const { leaseUntil: _l, worker: _w, due: _d, ...rest } = run
  return rest
}
