// The commit seam: the one place where pending state leaves a world. One commit is in flight at a time; whoever asks
// meanwhile joins the next.

import { TellurionError } from '../error/error.ts'
import type { EventRecord } from '../event/event.ts'
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
  #closed = false

  constructor(world: World, sink: CommitSink | undefined, refused: (error: unknown) => void) {
    this.#world = world
    this.#sink = sink
    this.#refused = refused
  }

  /** Saves everything pending; resolves when it is saved, rejects when the sink refused this or an earlier commit. */
  commit(): void | Promise<void> {
    if (this.#failure !== undefined) return refusal(this.#failure.error)
    if (this.#closed) return refusal(new TellurionError('aborted', 'This run has ended; nothing more of it is saved.'))
    if (this.#sink === undefined) return undefined
    if (this.#inFlight === undefined) return this.#flush(this.#sink)
    this.#next ??= handled(
      this.#inFlight.then(() => {
        this.#next = undefined
        return this.commit()
      }),
    )
    return this.#next
  }

  /** The run has ended: who commits from now on was left behind, and must not take its work for saved. */
  close(): void {
    this.#closed = true
  }

  #flush(sink: CommitSink): void | Promise<void> {
    const { state } = this.#world[$inside]
    if (!state.pending) return undefined
    const { shown } = state
    const delta = state.takeDelta()
    let saved: void | Promise<void>
    try {
      saved = sink(delta, this.#world)
    } catch (error) {
      return this.#refuse(error)
    }
    if (typeof saved?.then !== 'function') {
      this.#publish(delta.records, shown)
      return undefined
    }
    this.#inFlight = handled(
      saved.then(
        () => {
          this.#inFlight = undefined
          this.#publish(delta.records, shown)
        },
        (error: unknown) => {
          this.#inFlight = undefined
          return this.#refuse(error)
        },
      ),
    )
    return this.#inFlight
  }

  /** Shows subscribers what is saved now, except what they saw when it was emitted before the run. */
  #publish(records: readonly EventRecord[], shown: number): void {
    const { watchers } = this.#world[$inside].state
    if (watchers === undefined) return
    for (let index = shown; index < records.length; index++) watchers.deliver(records[index]!)
  }

  #refuse(error: unknown): Promise<never> {
    this.#failure ??= { error }
    this.#refused(error)
    return refusal(error)
  }
}

async function rejected(error: unknown): Promise<never> {
  throw error
}

function refusal(error: unknown): Promise<never> {
  return handled(rejected(error))
}

/** The same promise; that nobody awaits a commit must not end the process. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
