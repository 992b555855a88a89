// The children of one attempt: sub-agents as runs of their own. They begin, and are cancelled, with the commit that says
// so; how they end comes to the parent as mail.

import type { Spent } from '../agent/budget.ts'
import type { Child, ChildEnd } from '../agent/component.ts'
import type { Spawn } from '../agent/spawn.ts'
import type { Clock } from '../clock/clock.ts'
import type { Ids } from '../id/id.ts'
import type { Json } from '../schema/json.ts'
import { hasEnded, type RunRecord, type RunStatus } from './run.ts'
import type { NewMail, NewRun, RunEnd } from './run-store.ts'

/** What goes out with the next commit. */
export interface Outgoing {
  readonly children?: readonly NewRun[]
  readonly sends?: readonly NewMail[]
}

/** Gathers what the systems of an attempt want of children. */
export class Offspring implements Spawn {
  readonly #parent: RunRecord
  readonly #clock: Clock
  readonly #ids: Ids
  #children: NewRun[] = []
  #sends: NewMail[] = []

  constructor(parent: RunRecord, { clock, ids }: { clock: Clock; ids: Ids }) {
    this.#parent = parent
    this.#clock = clock
    this.#ids = ids
  }

  begin({ id, agent, prompt, limits, tools, taint }: Child): void {
    const { user, tenant, priority, id: parent } = this.#parent
    const now = this.#clock.now()
    this.#children.push({
      id,
      agent,
      input: {
        input: prompt,
        ...(tools === undefined ? {} : { tools }),
        ...(taint === undefined ? {} : { taint }),
      } as unknown as Json,
      limits,
      session: id,
      ownSession: true,
      user,
      ...(tenant === undefined ? {} : { tenant }),
      priority,
      metadata: {},
      availableAt: now,
      parent,
      newBranch: this.#ids('b').slice(0, 20),
      now,
    })
  }

  cancel({ id: run }: Child): void {
    this.#sends.push(cancelMail(run, this.#clock.now()))
  }

  /** What the commit that is made now has to carry. */
  take(): Outgoing {
    const children = this.#children
    const sends = this.#sends
    if (children.length === 0 && sends.length === 0) return nothing
    this.#children = []
    this.#sends = []
    return { ...(children.length === 0 ? {} : { children }), ...(sends.length === 0 ? {} : { sends }) }
  }
}

const nothing: Outgoing = {}

/** The mail that ends a run as cancelled. */
export function cancelMail(run: string, now: number): NewMail {
  return { run, id: 'cancel', kind: 'cancel', payload: null, now }
}

/** The mail that tells a parent how its child ended; none for a run without parent, or one that has not ended. */
export function newsForParent(
  { id, parent }: RunRecord,
  end: RunEnd,
  { now, spent, taint }: { now: number; spent?: Spent | undefined; taint?: ChildEnd['taint'] | undefined },
): NewMail | undefined {
  if (parent === undefined || !isEnd(end)) return undefined
  const { to, error, usage } = end
  const { text = '' } = (end.result ?? {}) as { text?: string }
  const payload: ChildEnd = {
    run: id,
    status: to,
    text,
    ...(error === undefined ? {} : { error }),
    ...(usage === undefined ? {} : { usage }),
    ...spent,
    ...(taint === undefined ? {} : { taint }),
  }
  return { run: parent, id: `child.${id}`, kind: 'child', payload: payload as unknown as Json, now }
}

function isEnd(end: RunEnd): end is Extract<RunEnd, { to: 'succeeded' | 'failed' | 'cancelled' | 'timed_out' }> {
  return hasEnded(end.to satisfies RunStatus)
}
