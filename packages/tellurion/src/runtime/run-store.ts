// The run store: the system of record. Each method is one atomic operation; what it acknowledged survives the process
// (the memory backend says that it does not). No method throws for what a caller may race for: that is a result.

import type { Amounts } from '../agent/budget.ts'
import type { BudgetLimits } from '../agent/component.ts'
import type { EventRecord, Interaction } from '../event/event.ts'
import type { ErrorData } from '../error/error.ts'
import type { Usage } from '../port/model.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import type { Operation } from '../world/delta.ts'
import type { Snapshot } from '../world/snapshot.ts'
import type { AccountClaim, AccountRecord, Grant } from './account.ts'
import type { BranchRecord, RunRecord, RunStatus, SessionRecord } from './run.ts'

/** A run to be created. Its input is the first item of its inbox, so it is taken in exactly once. */
export interface NewRun {
  readonly id: string
  readonly agent: string
  readonly input: Json
  readonly session: string
  /** Made with the run when it does not exist. */
  readonly ownSession: boolean
  readonly user: string
  readonly priority: number
  readonly metadata: JsonObject
  readonly availableAt: number
  readonly idempotencyKey?: string
  readonly parent?: string
  /** Id of the branch to be made when the session is new. */
  readonly newBranch: string
  /**
   * What its session begins with: the state after tick `state.header.tick`, of which no past is kept. Refused
   * (`session_exists`) when the session is there.
   */
  readonly state?: Snapshot
  /** An existing branch of the session to go on; default its present one. Refused (`unknown_branch`) when it is not there. */
  readonly branch?: string
  readonly now: number
  /** What it asks for, and the accounts that it has to come from; refused (`budget`) when one of them has nothing left. */
  readonly limits?: BudgetLimits
  readonly accounts?: readonly AccountClaim[]
  readonly tenant?: string
  /** Refuse when the user already has this many named sessions and this would be one more. */
  readonly maxSessions?: number
}

/** What reaches a run from outside. `id` is unique in its run: a second item with the same id is a duplicate. */
export interface NewMail {
  readonly run: string
  readonly id: string
  readonly kind: MailKind
  readonly payload: Json
  readonly now: number
  /**
   * With a cancel: a new branch, on which a queued run that stands behind others of its branch is put, so that it ends
   * without waiting for them.
   */
  readonly aside?: string
}

/**
 * What kinds of mail there are. `timer` only wakes, `checkpoint` wakes nobody; `child` brings the end of a child run;
 * `retry` is what the store puts there itself for another try.
 */
export type MailKind =
  | 'checkpoint'
  | 'input'
  | 'steer'
  | 'answer'
  | 'child'
  | 'timer'
  | 'pause'
  | 'resume'
  | 'cancel'
  | 'retry'

/** An inbox item; `position` counts from 1 without gaps. */
export interface Mail {
  readonly position: number
  readonly id: string
  readonly kind: MailKind
  readonly payload: Json
  readonly at: number
}

/** How a commit leaves its run. Without it the run goes on. */
export type RunEnd =
  | { readonly to: 'waiting'; readonly due?: number }
  | { readonly to: 'paused' }
  /** Given back: to be claimed again from `availableAt` on. `retried` when an error was the cause. */
  | { readonly to: 'queued'; readonly availableAt: number; readonly retried: boolean; readonly error?: ErrorData }
  | {
      readonly to: 'succeeded' | 'failed' | 'cancelled' | 'timed_out'
      readonly result?: Json
      readonly error?: ErrorData
      readonly stopReason: string
      readonly usage?: Usage
      /** What goes from its accounts for good; the rest of its allowance goes back. All of it where this is absent. */
      readonly spent?: Amounts
    }

/** One journal row and everything that must be true together with it. */
export interface Commit {
  readonly run: string
  readonly branch: string
  /** The next number of the branch: the compare-and-set. */
  readonly seq: number
  /** The attempt's: the fence. */
  readonly epoch: number
  /** The world's tick after this row, and whether it ends that tick. */
  readonly tick: number
  readonly finished: boolean
  readonly operations: readonly Operation[]
  /** Versions of the components that were written, where they are not 1; kept with the operations. */
  readonly versions?: Readonly<Record<string, number>>
  readonly events: readonly EventRecord[]
  /** Number of the first of `events` in the run. */
  readonly firstEvent: number
  /** Inbox position up to which the world has taken in what came. */
  readonly read: number
  readonly now: number
  /** The state after this row, to begin from instead of the rows before it. */
  readonly snapshot?: Snapshot
  /** What waits for a person now; absent when that has not changed. */
  readonly interactions?: readonly Interaction[]
  readonly children?: readonly NewRun[]
  /** Mail to other runs, such as a child's result to its parent. */
  readonly sends?: readonly NewMail[]
  readonly end?: RunEnd
  /** The run ends here whatever else has come; what it has not read stays unread, for another try. */
  readonly cut?: true
  /** Milliseconds this attempt has been running since its last commit that said so. */
  readonly ranFor?: number
}

/**
 * What became of a commit. `fenced`: another attempt holds the run, or it has ended. `conflict`: the branch has gone on
 * without us. `mail`: it was to park or finish, and newer mail is there. Nothing was written but for `committed`,
 * which says how many bytes the row took, and its snapshot.
 */
export type CommitResult =
  | { readonly status: 'committed'; readonly bytes: number; readonly snapshotBytes?: number }
  | { readonly status: 'fenced' | 'conflict' | 'mail' }

/** A journal row as it is read back. */
export interface JournalRow {
  readonly seq: number
  readonly run: string
  readonly tick: number
  readonly finished: boolean
  readonly operations: readonly Operation[]
  readonly versions?: Readonly<Record<string, number>>
  readonly at: number
}

/** A state as snapshot and tail. `seq` is the last row's, -1 for an empty branch. */
export interface StoredState {
  /** Set where the rows are only those behind this number, and their bytes alone were counted. */
  readonly since?: number
  readonly snapshot?: Snapshot
  readonly rows: readonly JournalRow[]
  readonly seq: number
  /** Bytes of the snapshot and of the rows behind it. */
  readonly snapshotBytes: number
  readonly tailBytes: number
}

/** An event as it is read back, with its number in the run. */
export interface StoredEvent {
  readonly seq: number
  readonly at: number
  /** The last tick of its branch that had ended before the row it came with. */
  readonly tick: number
  readonly event: EventRecord
}

/** What lists can be asked for. */
export interface RunFilter {
  readonly status?: readonly RunStatus[]
  readonly agent?: string
  readonly session?: string
  readonly parent?: string
  readonly user?: string
  /** Only runs with open interactions. */
  readonly asking?: boolean
  /** At most this many, newest first. Default 100. */
  readonly limit?: number
  /** Only runs created before the one of this id. */
  readonly before?: string
}

/** Which sessions. */
export interface SessionFilter {
  readonly user?: string
  /** Only those that were not made by a run for itself. */
  readonly named?: boolean
  /** At most this many, newest first. Default 100. */
  readonly limit?: number
  /** Only sessions created before the one of this id. */
  readonly before?: string
}

/** How many runs and sessions a store has. */
export interface StoreCount {
  readonly runs: Readonly<Record<RunStatus, number>>
  readonly sessions: number
}

/** The methods of a store that write nothing. */
export interface RunReads {
  /** Items after a position, oldest first. */
  mail(run: string, after: number): Promise<readonly Mail[]>
  getRun(run: string): Promise<RunRecord | undefined>
  listRuns(filter: RunFilter): Promise<readonly RunRecord[]>
  getSession(session: string): Promise<SessionRecord | undefined>
  listSessions(filter: SessionFilter): Promise<readonly SessionRecord[]>
  /** How many there are. */
  count(): Promise<StoreCount>
  getBranch(branch: string): Promise<BranchRecord | undefined>
  /** An account; undefined for one that nothing was drawn from. */
  getAccount(id: string): Promise<AccountRecord | undefined>
  listBranches(session: string): Promise<readonly BranchRecord[]>
  /**
   * The state of a branch, or as it was after tick `tick`. Undefined for what is not there (any more). To whom knows the
   * state after row `since` of the branch only the rows behind it may be given, if they are kept and none has a snapshot.
   */
  load(
    branch: string,
    options?: { readonly tick?: number; readonly since?: number | undefined },
  ): Promise<StoredState | undefined>
  /** Events of a run after a number, oldest first; where older ones were dropped it begins with the oldest kept. */
  readEvents(run: string, options: { readonly after: number; readonly limit: number }): Promise<readonly StoredEvent[]>
  /** Journal rows of a branch between ticks, for what happened since. */
  readRows(
    branch: string,
    options: { readonly afterTick: number; readonly limit: number },
  ): Promise<readonly JournalRow[]>
}

/** The system of record. */
export interface RunStore extends RunReads {
  /** Creates a run, and its session and branch where they are missing. The same `idempotencyKey` of a user gives the run that is there. */
  createRun(
    run: NewRun,
  ): Promise<
    | { readonly status: 'created' | 'known'; readonly run: RunRecord }
    | { readonly status: 'session_limit' | 'session_exists' | 'unknown_branch' }
    | { readonly status: 'budget'; readonly refused: Extract<Grant, { status: 'refused' }> }
  >
  /** Creates a named session without a run; the one that is there where it is there already. */
  createSession(session: {
    readonly id: string
    readonly user: string
    /** Id of its first branch. */
    readonly newBranch: string
    readonly now: number
    readonly maxSessions?: number
  }): Promise<
    { readonly status: 'created' | 'known'; readonly session: SessionRecord } | { readonly status: 'session_limit' }
  >
  /** Deletes a session and everything of it. Refused (`live`) while a run of it has not ended. */
  deleteSession(session: string): Promise<'deleted' | 'unknown' | 'live'>
  /**
   * Takes a run that is queued, or waiting or paused when `any` is set, or whose lease has lapsed: status running, epoch
   * plus one. Undefined when it cannot be had, or another run of its branch is live.
   */
  beginAttempt(
    run: string,
    options: { worker: string; now: number; leaseUntil: number; any?: boolean },
  ): Promise<RunRecord | undefined>
  /** Extends leases; gives back the runs that were lost. */
  heartbeat(
    held: readonly { readonly run: string; readonly epoch: number }[],
    leaseUntil: number,
  ): Promise<readonly string[]>
  commit(commit: Commit): Promise<CommitResult>
  /**
   * Puts an item into a run's inbox; a run that waits for mail becomes queued, a paused one only for resume and cancel, and
   * a queued one is paused by a pause.
   */
  send(mail: NewMail): Promise<'sent' | 'duplicate' | 'ended' | 'unknown'>
  /**
   * A new branch from the row that ended tick `tick` of `branch`, and of its past. Undefined when there is no such tick.
   * `head` makes it the branch of the session; refused (`live`) while a run of the session's branch is live.
   */
  fork(fork: {
    readonly branch: string
    readonly tick: number
    readonly id: string
    readonly session: string
    readonly head: boolean
    readonly now: number
  }): Promise<BranchRecord | 'live' | undefined>
  /** Makes claimable what has lapsed or is due; gives back the ids. */
  sweep(now: number): Promise<readonly string[]>
  /** Deletes ended sessions that nobody touched since `before`, and own sessions of runs that ended before it. */
  gc(options: { readonly before: number; readonly limit: number }): Promise<number>
  /**
   * Drops rows written before `before`, and their events, that lie before the newest snapshot of their branch, belong to
   * runs that have ended, and are not the past of another branch: at most `limit`, oldest first. How many went; 0 does
   * not say that none are left in a large store.
   */
  prune(options: { readonly before: number; readonly limit: number }): Promise<number>
  /**
   * A failed or timed out run gets another try, a new allowance out of `accounts` (default those that it drew on), and
   * mail of kind `retry` that says so; refused (`budget`) when there is nothing left.
   */
  retry(
    run: string,
    now: number,
    accounts?: readonly AccountClaim[],
  ): Promise<'queued' | 'unknown' | 'not_failed' | 'budget'>
  close(): Promise<void>
}
