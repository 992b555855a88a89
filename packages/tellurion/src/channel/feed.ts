// A feed: a bounded queue from whoever tells to the one who reads, without waiting senders, priorities or signals. What
// an agent's stream needs and no more; whoever needs more takes a channel.

import { TellurionError } from '../error/error.ts'
import { Ring } from './ring.ts'

/**
 * Items in the order in which they came. Iterating ends when the feed is closed and empty, or throws the error it was
 * closed with; leaving the loop early closes it and throws away the rest.
 */
export class Feed<T extends object> implements AsyncIterable<T> {
  readonly #capacity: number
  readonly #ring = new Ring<T>()
  #closed = false
  #error: Error | undefined
  #wake: (() => void) | undefined

  /** `capacity`: how many items it holds at most. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#ring.size
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Puts an item in. Throws `channel_full`; what comes after the end is not taken. */
  push(item: T): void {
    if (this.#closed) return
    if (this.size >= this.#capacity) {
      throw new TellurionError('channel_full', `The queue is full: it holds ${this.#capacity} items.`)
    }
    this.#ring.push(item)
    this.#wake?.()
  }

  /** Takes no more items; what is inside can still be read. Closing twice does nothing. */
  close(error?: Error): void {
    if (this.#closed) return
    this.#closed = true
    this.#error = error
    this.#wake?.()
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return {
      next: () => {
        const value = this.#ring.shift()
        return value === undefined ? this.#later() : Promise.resolve({ done: false, value })
      },
      return: () => {
        this.#ring.clear()
        this.close()
        return Promise.resolve({ done: true, value: undefined })
      },
    }
  }

  async #later(): Promise<IteratorResult<T>> {
    if (this.#wake !== undefined) {
      throw new TellurionError('channel_busy', 'Another reader waits on this stream; it can have one.')
    }
    while (this.size === 0 && !this.#closed) await new Promise<void>((wake) => (this.#wake = wake))
    this.#wake = undefined
    const value = this.#ring.shift()
    if (value !== undefined) return { done: false, value }
    if (this.#error !== undefined) throw this.#error
    return { done: true, value }
  }
}
