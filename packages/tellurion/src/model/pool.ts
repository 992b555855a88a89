// Several models as one: the best that is well answers, and when it fails another takes over within the same call. What
// was delivered of a reply that died is voided by `restart`, or never delivered at all with `buffer`.

import type { Clock } from '../clock/clock.ts'
import { systemClock } from '../clock/clock.ts'
import type { Model, ModelEvent, ModelFailure, ModelRequest } from '../port/model.ts'
import type { AnyModel } from './any-model.ts'
import { ask, isLast } from './ask.ts'
import { failure } from './failure.ts'
import { isIllHealth } from './health.ts'
import { chooser, createRoster, type Member, type MemberHealth, type PoolMember } from './pool-member.ts'
import type { PoolStrategy } from './pool-member.ts'

/** How a pool chooses. */
export interface PoolOptions {
  /** Default `priority`. */
  readonly strategy?: PoolStrategy
  /** Holds each reply back until it is whole, so that readers never see a `restart`. Default false. */
  readonly buffer?: boolean
  /** How long after its last failure an unhealthy model is probed again, in milliseconds. Default 30,000. */
  readonly probeAfter?: number
  readonly clock?: Clock
}

/** A model made of models. */
export interface PoolModel extends Model {
  /** How every member does at this moment, by id. */
  health(): Readonly<Record<string, MemberHealth>>
}

/**
 * Makes a pool. Network failures, timeouts, rate limits and service failures (`isIllHealth`) fail over, each member
 * being asked once a call at most; anything else is the request's own fault and ends the reply. An unhealthy member is
 * probed by one call at a time, when its time has come or when nobody better is left; after two good probes it is
 * healthy again. When all have failed, the failure names every attempt in `data.attempts`.
 */
export function pool(members: readonly (AnyModel | PoolMember)[], options: PoolOptions = {}): PoolModel {
  const { strategy = 'priority', buffer = false, probeAfter = 30_000, clock = systemClock } = options
  const roster = createRoster(members, clock)
  const pick = chooser(roster, strategy, probeAfter)
  const name = `pool(${roster.map((member) => member.id).join(', ')})`

  async function* stream(request: ModelRequest, signal: AbortSignal | undefined): AsyncGenerator<ModelEvent> {
    const asked = new Set<Member>()
    const attempts: Attempt[] = []
    for (let member = pick(asked); member !== undefined; member = pick(asked)) {
      asked.add(member)
      const dead = attempts.findLast((attempt) => attempt.delivered)
      const attempt: Attempt = { id: member.id, failure: undefined, delivered: false, held: [] }
      const visit = member.enter()
      try {
        for await (const event of ask(member.model, request, signal)) {
          if (event.type === 'error' && isIllHealth(event.failure)) {
            attempt.failure = event.failure
            break
          }
          if (event.type === 'finish') visit.end('success')
          if (buffer && event.type === 'restart') attempt.held = []
          else if (buffer && !isLast(event)) attempt.held.push(event)
          else {
            // The partial of a dead reply is kept until there is something better.
            if (dead?.failure && !attempt.delivered && event.type !== 'error' && event.type !== 'aborted') {
              yield { type: 'restart', failure: dead.failure }
            }
            attempt.delivered = true
            for (const earlier of attempt.held) yield earlier
            yield event
          }
        }
      } finally {
        visit.end(attempt.failure ? 'failure' : 'none')
      }
      if (!attempt.failure) return
      attempts.push(attempt)
    }
    for (const event of attempts.findLast(({ held }) => held.length > 0)?.held ?? []) yield event
    yield { type: 'error', failure: allFailed(name, attempts) }
  }

  return {
    name,
    stream: (request, { signal }) => stream(request, signal),
    health: () => Object.fromEntries(roster.map((member) => [member.id, member.summary()])),
  }
}

/** What came of asking one member. */
interface Attempt {
  readonly id: string
  /** Why another member takes over. */
  failure: ModelFailure | undefined
  /** Whether the reader has seen some of it. */
  delivered: boolean
  /** What came and was held back. */
  held: ModelEvent[]
}

/** One failure for all: the last that may be retried, or simply the last. */
function allFailed(name: string, attempts: readonly Attempt[]): ModelFailure {
  const failures = attempts.flatMap((attempt) => attempt.failure ?? [])
  const telling = failures.findLast((one) => one.retryable) ?? failures.at(-1)
  if (telling === undefined) {
    const message = 'every model is unhealthy and is being probed by another call; try again in 1 s.'
    return failure('service', message, { code: 'breaker_open', retryAfter: 1_000, model: name })
  }
  if (failures.length === 1) return telling
  const listed = attempts.map(({ id, failure: { kind, status } = telling }) => ({
    id,
    kind,
    ...(status && { status }),
  }))
  return {
    ...telling,
    message: `All ${attempts.length} models of ${name} failed. ${telling.message}`,
    data: { ...telling.data, attempts: listed },
  }
}
