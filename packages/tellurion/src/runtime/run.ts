// Runs, sessions and branches as records, and which state may follow which. Pure data and one pure table.

import type { BudgetLimits } from '../agent/component.ts'
import { TellurionError, type ErrorData } from '../error/error.ts'
import type { Interaction } from '../event/event.ts'
import type { Usage } from '../port/model.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import type { AccountClaim } from './account.ts'

/** Where a run stands. The last four are ends. */
export type RunStatus = 'queued' | 'running' | 'waiting' | 'paused' | 'succeeded' | 'failed' | 'cancelled' | 'timed_out'

/** Which states may follow a state. */
const next: Readonly<Record<RunStatus, readonly RunStatus[]>> = {
  queued: ['running', 'paused'],
  running: ['queued', 'waiting', 'paused', 'succeeded', 'failed', 'cancelled', 'timed_out'],
  waiting: ['queued', 'running'],
  paused: ['queued', 'running'],
  succeeded: [],
  // A dead letter can be given another try.
  failed: ['queued'],
  cancelled: [],
  timed_out: ['queued'],
}

/** Runs by status, of which there are none. */
export const noRuns: Readonly<Record<RunStatus, number>> = {
  queued: 0,
  running: 0,
  waiting: 0,
  paused: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  timed_out: 0,
}

/** Whether a run of status `from` may become `to`. */
export function mayBecome(from: RunStatus, to: RunStatus): boolean {
  return next[from].includes(to)
}

/** Throws `invalid_transition` unless a run of status `from` may become `to`. */
export function checkTransition(run: string, from: RunStatus, to: RunStatus): void {
  if (mayBecome(from, to)) return
  throw new TellurionError('invalid_transition', `Run ${run} is ${from} and cannot become ${to}.`)
}

/** Where a run stands that has not ended. */
export const liveStatuses: readonly RunStatus[] = ['queued', 'running', 'waiting', 'paused']

/** Whether a run of this status has ended. A dead letter has ended too, until it is retried. */
export function hasEnded(status: RunStatus): boolean {
  return status === 'succeeded' || status === 'failed' || status === 'cancelled' || status === 'timed_out'
}

/** One run, as stores keep it. Instants are wall time in milliseconds. */
export interface RunRecord {
  readonly id: string
  readonly agent: string
  readonly session: string
  readonly branch: string
  readonly status: RunStatus
  /** Higher first; equal ones in the order in which they were created. */
  readonly priority: number
  readonly input: Json
  readonly metadata: JsonObject
  readonly user: string
  readonly tenant?: string
  /** What it may spend, and the accounts that this comes from. */
  readonly limits?: BudgetLimits
  readonly accounts?: readonly AccountClaim[]
  readonly parent?: string
  readonly idempotencyKey?: string
  readonly createdAt: number
  /** Not to be claimed before. */
  readonly availableAt: number
  readonly startedAt?: number
  readonly endedAt?: number
  /** Attempts that ended in an error. */
  readonly retries: number
  /** Leases that lapsed since the last commit. */
  readonly crashes: number
  /** The fencing token: each attempt has a higher one, and only its holder may commit. */
  readonly epoch: number
  /** Until when the present attempt holds the run. */
  readonly leaseUntil?: number
  readonly worker?: string
  /** Number of inbox items so far, and how many of them a commit has taken in. */
  readonly mail: number
  readonly read: number
  /** Events so far: the next one has this number plus one. */
  readonly events: number
  /** The first tick of this run in its branch. */
  readonly firstTick: number
  /** What waits for a person. */
  readonly interactions: readonly Interaction[]
  /** When waiting: the instant at which waiting is over by itself. */
  readonly due?: number
  /** Milliseconds it has been running, waiting not counted. */
  readonly ranFor: number
  readonly result?: Json
  readonly error?: ErrorData
  readonly stopReason?: string
  readonly usage?: Usage
}

/** One session: a world and its journal, a tree of branches. */
export interface SessionRecord {
  readonly id: string
  readonly user: string
  /** The branch that new runs go on. */
  readonly branch: string
  readonly createdAt: number
  readonly touchedAt: number
  /** Made by a run for itself: not counted, and gone with its run. */
  readonly own: boolean
}

/** One branch: it shares the past of its parent up to and with `seq`. */
export interface BranchRecord {
  readonly id: string
  readonly session: string
  readonly parent?: { readonly branch: string; readonly seq: number }
  readonly createdAt: number
}
