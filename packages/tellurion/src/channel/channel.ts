// A bounded queue between producers and readers of one process. It never holds more than its capacity, says what
// happens when it is full, and makes a promise only for somebody who has to wait.

import { abortReason } from '../abort/abort.ts'
import { suggestion, TellurionError } from '../error/error.ts'
import { Ring } from './ring.ts'

/**
 * What happens to an item that comes when the channel is full.
 * - `block`: the sender waits for room; senders are let in one after another as they came.
 * - `drop-oldest`: the oldest item of the lowest priority goes, which is the new one if all others stand above it.
 * - `drop-newest`: the new item is thrown away.
 * - `error`: `send` throws `channel_full`.
 */
export type Overflow = 'block' | 'drop-oldest' | 'drop-newest' | 'error'

/** How a channel is made. */
export interface ChannelOptions<T> {
  /** How many items it holds at most; 1 or more. Blocked senders hold one more each. */
  readonly capacity: number
  readonly overflow: Overflow
  /** How many priorities there are, 1 to 16. Default 1. Priority 0 is the lowest. */
  readonly priorities?: number
  /** Told of each item that was dropped. */
  readonly onDrop?: (item: T) => void
  /** Aborting it throws away what is inside; everybody who waits or comes later gets the reason. */
  readonly signal?: AbortSignal | undefined
}

/**
 * A bounded queue. Items are read by priority, highest first, and in the order they came within one priority. Iterating
 * ends when the channel is closed and empty; leaving the loop early closes it and throws away the rest.
 */
export interface Channel<T> extends AsyncIterable<T> {
  /** Items inside, without those of blocked senders. */
  readonly size: number
  readonly capacity: number
  /** Items dropped so far. */
  readonly dropped: number
  readonly closed: boolean
  readonly paused: boolean
  /**
   * Puts an item in: true when it is in, false when it was dropped. Only a full `block` channel gives a promise, which
   * rejects when the signal aborts or the channel closes first. Throws `channel_closed`, or `channel_full` (`error`).
   */
  send(item: T, priority?: number, options?: { signal?: AbortSignal | undefined }): boolean | Promise<boolean>
  /** Takes the next item at once, or gives undefined: nothing there, paused, or closed. */
  poll(): T | undefined
  /**
   * Waits until there is something to `poll`: true, or false when there never will be again. With `poll` it reads a busy
   * channel without a promise an item. A channel has one reader: `channel_busy` when another one waits already.
   */
  ready(options?: { signal?: AbortSignal | undefined }): boolean | Promise<boolean>
  /** The next item, or undefined when the channel has ended. */
  receive(options?: { signal?: AbortSignal | undefined }): Promise<T | undefined>
  /** Stops giving out items; senders may fill it up. */
  pause(): void
  resume(): void
  /** Resolves once the channel is empty and nobody waits to send, or it was closed and emptied. */
  drain(options?: { signal?: AbortSignal | undefined }): Promise<void>
  /**
   * Takes no more items. What is inside can still be read, also if the channel was paused; then readers end, or reject
   * with `error` where one was given. Blocked senders reject. Closing twice does nothing.
   */
  close(error?: Error): void
}

/** Makes an open, empty channel. */
export function createChannel<T>(options: ChannelOptions<T>): Channel<T> {
  const { capacity, priorities = 1, signal } = options
  checkCount('capacity', capacity, Number.MAX_SAFE_INTEGER)
  checkOverflow(options.overflow)
  checkCount('priorities', priorities, 16)
  const channel = new BoundedChannel<T>(options, priorities)
  if (signal?.aborted) channel.abort(abortReason(signal))
  else signal?.addEventListener('abort', channel.onAbort, { once: true })
  return channel
}

/** Somebody who waits: `settle` wakes them, `fail` rejects them; both detach from the signal. */
interface Waiter {
  settle(value: boolean): void
  fail(error: Error): void
}

interface Sender<T> extends Waiter {
  readonly item: T
  readonly priority: number
}

class BoundedChannel<T> implements Channel<T> {
  readonly capacity: number
  closed = false
  paused = false
  size = 0
  dropped = 0
  readonly #overflow: Overflow
  readonly #onDrop: ((item: T) => void) | undefined
  readonly #signal: AbortSignal | undefined
  readonly #rings: readonly Ring<T>[]
  #reader: Waiter | undefined
  readonly #senders = new Set<Sender<T>>()
  readonly #drainers = new Set<Waiter>()
  #error: Error | undefined

  constructor(options: ChannelOptions<T>, priorities: number) {
    this.capacity = options.capacity
    this.#overflow = options.overflow
    this.#onDrop = options.onDrop
    this.#signal = options.signal
    this.#rings = Array.from({ length: priorities }, () => new Ring<T>())
  }

  send(item: T, priority = 0, options?: { signal?: AbortSignal | undefined }): boolean | Promise<boolean> {
    const ring = this.#rings[priority]
    if (ring === undefined) throw wrongPriority(priority, this.#rings.length)
    if (item === undefined) throw new TellurionError('invalid_value', 'A channel cannot carry undefined; send null.')
    if (this.closed) throw this.#error ?? closedError()
    if (this.size < this.capacity) {
      ring.push(item)
      this.size++
      if (this.#reader && !this.paused) this.#reader.settle(true)
      return true
    }
    switch (this.#overflow) {
      case 'block':
        return this.#waitToSend(item, priority, options?.signal)
      case 'drop-oldest':
        return this.#displace(item, priority)
      case 'drop-newest':
        this.#drop(item)
        return false
      case 'error':
        throw new TellurionError('channel_full', `The queue is full: it holds ${this.capacity} items.`)
      default:
        throw this.#overflow satisfies never
    }
  }

  poll(): T | undefined {
    if (this.paused || this.size === 0) return undefined
    const item = this.#takeHighest()
    if (this.#senders.size > 0) this.#admitSender()
    if (this.size === 0) this.#whenEmpty()
    return item
  }

  ready(options?: { signal?: AbortSignal | undefined }): boolean | Promise<boolean> {
    if (this.size > 0 && !this.paused) return true
    if (this.closed) return this.#error ? Promise.reject(this.#error) : false
    if (this.#reader) throw new TellurionError('channel_busy', 'Another reader waits on this channel; it can have one.')
    return waiting(options?.signal, (reader) => {
      this.#reader = reader
      return () => (this.#reader = undefined)
    })
  }

  receive(options?: { signal?: AbortSignal | undefined }): Promise<T | undefined> {
    const item = this.poll()
    return item === undefined ? this.#receiveLater(options) : Promise.resolve(item)
  }

  pause(): void {
    if (!this.closed) this.paused = true
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    if (this.size > 0) this.#reader?.settle(true)
  }

  async drain(options?: { signal?: AbortSignal | undefined }): Promise<void> {
    if (this.size === 0 && this.#senders.size === 0) return
    await waiting(options?.signal, (drainer) => enlist(this.#drainers, drainer))
  }

  close(error?: Error): void {
    if (this.closed) return
    this.closed = true
    this.#error = error
    this.#signal?.removeEventListener('abort', this.onAbort)
    for (const sender of this.#senders) sender.fail(error ?? closedError())
    // A reader that a pause held back gets what is left; any other learns that nothing comes any more.
    this.paused = false
    if (this.size > 0) this.#reader?.settle(true)
    else this.#whenEmpty()
  }

  /** Closes and forgets: nothing inside is delivered. */
  abort(error?: Error): void {
    for (const ring of this.#rings) ring.clear()
    this.size = 0
    if (error) for (const drainer of this.#drainers) drainer.fail(error)
    this.close(error)
    this.#error = error
    this.#whenEmpty()
  }

  readonly onAbort = (): void => this.abort(abortReason(this.#signal));

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return {
      next: () => {
        const value = this.poll()
        return value === undefined ? this.#nextLater() : Promise.resolve({ done: false, value })
      },
      return: () => {
        this.abort()
        return Promise.resolve({ done: true, value: undefined })
      },
    }
  }

  async #receiveLater(options?: { signal?: AbortSignal | undefined }): Promise<T | undefined> {
    while (await this.ready(options)) {
      const item = this.poll()
      if (item !== undefined) return item
    }
    return undefined
  }

  async #nextLater(): Promise<IteratorResult<T>> {
    const value = await this.#receiveLater()
    return value === undefined ? { done: true, value } : { done: false, value }
  }

  #takeHighest(): T | undefined {
    this.size--
    for (let level = this.#rings.length - 1; level > 0; level--) {
      const ring = this.#rings[level]
      if (ring && ring.size > 0) return ring.shift()
    }
    return this.#rings[0]?.shift()
  }

  #displace(item: T, priority: number): boolean {
    const lowest = this.#rings.findIndex((ring) => ring.size > 0)
    if (lowest > priority) {
      this.#drop(item)
      return false
    }
    const oldest = this.#rings[lowest]?.shift()
    this.#rings[priority]?.push(item)
    if (oldest !== undefined) this.#drop(oldest)
    return true
  }

  #drop(item: T): void {
    this.dropped++
    this.#onDrop?.(item)
  }

  #waitToSend(item: T, priority: number, signal: AbortSignal | undefined): Promise<boolean> {
    return waiting(signal, ({ settle, fail }) => enlist(this.#senders, { item, priority, settle, fail }))
  }

  #admitSender(): void {
    for (const sender of this.#senders) {
      this.#rings[sender.priority]?.push(sender.item)
      this.size++
      sender.settle(true)
      return
    }
  }

  #whenEmpty(): void {
    if (this.#senders.size === 0) for (const drainer of this.#drainers) drainer.settle(true)
    if (!this.closed) return
    if (this.#error) this.#reader?.fail(this.#error)
    else this.#reader?.settle(false)
  }
}

/** A promise for somebody who waits. `enter` puts them on a list and returns how to take them off it again. */
function waiting(signal: AbortSignal | undefined, enter: (waiter: Waiter) => () => void): Promise<boolean> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(abortReason(signal))
      return
    }
    const onAbort = (): void => waiter.fail(abortReason(signal))
    const end = (): void => {
      leave()
      signal?.removeEventListener('abort', onAbort)
    }
    const waiter: Waiter = {
      settle(value) {
        end()
        resolve(value)
      },
      fail(error) {
        end()
        reject(error)
      },
    }
    const leave = enter(waiter)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

function enlist<T>(list: Set<T>, member: T): () => void {
  list.add(member)
  return () => void list.delete(member)
}

function closedError(): TellurionError {
  return new TellurionError('channel_closed', 'The queue is closed; nothing more can be sent.')
}

function checkCount(name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return
  throw new TellurionError('invalid_option', `'${name}' must be a whole number from 1 to ${most}, not ${value}.`)
}

function checkOverflow(overflow: string): void {
  const known: readonly string[] = ['block', 'drop-oldest', 'drop-newest', 'error'] satisfies Overflow[]
  if (known.includes(overflow)) return
  throw new TellurionError('unknown_option', `Unknown overflow policy '${overflow}'.${suggestion(overflow, known)}`)
}

function wrongPriority(priority: number, count: number): TellurionError {
  return new TellurionError(
    'invalid_option',
    `Priority ${priority} does not exist; this channel has 0 to ${count - 1}.`,
  )
}
