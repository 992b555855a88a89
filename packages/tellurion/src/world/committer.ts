// The commit seam: the one place where pending state leaves a world. One commit is in flight at a time; whoever asks
// meanwhile joins the next.

import type { Delta } from './delta.ts'
import { $inside, type World } from './world.ts'

/**
 * Where commits go. It must save the delta whole or reject; a rejection ends the run and its world is to be discarded.
 * `world` is in the state that the delta leads to, until the sink first awaits.
 */
export type CommitSink = (delta: Delta, world: World) => void | Promise<void>

/** The commits of one run. Without a sink they do nothing. */
export class Committer {
  readonly #world: World
  readonly #sink: CommitSink | undefined
  readonly #refused: (error: unknown) => void
  #inFlight: Promise<void> | undefined
  #next: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(world: World, sink: CommitSink | undefined, refused: (error: unknown) => void) {
    this.#world = world
    this.#sink = sink
    this.#refused = refused
  }

  /** Whether there is a sink; without one the runner drops what is pending. */
  get saves(): boolean {
    return this.#sink !== undefined
  }

  /** Saves everything pending; resolves when it is saved, rejects when the sink refused this or an earlier commit. */
  commit(): void | Promise<void> {
    if (this.#sink === undefined) return undefined
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error as Error)
    if (this.#inFlight === undefined) return this.#flush(this.#sink)
    this.#next ??= this.#inFlight.then(() => {
      this.#next = undefined
      return this.commit()
    })
    return this.#next
  }

  #flush(sink: CommitSink): void | Promise<void> {
    const { core } = this.#world[$inside]
    if (core.operations.length === 0 && core.records.length === 0) return undefined
    const delta = core.takeDelta()
    let saved: void | Promise<void>
    try {
      saved = sink(delta, this.#world)
    } catch (error) {
      return this.#refuse(error)
    }
    if (saved === undefined) {
      this.#publish(delta)
      return undefined
    }
    this.#inFlight = saved.then(
      () => {
        this.#inFlight = undefined
        this.#publish(delta)
      },
      (error: unknown) => {
        this.#inFlight = undefined
        return this.#refuse(error)
      },
    )
    return this.#inFlight
  }

  #publish(delta: Delta): void {
    const { watchers } = this.#world[$inside].core
    if (watchers === undefined) return
    for (const record of delta.records) watchers.deliver(record)
  }

  #refuse(error: unknown): Promise<never> {
    this.#failure = { error }
    this.#refused(error)
    return Promise.reject(error as Error)
  }
}
