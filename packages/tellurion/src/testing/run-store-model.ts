// What a run store does, said as simply as possible and slowly: the reference that every backend is compared with.

import { hasEnded, type RunStatus } from '../runtime/run.ts'
import type { Commit, CommitResult, NewMail, NewRun } from '../runtime/run-store.ts'
import type { Json } from '../schema/json.ts'

interface ModelRun {
  readonly id: string
  branch: string
  readonly priority: number
  readonly key: string | undefined
  status: RunStatus
  epoch: number
  availableAt: number
  leaseUntil: number
  due: number | undefined
  mail: string[]
  read: number
  events: Json[]
  retries: number
  crashes: number
}

interface ModelRow {
  readonly run: string
  readonly tick: number
  readonly finished: boolean
  readonly items: readonly Json[]
}

interface ModelBranch {
  /** The whole past, copied. */
  readonly rows: ModelRow[]
  /** Runs in the order in which they may go. */
  readonly queue: ModelRun[]
}

/** The parts of a run's record that the model knows. */
export interface ModelRecord {
  readonly status: RunStatus
  readonly epoch: number
  readonly mail: number
  readonly read: number
  readonly events: number
  readonly retries: number
  readonly crashes: number
}

/** The reference. Methods answer what a store must answer. */
export class RunModel {
  readonly runs = new Map<string, ModelRun>()
  readonly branches = new Map<string, ModelBranch>()
  readonly sessions = new Map<string, string>()

  createRun(run: NewRun): 'created' | 'known' {
    const twin = [...this.runs.values()].find(({ key }) => key !== undefined && key === run.idempotencyKey)
    if (this.runs.has(run.id) || twin !== undefined) return 'known'
    const branch = this.sessions.get(run.session) ?? run.newBranch
    if (!this.sessions.has(run.session)) this.branches.set(branch, { rows: [], queue: [] })
    this.sessions.set(run.session, branch)
    const made: ModelRun = {
      id: run.id,
      branch,
      priority: run.priority,
      key: run.idempotencyKey,
      status: 'queued',
      epoch: 0,
      availableAt: run.availableAt,
      leaseUntil: 0,
      due: undefined,
      mail: ['input'],
      read: 0,
      events: [],
      retries: 0,
      crashes: 0,
    }
    this.runs.set(run.id, made)
    this.branches.get(branch)!.queue.push(made)
    return 'created'
  }

  beginAttempt(id: string, claim: { now: number; leaseUntil: number; any?: boolean }): number | undefined {
    const run = this.runs.get(id)
    if (run === undefined) return undefined
    if (run.status === 'running' && run.leaseUntil <= claim.now) this.#lapse(run, claim.now)
    const queued = run.status === 'queued' && (claim.any === true || run.availableAt <= claim.now)
    const idle = claim.any === true && (run.status === 'waiting' || run.status === 'paused')
    if (!(queued || idle) || this.#blocked(run)) return undefined
    run.status = 'running'
    run.due = undefined
    run.leaseUntil = claim.leaseUntil
    run.epoch += 1
    return run.epoch
  }

  #blocked(run: ModelRun): boolean {
    const { queue } = this.branches.get(run.branch)!
    return queue.slice(0, queue.indexOf(run)).some(({ status }) => !hasEnded(status))
  }

  heartbeat(id: string, epoch: number, leaseUntil: number): boolean {
    const run = this.runs.get(id)
    if (run?.status !== 'running' || run.epoch !== epoch) return false
    run.leaseUntil = leaseUntil
    return true
  }

  commit(commit: Commit): CommitResult['status'] {
    const run = this.runs.get(commit.run)
    if (run?.status !== 'running' || run.epoch !== commit.epoch) return 'fenced'
    const { rows } = this.branches.get(run.branch)!
    const fits = commit.branch === run.branch && commit.seq === rows.length
    if (!fits || commit.firstEvent !== run.events.length + 1) return 'conflict'
    const { end } = commit
    if (
      end !== undefined &&
      end.to !== 'queued' &&
      !(commit.cut === true && hasEnded(end.to)) &&
      run.mail.length > commit.read
    )
      return 'mail'
    rows.push({ run: run.id, tick: commit.tick, finished: commit.finished, items: itemsOf(commit) })
    run.events.push(...(commit.events as unknown as Json[]))
    run.read = Math.max(run.read, commit.read)
    run.crashes = 0
    if (end !== undefined) {
      run.status = end.to
      run.due = end.to === 'waiting' ? end.due : undefined
      if (end.to === 'queued') {
        run.availableAt = end.availableAt
        run.retries += end.retried ? 1 : 0
      }
    }
    for (const child of commit.children ?? []) this.createRun(child)
    for (const mail of commit.sends ?? []) this.send(mail)
    return 'committed'
  }

  send(mail: NewMail): 'sent' | 'duplicate' | 'ended' | 'unknown' {
    const run = this.runs.get(mail.run)
    if (run === undefined) return 'unknown'
    if (run.mail.includes(mail.id)) return 'duplicate'
    if (hasEnded(run.status)) return 'ended'
    run.mail.push(mail.id)
    const wakes =
      (run.status === 'waiting' && mail.kind !== 'checkpoint') ||
      (run.status === 'paused' && ['resume', 'cancel'].includes(mail.kind))
    const hurries = run.status === 'queued' && mail.kind === 'cancel' && run.availableAt > mail.now
    if (run.status === 'queued' && mail.kind === 'pause') run.status = 'paused'
    const hasBegun = run.epoch > 0 || mail.kind !== 'resume'
    if (wakes || hurries) this.#queue(run, hasBegun ? mail.now : run.availableAt)
    if (run.status === 'queued' && mail.kind === 'cancel' && mail.aside !== undefined) this.#putAside(run, mail.aside)
    return 'sent'
  }

  #putAside(run: ModelRun, aside: string): void {
    if (!this.#blocked(run) || (run.epoch > 0 && run.events.length === 0)) return
    const { rows, queue } = this.branches.get(run.branch)!
    const past = run.epoch === 0 ? [] : rows.slice(0, rows.findLastIndex(({ run: id }) => id === run.id) + 1)
    queue.splice(queue.indexOf(run), 1)
    this.branches.set(aside, { rows: past, queue: [run] })
    run.branch = aside
  }

  /** What can be claimed, in order. */
  claimable(now: number): readonly string[] {
    const found = [...this.runs.values()].filter(
      (run) => run.status === 'queued' && run.availableAt <= now && !this.#blocked(run),
    )
    return found.sort((a, b) => b.priority - a.priority).map(({ id }) => id)
  }

  sweep(now: number): readonly string[] {
    const freed: string[] = []
    for (const run of this.runs.values()) {
      const lapsed = run.status === 'running' && run.leaseUntil <= now
      if (lapsed) this.#lapse(run, now)
      else if (run.status === 'waiting' && run.due !== undefined && run.due <= now) this.#queue(run, now)
      else continue
      freed.push(run.id)
    }
    return freed.sort()
  }

  #lapse(run: ModelRun, now: number): void {
    run.crashes += 1
    this.#queue(run, now)
  }

  #queue(run: ModelRun, now: number): void {
    run.status = 'queued'
    run.due = undefined
    run.availableAt = now
  }

  retry(id: string, now: number): 'queued' | 'unknown' | 'not_failed' {
    const run = this.runs.get(id)
    if (run === undefined) return 'unknown'
    if (run.status !== 'failed' && run.status !== 'timed_out') return 'not_failed'
    const { queue } = this.branches.get(run.branch)!
    queue.splice(queue.indexOf(run), 1)
    queue.push(run)
    run.retries = 0
    run.crashes = 0
    this.#queue(run, now)
    run.mail.push(`retry-${run.epoch}`)
    return 'queued'
  }

  fork(fork: {
    branch: string
    tick: number
    id: string
    session: string
    head: boolean
  }): 'forked' | 'live' | undefined {
    const source = this.branches.get(fork.branch)
    const length = source === undefined ? undefined : endOfTick(source.rows, fork.tick)
    if (source === undefined || length === undefined) return undefined
    const head = this.branches.get(this.sessions.get(fork.session) ?? '')
    if (fork.head && head?.queue.some(({ status }) => !hasEnded(status)) === true) return 'live'
    this.branches.set(fork.id, { rows: source.rows.slice(0, length), queue: [] })
    if (fork.head) this.sessions.set(fork.session, fork.id)
    return 'forked'
  }

  /** Everything appended up to the end of a tick, or to the head; undefined when there is no such tick. */
  itemsAt(branch: string, tick?: number): readonly Json[] | undefined {
    const { rows } = this.branches.get(branch)!
    const length = tick === undefined ? rows.length : endOfTick(rows, tick)
    return length === undefined ? undefined : rows.slice(0, length).flatMap(({ items }) => items)
  }

  record(id: string): ModelRecord {
    const { status, epoch, mail, read, events, retries, crashes } = this.runs.get(id)!
    return { status, epoch, mail: mail.length, read, events: events.length, retries, crashes }
  }
}

function endOfTick(rows: readonly ModelRow[], tick: number): number | undefined {
  const index = rows.findLastIndex((row) => row.finished && row.tick === tick)
  if (index >= 0) return index + 1
  return tick === 0 ? 0 : undefined
}

function itemsOf({ operations }: Commit): readonly Json[] {
  return operations.flatMap((operation) => (operation[0] === 'append' ? operation[3] : []))
}
