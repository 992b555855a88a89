// Metrics: numbers out of the event stream, by a reader like any other. Nothing is hooked into what it counts.

import { systemClock, type Clock } from '../clock/clock.ts'
import type { Event, EventRecord } from '../event/event.ts'
import type { Usage } from '../port/model.ts'
import { createDistribution, type Distribution, type DistributionSummary } from './distribution.ts'
import { createMinuteRate, type MinuteRate } from './minute-rate.ts'

/** Where and when an event happened. */
export interface EventPlace {
  /** The run; without one all events are of one run. */
  readonly run?: string
  /** Wall time in milliseconds; default now. */
  readonly at?: number
}

/** What there was of one model or tool. Durations are milliseconds. */
export interface CallSummary {
  readonly calls: number
  readonly errors: number
  readonly duration: DistributionSummary
}

/** Everything that was counted. Durations are milliseconds; rates are of the last 60 seconds. */
export interface MetricsSummary {
  readonly runs: {
    readonly started: number
    readonly succeeded: number
    readonly failed: number
    readonly cancelled: number
    readonly timedOut: number
    readonly retried: number
    readonly waited: number
    readonly duration: DistributionSummary
  }
  readonly modelCalls: number
  readonly toolCalls: number
  readonly errors: number
  readonly tokens: { readonly input: number; readonly output: number; readonly total: number }
  readonly cost: number
  readonly models: Readonly<Record<string, CallSummary>>
  readonly tools: Readonly<Record<string, CallSummary>>
  readonly errorCodes: Readonly<Record<string, number>>
  readonly perMinute: {
    readonly runs: number
    readonly modelCalls: number
    readonly toolCalls: number
    readonly tokens: number
    readonly errors: number
  }
}

/** A reader of events that counts. */
export interface Metrics {
  /** Takes an event; never throws. Those of one run are to come in their order. */
  read(event: Event | EventRecord, place?: EventPlace): void
  summary(): MetricsSummary
}

/** What was begun and has not ended is remembered for so many; past it the oldest are given up. */
const mostOpen = 10_000
/** Models, tools and codes by name; further ones are `other`. */
const mostNames = 200

/**
 * Makes metrics: `for await (const event of stream) metrics.read(event)`, or for many runs
 * `metrics.read(event, { run, at: event.at })`.
 */
export function createMetrics({ clock = systemClock }: { readonly clock?: Clock } = {}): Metrics {
  const tally = new Tally(clock)
  return {
    read: (event, { run = '', at = clock.now() } = {}) => tally.take(event as Event, run, at),
    summary: () => tally.summary(),
  }
}

interface Calls {
  calls: number
  errors: number
  readonly duration: Distribution
}

/** The counters. */
class Tally {
  readonly #clock: Clock
  readonly #runs = { started: 0, succeeded: 0, failed: 0, cancelled: 0, timedOut: 0, retried: 0, waited: 0 }
  readonly #runDuration = createDistribution()
  readonly #tokens = { input: 0, output: 0, total: 0 }
  readonly #models = new Map<string, Calls>()
  readonly #tools = new Map<string, Calls>()
  readonly #codes = new Map<string, number>()
  readonly #open = new Map<string, number>()
  readonly #rates: Record<keyof MetricsSummary['perMinute'], MinuteRate> = {
    runs: createMinuteRate(),
    modelCalls: createMinuteRate(),
    toolCalls: createMinuteRate(),
    tokens: createMinuteRate(),
    errors: createMinuteRate(),
  }
  #modelCalls = 0
  #toolCalls = 0
  #errors = 0
  #cost = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  take(event: Event, run: string, at: number): void {
    switch (event.type) {
      case 'run.started':
        this.#runs.started++
        this.#rates.runs.add(at)
        return this.#begin(`run ${run}`, at)
      case 'run.succeeded':
        return this.#endRun('succeeded', run, at)
      case 'run.failed':
        return this.#endRun('failed', run, at)
      case 'run.cancelled':
        return this.#endRun('cancelled', run, at)
      case 'run.timed_out':
        return this.#endRun('timedOut', run, at)
      case 'run.retrying':
        this.#runs.retried++
        return
      case 'run.waiting':
        this.#runs.waited++
        return
      case 'model.called':
        this.#modelCalls++
        this.#rates.modelCalls.add(at)
        this.#callsOf(this.#models, event.model).calls++
        return this.#begin(modelKey(run, event), at)
      case 'model.replied':
        this.#ended(this.#callsOf(this.#models, event.model), modelKey(run, event), at)
        return this.#spend(event.usage, at)
      case 'tool.called':
        this.#toolCalls++
        this.#rates.toolCalls.add(at)
        this.#callsOf(this.#tools, event.toolName).calls++
        return this.#begin(`tool ${run} ${event.toolCallId}`, at)
      case 'tool.ended': {
        const calls = this.#callsOf(this.#tools, event.toolName)
        if (event.isError) {
          calls.errors++
          this.#fail(event.code ?? 'tool_failed', at)
        }
        return this.#ended(calls, `tool ${run} ${event.toolCallId}`, at)
      }
      case 'failure.occurred':
        return this.#fail(event.error.code, at)
    }
  }

  summary(): MetricsSummary {
    const now = this.#clock.now()
    const rate = (name: keyof MetricsSummary['perMinute']): number => this.#rates[name].total(now)
    return {
      runs: { ...this.#runs, duration: this.#runDuration.summary() },
      modelCalls: this.#modelCalls,
      toolCalls: this.#toolCalls,
      errors: this.#errors,
      tokens: { ...this.#tokens },
      cost: this.#cost,
      models: summarised(this.#models),
      tools: summarised(this.#tools),
      errorCodes: Object.fromEntries(this.#codes),
      perMinute: {
        runs: rate('runs'),
        modelCalls: rate('modelCalls'),
        toolCalls: rate('toolCalls'),
        tokens: rate('tokens'),
        errors: rate('errors'),
      },
    }
  }

  #begin(key: string, at: number): void {
    if (this.#open.size >= mostOpen) {
      const [oldest] = this.#open.keys()
      if (oldest !== undefined) this.#open.delete(oldest)
    }
    this.#open.set(key, at)
  }

  /** Milliseconds since it began; undefined where that was not seen. */
  #finish(key: string, at: number): number | undefined {
    const since = this.#open.get(key)
    this.#open.delete(key)
    return since === undefined ? undefined : at - since
  }

  #ended(calls: Calls, key: string, at: number): void {
    const duration = this.#finish(key, at)
    if (duration !== undefined) calls.duration.add(duration)
  }

  #endRun(how: 'succeeded' | 'failed' | 'cancelled' | 'timedOut', run: string, at: number): void {
    this.#runs[how]++
    const duration = this.#finish(`run ${run}`, at)
    if (duration !== undefined) this.#runDuration.add(duration)
  }

  #spend({ inputTokens, outputTokens, totalTokens, cost = 0 }: Usage, at: number): void {
    this.#tokens.input += inputTokens
    this.#tokens.output += outputTokens
    this.#tokens.total += totalTokens
    this.#cost += cost
    this.#rates.tokens.add(at, totalTokens)
  }

  #fail(code: string, at: number): void {
    this.#errors++
    this.#rates.errors.add(at)
    const name = this.#codes.has(code) || this.#codes.size < mostNames ? code : 'other'
    this.#codes.set(name, (this.#codes.get(name) ?? 0) + 1)
  }

  #callsOf(all: Map<string, Calls>, given: string): Calls {
    const name = all.has(given) || all.size < mostNames ? given : 'other'
    let calls = all.get(name)
    if (calls === undefined) all.set(name, (calls = { calls: 0, errors: 0, duration: createDistribution() }))
    return calls
  }
}

/** One entity asks one model at a time for its conversation, and one for each system that asks aside. */
function modelKey(run: string, { entity, system = '' }: { readonly entity: number; readonly system?: string }): string {
  return `model ${run} ${entity} ${system}`
}

function summarised(all: ReadonlyMap<string, Calls>): Record<string, CallSummary> {
  return Object.fromEntries(
    [...all].map(([name, { calls, errors, duration }]) => [name, { calls, errors, duration: duration.summary() }]),
  )
}
