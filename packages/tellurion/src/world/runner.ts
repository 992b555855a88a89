// The runner: ticks a world until something says stop, and says what it was.

import { systemClock, type Clock } from '../clock/clock.ts'
import { TellurionError, type ErrorData } from '../error/error.ts'
import { Committer, type CommitSink } from './committer.ts'
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
  readonly maxTicks?: number | null
  readonly signal?: AbortSignal | undefined
  /** Where commits go; in memory nothing is saved. */
  readonly sink?: CommitSink
  /** Keeps the state after each finished tick. */
  readonly history?: History
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
  readonly reason: 'idle' | 'terminal' | 'waiting' | 'paused' | 'max_ticks' | 'budget' | 'failed' | 'aborted'
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
  const { core } = world[$inside]
  checkOptions(options)
  if (core.running) {
    throw new TellurionError('already_running', 'This world is running already; await that run, or fork the world.')
  }
  const controller = new AbortController()
  let refusal: { readonly error: unknown } | undefined
  const committer = new Committer(world, options.sink, (error) => {
    refusal ??= { error }
    controller.abort(error)
  })
  const ticking = new Ticking(world, controller.signal, { committer, bound: options.concurrency ?? 100 })
  const { clock = systemClock } = options
  let cancelGrace: (() => void) | undefined
  const onAbort = (): void => {
    controller.abort(options.signal?.reason)
    cancelGrace = clock.timer(abortGrace, () => ticking.abandon())
  }
  core.running = true
  if (core.watchers !== undefined) core.watchers.hold = options.sink !== undefined
  try {
    if (options.signal?.aborted) return stopped(world, { reason: 'aborted' }, committer)
    options.signal?.addEventListener('abort', onAbort, { once: true })
    for (;;) {
      const changed = await ticking.tick()
      if (refusal !== undefined) throw refusal.error
      if (changed && !controller.signal.aborted) options.history?.keep()
      if (options.sink === undefined) core.takeDelta()
      const stop = decide(world, { changed, aborted: controller.signal.aborted }, options)
      if (stop !== undefined) return await stopped(world, stop, committer)
    }
  } finally {
    options.signal?.removeEventListener('abort', onAbort)
    cancelGrace?.()
    core.running = false
    if (core.watchers !== undefined) core.watchers.hold = false
  }
}

/** One tick after another, with what they share. */
class Ticking {
  readonly #world: World
  readonly #committer: Committer
  readonly #context: SystemContext
  readonly #group: GroupRun
  readonly #signal: AbortSignal
  #release: (() => void) | undefined

  constructor(world: World, signal: AbortSignal, options: { committer: Committer; bound: number }) {
    const { committer } = options
    const { core } = world[$inside]
    this.#world = world
    this.#committer = committer
    this.#signal = signal
    this.#context = {
      get tick() {
        return core.header.tick + 1
      },
      signal,
      commit: () => committer.commit(),
    }
    this.#group = new GroupRun(world, this.#context, options.bound)
  }

  /** Runs every group once; whether anything changed. A finished tick is counted and committed. */
  async tick(): Promise<boolean> {
    const { core, systems } = this.#world[$inside]
    const groups = groupsOf(systems.list)
    const start = core.changes
    let seen = start
    for (const group of groups) {
      const pending = this.#group.start(group)
      if (pending !== undefined) {
        await new Promise<void>((resolve) => {
          this.#release = resolve
          void pending.then(() => resolve())
        })
      }
      if (this.#signal.aborted) return core.changes !== start
      if (core.changes !== seen) {
        seen = core.changes
        if (group !== groups.at(-1)) await this.#save()
        if (this.#signal.aborted) return true
      }
    }
    if (core.changes === start) return false
    const { tick, runTicks } = core.header
    core.setHeader({ tick: tick + 1, runTicks: runTicks + 1 })
    await this.#save()
    return true
  }

  /** Leaves behind what has not ended. */
  abandon(): void {
    this.#group.abandon()
    this.#release?.()
  }

  /** A refused commit has already aborted the run. */
  async #save(): Promise<void> {
    try {
      await this.#committer.commit()
    } catch {
      // The runner sees the refusal itself.
    }
  }
}

function decide(
  world: World,
  { changed, aborted }: { changed: boolean; aborted: boolean },
  options: RunOptions,
): Omit<Stop, 'ticks'> | undefined {
  if (aborted) return { reason: 'aborted' }
  const main = options.main ?? (1 as Entity)
  const terminal = options.endOn === 'any' ? world.query(Terminal)[0]?.[1][0] : world.get(main, Terminal)
  if (terminal !== undefined) return { reason: 'terminal', terminal: terminal.reason }
  const { paused, runTicks } = world.header
  if (paused) return { reason: 'paused' }
  const { maxTicks = 100 } = options
  if (maxTicks !== null && runTicks >= maxTicks) return { reason: 'max_ticks' }
  if (changed) return undefined
  return atRest(world, main)
}

/** Nothing changes any more: is something awaited, has the main entity failed, or is all done? */
function atRest(world: World, main: Entity): Omit<Stop, 'ticks'> {
  let waiting = false
  let due = Number.POSITIVE_INFINITY
  for (const [, [waits]] of world.query(Wait)) {
    for (const wait of waits) {
      waiting = true
      due = Math.min(due, wait.due ?? due)
    }
  }
  for (const [, [halted]] of world.query(Halted)) {
    if (halted.retryAt === undefined) continue
    waiting = true
    due = Math.min(due, halted.retryAt)
  }
  if (waiting) return due === Number.POSITIVE_INFINITY ? { reason: 'waiting' } : { reason: 'waiting', due }
  for (const entity of [main, worldEntity]) {
    const stopped = world.get(entity, Halted) ?? world.get(entity, Failure)
    if (stopped !== undefined) return { reason: 'failed', error: stopped.error }
  }
  return { reason: 'idle' }
}

/** Closes the run's books: a run that may go on keeps its count of ticks. */
async function stopped(world: World, stop: Omit<Stop, 'ticks'>, committer: Committer): Promise<Stop> {
  const { core } = world[$inside]
  const ticks = core.header.runTicks
  const goesOn = stop.reason === 'waiting' || stop.reason === 'paused'
  if (!goesOn && ticks > 0) core.setHeader({ runTicks: 0 })
  await committer.commit()
  if (!committer.saves) core.takeDelta()
  return { ...stop, ticks }
}

function checkOptions({ maxTicks, concurrency }: RunOptions): void {
  if (maxTicks !== undefined && maxTicks !== null && (!Number.isInteger(maxTicks) || maxTicks < 1)) {
    throw new TellurionError('invalid_option', `maxTicks must be a positive integer or null, got ${maxTicks}.`)
  }
  if (concurrency !== undefined && !(concurrency >= 1)) {
    throw new TellurionError('invalid_option', `concurrency must be at least 1, got ${concurrency}.`)
  }
}
