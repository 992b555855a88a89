// The runtime: the same agents, made to survive. It submits runs, works on them, and knows what waits for a person.

import { Agent } from '../agent/agent.ts'
import { checkCaps } from '../agent/caps.ts'
import { agentComponents } from '../agent/component.ts'
import type { AgentResult } from '../agent/result.ts'
import { systemClock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { checkOptions } from '../error/option.ts'
import { systemIds } from '../id/id.ts'
import { systemRandom } from '../id/random.ts'
import type { UserInput } from '../message/message.ts'
import type { KeyValue } from '../port/key-value.ts'
import { retryPolicy } from '../retry/backoff.ts'
import type { Json } from '../schema/json.ts'
import { artifactBytes } from '../tool/artifact.ts'
import type { Component } from '../world/component.ts'
import { Failure, Halted, Terminal, Wait } from '../world/lifecycle.ts'
import { dropRestoredNote, restoredNote } from './checkpoint.ts'
import type { CheckpointFile } from './checkpoint-file.ts'
import { restoredRun, type RestoreRunOptions } from './restore.ts'
import { redactedBackend } from './backend/redacted.ts'
import { checkId } from './backend/request.ts'
import { foreignComponents } from './foreign-component.ts'
import { Interactions } from './interaction.ts'
import { createLive } from './live.ts'
import { DurableSession } from './durable-session.ts'
import { checkAccounts, claimOf, claimsOf, freshAccount, nothingLeft, type Spending } from './account.ts'
import { Registry } from './registry.ts'
import {
  checkRunFilter,
  checkRuntimeOptions,
  checkSessionFilter,
  patienceOf,
  type RuntimeOptions,
  type SubmitOptions,
} from './runtime-options.ts'
import { eventsBehind } from './run-events.ts'
import { RunHandle } from './run-handle.ts'
import type { BranchRecord, RunRecord, SessionRecord } from './run.ts'
import type { ForkPayload, InputPayload } from './inbox.ts'
import type { NewRun, RunFilter, SessionFilter, StoreCount } from './run-store.ts'
import { retentionOf, type Setting } from './setting.ts'
import { createShelf } from './shelf.ts'
import { headOf, standingMessages, standingRuns } from './standing.ts'
import { submission } from './submission.ts'
import { Worker } from './worker.ts'

/** A runtime, made by `createRuntime`. */
export class Runtime {
  /** What waits for a person, across runs. */
  readonly interactions: Interactions
  readonly #setting: Setting
  readonly #worker: Worker
  readonly #maxSessions: number
  readonly #grace: number
  #closing: Promise<void> | undefined

  constructor(setting: Setting, worker: Worker, options: { maxSessions: number; grace: number }) {
    this.interactions = new Interactions(setting)
    this.#setting = setting
    this.#worker = worker
    this.#maxSessions = options.maxSessions
    this.#grace = options.grace
  }

  /** The agents that runs may ask for. */
  get agents(): Registry {
    return this.#setting.registry
  }

  /** Accepts a run: when this resolves it is kept. Throws `session_limit`, `invalid_option`, `budget_exceeded`. */
  async submit(agent: string, input: UserInput | Json, options: SubmitOptions = {}): Promise<RunHandle> {
    this.#refuseWhenClosed()
    const run = await this.#create(agent, input, options)
    return this.#enqueued(run)
  }

  /** Submits, works on it in this process without the queue, and waits for its end. */
  async execute(agent: string, input: UserInput | Json, options: SubmitOptions = {}): Promise<AgentResult<unknown>> {
    this.#refuseWhenClosed()
    const run = this.run((await this.#create(agent, input, options)).id)
    const settled = new AbortController()
    // What fails the work, such as the store, fails the result as well.
    run.work({ signal: settled.signal }).catch(() => {})
    try {
      return await run.result()
    } finally {
      settled.abort()
    }
  }

  /** A run by its id; nothing is looked up. */
  run(id: string): RunHandle {
    checkId('run', id)
    return new RunHandle(id, {
      setting: this.#setting,
      take: (run, options) => this.#worker.take(run, options),
      goOn: (source, branch, payload) => this.#goOn(source, branch, payload),
    })
  }

  /** Runs, newest first. */
  async runs(filter: RunFilter = {}): Promise<readonly RunRecord[]> {
    return this.#setting.backend.store.listRuns(checkRunFilter(filter))
  }

  /**
   * Calls `fn` with the id of each run that may have new events or another status, of this and of other processes; one
   * that says nothing new is harmless, and one may get lost. Returns an unsubscribe; `fn` must not throw.
   */
  changes(fn: (run: string) => void): () => void {
    return this.#setting.backend.hints.listen((hint) => {
      if (hint.type === 'run') fn(hint.run)
    })
  }

  /** A chat that remembers, kept in the store; without an id a new one. Throws `unknown_agent`. */
  session(agent: string, options: { readonly id?: string; readonly user?: string } = {}): DurableSession {
    this.#refuseWhenClosed()
    this.agents.get(agent)
    checkOptions('session', options, ['id', 'user'])
    const { id = this.#setting.ids('session'), user } = options
    checkId('session', id)
    return new DurableSession(id, {
      submit: (input, { signal: _signal, ...rest }) =>
        this.submit(agent, input, { ...rest, session: id, ...(user === undefined ? {} : { user }) }),
      runs: (limit) => standingRuns(this.#setting, id, limit),
      messages: () => standingMessages(this.#setting, id, agent),
      run: (run) => this.run(run),
      answer: (interaction, given, by) => this.interactions.answerIn(id, interaction, { given, by }),
      past: async () => ({ session: id, agent, branch: await headOf(this.#setting, id) }),
      setting: this.#setting,
    })
  }

  /**
   * A run that goes on from a checkpoint file, or from what one holds, in a session of its own: open calls are closed,
   * questions are asked again. Throws `invalid_snapshot`, `newer_version`, `unknown_agent`, and `duplicate_name` when
   * the session is there; then nothing is stored.
   */
  async restore(from: string | CheckpointFile, options: RestoreRunOptions = {}): Promise<RunHandle> {
    this.#refuseWhenClosed()
    return this.#enqueued((await this.#store(await restoredRun(this.#setting, from, options))).run)
  }

  /** Sessions, newest first: named ones, and own ones of runs unless `named` leaves these out. */
  async sessions(filter: SessionFilter = {}): Promise<readonly SessionRecord[]> {
    return this.#setting.backend.store.listSessions(checkSessionFilter(filter))
  }

  /** How many runs, by status, and sessions there are. */
  async count(): Promise<StoreCount> {
    return this.#setting.backend.store.count()
  }

  /** Small records beside the runs, in the same store: artifacts, caches. */
  get keyValue(): KeyValue {
    return this.#setting.backend.keyValue
  }

  /** What it does and keeps at most: runs at work, named sessions a user, events that a reader is behind, labels and bytes of artifacts a session. */
  get limits(): Readonly<
    Record<'maxConcurrent' | 'maxSessions' | 'eventsBehind' | 'labels' | 'artifactBytes', number>
  > {
    const { maxConcurrent } = this.#worker
    const { checkpoints: labels } = this.#setting.retention
    return { maxConcurrent, maxSessions: this.#maxSessions, eventsBehind, labels, artifactBytes }
  }

  /** Makes a session without saying anything in it; the one that is there when it is there. Throws `session_limit`. */
  async createSession(options: { readonly id?: string; readonly user?: string } = {}): Promise<SessionRecord> {
    this.#refuseWhenClosed()
    const { backend, clock, ids } = this.#setting
    const { id = ids('session'), user = 'local' } = options
    const asked = { id, user, newBranch: ids('b').slice(0, 20), now: clock.now(), maxSessions: this.#maxSessions }
    const created = await backend.store.createSession(asked)
    if (created.status === 'session_limit') throw tooManySessions(user, this.#maxSessions)
    return created.session
  }

  /** A session as it is stored; undefined when there is none. */
  async getSession(id: string): Promise<SessionRecord | undefined> {
    return this.#setting.backend.store.getSession(id)
  }

  /** The branches of a session, oldest first. */
  async branches(session: string): Promise<readonly BranchRecord[]> {
    return this.#setting.backend.store.listBranches(session)
  }

  /** Deletes a session and all that belongs to it. False when there is none; throws `run_live` under a live run. */
  async deleteSession(id: string): Promise<boolean> {
    const deleted = await this.#setting.backend.store.deleteSession(id)
    if (deleted !== 'live') return deleted === 'deleted'
    throw new TellurionError('run_live', `A run of session ${id} is live: wait for its end, or cancel it first.`)
  }

  /** What a user or a tenant has spent in its present account, and what its runs still may. */
  async spending(of: { readonly user: string } | { readonly tenant: string }): Promise<Spending> {
    const { backend, clock, budgets } = this.#setting
    const [kind, id] = 'user' in of ? (['user', of.user] as const) : (['tenant', of.tenant] as const)
    const claim = claimOf(kind, id, { limits: budgets[kind], now: clock.now() })
    const { spent, lent } = (claim && (await backend.store.getAccount(claim.id))) ?? freshAccount({ id, limits: {} })
    return { spent, lent, limits: claim?.limits ?? {}, ...(claim?.ends === undefined ? {} : { ends: claim.ends }) }
  }

  /**
   * Stops taking runs, lets those at work end within the grace, gives the rest back, and closes the store. Closing twice
   * waits for the first.
   */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.#worker.stop(this.#grace)
      await this.#setting.backend.close()
    })()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** A new run of the same agent on a branch of the same session. */
  async #goOn(source: RunRecord, branch: string, payload: ForkPayload): Promise<RunHandle> {
    this.#refuseWhenClosed()
    const { agent, session, user, tenant, limits, priority, metadata } = source
    const input = payload as unknown as Json
    const more = { ...(tenant === undefined ? {} : { tenant }), ...(limits === undefined ? {} : { limits }) }
    const { run } = await this.#store({
      agent,
      session,
      user,
      priority,
      metadata,
      branch,
      input,
      ownSession: false,
      ...more,
    })
    return this.#enqueued(run)
  }

  async #enqueued(run: RunRecord): Promise<RunHandle> {
    const { backend } = this.#setting
    const { id, agent, priority, availableAt, mail } = run
    await backend.queue.enqueue({ run: id, segment: mail, agent, priority, availableAt })
    backend.hints.send({ type: 'run', run: id })
    return this.run(id)
  }

  async #create(name: string, input: UserInput | Json, options: SubmitOptions): Promise<RunRecord> {
    const agent = this.agents.find(name)
    const { input: asked, ...rest } = submission({ name, agent }, input, options)
    const { session } = rest
    const restored = session === undefined ? undefined : await restoredNote(this.#setting, session)
    const payload: InputPayload = restored === undefined ? asked : { ...asked, restored }
    const { status, run } = await this.#store({ ...rest, input: payload as unknown as Json })
    if (session !== undefined && restored !== undefined && status === 'created') {
      await dropRestoredNote(this.#setting, session)
    }
    return run
  }

  async #store(
    given: Pick<NewRun, 'agent' | 'input' | 'user' | 'priority' | 'metadata' | 'ownSession'> &
      Partial<Pick<NewRun, 'session' | 'branch' | 'state' | 'idempotencyKey' | 'tenant' | 'limits'>> & {
        readonly delay?: number
      },
  ): Promise<{ readonly status: 'created' | 'known'; readonly run: RunRecord }> {
    const { backend, clock, ids, budgets } = this.#setting
    const { delay = 0, session, ...rest } = given
    const id = ids('run')
    const now = clock.now()
    const created = await backend.store.createRun({
      ...rest,
      id,
      session: session ?? id,
      availableAt: now + delay,
      newBranch: ids('b').slice(0, 20),
      now,
      maxSessions: this.#maxSessions,
      accounts: claimsOf(budgets, { user: given.user, tenant: given.tenant, now }),
    })
    if (created.status === 'created' || created.status === 'known') return created
    if (created.status === 'session_limit') throw tooManySessions(given.user, this.#maxSessions)
    if (created.status === 'session_exists') {
      throw new TellurionError('duplicate_name', `There is a session '${session}' already; restore under another id.`)
    }
    if (created.status === 'budget') throw nothingLeft(created.refused)
    throw new TellurionError('unknown_run', `There is no branch '${given.branch}' any more.`)
  }

  #refuseWhenClosed(): void {
    if (this.#closing !== undefined) throw new TellurionError('runtime_closed', 'This runtime has been closed.')
  }
}

/** Opens the store and begins to work. Throws the store's typed errors, `unknown_option`, `invalid_option`, `duplicate_name`. */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  checkRuntimeOptions(options)
  const { ports = {}, state = {}, retry = {}, maxConcurrent = 10, maxSessions = 1000 } = options
  const { clock = systemClock, ids = systemIds, random = systemRandom, log, redactor } = ports
  const { lease, heartbeat, timeout, grace, stall, idle } = patienceOf(options.patience)
  const registry = new Registry(options.agents)
  const opened = await options.store({ clock })
  const backend = redactor === undefined ? opened : redactedBackend(opened, redactor)
  const stored = { components: componentsOf(registry, state.components ?? []), retired: state.retired ?? [] }
  const setting: Setting = {
    backend,
    registry,
    shelf: createShelf(backend.store, stored),
    live: createLive(),
    clock,
    ids,
    random,
    log,
    redactor,
    ...stored,
    worker: ids('worker'),
    lease,
    heartbeat,
    stall,
    idle,
    timeout,
    retry: retryPolicy({ initialWait: 2000, maxWait: 300_000, ...retry }),
    retention: retentionOf(options.retention),
    caps: options.caps && checkCaps(options.caps),
    budgets: checkAccounts(options.budgets ?? {}),
  }
  const worker = new Worker(setting, maxConcurrent)
  if (options.work !== false) worker.start()
  return new Runtime(setting, worker, { maxSessions, grace })
}

/** What stored worlds may hold: the components of every agent, and those that only the caller knows. */
function componentsOf(registry: Registry, more: readonly Component[]): readonly Component[] {
  const all = new Set<Component>([...agentComponents, ...foreignComponents, Failure, Halted, Terminal, Wait])
  const agents = registry.keys().map((key) => registry.get(key))
  for (const agent of agents) if (agent instanceof Agent) for (const each of agent.components) all.add(each)
  for (const each of more) all.add(each)
  return [...all]
}

function tooManySessions(user: string, most: number): TellurionError {
  return new TellurionError('session_limit', `User ${user} has ${most} sessions; delete some first.`)
}
