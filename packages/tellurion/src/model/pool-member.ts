// The members of a pool: how each one does, and which one is asked next.

import type { Clock } from '../clock/clock.ts'
import { suggestion, TellurionError } from '../error/error.ts'
import type { Model } from '../port/model.ts'
import { asModel, type AnyModel } from './any-model.ts'
import { Health, type HealthFigures } from './health.ts'

/**
 * Who answers among the models that are equally well: the one of highest priority, each in turn, or the one with the
 * fewest calls on their way.
 */
export type PoolStrategy = 'priority' | 'round-robin' | 'least-busy'

/** A model of a pool. Higher priorities come first; without one the order of the list decides. */
export interface PoolMember {
  readonly model: AnyModel
  /** Its name in `health()`. Default: the model's name, with `#2` and so on where it is taken. */
  readonly id?: string
  readonly priority?: number
}

/** How one member does. */
export interface MemberHealth extends HealthFigures {
  readonly model: string
  readonly priority: number
  /** Calls on their way. */
  readonly busy: number
}

/** A member while the pool lives. */
export interface Member {
  readonly id: string
  readonly model: Model
  readonly priority: number
  readonly busy: number
  /** Whether a call is finding out if it is well again. */
  readonly probing: boolean
  readonly health: Health
  /** A call goes there; it ends once, with what it says about the member's health. */
  enter(): { end(outcome: 'success' | 'failure' | 'none'): void }
  summary(): MemberHealth
}

/** Good probes after which an unhealthy member is healthy. */
const goodProbes = 2

/** The members by priority, highest first. Throws `invalid_option` for an empty list, `duplicate_name` for two ids. */
export function createRoster(members: readonly (AnyModel | PoolMember)[], clock: Clock): readonly Member[] {
  if (members.length === 0) throw new TellurionError('invalid_option', 'A pool needs at least one model.')
  const taken = new Set<string>()
  const entries = members.map((given, index): Member => {
    const entry: PoolMember = 'model' in given ? given : { model: given }
    const model = asModel(entry.model)
    const { id = freeId(model.name, taken), priority = -index } = entry
    if (taken.has(id)) throw new TellurionError('duplicate_name', `Two members of the pool have the id '${id}'.`)
    taken.add(id)
    return createMember({ id, model, priority }, clock)
  })
  return entries.sort((a, b) => b.priority - a.priority)
}

function freeId(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name
  for (let number = 2; ; number++) if (!taken.has(`${name}#${number}`)) return `${name}#${number}`
}

function createMember(entry: Pick<Member, 'id' | 'model' | 'priority'>, clock: Clock): Member {
  const health = new Health(clock)
  let busy = 0
  let probing = false
  let goodInARow = 0

  const settleProbe = (success: boolean): void => {
    goodInARow = success ? goodInARow + 1 : 0
    if (goodInARow < goodProbes) return
    goodInARow = 0
    health.restart()
  }
  return {
    ...entry,
    health,
    get busy() {
      return busy
    },
    get probing() {
      return probing
    },
    enter() {
      const probe = health.status === 'unhealthy'
      let ended = false
      busy++
      if (probe) probing = true
      return {
        end(outcome) {
          if (ended) return
          ended = true
          busy--
          if (probe) probing = false
          if (outcome === 'none') return
          health.record(outcome === 'success')
          if (probe) settleProbe(outcome === 'success')
        },
      }
    },
    summary: () => ({ ...health.figures(), model: entry.model.name, priority: entry.priority, busy }),
  }
}

/**
 * Chooses the next member among those not asked yet: one that is healthy or due for a probe, else a degraded one, else
 * an unhealthy one whose probe is not due, as a last resort. A member that is being probed by another call is left alone.
 */
export function chooser(
  roster: readonly Member[],
  strategy: PoolStrategy,
  probeAfter: number,
): (asked: ReadonlySet<Member>) => Member | undefined {
  const tier = ({ health, probing }: Member): number => {
    const { status } = health
    if (status === 'healthy') return 0
    if (status === 'degraded') return 1
    if (probing) return Infinity
    return health.sinceFailure() >= probeAfter ? 0 : 2
  }
  const choose = strategies(roster)[strategy]
  if (choose === undefined) {
    const near = suggestion(strategy, ['priority', 'round-robin', 'least-busy'])
    throw new TellurionError('unknown_option', `Unknown pool strategy '${String(strategy)}'.${near}`)
  }
  return (asked) => {
    const open = roster.filter((member) => !asked.has(member))
    const best = Math.min(...open.map(tier))
    return best === Infinity ? undefined : choose(open.filter((member) => tier(member) === best))
  }
}

/** Each strategy picks from members in order of priority; the list is never empty. */
function strategies(
  roster: readonly Member[],
): Readonly<Record<PoolStrategy, (candidates: readonly Member[]) => Member | undefined>> {
  let turn = 0
  return {
    priority: ([first]) => first,
    'round-robin'(candidates) {
      const distance = (member: Member): number => (roster.indexOf(member) - turn + roster.length) % roster.length
      const next = candidates.toSorted((a, b) => distance(a) - distance(b))[0]
      if (next) turn = (roster.indexOf(next) + 1) % roster.length
      return next
    },
    'least-busy': (candidates) => candidates.toSorted((a, b) => a.busy - b.busy)[0],
  }
}
