// The runner: ticks a world until something says stop, and says what it was.

import { isAbortSignal } from '../abort/abort.ts'
import { systemClock, type Clock } from '../clock/clock.ts'
import { TellurionError, type ErrorData } from '../error/error.ts'
import { Committer, type CommitSink } from './committer.ts'
import type { State } from './state.ts'
import { worldEntity, type Entity } from './entity.ts'
import type { History } from './history.ts'
import { Failure, Halted, Terminal, Wait } from './lifecycle.ts'
import { groupsOf, GroupRun } from './schedule.ts'
import { $inside, type SystemContext, type World } from './world.ts'

/** How long an aborted run waits for systems that do not heed the signal before it leaves them behind. */
const abortGrace = 100

/** How a run is bounded and where its state goes. */
export interface RunOptions {
  /** Most ticks of this run, resumed stretches included. Default 100; null for no limit. */
  readonly maxTicks?: number | null | undefined
  readonly signal?: AbortSignal | undefined
  /** Where commits go; in memory nothing is saved. */
  readonly sink?: CommitSink
  /**
   * Under a sink: what closes the run's books stays pending, to be saved with what the caller says of the end. What
   * happened before is saved.
   */
  readonly leaveLast?: boolean
  /** Keeps the state after each finished tick. */
  readonly history?: History | undefined
  /** The entity whose `Terminal` and `Halted` end the run. Default: the first one spawned, 1. */
  readonly main?: Entity
  /** `any`: the `Terminal` of any entity ends the run. Default `main`. */
  readonly endOn?: 'main' | 'any'
  /** Most invocations of `each` at one time. Default 100. */
  readonly concurrency?: number
  readonly clock?: Clock
}

/** Why a run stopped. */
export interface Stop {
  readonly reason: 'idle' | 'terminal' | 'waiting' | 'paused' | 'max_ticks' | 'failed' | 'aborted'
  /** Finished ticks of this run, resumed stretches included. */
  readonly ticks: number
  /** The reason of the `Terminal`, when that ended it. */
  readonly terminal?: string
  /** Why the main entity is halted, when the run failed. */
  readonly error?: ErrorData
  /** When waiting: the earliest wall time at which waiting is over by itself. */
  readonly due?: number
}

/**
 * Ticks a world until the first of these holds after a tick: terminal, paused, limit, nothing left to do (waiting,
 * failed or idle). A tick that changes nothing is not counted. Rejects with `already_running`, `invalid_option`, and
 * with the sink's error when a commit was refused: the world must then be discarded.
 */
export async function run(world: World, options: RunOptions = {}): Promise<Stop> {
  const { state } = world[$inside]
  checkRunOptions(options)
  if (state.running) {
    throw new TellurionError('already_running', 'This world is running already; await that run, or fork the world.')
  }
  return Running.run(world, options)
}

const terminals = [Terminal]

type Reason = Omit<Stop, 'ticks'>

const aborted: Reason = { reason: 'aborted' }

/**
 * One run of one world, and what its systems are given as their context, whose parts may be taken out of it. Nothing is
 * awaited but what is a promise. No function is written straight into a property: V8 takes those for methods, which live
 * long, and would keep the world of a run that has ended until a full collection.
 */
class Running implements SystemContext {
  readonly commit = (): void | Promise<void> => this.#committer.commit()
  readonly #world: World
  readonly #state: State
  readonly #options: RunOptions
  readonly #committer: Committer
  readonly #group: GroupRun
  #onAbort: (() => void) | undefined
  #controller: AbortController | undefined
  #abortion: { readonly reason: unknown } | undefined
  #cancelGrace: (() => void) | undefined
  /** The world's count of changes when the tick began. */
  #seen = 0

  private constructor(world: World, options: RunOptions) {
    const { state } = world[$inside]
    this.#world = world
    this.#state = state
    this.#options = options
    this.#committer = new Committer(world, options.sink, (error) => this.#abort(error))
    this.#group = new GroupRun(world, this, options.concurrency ?? 100)
  }

  /** Number of the tick that is running. */
  get tick(): number {
    return this.#state.header.tick + 1
  }

  /** Whether anything has changed since the tick began. */
  get changed(): boolean {
    return this.#state.changes !== this.#seen
  }

  static run(world: World, options: RunOptions): Promise<Stop> {
    return new Running(world, options).#run()
  }

  async #run(): Promise<Stop> {
    this.#begin()
    try {
      let stop = this.#options.signal?.aborted ? aborted : this.#standing()
      while (stop === undefined) {
        this.#seen = this.#state.changes
        const groups = groupsOf(this.#world[$inside].systems, this.#state)
        for (let index = 0; index < groups.length && this.#abortion === undefined; index++) {
          const seen = this.#state.changes
          const ended = this.#group.start(groups[index]!)
          if (ended !== undefined) await ended
          // The last group's changes are committed with the tick.
          if (this.#state.changes === seen || index === groups.length - 1) continue
          const saved = this.#save()
          if (saved !== undefined) await saved
        }
        const { changed } = this
        if (changed && this.#abortion === undefined) {
          const { tick, runTicks } = this.#state.header
          this.#state.setHeader({ tick: tick + 1, runTicks: runTicks + 1 })
          const saved = this.#save()
          if (saved !== undefined) await saved
          this.#options.history?.keep()
        }
        if (this.#options.sink === undefined) this.#state.dropDelta()
        stop = this.#decide(changed)
      }
      const stopped = this.#stopped(stop)
      return stopped instanceof Promise ? await stopped : stopped
    } finally {
      this.#end()
    }
  }

  #begin(): void {
    const { signal, sink } = this.#options
    this.#state.running = true
    this.#state.holding = sink !== undefined
    if (signal === undefined) return
    const onAbort = (): void => this.#abort(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    this.#onAbort = onAbort
  }

  #end(): void {
    if (this.#onAbort !== undefined) this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#cancelGrace?.()
    this.#committer.close()
    this.#state.running = false
    this.#state.holding = false
  }

  /** The signal of this run, made when somebody asks for it. */
  get signal(): AbortSignal {
    const { signal, sink } = this.#options
    if (signal !== undefined && sink === undefined) return signal
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#abortion !== undefined) this.#controller.abort(this.#abortion.reason)
    }
    return this.#controller.signal
  }

  #abort(reason: unknown): void {
    if (this.#abortion !== undefined) return
    this.#abortion = { reason }
    this.#group.aborted = true
    const { clock = systemClock } = this.#options
    this.#cancelGrace = clock.timer(abortGrace, () => this.#group.abandon())
    this.#controller?.abort(reason)
  }

  /** Commits. A refusal has aborted the run when this resolves; the last commit rejects with it. */
  #save(): Promise<void> | undefined {
    const saved = this.#committer.commit()
    return saved === undefined ? undefined : saved.catch(() => {})
  }

  #decide(changed: boolean): Reason | undefined {
    if (this.#abortion !== undefined) return aborted
    const main = this.#options.main ?? (1 as Entity)
    const entity = this.#options.endOn === 'any' ? this.#state.matching(this.#state.query(terminals))[0] : main
    const terminal = entity === undefined ? undefined : this.#world.get(entity, Terminal)
    if (terminal !== undefined) return { reason: 'terminal', terminal: terminal.reason }
    return this.#standing() ?? (changed ? undefined : atRest(this.#world, main))
  }

  /** Whether it must not go on, whatever there is to do. */
  #standing(): Reason | undefined {
    const { paused, runTicks } = this.#state.header
    if (paused) return { reason: 'paused' }
    const { maxTicks = 100 } = this.#options
    return maxTicks !== null && runTicks >= maxTicks ? { reason: 'max_ticks' } : undefined
  }

  /** Closes the run's books: a run that may go on keeps its count of ticks. */
  #stopped(stop: Reason): Stop | Promise<Stop> {
    const ticks = this.#state.header.runTicks
    const closes = ticks > 0 && stop.reason !== 'waiting' && stop.reason !== 'paused'
    const { sink, leaveLast = false } = this.#options
    if (closes && !leaveLast) this.#state.setHeader({ runTicks: 0 })
    const closed = (): Stop => {
      if (closes && leaveLast) this.#state.setHeader({ runTicks: 0 })
      if (sink === undefined) this.#state.dropDelta()
      return { ...stop, ticks }
    }
    const saved = this.#committer.commit()
    return saved === undefined ? closed() : saved.then(closed)
  }
}

/** Nothing changes any more: is something awaited, has the main entity failed, or is all done? */
function atRest(world: World, main: Entity): Reason {
  let waiting = false
  let due = Number.POSITIVE_INFINITY
  world.each([Wait], (_entity, open) => {
    for (const wait of open) {
      waiting = true
      due = Math.min(due, wait.due ?? due)
    }
  })
  world.each([Halted], (_entity, { retryAt }) => {
    if (retryAt === undefined) return
    waiting = true
    due = Math.min(due, retryAt)
  })
  if (waiting) return due === Number.POSITIVE_INFINITY ? { reason: 'waiting' } : { reason: 'waiting', due }
  for (const entity of [main, worldEntity]) {
    const stopped = world.get(entity, Halted) ?? world.get(entity, Failure)
    if (stopped !== undefined) return { reason: 'failed', error: stopped.error }
  }
  return { reason: 'idle' }
}

/** Throws `invalid_option`. */
export function checkRunOptions({ maxTicks, concurrency, signal }: RunOptions): void {
  if (maxTicks !== undefined && maxTicks !== null && (!Number.isInteger(maxTicks) || maxTicks < 1)) {
    throw new TellurionError('invalid_option', `maxTicks must be a positive integer or null, got ${maxTicks}.`)
  }
  if (concurrency !== undefined && !(concurrency >= 1)) {
    throw new TellurionError('invalid_option', `concurrency must be at least 1, got ${concurrency}.`)
  }
  if (signal !== undefined && !isAbortSignal(signal)) {
    throw new TellurionError('invalid_option', "signal must be an AbortSignal, such as a controller's signal.")
  }
}
