// Pipelines: stages behind each other, from one stream to another. Every stage asks for the next item only when it has
// room for it, so a slow end slows the beginning down and nothing piles up.

import { abortReason } from '../abort/abort.ts'
import { systemClock, type Clock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { createChannel, type Channel } from './channel.ts'

/** A stage: what comes in, and what goes out. It may hold as much as it says, no more. */
export type Stage<In, Out> = (items: AsyncIterable<In>) => AsyncIterable<Out>

/** Connects stages behind a source. Leaving the loop early ends every stage, and the source. */
export function pipeline<A>(source: AsyncIterable<A>): AsyncIterable<A>
export function pipeline<A, B>(source: AsyncIterable<A>, first: Stage<A, B>): AsyncIterable<B>
export function pipeline<A, B, C>(source: AsyncIterable<A>, first: Stage<A, B>, second: Stage<B, C>): AsyncIterable<C>
export function pipeline<A, B, C, D>(
  source: AsyncIterable<A>,
  ...stages: [Stage<A, B>, Stage<B, C>, Stage<C, D>]
): AsyncIterable<D>
export function pipeline(
  source: AsyncIterable<unknown>,
  ...stages: readonly Stage<never, unknown>[]
): AsyncIterable<unknown>
export function pipeline(
  source: AsyncIterable<unknown>,
  ...stages: readonly Stage<never, unknown>[]
): AsyncIterable<unknown> {
  return stages.reduce((items, stage) => (stage as Stage<unknown, unknown>)(items), source)
}

/**
 * Makes each item into another; what comes out keeps the order. `concurrency` items at most are at work at one time
 * (default 1). The first that fails ends the pipeline with its error.
 */
export function mapItems<In, Out>(
  fn: (item: In) => Out | Promise<Out>,
  options: { readonly concurrency?: number } = {},
): Stage<In, Out> {
  const { concurrency = 1 } = options
  refuseBelowOne('concurrency', concurrency)
  return async function* (items) {
    const open: Promise<Out>[] = []
    for await (const item of items) {
      const made = Promise.resolve(item).then(fn)
      // Whoever reads it first hears of the failure; until then nobody must miss it.
      made.catch(() => {})
      open.push(made)
      if (open.length >= concurrency) yield await open.shift()!
    }
    while (open.length > 0) yield await open.shift()!
  }
}

/** Lets through what passes a test. */
export function filterItems<T>(passes: (item: T) => boolean | Promise<boolean>): Stage<T, T> {
  return async function* (items) {
    for await (const item of items) if (await passes(item)) yield item
  }
}

/**
 * Joins items that come faster than they are read: what is at hand when the reader asks is folded into one by `join`,
 * which gives undefined for two that must stay apart. It holds at most `capacity` items (default 1,000); then the source
 * waits. For pieces of text this spares the reader most of its work and changes nothing that it says.
 */
export function joinItems<T extends NonNullable<unknown>>(
  join: (a: T, b: T) => T | undefined,
  options: { readonly capacity?: number } = {},
): Stage<T, T> {
  return async function* (items) {
    const ahead = buffered(items, options.capacity ?? 1_000)
    try {
      let held: T | undefined
      while (await ahead.ready()) {
        for (let item = ahead.poll(); item !== undefined; item = ahead.poll()) {
          const joined = held === undefined ? item : join(held, item)
          if (joined === undefined) yield held!
          held = joined ?? item
        }
        if (held !== undefined) yield held
        held = undefined
      }
    } finally {
      ahead.close()
    }
  }
}

/** Gathers items into lists of `size`, or of what has come within `within` milliseconds of the first (default: no limit). */
export function batchItems<T extends NonNullable<unknown>>(options: {
  readonly size: number
  readonly within?: number
  readonly clock?: Clock
}): Stage<T, readonly T[]> {
  const { size, within = Infinity, clock = systemClock } = options
  refuseBelowOne('size', size)
  return async function* (items) {
    const ahead = buffered(items, size)
    let batch: T[] = []
    let late = new AbortController()
    let stopTimer = (): void => {}
    try {
      for (;;) {
        const item = ahead.poll()
        if (item === undefined) {
          const more = await moreBy(ahead, late.signal)
          if (more === 'more') continue
          if (batch.length > 0) yield batch
          if (more === 'ended') return
        } else {
          if (batch.push(item) === 1 && within !== Infinity) stopTimer = clock.timer(within, () => late.abort())
          if (batch.length < size) continue
          yield batch
        }
        stopTimer()
        batch = []
        late = new AbortController()
      }
    } finally {
      stopTimer()
      ahead.close()
    }
  }
}

/** Whether there is something to poll, or there never will be, or the time is over first. */
async function moreBy<T>(ahead: Ahead<T>, signal: AbortSignal): Promise<'more' | 'ended' | 'late'> {
  try {
    return (await ahead.ready({ signal })) ? 'more' : 'ended'
  } catch (error) {
    if (signal.aborted && error === abortReason(signal)) return 'late'
    throw error
  }
}

/** A source that is read ahead, up to so many items. */
type Ahead<T> = Pick<Channel<T>, 'poll' | 'ready' | 'close'>

function buffered<T extends NonNullable<unknown>>(items: AsyncIterable<T>, capacity: number): Ahead<T> {
  refuseBelowOne('capacity', capacity)
  const channel = createChannel<T>({ capacity, overflow: 'block' })
  const source = items[Symbol.asyncIterator]()
  let left = false
  const pump = async (): Promise<void> => {
    try {
      for (;;) {
        const next = await source.next()
        if (left) return
        if (next.done === true) break
        await channel.send(next.value)
      }
      channel.close()
    } catch (error) {
      if (!left) channel.close(error instanceof Error ? error : new Error(String(error)))
    }
  }
  void pump()
  return {
    poll: () => channel.poll(),
    ready: (options) => channel.ready(options),
    close() {
      left = true
      channel.close()
      // A source that waits for something is told at once; how it ends is its own business.
      void Promise.resolve(source.return?.()).catch(() => {})
    },
  }
}

function refuseBelowOne(what: string, count: number): void {
  if (Number.isInteger(count) && count >= 1) return
  throw new TellurionError('invalid_option', `${what} must be a whole number from 1, got ${count}.`)
}
