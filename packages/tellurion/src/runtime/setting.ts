// What everything in a runtime stands on: its backend, its agents, its time, and how patient it is.

import type { Caps } from '../agent/caps.ts'
import type { Clock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { checkOptions } from '../error/option.ts'
import type { Ids } from '../id/id.ts'
import type { Random } from '../id/random.ts'
import type { Log } from '../port/log.ts'
import type { RetryPolicy } from '../retry/backoff.ts'
import type { Redactor } from '../secret/redactor.ts'
import type { Component } from '../world/component.ts'
import type { Accounts } from './account.ts'
import type { Backend } from './backend.ts'
import type { Live } from './live.ts'
import type { Registry } from './registry.ts'
import type { Shelf } from './shelf.ts'

/** How much of the past is kept. */
export interface Retention {
  /** Labels of ticks a session. */
  readonly checkpoints: number
  /** Milliseconds after which what lies before the newest snapshots of ended runs is dropped. Infinity: never. */
  readonly past: number
}

/** The setting of a runtime. Durations are milliseconds. */
export interface Setting {
  readonly backend: Backend
  readonly registry: Registry
  readonly live: Live
  /** What it remembers of branches. */
  readonly shelf: Shelf
  readonly clock: Clock
  readonly ids: Ids
  readonly random: Random
  readonly log: Log | undefined
  readonly redactor: Redactor | undefined
  /** Every component that stored worlds may hold, and names of those that were removed. */
  readonly components: readonly Component[]
  readonly retired: readonly string[]
  readonly worker: string
  readonly lease: number
  readonly heartbeat: number
  /** When the main loop has not answered for so long, its leases are no longer extended. */
  readonly stall: number
  /** Sessions that nobody touched for so long, and that have no live run, are deleted. */
  readonly idle: number
  /** Longest time at work, waiting not counted. */
  readonly timeout: number
  readonly retry: RetryPolicy
  readonly retention: Retention
  readonly caps: Caps | undefined
  /** Who has accounts. */
  readonly budgets: Accounts
}

/** Throws `unknown_option` and `invalid_option`. */
export function retentionOf(given: Partial<Retention> = {}): Retention {
  const known: Retention = { checkpoints: 100, past: Infinity }
  checkOptions('retention', given, Object.keys(known))
  const { checkpoints, past } = { ...known, ...given }
  if (!Number.isInteger(checkpoints) || checkpoints < 1 || checkpoints > 1_000) {
    throw new TellurionError('invalid_option', `retention.checkpoints must be from 1 to 1,000, got ${checkpoints}.`)
  }
  if (!(past >= 0)) throw new TellurionError('invalid_option', `retention.past must be milliseconds, got ${past}.`)
  return { checkpoints, past }
}
