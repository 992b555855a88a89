// What makes a runtime, and what a run may bring: the options of `createRuntime` and `submit`.

import type { Caps } from '../agent/caps.ts'
import type { BudgetLimits } from '../agent/component.ts'
import type { Clock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { checkOptions, checkWhole } from '../error/option.ts'
import type { Ids } from '../id/id.ts'
import type { Random } from '../id/random.ts'
import type { Log } from '../port/log.ts'
import { defaultRetryPolicy, type RetryPolicy } from '../retry/backoff.ts'
import type { Schema } from '../schema/infer.ts'
import type { JsonObject } from '../schema/json.ts'
import type { Redactor } from '../secret/redactor.ts'
import type { Component } from '../world/component.ts'
import type { Accounts } from './account.ts'
import type { BackendOpener } from './backend.ts'
import type { AnyAgent } from './registry.ts'
import { noRuns } from './run.ts'
import type { RunFilter, SessionFilter } from './run-store.ts'
import type { Retention } from './setting.ts'

/** What makes a runtime. Durations are milliseconds. */
export interface RuntimeOptions {
  /** Where it keeps its runs: `memory()` or `sqlite(path)`. */
  readonly store: BackendOpener
  readonly agents: readonly AnyAgent[]
  /** Whether this process works on runs; default true. */
  readonly work?: boolean
  /** Most runs at work at one time. Default 10. */
  readonly maxConcurrent?: number
  /**
   * Patience: `lease` 3,000, `heartbeat` 1,000, `timeout` of a run at work 300,000, `grace` when closing 8,000. A main
   * loop that has not answered for `stall` (30,000) is given up: others may take its runs. Sessions without a live run
   * are deleted when nobody touched them for `idle` (24 hours).
   */
  readonly patience?: {
    readonly lease?: number
    readonly heartbeat?: number
    readonly timeout?: number
    readonly grace?: number
    readonly stall?: number
    readonly idle?: number
  }
  /** Retries of a run: default 3, first after 2 s, factor 2, at most 300 s. */
  readonly retry?: Partial<RetryPolicy>
  /** Named sessions a user may have. Default 1,000. */
  readonly maxSessions?: number
  /**
   * How much of the past is kept. `checkpoints`: labels of ticks a session, default 100; the oldest go first. `past`:
   * milliseconds after which the rows and events of ended runs go that lie before the newest snapshot; default never.
   */
  readonly retention?: Partial<Retention>
  /** What users and tenants may spend over all their runs; each run gets its allowance out of these. */
  readonly budgets?: Accounts
  /** What every agent may take at most, whatever it says itself: time of tools and sub-agents, sub-agents at one time. */
  readonly caps?: Caps
  /** What agents' own systems keep: their components, and the names of those that were removed. */
  readonly state?: { readonly components?: readonly Component[]; readonly retired?: readonly string[] }
  /**
   * `redactor` takes secrets out of what is stored and shown: journals, events, results, errors, mail. What a run has in
   * memory it keeps, and its tools and models still see it.
   */
  readonly ports?: {
    readonly clock?: Clock
    readonly ids?: Ids
    readonly random?: Random
    readonly log?: Log
    readonly redactor?: Redactor
  }
}

/** The options there are. */
const runtimeOptions = [
  'store',
  'agents',
  'work',
  'maxConcurrent',
  'patience',
  'retry',
  'maxSessions',
  'retention',
  'budgets',
  'caps',
  'state',
  'ports',
]

/** Throws `unknown_option` and `invalid_option` for options of `createRuntime` that cannot be meant. */
export function checkRuntimeOptions(options: RuntimeOptions): void {
  checkOptions('createRuntime', options, runtimeOptions)
  const { store, agents, work, maxConcurrent, maxSessions, retry = {}, state = {}, ports = {} } = options
  if (typeof store !== 'function') throw invalid("store must be a store: memory(), or sqlite('data/tellurion.db').")
  if (!Array.isArray(agents)) throw invalid('agents must be a list: [new Agent({ … })].')
  if (work !== undefined && typeof work !== 'boolean') throw invalid(`work must be true or false, not ${String(work)}.`)
  checkWhole('maxConcurrent', maxConcurrent)
  checkWhole('maxSessions', maxSessions, { least: 0 })
  checkOptions('retry', retry, Object.keys(defaultRetryPolicy))
  checkOptions('state', state, ['components', 'retired'])
  checkOptions('ports', ports, ['clock', 'ids', 'random', 'log', 'redactor'])
}

/** How patient a runtime is where nobody says so, in milliseconds, and the least that each may be. */
const durations = {
  lease: [3000, 1],
  heartbeat: [1000, 1],
  timeout: [300_000, 1],
  grace: [8000, 0],
  stall: [30_000, 1],
  idle: [86_400_000, 0],
} as const

/** Patience with its defaults. Throws `unknown_option` and `invalid_option`. */
export function patienceOf(given: RuntimeOptions['patience'] = {}): Record<keyof typeof durations, number> {
  checkOptions('patience', given, Object.keys(durations))
  const read = (name: keyof typeof durations): number => {
    const [otherwise, least] = durations[name]
    const value = given[name] ?? otherwise
    if (typeof value === 'number' && value >= least) return value
    throw invalid(`patience.${name} must be a number of milliseconds from ${least}, not ${String(value)}.`)
  }
  const [lease, heartbeat] = [read('lease'), read('heartbeat')]
  if (!Number.isSafeInteger(lease)) throw invalid(`patience.lease must be whole milliseconds, not ${lease}.`)
  if (heartbeat >= lease) throw invalid(`patience.heartbeat (${heartbeat} ms) must be below the lease (${lease} ms).`)
  const [timeout, grace, stall, idle] = [read('timeout'), read('grace'), read('stall'), read('idle')]
  return { lease, heartbeat, timeout, grace, stall, idle }
}

function invalid(message: string): TellurionError {
  return new TellurionError('invalid_option', message)
}

const runFilter = ['status', 'agent', 'session', 'parent', 'user', 'asking', 'limit', 'before']
const sessionFilter = ['user', 'named', 'limit', 'before']

/** Throws `unknown_option` and `invalid_option` for what is no filter of runs. */
export function checkRunFilter(filter: RunFilter): RunFilter {
  checkOptions('runs', filter, runFilter)
  checkTexts(filter, ['agent', 'session', 'parent', 'user', 'before'])
  const { status, limit } = filter
  const known: readonly unknown[] = Object.keys(noRuns)
  if (status !== undefined && !(Array.isArray(status) && status.every((each) => known.includes(each)))) {
    throw invalid(`status must be a list of ${known.join(', ')}, such as ['queued'].`)
  }
  checkWhole('limit', limit, { least: 0, most: Number.MAX_SAFE_INTEGER })
  return filter
}

function checkTexts<T extends object>(filter: T, names: readonly (keyof T & string)[]): void {
  for (const name of names) {
    const value: unknown = filter[name]
    if (value !== undefined && typeof value !== 'string')
      throw invalid(`${name} must be a text, not a ${typeof value}.`)
  }
}

/** Throws `unknown_option` and `invalid_option` for what is no filter of sessions. */
export function checkSessionFilter(filter: SessionFilter): SessionFilter {
  checkOptions('sessions', filter, sessionFilter)
  checkTexts(filter, ['user', 'before'])
  checkWhole('limit', filter.limit, { least: 0, most: Number.MAX_SAFE_INTEGER })
  return filter
}

/** What a run may bring besides its input. */
export interface SubmitOptions {
  /** A named session: runs of it go on one conversation. Without one the run has its own. */
  readonly session?: string
  /** Higher first. Default 0. */
  readonly priority?: number
  /** The same key of a user gives the same run again. */
  readonly idempotencyKey?: string
  /** Milliseconds before it may begin. Default 0. */
  readonly delay?: number
  readonly user?: string
  /** Whom the user belongs to: an account of its own. */
  readonly tenant?: string
  /** What it may spend at most; the agent's own budget holds too. */
  readonly budget?: BudgetLimits
  readonly metadata?: JsonObject
  readonly output?: Schema
  /**
   * How replies are checked against `output`: `whole`, or `bounded` where the schema is a stranger's. Then no schema and
   * no reply can make the check take long; patterns, formats and the like are told to the model and not checked.
   * Default `whole`.
   */
  readonly outputCheck?: 'whole' | 'bounded'
}
