// Many vectors of one length in blocks of memory, found by exact scan: every vector is looked at, none is missed.
// Rows are reused, keys are not.

import { Best, type Found } from './best.ts'

/** Entries of a block: 1 MiB of floats. */
const blockEntries = 262_144

/** How a scan is narrowed. */
export interface ScanOptions {
  readonly limit: number
  /** Lower scores are left out. */
  readonly minScore?: number | undefined
  /** Only these keys; all where it is absent. */
  readonly keys?: readonly number[] | undefined
}

/** Vectors of length 1 by key. `scan` gives the keys with the highest dot product, which is the cosine. */
export class VectorBlocks {
  readonly dimensions: number
  readonly #rowsPerBlock: number
  #blocks: Float32Array[] = []
  #keys: number[] = []
  readonly #rowOfKey = new Map<number, number>()
  /** The scores of four rows that are multiplied together. */
  readonly #four = new Float64Array(4)

  constructor(dimensions: number) {
    this.dimensions = dimensions
    // A multiple of four, so that four rows always lie in one block.
    this.#rowsPerBlock = Math.max(4, Math.floor(blockEntries / dimensions / 4) * 4)
  }

  get size(): number {
    return this.#keys.length
  }

  /** The keys in no particular order; must not be changed. */
  get keys(): readonly number[] {
    return this.#keys
  }

  /** A row for a new key, to be filled by the caller at once. */
  add(key: number): Float32Array {
    const row = this.#keys.length
    const block = Math.floor(row / this.#rowsPerBlock)
    if (block === this.#blocks.length) this.#blocks.push(new Float32Array(this.#rowsPerBlock * this.dimensions))
    this.#keys.push(key)
    this.#rowOfKey.set(key, row)
    return this.#row(row)
  }

  has(key: number): boolean {
    return this.#rowOfKey.has(key)
  }

  /** The vector of a key; it is the stored one, so it must not be changed or kept. */
  get(key: number): Float32Array | undefined {
    const row = this.#rowOfKey.get(key)
    return row === undefined ? undefined : this.#row(row)
  }

  /** Takes a vector away; the last one moves into its row. */
  delete(key: number): boolean {
    const row = this.#rowOfKey.get(key)
    if (row === undefined) return false
    const last = this.#keys.length - 1
    if (row !== last) {
      const moved = this.#keys[last]!
      this.#row(row).set(this.#row(last))
      this.#keys[row] = moved
      this.#rowOfKey.set(moved, row)
    }
    this.#keys.pop()
    this.#rowOfKey.delete(key)
    // One spare block stays, so that a store that breathes does not allocate.
    this.#blocks.length = Math.min(this.#blocks.length, Math.ceil(last / this.#rowsPerBlock) + 1)
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
    // Rounding may leave a product a hair outside of -1 to 1.
    const least = minScore <= -1 ? -Infinity : minScore
    if (keys === undefined) this.#scanAll(best, query, least)
    else this.#scanSome(best, query, { minScore: least, keys })
  }

  #scanAll(best: Best, query: Float32Array, minScore: number): void {
    const four = this.#four
    const { dimensions } = this
    const size = this.size
    let row = 0
    let threshold = Math.max(minScore, best.threshold)
    for (const block of this.#blocks) {
      const rows = Math.min(this.#rowsPerBlock, size - row)
      for (let first = 0; first < rows; first += 4) {
        multiplyFour(block, first * dimensions, query, four)
        for (let at = 0; at < 4 && first + at < rows; at++) {
          const score = four[at]!
          if (score < threshold) continue
          best.offer(clamp(score), this.#keys[row + first + at]!)
          threshold = Math.max(minScore, best.threshold)
        }
      }
      row += rows
    }
  }

  #scanSome(
    best: Best,
    query: Float32Array,
    { minScore, keys }: { readonly minScore: number; readonly keys: readonly number[] },
  ): void {
    for (const key of keys) {
      const row = this.#rowOfKey.get(key)
      if (row === undefined) continue
      const inBlock = row % this.#rowsPerBlock
      const block = this.#blocks[(row - inBlock) / this.#rowsPerBlock]!
      const score = dotProduct(block, inBlock * this.dimensions, query)
      if (score >= minScore) best.offer(clamp(score), key)
    }
  }

  #row(row: number): Float32Array {
    const inBlock = row % this.#rowsPerBlock
    const start = inBlock * this.dimensions
    return this.#blocks[(row - inBlock) / this.#rowsPerBlock]!.subarray(start, start + this.dimensions)
  }
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

/** A product as a cosine. */
export function clamp(product: number): number {
  return Math.min(1, Math.max(-1, product))
}
