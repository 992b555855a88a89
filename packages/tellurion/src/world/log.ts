// Logs: sequences that grow. A view is immutable and shares its chunks with every other view of the same past, so
// appending copies nothing, a fork is free, and a reader never sees later writes.

const shift = 6
const chunkSize = 1 << shift
const mask = chunkSize - 1

/**
 * A read-only sequence of `length` items. All chunks but the last are full. A chunk, and the list of chunks, may be
 * longer than this view knows: whoever appended first claimed the space, everybody else copies the tail.
 */
export class LogView<T> implements Iterable<T> {
  static readonly pieceSize = chunkSize
  readonly length: number
  readonly #chunks: T[][]

  private constructor(chunks: T[][], length: number) {
    this.#chunks = chunks
    this.length = length
  }

  /** The log of no items. */
  static empty<T>(): LogView<T> {
    return new LogView<T>([], 0)
  }

  /** A log of the given items. */
  static from<T>(items: readonly T[]): LogView<T> {
    return LogView.empty<T>().append(items)
  }

  /** The item at `index`; negative counts from the end; undefined outside. */
  at(index: number): T | undefined {
    const whole = Math.trunc(index)
    const position = whole < 0 ? this.length + whole : whole
    if (position < 0 || position >= this.length) return undefined
    return this.#chunks[position >> shift]?.[position & mask]
  }

  /** A copy of the items from `start` to before `end`, with the meaning of `Array.prototype.slice`. */
  slice(start = 0, end = this.length): T[] {
    const from = this.#clamp(start)
    const to = this.#clamp(end)
    const result: T[] = []
    for (let index = from; index < to; index++) result.push(this.#chunks[index >> shift]![index & mask]!)
    return result
  }

  #clamp(index: number): number {
    const whole = Math.trunc(index) || 0
    return whole < 0 ? Math.max(this.length + whole, 0) : Math.min(whole, this.length)
  }

  toArray(): T[] {
    return this.slice()
  }

  *[Symbol.iterator](): Iterator<T> {
    const { length } = this
    for (let index = 0; index < length; index++) yield this.#chunks[index >> shift]![index & mask]!
  }

  /**
   * The items in pieces, oldest first. A piece of `LogView.pieceSize` items is never changed and is shared by every log
   * that has it, so what was made of it may be remembered.
   */
  *pieces(): Iterable<readonly T[]> {
    const full = this.length >> shift
    for (let index = 0; index < full; index++) yield this.#chunks[index]!
    if ((this.length & mask) > 0) yield this.slice(full << shift)
  }

  toJSON(): T[] {
    return this.toArray()
  }

  /** This log and `items` behind it. Constant in the length of the log. */
  append(items: readonly T[]): LogView<T> {
    if (items.length === 0) return this
    let { length } = this
    let chunks = this.#chunks
    for (const item of items) {
      const index = length >> shift
      const offset = length & mask
      // Someone else has already appended behind this view: leave their list alone.
      if (chunks.length > index + (offset === 0 ? 0 : 1)) chunks = chunks.slice(0, offset === 0 ? index : index + 1)
      const chunk = chunks[index]
      if (chunk === undefined) chunks.push([item])
      else if (chunk.length === offset) chunk.push(item)
      else {
        if (chunks === this.#chunks) chunks = chunks.slice()
        chunks[index] = [...chunk.slice(0, offset), item]
      }
      length++
    }
    return new LogView(chunks, length)
  }

  /** This log with `deleteCount` items from `start` replaced. Costs what lies behind `start`, but for one by one. */
  splice(start: number, deleteCount: number, items: readonly T[]): LogView<T> {
    if (deleteCount === items.length && start + deleteCount <= this.length) return this.#replace(start, items)
    const kept = start & ~mask
    const head = new LogView(this.#chunks.slice(0, kept >> shift), kept)
    return head.append([...this.slice(kept, start), ...items, ...this.slice(start + deleteCount)])
  }

  /** This log with others in the place of as many items: what lies behind them stays where it is, and shared. */
  #replace(start: number, items: readonly T[]): LogView<T> {
    const { length } = this
    const chunks = this.#chunks.slice(0, (length + mask) >> shift)
    let copied = -1
    for (let offset = 0; offset < items.length; offset++) {
      const index = (start + offset) >> shift
      if (index !== copied) chunks[index] = chunks[index]!.slice(0, length - (index << shift))
      copied = index
      chunks[index]![(start + offset) & mask] = items[offset]!
    }
    return new LogView(chunks, length)
  }
}
