// The vectors of a file in memory, brought up to date before each search by reading what is new and what is gone. What
// does not fit is read from the file each time: slower, and just as right.

import { setImmediate } from 'node:timers'
import { Best, type Found } from '../../port/vector/best.ts'
import { clamp, dotProduct, leastProduct, VectorBlocks, type ScanOptions } from '../../port/vector/blocks.ts'
import type { Database } from './database.ts'
import { storeError } from './failure.ts'
import { floatsOf, readStore, type StoreRow } from './vector-table.ts'

/** Vectors that are read before other work of the process gets a turn. */
const pageSize = 2_000

/** The cached vectors of one handle. */
export class VectorCache {
  readonly #database: Database
  readonly #maxBytes: number
  #blocks: VectorBlocks | undefined
  /** Everything up to this key is cached. */
  #lastKey = 0
  /** The line of `gone` up to which it was read. */
  #gone = 0
  #warming: Promise<void> | undefined
  #closed = false

  constructor(database: Database, maxBytes: number) {
    this.#database = database
    this.#maxBytes = maxBytes
  }

  close(): void {
    this.#closed = true
    this.#blocks = undefined
  }

  /** Reads most of what is new, page by page, while other work goes on. Undefined when there is little to read. */
  warm(): Promise<void> | undefined {
    if (this.#warming === undefined && this.#missing() > pageSize) {
      this.#warming = this.#readPages().finally(() => (this.#warming = undefined))
    }
    return this.#warming
  }

  /**
   * The best keys for a query of length 1. Call it inside a read transaction: it reads the rest of what is new, and
   * scans what is cached and what is not.
   */
  scan(query: Float32Array, store: StoreRow, { limit, minScore = -1, keys }: ScanOptions): Found[] {
    const blocks = this.#sync(store)
    if (blocks === undefined) return []
    this.#load(Infinity)
    const best = new Best(Math.min(limit, Math.max(1, store.vectors)))
    blocks.scanInto(best, query, { minScore, keys })
    if (blocks.size < store.vectors) this.#scanFile(best, query, { minScore, keys })
    return best.ranking()
  }

  #missing(): number {
    if (this.#closed) return 0
    const store = readStore(this.#database)
    const blocks = this.#sync(store)
    return blocks === undefined ? 0 : Math.min(store.vectors, this.#room(blocks)) - blocks.size
  }

  /** How many vectors may be cached. */
  #room({ dimensions }: VectorBlocks): number {
    return Math.floor(this.#maxBytes / (dimensions * 4))
  }

  async #readPages(): Promise<void> {
    while (this.#missing() > pageSize) {
      if ((await this.#database.read(() => this.#load(pageSize))) === 0) return
      await new Promise<void>((resolve) => void setImmediate(resolve))
    }
  }

  /** Forgets what is gone, or everything when it cannot be told. Undefined for a store without vectors. */
  #sync({ dimensions, gone, gone_from: from }: StoreRow): VectorBlocks | undefined {
    if (dimensions === null) return undefined
    if (this.#blocks?.dimensions !== dimensions || this.#gone < from - 1) {
      this.#blocks = new VectorBlocks(dimensions)
      this.#lastKey = 0
      this.#gone = gone
      return this.#blocks
    }
    if (this.#gone < gone) {
      const read = this.#database.prepare('SELECT key FROM gone WHERE number > ?')
      for (const { key } of read.iterate(this.#gone)) this.#blocks.delete(key as number)
      this.#gone = gone
    }
    return this.#blocks
  }

  /** Caches the next vectors, as far as there is room; returns how many. */
  #load(limit: number): number {
    const blocks = this.#blocks!
    const count = Math.min(limit, this.#room(blocks) - blocks.size)
    if (count <= 0) return 0
    const read = this.#database.prepare('SELECT key, data FROM vector WHERE key > ? ORDER BY key LIMIT ?')
    let loaded = 0
    for (const row of read.iterate(this.#lastKey, Math.min(count, Number.MAX_SAFE_INTEGER))) {
      const { key, data } = row as unknown as { key: number; data: Uint8Array }
      blocks.add(key, this.#vectorOf(data, blocks.dimensions))
      this.#lastKey = key
      loaded++
    }
    return loaded
  }

  #vectorOf(data: Uint8Array, dimensions: number): Float32Array {
    if (data.byteLength === dimensions * 4) return floatsOf(data)
    throw storeError('store_corrupt', this.#database.path, `a vector in it has ${data.byteLength} bytes`)
  }

  #scanFile(best: Best, query: Float32Array, { minScore = -1, keys }: Omit<ScanOptions, 'limit'>): void {
    const allowed = keys === undefined ? undefined : new Set(keys)
    const least = leastProduct(minScore)
    const read = this.#database.prepare('SELECT key, data FROM vector WHERE key > ?')
    for (const row of read.iterate(this.#lastKey)) {
      const { key, data } = row as unknown as { key: number; data: Uint8Array }
      if (allowed !== undefined && !allowed.has(key)) continue
      const score = dotProduct(this.#vectorOf(data, query.length), 0, query)
      if (score >= least) best.offer(clamp(score), key)
    }
  }
}
