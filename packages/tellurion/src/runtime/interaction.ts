// Interactions across runs: what waits for a person, and their answers, given from anywhere and taken once.

import { Agent } from '../agent/agent.ts'
import {
  answerer,
  checkAnswer,
  grantOf,
  isStanding,
  noPermissions,
  type Answer,
  type StandingAnswer,
} from '../agent/interaction.ts'
import { suggestion, TellurionError } from '../error/error.ts'
import type { Interaction } from '../event/event.ts'
import type { Json } from '../schema/json.ts'
import { checkGrant } from '../tool/grant.ts'
import type { RunRecord } from './run.ts'
import type { RunReads } from './run-store.ts'
import { checkRunFilter } from './runtime-options.ts'
import type { Setting } from './setting.ts'

/** Runs that are read at one time. */
const page = 1000

/** An interaction, and the run that waits for it. */
export type OpenInteraction = Interaction & { readonly run: string; readonly agent: string; readonly session: string }

/** What waits for a person in a runtime. */
export class Interactions {
  readonly #setting: Setting

  constructor(setting: Setting) {
    this.#setting = setting
  }

  /** What is open, of the newest 1,000 runs that ask; of one agent or one user. */
  async list(filter: { readonly agent?: string; readonly user?: string } = {}): Promise<readonly OpenInteraction[]> {
    const asked = { ...checkRunFilter(filter), asking: true, limit: page }
    return openOf(await this.#setting.backend.store.listRuns(asked))
  }

  /**
   * Answers from anywhere, once; `run` spares the search for the run that asks. Throws `unknown_interaction` when it is
   * not open (any more), `invalid_answer` when the answer does not fit.
   */
  async answer(
    id: string,
    answer: Answer,
    options: { readonly by?: string; readonly run?: string } = {},
  ): Promise<void> {
    const open = await this.#asking(id, options.run)
    await this.#give(openAs(id, open), answer, options.by)
  }

  /** Answers what a session asks, or what works for it. Gives back the run of the session that goes on. */
  async answerIn(
    session: string,
    id: string,
    { given, by }: { given: Answer; by?: string | undefined },
  ): Promise<string> {
    const { store } = this.#setting.backend
    const waiting = await store.listRuns({ session, status: ['waiting'] })
    const asked: (readonly [string, OpenInteraction])[] = []
    for (const run of waiting) for (const each of await askedBy(store, run)) asked.push([run.id, each])
    const open = asked.map(([, interaction]) => interaction)
    const found = openAs(id, open)
    await this.#give(found, given, by)
    return asked.find(([, interaction]) => interaction === found)![0]
  }

  async #give(found: OpenInteraction, answer: Answer, by: string | undefined): Promise<void> {
    const { backend, clock } = this.#setting
    const { id, run, due } = found
    checkAnswer(found, answer)
    const name = answerer(by)
    if (isStanding(answer)) this.#checkStanding(found, answer)
    if (due !== undefined && due <= clock.now()) {
      throw new TellurionError('unknown_interaction', `The interaction '${id}' has expired.`)
    }
    const payload = { interaction: id, answer, by: name } as unknown as Json
    const mail = { run, id: `answer-${id}`, kind: 'answer' as const, payload, now: clock.now() }
    const sent = await backend.store.send(mail)
    if (sent !== 'sent') {
      const why = sent === 'duplicate' ? 'has been answered already' : 'is not open any more: its run has ended'
      throw new TellurionError('unknown_interaction', `The interaction '${id}' ${why}.`)
    }
    backend.hints.send({ type: 'mail', run })
    backend.hints.send({ type: 'queue' })
  }

  /** Throws for an answer that could not stand; a process without the agent leaves that to the worker. */
  #checkStanding(found: OpenInteraction, given: StandingAnswer): void {
    const agent = this.#setting.registry.find(found.agent)
    if (agent instanceof Agent && agent.permissions === undefined && found.child === undefined) {
      throw new TellurionError('invalid_answer', noPermissions)
    }
    checkGrant(grantOf(given, 'user', found))
  }

  /** Open interactions among which that of an id is, if there is one: of its run, or page by page of all. */
  async #asking(id: string, run: string | undefined): Promise<readonly OpenInteraction[]> {
    const { store } = this.#setting.backend
    if (run !== undefined) {
      const record = await store.getRun(run)
      if (record === undefined) throw new TellurionError('unknown_run', `There is no run '${run}'.`)
      return openOf([record])
    }
    for (let before: string | undefined; ;) {
      const runs = await store.listRuns({ asking: true, limit: page, ...(before === undefined ? {} : { before }) })
      const open = openOf(runs)
      before = runs.at(-1)?.id
      if (runs.length < page || open.some((interaction) => interaction.id === id)) return open
    }
  }
}

/** What a run, and everything that works for it, asks people now. */
export async function askedBy(store: RunReads, run: RunRecord): Promise<readonly OpenInteraction[]> {
  const asked = openOf([run])
  if (run.status !== 'waiting') return asked
  // What a child that is not parked had asked may be answered already.
  const children = await store.listRuns({ parent: run.id, status: ['waiting'], limit: page })
  for (const child of children) asked.push(...(await askedBy(store, child)))
  return asked
}

function openOf(runs: readonly RunRecord[]): OpenInteraction[] {
  return runs.flatMap(({ id: run, agent, session, interactions }) =>
    interactions.map((interaction) => ({ ...interaction, run, agent, session })),
  )
}

function openAs(id: string, open: readonly OpenInteraction[]): OpenInteraction {
  const found = open.find((interaction) => interaction.id === id)
  if (found !== undefined) return found
  const names = open.map((interaction) => interaction.id)
  throw new TellurionError(
    'unknown_interaction',
    `No open interaction has the id '${id}'.${suggestion(String(id), names)}`,
  )
}
