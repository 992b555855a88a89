// What runs beside what: reads together, paths by lock, the rest alone, a bound over all. Calls are admitted in the
// order they come, so nothing starves. One schedule serves one run; the line is as long as the calls of its replies.

import { abortReason } from '../abort/abort.ts'
import { TellurionError } from '../error/error.ts'
import type { EffectMode } from './effects.ts'
import { createPathLocks, type PathLocks, type Release } from './path-lock.ts'

/** What a call needs for itself. */
export interface Claim {
  readonly mode: EffectMode
  readonly paths: readonly string[] | undefined
}

/** Lets calls run when their turn has come. */
export interface Schedule {
  /**
   * Runs `work` when it may run, at once and without a promise where nothing stands in the way, and gives back what it
   * gives. Rejects with the signal's reason when the signal aborts before the work has begun; after that the work is
   * its own master.
   */
  run<T>(claim: Claim, work: () => T | Promise<T>, signal: AbortSignal | undefined): T | Promise<T>
  /** Calls that are running or waiting for their paths. */
  readonly active: number
  /** Calls that wait for their turn. */
  readonly waiting: number
}

interface Waiter {
  readonly alone: boolean
  readonly admit: () => void
}

/**
 * Makes a schedule. `concurrency` (default 10) bounds the calls that run at once; `locks` may be shared with other
 * schedules. Reads run together; a write with paths runs beside whatever does not touch them; a write without paths
 * and an exclusive call run alone in this schedule. Paths that an exclusive call names are locked like a writer's, so
 * that other schedules keep off them too.
 */
export function createSchedule(
  options: { concurrency?: number | undefined; locks?: PathLocks | undefined } = {},
): Schedule {
  const { concurrency = 10, locks = createPathLocks() } = options
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new TellurionError(
      'invalid_option',
      `concurrency must be a whole number above 0, not ${String(concurrency)}.`,
    )
  }
  return new OrderedSchedule(concurrency, locks)
}

/** A schedule that lets calls in as they come. One lives with each world, so it holds no function of its own. */
class OrderedSchedule implements Schedule {
  active = 0
  readonly #concurrency: number
  readonly #locks: PathLocks
  #line: Set<Waiter> | undefined
  #aloneRuns = false

  constructor(concurrency: number, locks: PathLocks) {
    this.#concurrency = concurrency
    this.#locks = locks
  }

  get waiting(): number {
    return this.#line?.size ?? 0
  }

  run<T>(claim: Claim, work: () => T | Promise<T>, signal: AbortSignal | undefined): T | Promise<T> {
    const alone = claim.mode === 'exclusive' || (claim.mode === 'write' && claim.paths === undefined)
    if (this.waiting === 0 && this.#admissible(alone)) {
      this.#enter(alone)
      return this.#held(claim, work, signal)
    }
    return this.#turn(alone, signal).then(() => this.#held(claim, work, signal))
  }

  #admissible(alone: boolean): boolean {
    return !this.#aloneRuns && (alone ? this.active === 0 : this.active < this.#concurrency)
  }

  #enter(alone: boolean): void {
    this.active++
    this.#aloneRuns = alone
  }

  #leave(): void {
    this.active--
    this.#aloneRuns = false
    this.#next()
  }

  #next(): void {
    for (const waiter of this.#line ?? []) {
      if (!this.#admissible(waiter.alone)) return
      this.#line?.delete(waiter)
      this.#enter(waiter.alone)
      waiter.admit()
    }
  }

  /** Resolves when the line has let the call in. */
  #turn(alone: boolean, signal: AbortSignal | undefined): Promise<void> {
    const line = (this.#line ??= new Set())
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortReason(signal))
      const onAbort = (): void => {
        line.delete(waiter)
        reject(abortReason(signal))
        this.#next()
      }
      const admit = (): void => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const waiter: Waiter = { alone, admit }
      line.add(waiter)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  #held<T>(claim: Claim, work: () => T | Promise<T>, signal: AbortSignal | undefined): T | Promise<T> {
    const leave = (): void => this.#leave()
    if (claim.paths === undefined || claim.paths.length === 0) return guard(work, leave)
    let release: Release | Promise<Release>
    try {
      release = this.#locks.acquire(claim.paths, { write: claim.mode !== 'read', signal })
    } catch (error) {
      leave()
      throw error
    }
    if (!(release instanceof Promise)) return guard(work, both(release, leave))
    return release.then(
      (given) => guard(work, both(given, leave)),
      (error: unknown) => {
        leave()
        throw error
      },
    )
  }
}

function both(first: () => void, second: () => void): () => void {
  return () => {
    first()
    second()
  }
}

/** Runs work and calls `done` once, whichever way it ends. */
function guard<T>(work: () => T | Promise<T>, done: () => void): T | Promise<T> {
  let result: T | Promise<T>
  try {
    result = work()
  } catch (error) {
    done()
    throw error
  }
  if (!(result instanceof Promise)) {
    done()
    return result
  }
  return result.finally(done)
}
