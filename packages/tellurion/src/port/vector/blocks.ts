// Many vectors of one length in blocks of memory, found by exact scan: every vector is looked at, none is missed. Rows
// stand in the order of their keys, which rise.

import { Best, type Found } from './best.ts'

/** Entries of a block: 1 MiB of floats. */
const blockEntries = 262_144
/** Rows that may be dead before the rest moves together, and which part of all they must be. */
const fewDead = 1_024
const deadPart = 0.25

/** How a scan is narrowed. */
export interface ScanOptions {
  readonly limit: number
  /** Lower scores are left out. Default -1. */
  readonly minScore?: number | undefined
  /** Only these keys, which must rise; all where it is absent. */
  readonly keys?: readonly number[] | undefined
}

/** Vectors of length 1 by key. `scan` gives the keys with the highest dot product, which is the cosine. */
export class VectorBlocks {
  readonly dimensions: number
  readonly #rowsPerBlock: number
  readonly #blocks: Float32Array[] = []
  /** The key of each row, also of the dead ones, whose vectors begin with NaN. */
  #keys: number[] = []
  #dead = 0
  /** The products of four rows that are multiplied together. */
  readonly #four = new Float64Array(4)

  constructor(dimensions: number) {
    this.dimensions = dimensions
    // A multiple of four, so that four rows always lie in one block.
    this.#rowsPerBlock = Math.max(4, Math.floor(blockEntries / dimensions / 4) * 4)
  }

  get size(): number {
    return this.#keys.length - this.#dead
  }

  /** Puts a vector under a key that is higher than all before it. */
  add(key: number, vector: Float32Array): void {
    const row = this.#keys.push(key) - 1
    if (row === this.#blocks.length * this.#rowsPerBlock) {
      this.#blocks.push(new Float32Array(this.#rowsPerBlock * this.dimensions))
    }
    this.#row(row).set(vector)
  }

  /** The vector of a key; it is the stored one, so it must not be changed or kept. */
  get(key: number): Float32Array | undefined {
    const at = this.#find(key, 0)
    const row = this.#keys[at] === key ? this.#row(at) : undefined
    return row === undefined || isDead(row) ? undefined : row
  }

  delete(key: number): boolean {
    const vector = this.get(key)
    if (vector === undefined) return false
    vector[0] = Number.NaN
    this.#dead++
    if (this.#dead > Math.max(fewDead, this.#keys.length * deadPart)) this.#moveTogether()
    return true
  }

  /** The best keys for a query of length 1, best first. Looks at everything: about 0.3 µs a vector of 384 entries. */
  scan(query: Float32Array, options: ScanOptions): Found[] {
    const best = new Best(Math.min(options.limit, Math.max(1, this.size)))
    this.scanInto(best, query, options)
    return best.ranking()
  }

  /** The same, into a heap that may hold what was found elsewhere. */
  scanInto(best: Best, query: Float32Array, { minScore = -1, keys }: Omit<ScanOptions, 'limit'>): void {
    if (keys === undefined) this.#scanAll(best, query, leastProduct(minScore))
    else this.#scanSome(best, query, { least: leastProduct(minScore), keys })
  }

  #scanAll(best: Best, query: Float32Array, least: number): void {
    const four = this.#four
    const keys = this.#keys
    const { dimensions } = this
    let row = 0
    let threshold = Math.max(least, best.threshold)
    for (const block of this.#blocks) {
      const rows = Math.min(this.#rowsPerBlock, keys.length - row)
      for (let first = 0; first < rows; first += 4) {
        multiplyFour(block, first * dimensions, query, four)
        for (let at = 0; at < 4 && first + at < rows; at++) {
          const score = four[at]!
          // Of a dead row it is NaN, which is not at least anything.
          if (!(score >= threshold)) continue
          best.offer(clamp(score), keys[row + first + at]!)
          threshold = Math.max(least, best.threshold)
        }
      }
      row += rows
    }
  }

  #scanSome(
    best: Best,
    query: Float32Array,
    { least, keys }: { readonly least: number; readonly keys: readonly number[] },
  ): void {
    let row = 0
    for (const key of keys) {
      row = this.#find(key, row)
      if (this.#keys[row] !== key) continue
      const inBlock = row % this.#rowsPerBlock
      const block = this.#blocks[(row - inBlock) / this.#rowsPerBlock]!
      const score = dotProduct(block, inBlock * this.dimensions, query)
      if (score >= least) best.offer(clamp(score), key)
    }
  }

  /** The first row from `from` on whose key is at least `key`: near ones are found in a step or two. */
  #find(key: number, from: number): number {
    const keys = this.#keys
    let [low, step] = [from, 1]
    while (low + step < keys.length && keys[low + step - 1]! < key) {
      low += step
      step *= 2
    }
    let high = Math.min(low + step, keys.length)
    while (low < high) {
      const middle = (low + high) >>> 1
      if (keys[middle]! < key) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Closes the gaps that dead rows left. */
  #moveTogether(): void {
    const keys: number[] = []
    this.#keys.forEach((key, at) => {
      const vector = this.#row(at)
      if (isDead(vector)) return
      const row = keys.push(key) - 1
      if (row !== at) this.#row(row).set(vector)
    })
    this.#keys = keys
    this.#dead = 0
    this.#blocks.length = Math.ceil(keys.length / this.#rowsPerBlock)
  }

  #row(row: number): Float32Array {
    const inBlock = row % this.#rowsPerBlock
    const start = inBlock * this.dimensions
    return this.#blocks[(row - inBlock) / this.#rowsPerBlock]!.subarray(start, start + this.dimensions)
  }
}

/** What a product must reach for its cosine to reach `minScore`: rounding may leave it a hair outside of -1 to 1. */
export function leastProduct(minScore: number): number {
  return minScore <= -1 ? -Infinity : minScore
}

/** A product as a cosine. */
export function clamp(product: number): number {
  return Math.min(1, Math.max(-1, product))
}

function isDead(vector: Float32Array): boolean {
  return Number.isNaN(vector[0])
}

/** The products of `query` with four rows that begin at `start`; columns go in pairs, which is what V8 does best. */
function multiplyFour(rows: Float32Array, start: number, query: Float32Array, products: Float64Array): void {
  const { length } = query
  const second = start + length
  const third = second + length
  const fourth = third + length
  let [a, b, c, d] = [0, 0, 0, 0]
  let at = 0
  for (; at + 1 < length; at += 2) {
    const x = query[at]!
    const y = query[at + 1]!
    a += rows[start + at]! * x + rows[start + at + 1]! * y
    b += rows[second + at]! * x + rows[second + at + 1]! * y
    c += rows[third + at]! * x + rows[third + at + 1]! * y
    d += rows[fourth + at]! * x + rows[fourth + at + 1]! * y
  }
  if (at < length) {
    const x = query[at]!
    a += rows[start + at]! * x
    b += rows[second + at]! * x
    c += rows[third + at]! * x
    d += rows[fourth + at]! * x
  }
  products[0] = a
  products[1] = b
  products[2] = c
  products[3] = d
}

/** The product with the row that begins at `start`: the same operations in the same order as `multiplyFour`. */
export function dotProduct(rows: Float32Array, start: number, query: Float32Array): number {
  const { length } = query
  let sum = 0
  let at = 0
  for (; at + 1 < length; at += 2) {
    sum += rows[start + at]! * query[at]! + rows[start + at + 1]! * query[at + 1]!
  }
  return at < length ? sum + rows[start + at]! * query[at]! : sum
}
