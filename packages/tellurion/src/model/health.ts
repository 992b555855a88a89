// How well a model does: its calls of the last minute, judged. Only failures that say something about the model count;
// a request that is wrong (400, 401, 403, 404, 422) and a call that was cancelled do not.

import { Ring } from '../channel/ring.ts'
import type { Clock } from '../clock/clock.ts'
import type { ModelFailure } from '../port/model.ts'

/** `healthy` from 0.8 success, `degraded` from 0.5, else, or after 5 failures in a row, `unhealthy`. */
export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy'

/** Whether a failure is the model's own ill health: network, timeout, rate limit, service. Pools fail over on these. */
export function isIllHealth({ kind }: ModelFailure): boolean {
  return kind === 'network' || kind === 'timeout' || kind === 'rate_limit' || kind === 'service'
}

/** The figures that the status is made of. */
export interface HealthFigures {
  readonly status: HealthStatus
  /** Share of successes among the calls of the window; 1 when there were none. */
  readonly successRate: number
  readonly calls: number
  readonly failuresInARow: number
}

const windowCalls = 100
const windowTime = 60_000
const failureLimit = 5

/** The health of one model over its last 100 calls of the last 60 seconds. */
export class Health {
  readonly #clock: Clock
  readonly #calls = new Ring<{ readonly time: number; readonly success: boolean }>()
  #successes = 0
  #inARow = 0
  #lastFailure = -Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  record(success: boolean): void {
    const time = this.#clock.monotonic()
    if (this.#calls.size === windowCalls) this.#forgetOldest()
    this.#calls.push({ time, success })
    if (success) {
      this.#successes++
      this.#inARow = 0
    } else {
      this.#inARow++
      this.#lastFailure = time
    }
  }

  /** Forgets what came before: a model that passed its probes starts anew. */
  restart(): void {
    this.#calls.clear()
    this.#successes = 0
    this.#inARow = 0
  }

  /** Milliseconds since it last failed. */
  sinceFailure(): number {
    return this.#clock.monotonic() - this.#lastFailure
  }

  get status(): HealthStatus {
    return this.figures().status
  }

  /** Judges. The rate counts from 5 calls on: before that one failure would be half of everything. */
  figures(): HealthFigures {
    const after = this.#clock.monotonic() - windowTime
    for (let oldest = this.#calls.first; oldest !== undefined && oldest.time <= after; oldest = this.#calls.first) {
      this.#forgetOldest()
    }
    const calls = this.#calls.size
    const successRate = calls === 0 ? 1 : this.#successes / calls
    return { status: this.#judge(calls, successRate), successRate, calls, failuresInARow: this.#inARow }
  }

  #judge(calls: number, successRate: number): HealthStatus {
    if (this.#inARow >= failureLimit) return 'unhealthy'
    if (calls < failureLimit || successRate >= 0.8) return 'healthy'
    return successRate >= 0.5 ? 'degraded' : 'unhealthy'
  }

  #forgetOldest(): void {
    if (this.#calls.shift()?.success) this.#successes--
  }
}
