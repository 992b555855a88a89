// A queue in an array that is used in a circle: push and shift take constant time and it grows by doubling.

/** A first-in first-out queue. It has no bound of its own: whoever fills it keeps one. */
export class Ring<T> {
  #items: (T | undefined)[] = []
  #head = 0
  #count = 0

  get size(): number {
    return this.#count
  }

  /** The oldest item, left where it is. */
  get first(): T | undefined {
    return this.#count === 0 ? undefined : this.#items[this.#head]
  }

  push(item: T): void {
    if (this.#count === this.#items.length) this.#grow()
    this.#items[(this.#head + this.#count) & (this.#items.length - 1)] = item
    this.#count++
  }

  /** Takes the oldest item. Undefined when there is none. */
  shift(): T | undefined {
    if (this.#count === 0) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#items.length - 1)
    this.#count--
    return item
  }

  clear(): void {
    this.#items = []
    this.#head = 0
    this.#count = 0
  }

  #grow(): void {
    const items = this.#items
    const head = this.#head
    const ordered = [...items.slice(head), ...items.slice(0, head)]
    ordered.length = Math.max(16, items.length * 2)
    this.#items = ordered.fill(undefined, items.length)
    this.#head = 0
  }
}
