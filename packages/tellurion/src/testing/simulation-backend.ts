// One store, many simulated processes: each call travels to the store and back as points of the scheduler, hints get
// lost and come late, runs are handed out twice. What reaches the store is atomic; whoever watches sees it there.

import type { EventRecord, InteractionRequested } from '../event/event.ts'
import type { Backend } from '../runtime/backend.ts'
import { createHintHub } from '../runtime/backend/hint-hub.ts'
import { createMemoryStore } from '../runtime/backend/memory/memory-store.ts'
import { createTableQueue, type ClaimTable } from '../runtime/backend/table-queue.ts'
import type { Hint, Hints } from '../runtime/hints.ts'
import type { RunRecord } from '../runtime/run.ts'
import type { RunQueue } from '../runtime/run-queue.ts'
import type { Commit, CommitResult, NewMail, RunStore } from '../runtime/run-store.ts'
import { memoryKeyValue } from '../port/memory-key-value.ts'
import type { KeyValue } from '../port/key-value.ts'
import type { Lane, Scheduler } from './simulation-scheduler.ts'

/** How rough the way between processes and store is: probabilities of what happens to each message. */
export interface Weather {
  /** A call, or its answer, waits for its turn. */
  readonly delay: number
  readonly lostHint: number
  readonly lateHint: number
  readonly twice: number
}

/** Nothing goes wrong. */
export const calm: Weather = { delay: 0, lostHint: 0, lateHint: 0, twice: 0 }

/** What a broken variant may put between the processes and the store. */
export interface Break {
  readonly store?: (store: RunStore) => RunStore
  /** The answer to a commit comes before the commit. */
  readonly acknowledgeEarly?: boolean
}

/** Sees what reaches the store and what comes back, in the order in which it happens. */
export interface Watch {
  /** The store as it is, untouched by any break. */
  readonly truth: RunStore
  begun(lane: Lane, record: RunRecord): void
  committing(lane: Lane, commit: Commit): Promise<void>
  committed(lane: Lane, commit: Commit, result: CommitResult): void
  acknowledged(lane: Lane, commit: Commit, result: CommitResult): void
  took(mail: NewMail): void
}

/** The shared store of a simulation. */
export class SimulatedStore {
  readonly #scheduler: Scheduler
  readonly #break: Break
  readonly #hub: Hints = createHintHub()
  readonly #keyValue: KeyValue
  readonly #table: ClaimTable
  readonly #store: RunStore
  /** The store itself: reads of it take no step. */
  readonly truth: RunStore
  weather: Weather
  watch: Watch | undefined

  constructor(scheduler: Scheduler, { weather, broken = {} }: { weather: Weather; broken?: Break }) {
    this.#scheduler = scheduler
    this.#break = broken
    this.weather = weather
    this.#keyValue = memoryKeyValue({ clock: scheduler.lane('store').clock })
    const { store, table } = createMemoryStore({ hints: this.#hub, keyValue: this.#keyValue })
    this.truth = store
    this.#store = broken.store?.(store) ?? store
    this.#table = table
  }

  /** The backend of one process. */
  backend(lane: Lane): Backend {
    const hints = this.#hints(lane)
    const queue = this.#queue(createTableQueue(this.#table, { hints, clock: lane.clock }))
    const store = this.#calls(lane)
    return { name: 'simulated', durable: true, store, queue, hints, keyValue: this.#keyValue, close: async () => {} }
  }

  /** The store as a process reaches it. */
  #calls(lane: Lane): RunStore {
    const travel = <T>(what: string, act: () => Promise<T>): Promise<T> => this.#travel(lane, what, act)
    const store = this.#store
    return {
      createRun: (run) => travel(`create ${run.id}`, () => store.createRun(run)),
      beginAttempt: (run, claim) =>
        travel(`begin ${run}`, async () => {
          const record = await store.beginAttempt(run, claim)
          if (record !== undefined) this.watch?.begun(lane, record)
          return record
        }),
      createSession: (session) => travel(`session ${session.id}`, () => store.createSession(session)),
      deleteSession: (id) => travel(`delete ${id}`, () => store.deleteSession(id)),
      getAccount: (id) => travel(`account ${id}`, () => store.getAccount(id)),
      heartbeat: (held, until) => travel(`heartbeat ${held.length}`, () => store.heartbeat(held, until)),
      commit: (commit) => this.#commit(lane, commit),
      send: (mail) =>
        travel(`send ${mail.kind} ${mail.run}`, async () => {
          const sent = await store.send(mail)
          if (sent === 'sent') this.watch?.took(mail)
          return sent
        }),
      mail: (run, after) => travel(`mail ${run}`, () => store.mail(run, after)),
      getRun: (run) => travel(`run ${run}`, () => store.getRun(run)),
      listRuns: (filter) => travel('list', () => store.listRuns(filter)),
      getSession: (session) => travel('session', () => store.getSession(session)),
      count: () => travel('count', () => store.count()),
      listSessions: (filter) => travel('sessions', () => store.listSessions(filter)),
      getBranch: (branch) => travel('branch', () => store.getBranch(branch)),
      listBranches: (session) => travel('branches', () => store.listBranches(session)),
      fork: (fork) => travel(`fork ${fork.branch}`, () => store.fork(fork)),
      load: (branch, options) => travel(`load ${branch}`, () => store.load(branch, options)),
      readEvents: (run, range) => travel(`events ${run}`, () => store.readEvents(run, range)),
      readRows: (branch, range) => travel(`rows ${branch}`, () => store.readRows(branch, range)),
      sweep: (now) => travel('sweep', () => store.sweep(now)),
      gc: (options) => travel('gc', () => store.gc(options)),
      prune: (options) => travel('prune', () => store.prune(options)),
      retry: (...asked) => travel(`retry ${asked[0]}`, () => store.retry(...asked)),
      close: async () => {},
    }
  }

  #commit(lane: Lane, commit: Commit): Promise<CommitResult> {
    const { run, seq, end, epoch } = commit
    // A question about a call carries a hash of its arguments, which the platform made meanwhile.
    this.#scheduler.outside -= commit.events.filter(isApproval).length
    const act = async (): Promise<CommitResult> => {
      await this.watch?.committing(lane, commit)
      const result = await this.#store.commit(commit)
      this.watch?.committed(lane, commit, result)
      return result
    }
    const label = `commit ${run} ${seq} ${epoch}${end === undefined ? '' : ` ${end.to}`}`
    if (this.#break.acknowledgeEarly === true && end === undefined) {
      const result: CommitResult = { status: 'committed', bytes: 100 }
      this.#scheduler.point(`${lane.name} ${label}`, () => void act(), { lane })
      this.watch?.acknowledged(lane, commit, result)
      return Promise.resolve(result)
    }
    return this.#travel(lane, label, act, (result) => this.watch?.acknowledged(lane, commit, result))
  }

  /** A call to the store and its answer; neither comes when the process dies in between. */
  #travel<T>(lane: Lane, what: string, act: () => Promise<T>, arrived?: (value: T) => void): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const { random } = this.#scheduler
    const back = (settle: () => void): void => {
      if (random() < this.weather.delay) this.#scheduler.point(`${lane.name} < ${what}`, settle, { lane })
      else if (isStill(lane)) this.#scheduler.point(`${lane.name} < ${what}`, settle, { lane })
      else if (lane.alive) settle()
    }
    const go = (): void => {
      act().then(
        (value) =>
          back(() => {
            arrived?.(value)
            resolve(value)
          }),
        (error: unknown) => back(() => reject(error)),
      )
    }
    if (!lane.alive) return promise
    if (isStill(lane) || random() < this.weather.delay) {
      this.#scheduler.point(`${lane.name} > ${what}`, go, { lane, wire: !isStill(lane) })
    } else go()
    return promise
  }

  #hints(lane: Lane): Hints {
    const listeners = new Set<(hint: Hint) => void>()
    const tell = (hint: Hint): void => {
      for (const listener of listeners) listener(hint)
    }
    const stop = this.#hub.listen((hint) => {
      const { lostHint, lateHint } = this.weather
      if (!lane.alive || listeners.size === 0 || this.#scheduler.chance(lostHint)) return
      if (!isStill(lane) && !this.#scheduler.chance(lateHint)) tell(hint)
      else this.#scheduler.point(`${lane.name} hint ${hint.type}`, () => tell(hint), { lane })
    })
    void lane.death.then(stop)
    return {
      send: (hint) => {
        if (lane.alive) this.#hub.send(hint)
      },
      listen(fn) {
        const listener = (hint: Hint): void => fn(hint)
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
      close: stop,
    }
  }

  /** A queue that sometimes hands a run out twice. */
  #queue(queue: RunQueue): RunQueue {
    return {
      ...queue,
      consume: (consumer, options) => {
        const deliver = async (run: string): Promise<void> => {
          const twice = this.#scheduler.chance(this.weather.twice)
          await Promise.all(twice ? [consumer.deliver(run), consumer.deliver(run)] : [consumer.deliver(run)])
        }
        return queue.consume({ ...consumer, deliver }, options)
      },
    }
  }
}

function isApproval(event: EventRecord): boolean {
  return event.type === 'interaction.requested' && (event as InteractionRequested).interaction.kind === 'approval'
}

function isStill({ frozen, cutOff }: Lane): boolean {
  return frozen || cutOff
}
