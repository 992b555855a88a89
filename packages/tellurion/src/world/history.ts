// The past of a world in memory: forks kept after finished ticks. They share everything with the present, so keeping
// one costs a pointer and what has changed since.

import { TellurionError } from '../error/error.ts'
import { $inside, type World } from './world.ts'

/** The kept past of one world. Pass it to `run`, which keeps the state after each tick. */
export class History {
  readonly #world: World
  readonly #limit: number
  readonly #kept: Map<number, World> = new Map()

  /** Keeps the present state and then at most `limit` (default 1,000) ticks; the oldest go first. */
  constructor(world: World, options: { readonly limit?: number } = {}) {
    const { limit = 1000 } = options
    if (!Number.isInteger(limit) || limit < 1) {
      throw new TellurionError('invalid_option', `limit must be a positive integer, got ${limit}.`)
    }
    this.#world = world
    this.#limit = limit
    this.keep()
  }

  /** Keeps the present state under the number of the last finished tick. Called by the runner. */
  keep(): void {
    const { tick } = this.#world.header
    this.#kept.delete(tick)
    const past = this.#world.fork()
    const { state } = past[$inside]
    state.header = Object.freeze({ ...state.header, runTicks: 0 })
    this.#kept.set(tick, past)
    if (this.#kept.size > this.#limit) {
      for (const oldest of this.#kept.keys()) {
        this.#kept.delete(oldest)
        break
      }
    }
  }

  /** The ticks that are kept, ascending. */
  ticks(): number[] {
    return [...this.#kept.keys()].sort((a, b) => a - b)
  }

  /**
   * A world in the state after finished tick `tick`, free to be changed or wound on; its next run counts its ticks
   * anew. Throws `unknown_tick`.
   */
  at(tick: number): World {
    return this.#find(tick).fork()
  }

  /**
   * Puts the world back to its state after `tick` and forgets what came later; the next run counts its ticks anew.
   * Entity ids that were used since stay used; what was pending is dropped. Throws `unknown_tick`, and `already_running` between the ticks of a run.
   */
  rewind(tick: number): void {
    const past = this.#find(tick)
    const { state } = this.#world[$inside]
    if (state.running) throw new TellurionError('already_running', 'Rewind when the run has stopped; pause it first.')
    state.adopt(past[$inside].state)
    state.dropDelta()
    for (const kept of this.#kept.keys()) if (kept > tick) this.#kept.delete(kept)
  }

  /** Puts the world back by `ticks` (default 1) finished ticks. Throws `unknown_tick` when there are not so many. */
  undo(ticks = 1): void {
    this.rewind(this.#world.header.tick - ticks)
  }

  #find(tick: number): World {
    const past = this.#kept.get(tick)
    if (past !== undefined) return past
    const kept = this.ticks()
    throw new TellurionError('unknown_tick', `Tick ${tick} is not kept; there are ${kept[0]} to ${kept.at(-1)}.`)
  }
}
