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
      const attempt = yield* attemptWith(member, { request, signal, dead: attempts.findLast((one) => one.delivered) })
      if (attempt === undefined) return
      attempts.push(attempt)
    }
    yield* attempts.findLast(({ held }) => held.length > 0)?.held ?? []
    yield { type: 'error', failure: allFailed(name, attempts) }
  }

  /** Asks one member. Returns how it failed when another may take over, and nothing when the reply has ended. */
  async function* attemptWith(
    member: Member,
    { request, signal, dead }: { request: ModelRequest; signal: AbortSignal | undefined; dead: Attempt | undefined },
  ): AsyncGenerator<ModelEvent, Attempt | undefined> {
    const visit = member.enter()
    let held: ModelEvent[] = []
    let delivered = false
    try {
      for await (const event of ask(member.model, request, signal)) {
        if (event.type === 'error' && isIllHealth(event.failure)) {
          visit.end('failure')
          return { id: member.id, failure: event.failure, delivered, held }
        }
        if (event.type === 'finish') visit.end('success')
        if (buffer && event.type === 'restart') held = []
        else if (buffer && !isLast(event)) held.push(event)
        else {
          // The partial of a dead reply is kept until there is something better.
          if (dead && !delivered && (event.type === 'finish' || !isLast(event))) {
            yield { type: 'restart', failure: dead.failure }
          }
          delivered = true
          yield* held
          yield event
        }
      }
      return undefined
    } finally {
      visit.end('none')
    }
  }

  return {
    name,
    stream: (request, { signal }) => stream(request, signal),
    health: () => Object.fromEntries(roster.map((member) => [member.id, member.summary()])),
  }
}

interface Attempt {
  readonly id: string
  readonly failure: ModelFailure
  /** Whether the reader has seen some of it. */
  readonly delivered: boolean
  /** What came and was held back. */
  readonly held: readonly ModelEvent[]
}

/** One failure for all: the last that may be retried, or simply the last. */
function allFailed(name: string, attempts: readonly Attempt[]): ModelFailure {
  const telling = attempts.findLast((attempt) => attempt.failure.retryable) ?? attempts.at(-1)
  if (telling === undefined) {
    const message = 'every model is unhealthy and is being probed by another call; try again in 1 s.'
    return failure('service', message, { code: 'breaker_open', retryAfter: 1_000, model: name })
  }
  if (attempts.length === 1) return telling.failure
  const listed = attempts.map(({ id, failure: { kind, status } }) => ({ id, kind, ...(status && { status }) }))
  return {
    ...telling.failure,
    message: `All ${attempts.length} models of ${name} failed. ${telling.failure.message}`,
    data: { ...telling.failure.data, attempts: listed },
  }
}
