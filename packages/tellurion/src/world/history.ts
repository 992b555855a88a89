// The past of a world in memory: states kept after finished ticks. They share everything with the present, so keeping
// one costs a pointer and what has changed since.

import { TellurionError } from '../error/error.ts'
import type { Kept } from './state.ts'
import { $inside, worldOf, type World } from './world.ts'

/** The state of a world, to be gone back to with `putBack`; whoever goes on from it counts the ticks of the run anew. */
export function keepState(world: World): Kept {
  const kept = world[$inside].state.keep()
  const { header } = kept
  return header.runTicks === 0 ? kept : { ...kept, header: Object.freeze({ ...header, runTicks: 0 }) }
}

/** Puts a world back to a state that was kept of it. Throws `already_running` between the ticks of a run. */
export function putBack(world: World, kept: Kept): void {
  const { state } = world[$inside]
  if (state.running) throw new TellurionError('already_running', 'Rewind when the run has stopped; pause it first.')
  state.adopt(kept)
  state.dropDelta()
}

/** The kept past of one world. Pass it to `run`, which keeps the state after each tick. */
export class History {
  readonly #world: World
  readonly #limit: number
  readonly #kept: Map<number, Kept> = new Map()

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
    this.#kept.set(tick, keepState(this.#world))
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
    return worldOf(this.#world, this.#find(tick))
  }

  /**
   * Puts the world back to its state after `tick` and forgets what came later; the next run counts its ticks anew.
   * Entity ids that were used since stay used; what was pending is dropped. Throws `unknown_tick`, and `already_running` between the ticks of a run.
   */
  rewind(tick: number): void {
    putBack(this.#world, this.#find(tick))
    this.forget(tick)
  }

  /** Forgets what came after `tick`. */
  forget(tick: number): void {
    for (const kept of this.#kept.keys()) if (kept > tick) this.#kept.delete(kept)
  }

  /** Puts the world back by `ticks` (default 1) finished ticks. Throws `unknown_tick` when there are not so many. */
  undo(ticks = 1): void {
    this.rewind(this.#world.header.tick - ticks)
  }

  #find(tick: number): Kept {
    const past = this.#kept.get(tick)
    if (past !== undefined) return past
    const kept = this.ticks()
    throw new TellurionError('unknown_tick', `Tick ${tick} is not kept; there are ${kept[0]} to ${kept.at(-1)}.`)
  }
}
