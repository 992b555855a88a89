// The worker: takes runs from the queue, at most so many at once, keeps their leases alive, and gives them back when it
// is told to stop.

import { Agent } from '../agent/agent.ts'
import { messageOf } from '../error/error.ts'
import { agentWork } from './agent-work.ts'
import { Attempt } from './attempt.ts'
import type { Heart } from './backend.ts'
import { foreignWork } from './foreign-work.ts'
import type { AnyAgent } from './registry.ts'
import type { RunRecord } from './run.ts'
import type { Setting } from './setting.ts'
import type { Work } from './work.ts'

/** How often sessions that nobody touched any more are looked for, in milliseconds. */
const cleaningEvery = 60_000

/** Rows past retention that are dropped at one time, so that nobody waits long for the store. */
const rowsAtOnce = 1_000

/** What a worker holds. */
interface Held {
  readonly run: RunRecord
  readonly attempt: Attempt
  readonly done: Promise<void>
}

/** One worker of a process. */
export class Worker {
  readonly #setting: Setting
  /** Most runs at work at one time. */
  readonly maxConcurrent: number
  readonly #held = new Map<string, Held>()
  readonly #works = new WeakMap<Agent, Work>()
  readonly #taken = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  #graceOver = false
  #consuming: Promise<void> | undefined
  #stopBeat: (() => void) | undefined
  #heart: Heart | undefined
  #lastSweep = Number.NEGATIVE_INFINITY
  #lastCleaning = Number.NEGATIVE_INFINITY

  constructor(setting: Setting, maxConcurrent: number) {
    this.#setting = setting
    this.maxConcurrent = maxConcurrent
  }

  /** Runs that are being worked on. */
  get active(): number {
    return this.#held.size
  }

  /** Begins to take runs. */
  start(): void {
    if (this.#consuming !== undefined || this.#stopping.signal.aborted) return
    this.#beatLater()
    this.#consuming = this.#setting.backend.queue.consume(
      { capacity: () => this.maxConcurrent, deliver: (run) => this.take(run) },
      { signal: this.#stopping.signal },
    )
  }

  /** Works on one run if it can be had, and not any more when told to stop. Never rejects. `any` takes waiting and paused ones too. */
  take(id: string, options: { any?: boolean } = {}): Promise<void> {
    if (this.#stopping.signal.aborted) return Promise.resolve()
    const taken = this.#take(id, options).finally(() => this.#taken.delete(taken))
    this.#taken.add(taken)
    return taken
  }

  async #take(id: string, options: { any?: boolean }): Promise<void> {
    const { backend, clock, lease, heartbeat, stall, worker, registry, log } = this.#setting
    try {
      const now = clock.now()
      const run = await backend.store.beginAttempt(id, { worker, now, leaseUntil: now + lease, ...options })
      if (run === undefined) return
      const agent = registry.find(run.agent)
      const attempt = new Attempt(run, agent && this.#workOf(agent), this.#setting)
      if (this.#graceOver) attempt.interrupt('drained')
      const held = { run, attempt, done: attempt.work() }
      this.#held.set(id, held)
      this.#beatLater()
      this.#heart ??= backend.startHeart?.({ lease, heartbeat, stall })
      this.#heart?.hold(id, run.epoch)
      try {
        await held.done
      } finally {
        if (this.#held.get(id) === held) {
          this.#held.delete(id)
          this.#heart?.release(id)
        }
      }
    } catch (error) {
      log?.error(`Run ${id} was left behind: ${messageOf(error)}`, { runId: id })
    }
  }

  /** An agent of either make as the work of a run. */
  #workOf(agent: AnyAgent): Work {
    if (!(agent instanceof Agent)) return foreignWork(agent)
    let work = this.#works.get(agent)
    if (work === undefined) this.#works.set(agent, (work = agentWork(agent)))
    return work
  }

  /**
   * Takes no more runs, lets those at work end within `grace` milliseconds, and gives the rest back as they were after
   * their last commit. Resolves when nothing of it is left.
   */
  async stop(grace: number): Promise<void> {
    this.#stopping.abort()
    const cancelTimer = this.#setting.clock.timer(grace, () => {
      this.#graceOver = true
      for (const { attempt } of this.#held.values()) attempt.interrupt('drained')
    })
    await this.#consuming
    await Promise.all(this.#taken)
    cancelTimer()
    this.#stopBeat?.()
    this.#stopBeat = undefined
    await this.#heart?.close()
  }

  #beatLater(): void {
    if (this.#stopBeat !== undefined) return
    this.#stopBeat = this.#setting.clock.timer(this.#setting.heartbeat, () => {
      this.#stopBeat = undefined
      if (this.#held.size > 0 || !this.#stopping.signal.aborted) this.#beatLater()
      void this.#beat()
    })
  }

  /** Drops what is past retention, batch by batch. */
  async #prune(now: number): Promise<void> {
    const { backend, retention } = this.#setting
    if (retention.past === Infinity) return
    const batch = { before: now - retention.past, limit: rowsAtOnce }
    while (!this.#stopping.signal.aborted && (await backend.store.prune(batch)) > 0);
  }

  /** Extends the leases of what is held, leaves what was lost, and looks for what others have lost. */
  async #beat(): Promise<void> {
    const { backend, clock, lease, live, log } = this.#setting
    const now = clock.now()
    // A clock may be set back.
    const isDue = (last: number, every: number): boolean =>
      Math.abs(now - last) >= every && !this.#stopping.signal.aborted
    this.#heart?.alive()
    try {
      const held = new Map(this.#held)
      if (held.size > 0) {
        const leases = Array.from(held.values(), ({ run: { id: run, epoch } }) => ({ run, epoch }))
        for (const run of await backend.store.heartbeat(leases, now + lease)) held.get(run)?.attempt.interrupt('lost')
        for (const { run, epoch } of leases) live.send(run, { type: 'run.heartbeat', attempt: epoch })
      }
      if (isDue(this.#lastSweep, lease / 3)) {
        this.#lastSweep = now
        const claimable = await backend.store.sweep(now)
        if (claimable.length > 0) backend.hints.send({ type: 'queue' })
      }
      if (isDue(this.#lastCleaning, cleaningEvery)) {
        this.#lastCleaning = now
        await backend.store.gc({ before: now - this.#setting.idle, limit: 100 })
        await this.#prune(now)
      }
    } catch (error) {
      log?.error(`The heartbeat failed: ${messageOf(error)}`)
    }
  }
}
