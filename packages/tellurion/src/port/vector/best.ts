// The best of many: a heap that never holds more than it was asked for and allocates nothing while it is filled.

/** Something that was found, by its number in the store. */
export interface Found {
  readonly key: number
  readonly score: number
}

/** Keeps the `limit` highest scores of those it is offered; of equal ones the lower keys. */
export class Best {
  readonly #scores: Float64Array
  readonly #keys: Float64Array
  #size = 0

  constructor(limit: number) {
    this.#scores = new Float64Array(limit)
    this.#keys = new Float64Array(limit)
  }

  /** What a score must reach to be worth offering. */
  get threshold(): number {
    return this.#size < this.#scores.length ? -Infinity : this.#scores[0]!
  }

  offer(score: number, key: number): void {
    const size = this.#size
    if (size < this.#scores.length) {
      this.#size++
      this.#rise(size, score, key)
    } else if (this.#isWorse(0, score, key)) this.#sink(score, key)
  }

  /** What is left, best first. */
  ranking(): Found[] {
    return Array.from({ length: this.#size }, (_, at) => ({ key: this.#keys[at]!, score: this.#scores[at]! })).sort(
      (a, b) => b.score - a.score || a.key - b.key,
    )
  }

  /** Whether the entry `at` has to give way to this one. */
  #isWorse(at: number, score: number, key: number): boolean {
    const own = this.#scores[at]!
    return own < score || (own === score && this.#keys[at]! > key)
  }

  #put(at: number, score: number, key: number): void {
    this.#scores[at] = score
    this.#keys[at] = key
  }

  /** From the end of the heap upwards: the worst stands at 0. */
  #rise(from: number, score: number, key: number): void {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (this.#isWorse(parent, score, key)) break
      this.#put(at, this.#scores[parent]!, this.#keys[parent]!)
      at = parent
    }
    this.#put(at, score, key)
  }

  /** In the place of the worst, downwards. */
  #sink(score: number, key: number): void {
    const size = this.#size
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= size) break
      const other = child + 1
      if (other < size && this.#isWorse(other, this.#scores[child]!, this.#keys[child]!)) child = other
      if (!this.#isWorse(child, score, key)) break
      this.#put(at, this.#scores[child]!, this.#keys[child]!)
      at = child
    }
    this.#put(at, score, key)
  }
}
