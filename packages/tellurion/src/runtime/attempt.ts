// One attempt of a run: loads the world, winds it on, commits what happens, and leaves the run in its next state. It
// holds the run by lease and epoch; when it has lost it, whatever it still does reaches nobody.

import { spentAtMost, statementOf, type Amounts } from '../agent/budget.ts'
import { Conversation, LLM, Taint, TurnUsage } from '../agent/component.ts'
import { openInteractions } from '../agent/open-interaction.ts'
import { stopReasonOf, type AgentResult } from '../agent/result.ts'
import { closeCalls } from '../agent/tool-results.ts'
import { errorData, TellurionError, type ErrorData } from '../error/error.ts'
import type { Event, EventRecord } from '../event/event.ts'
import { isEphemeral } from '../event/kind.ts'
import type { Usage } from '../port/model.ts'
import { backoff } from '../retry/backoff.ts'
import type { Json } from '../schema/json.ts'
import { createArtifacts } from '../tool/artifact.ts'
import type { Delta } from '../world/delta.ts'
import type { Entity } from '../world/entity.ts'
import { Failure, Halted, Wait } from '../world/lifecycle.ts'
import { run, type Stop } from '../world/runner.ts'
import type { World } from '../world/world.ts'
import { noAmounts } from './account.ts'
import { agentResult } from './agent-work.ts'
import { redactedArtifacts } from './backend/redacted.ts'
import { entityOf } from './foreign-component.ts'
import { Inbox, intake, isTurnOf, takeAll } from './inbox.ts'
import { Journal, type Entry } from './journal.ts'
import { allThatIsLive, liveRedaction, type LiveRedaction } from './live-redaction.ts'
import { cancelMail, newsForParent, Offspring, type Outgoing } from './offspring.ts'
import { liveStatuses, type RunRecord } from './run.ts'
import type { RunEnd } from './run-store.ts'
import type { Setting } from './setting.ts'
import type { Opened } from './shelf.ts'
import type { Work } from './work.ts'

/** A state that a newer version of the code wrote waits this long for such a worker. */
const newerDelay = 30_000

const nothing: Delta = { operations: [], records: [] }

/** What a run has spent; all of its allowance where that is not known. */
interface Spent {
  readonly usage?: Usage
  readonly spent?: Amounts
}

/** What is not saved yet when the work is over. */
interface Last {
  readonly delta: Delta
  readonly outgoing: Outgoing
}

/** Why an attempt is stopped from outside. */
export type Interruption = 'cancelled' | 'timed_out' | 'drained' | 'lost'

/** One attempt of a run; without its agent it can only end: cancelled, or failed as unknown. */
export class Attempt {
  readonly #run: RunRecord
  readonly #agent: Work | undefined
  readonly #setting: Setting
  readonly #inbox: Inbox
  readonly #offspring: Offspring
  readonly #controller = new AbortController()
  readonly #shown: LiveRedaction
  #interruption: Interruption | undefined

  constructor(run: RunRecord, agent: Work | undefined, setting: Setting) {
    this.#run = run
    this.#agent = agent
    this.#setting = setting
    this.#inbox = new Inbox(setting.backend.store, run.id, run.read)
    this.#offspring = new Offspring(run, setting)
    this.#shown = setting.redactor === undefined ? allThatIsLive : liveRedaction(setting.redactor)
  }

  /** Stops the work. The first reason counts. */
  interrupt(interruption: Interruption): void {
    if (this.#interruption !== undefined) return
    this.#interruption = interruption
    this.#controller.abort(new TellurionError('aborted', `The run was ${interruption}.`))
  }

  /** Looks for mail; a cancel stops the work at once, the rest is taken in at the next tick. */
  async look(): Promise<void> {
    if (await this.#inbox.fetch()) this.interrupt('cancelled')
  }

  /** Works until the run has left this attempt. Rejects only when the store fails. */
  async work(): Promise<void> {
    const { backend, clock } = this.#setting
    const state = await this.#setting.shelf.open(this.#run.branch)
    if (state === undefined) throw new TellurionError('unknown_run', `Run ${this.#run.id} has no branch any more.`)
    const journal = new Journal(this.#run, state, { store: backend.store, clock, inbox: this.#inbox })
    const { id, ranFor } = this.#run
    const stopListening = backend.hints.listen((hint) => {
      if (hint.type === 'mail' && hint.run === id) void this.look().catch(() => {})
    }, id)
    const stopTimer = clock.timer(Math.max(0, this.#setting.timeout - ranFor), () => this.interrupt('timed_out'))
    try {
      // Mail first: also a run whose state cannot be brought to life here can be cancelled here.
      await this.look()
      const world = this.#open(state, journal)
      if (world === undefined) await this.#giveBack(journal, newerDelay)
      else await this.#wind(world, journal)
    } catch (error) {
      await this.#failed(journal, error)
    } finally {
      stopTimer()
      stopListening()
    }
  }

  /** The world of the run's branch, ready to tick; undefined when a newer version of the code wrote it. */
  #open(state: Opened, journal: Journal): World | undefined {
    const { backend, clock, ids, log, caps, redactor } = this.#setting
    let world: World
    try {
      const revived = state.revive()
      if (revived.migrated) journal.beginAnew()
      world = revived.world
    } catch (error) {
      if (error instanceof TellurionError && error.code === 'newer_version') return undefined
      throw error
    }
    this.#agent?.bindTo(world)
    world.bind('clock', clock)
    world.bind('ids', ids)
    world.bind('runId', this.#run.id)
    world.bind('user', this.#run.user)
    world.bind('run', this.#run)
    world.bind('durable', true)
    world.bind('spawn', this.#offspring)
    const artifacts = createArtifacts(backend.keyValue, this.#run.session)
    world.bind('artifacts', redactor === undefined ? artifacts : redactedArtifacts(artifacts, redactor))
    if (log !== undefined) world.bind('log', log)
    if (caps !== undefined) world.bind('caps', caps)
    return world
  }

  /** Ticks until the run leaves this attempt. */
  async #wind(world: World, journal: Journal): Promise<void> {
    const agent = this.#agent
    if (agent === undefined && this.#interruption === undefined) this.#setting.registry.get(this.#run.agent)
    const entity = this.#entity(world)
    if (agent === undefined || this.#interruption !== undefined) {
      await this.#leave({ world, entity, stop: { reason: 'aborted', ticks: world.header.runTicks }, journal })
      return
    }
    this.#furnish(world, { agent, entity, journal })
    const given = { inbox: this.#inbox, components: this.#setting.components, taker: agent }
    world.addSystem(intake(entity, given))
    world.bind('takeIn', (handle: World) => takeAll(handle, entity, given))
    for (;;) {
      takeAll(world, entity, given)
      const maxTicks = agent.maxTicks(world, entity)
      const stop = await run(world, {
        main: entity,
        ...(maxTicks === undefined ? {} : { maxTicks }),
        clock: this.#setting.clock,
        signal: this.#controller.signal,
        sink: (delta, at) => this.#save(journal, delta, at),
        leaveLast: true,
      })
      if (await this.#leave({ world, entity, stop, journal })) return
      await this.look()
    }
  }

  /** What only an attempt has: keys from the journal, the intake, and somebody who listens to what is live. */
  #furnish(world: World, { agent, entity, journal }: { agent: Work; entity: Entity; journal: Journal }): void {
    const { branch, epoch } = this.#run
    world.bind('callKey', (owner: Entity, index: number) => `${branch}-${journal.next}-${owner}-${index}`)
    world.on('*', (event) => {
      if (isEphemeral(event.type)) this.#show(event, journal)
    })
    for (const stopped of [Halted, Failure]) world.remove(entity, stopped)
    if (epoch === 1) world.emit({ type: 'run.started', agent: agent.name })
    else world.emit({ type: 'run.resumed', agent: agent.name, attempt: epoch })
  }

  #show(event: Event, journal: Journal): void {
    for (const each of this.#shown(event)) this.#setting.live.send(this.#run.id, each, journal.events)
  }

  /** What is kept now ends texts that are live: what was held back of them is shown before. */
  #showEnds({ records }: Delta, journal: Journal): void {
    for (const record of records) this.#show(record as Event, journal)
  }

  /** The agent's entity: the one it has in this world, or a new one. */
  #entity(world: World): Entity {
    return entityOf(world, this.#run.agent) ?? this.#agent?.spawn(world) ?? world.spawn(Conversation())
  }

  /** A commit of the run. Once the attempt is drained or has lost its run, nothing more of it is saved. */
  async #save(journal: Journal, delta: Delta, world: World): Promise<void> {
    if (this.#interruption === 'drained' || this.#interruption === 'lost') {
      throw new TellurionError('run_fenced', `Run ${this.#run.id} was given back; what it was doing is void.`)
    }
    await this.#saveAll(journal, { delta, outgoing: this.#offspring.take() }, world)
  }

  async #saveAll(journal: Journal, { delta, outgoing }: Last, world: World): Promise<void> {
    this.#showEnds(delta, journal)
    await journal.commit(delta, world, { ...interactionsOf(delta, world), ...outgoing })
    this.#setting.backend.hints.send({ type: 'run', run: this.#run.id, log: true })
    await this.#deliver(outgoing)
  }

  /** Makes known what went out with a commit; nothing is lost where this is not reached. */
  async #deliver({ children = [], sends = [] }: Outgoing): Promise<void> {
    const { hints, queue } = this.#setting.backend
    for (const { id: run, agent, priority, availableAt } of children) {
      await queue.enqueue({ run, segment: 1, agent, priority, availableAt })
    }
    for (const { run } of sends) hints.send({ type: 'mail', run })
    if (children.length > 0 || sends.length > 0) hints.send({ type: 'queue' })
  }

  /** Ends, parks or goes on: false when newer mail is there. */
  async #leave(at: { world: World; entity: Entity; stop: Stop; journal: Journal }): Promise<boolean> {
    const { world, entity, journal } = at
    const cut = this.#interruption
    if (cut === 'drained' || cut === 'lost') {
      await this.#giveBack(journal, 0)
      return true
    }
    const stop: Stop = cut === undefined ? at.stop : { ticks: at.stop.ticks, reason: 'aborted' }
    if (stop.reason !== 'waiting' && stop.reason !== 'paused') closeCalls(world, entity)
    const { end, event } = await this.#ending(world, entity, stop)
    const last: Last = { delta: world.takeDelta(), outgoing: this.#offspring.take() }
    const taint = world.get(entity, Taint) ?? (world.has(entity, LLM) ? [] : undefined)
    const spent = statementOf(world, entity)
    const news = newsForParent(this.#run, end, { now: this.#setting.clock.now(), spent, taint })
    const { children, sends = [] } = last.outgoing
    const outgoing: Outgoing = { ...last.outgoing, ...(news === undefined ? {} : { sends: [...sends, news] }) }
    const interactions = openInteractions(world)
    this.#showEnds(last.delta, journal)
    // The last of the work and how it ended are one row.
    const commit = (): Promise<'committed' | 'mail'> =>
      journal.commit(last.delta, world, { end, events: [event], interactions, cut: cut === 'timed_out', ...outgoing })
    // Cut short, the run ends whatever else has come; otherwise newer mail is taken in first, a cancel that came since too.
    if (cut !== undefined) await this.#end(commit)
    else if ((await commit()) === 'mail') {
      const { operations, records } = last.delta
      const isEmpty = operations.length + records.length + sends.length === 0 && children === undefined
      if (!isEmpty) await this.#saveAll(journal, last, world)
      return false
    }
    this.#setting.backend.hints.send({ type: 'run', run: this.#run.id })
    if (end.to === 'waiting' && interactions.length > 0) await this.#tellAncestors()
    await this.#deliver(outgoing)
    return true
  }

  /** Whoever waits for a run that this one works for, however far above, waits for these answers too. */
  async #tellAncestors(): Promise<void> {
    const { store, hints } = this.#setting.backend
    for (let { parent } = this.#run; parent !== undefined; parent = (await store.getRun(parent))?.parent) {
      hints.send({ type: 'run', run: parent })
    }
  }

  /**
   * Ends the run with all its mail: what came with the end is read, and answered by it. But one that is out of time may be
   * tried again, and hears it then.
   */
  async #end(commit: () => Promise<'committed' | 'mail'>): Promise<void> {
    do {
      await this.#inbox.fetch()
      if (this.#interruption !== 'timed_out') this.#inbox.close()
    } while ((await commit()) === 'mail')
  }

  /** The state that a stop leads to, and the event that says so. */
  async #ending(world: World, entity: Entity, stop: Stop): Promise<{ end: RunEnd; event: EventRecord }> {
    if (stop.reason === 'waiting') {
      const interactions = openInteractions(world)
      const end = { to: 'waiting' as const, ...(stop.due === undefined ? {} : { due: stop.due }) }
      return { end, event: { type: 'run.waiting', interactions } as EventRecord }
    }
    if (stop.reason === 'paused') return { end: { to: 'paused' }, event: { type: 'run.paused' } as EventRecord }
    const { result, error, ...spent } = await this.#result(world, entity, stop)
    if (this.#interruption === 'timed_out') {
      const late = new TellurionError('run_timeout', `The run was at work for more than ${this.#setting.timeout} ms.`)
      const end = { to: 'timed_out' as const, stopReason: 'timed_out', error: late.toJSON(), result, ...spent }
      return { end, event: { type: 'run.timed_out', error: late.toJSON() } as EventRecord }
    }
    if (stop.reason === 'aborted') {
      return endingOfCancel(result, spent)
    }
    if (error !== undefined) return this.#endingOfFailure(error, { result, stopReason: stopReasonOf(stop), ...spent })
    const stopReason = stopReasonOf(stop)
    const end = { to: 'succeeded' as const, stopReason, result, ...spent }
    return { end, event: { type: 'run.succeeded', stopReason } as EventRecord }
  }

  #endingOfFailure(
    error: ErrorData,
    rest: Spent & { result: Json; stopReason: string },
  ): { end: RunEnd; event: EventRecord } {
    const { retry, random, clock } = this.#setting
    if (error.retryable && this.#run.retries < retry.maxRetries) {
      const availableAt = clock.now() + Math.ceil(backoff(this.#run.retries + 1, retry, { random }))
      const end = { to: 'queued' as const, availableAt, retried: true, error }
      return { end, event: { type: 'run.retrying', error, availableAt } as EventRecord }
    }
    const event = { type: 'run.failed', stopReason: rest.stopReason, error } as EventRecord
    return { end: { to: 'failed', error, ...rest }, event }
  }

  /** What the run brought and spent, as it is stored: everything but the messages, which are in the journal. */
  async #result(world: World, entity: Entity, stop: Stop): Promise<Spent & { result: Json; error?: ErrorData }> {
    // Whatever the world shows of a turn is an earlier run's.
    if (!isTurnOf(world, entity, this.#run)) return { result: null, spent: noAmounts }
    const { usage } = world.get(entity, TurnUsage) ?? {}
    const spent = { ...(usage === undefined ? {} : { usage }), spent: spentAtMost(world, entity) }
    const result = this.#agent?.result ?? agentResult
    try {
      return { result: storedResult(await result(world, entity, stop), world, entity), ...spent }
    } catch (error) {
      if (!(error instanceof TellurionError) || error.result === undefined) throw error
      const stored = storedResult(error.result as AgentResult<unknown>, world, entity)
      return { result: stored, error: error.toJSON(), ...spent }
    }
  }

  /** Puts the run back into the queue as it was after its last commit. */
  async #giveBack(journal: Journal, delay: number): Promise<void> {
    await journal.settled()
    const availableAt = this.#setting.clock.now() + delay
    try {
      await journal.commit(nothing, undefined, { end: { to: 'queued', availableAt, retried: false }, undone: true })
      this.#setting.backend.hints.send({ type: 'queue' })
    } catch (error) {
      if (!(error instanceof TellurionError) || error.code !== 'run_fenced') throw error
    }
  }

  async #failed(journal: Journal, error: unknown): Promise<void> {
    const fenced = error instanceof TellurionError && error.code === 'run_fenced'
    if (this.#interruption === 'drained') return this.#giveBack(journal, 0)
    if (fenced || this.#interruption === 'lost') return
    await journal.settled()
    const data = errorData(error, 'run_failed')
    // What has not even kept its input has done nothing; what else was spent nobody knows.
    const spent = journal.read === 0 ? { spent: noAmounts } : {}
    const { end, event } =
      this.#interruption === 'cancelled'
        ? endingOfCancel(null, spent)
        : this.#endingOfFailure(data, { result: null, stopReason: 'failed', ...spent })
    if (end.to === 'queued') await journal.commit(nothing, undefined, { end, events: [event], undone: true })
    else {
      const { clock, backend } = this.#setting
      const now = clock.now()
      const news = newsForParent(this.#run, end, { now, ...spent })
      const children = await backend.store.listRuns({ parent: this.#run.id, status: liveStatuses, limit: 1000 })
      const sends = [...(news === undefined ? [] : [news]), ...children.map(({ id }) => cancelMail(id, now))]
      const entry = { end, events: [event], sends }
      if (end.to === 'cancelled') await this.#end(() => journal.commit(nothing, undefined, entry))
      else await journal.commit(nothing, undefined, { ...entry, undone: true, cut: true })
      await this.#deliver({ sends })
    }
    this.#setting.backend.hints.send({ type: 'run', run: this.#run.id })
  }
}

function endingOfCancel(result: Json, spent: Spent): { end: RunEnd; event: EventRecord } {
  const end = { to: 'cancelled' as const, stopReason: 'aborted', result, ...spent }
  return { end, event: { type: 'run.cancelled' } }
}

/** What waits for a person, when a delta may have changed that. */
function interactionsOf(delta: Delta, world: World): Pick<Entry, 'interactions'> {
  const touched = delta.operations.some((operation) => operation[2] === Wait.name)
  return touched ? { interactions: openInteractions(world) } : {}
}

function storedResult(result: AgentResult<unknown>, world: World, entity: Entity): Json {
  const { messages, interactions, output, finishReason, ...rest } = result
  const { from = 0 } = world.get(entity, TurnUsage) ?? {}
  return JSON.parse(
    JSON.stringify({ ...rest, output, finishReason, from, to: from + messages.length, asked: interactions.length }),
  ) as Json
}
