// The vector store in memory: for tests, for one process, and for what can be indexed again. It is gone at exit.

import { throwIfAborted } from '../abort/abort.ts'
import { TellurionError } from '../error/error.ts'
import type { MetadataFilter } from '../port/metadata-filter.ts'
import { VectorBlocks } from '../port/vector/blocks.ts'
import { checkFilter, filterPredicate } from '../port/vector/filter.ts'
import { checkItems, checkNames } from '../port/vector/item.ts'
import { checkLimit, checkQuery } from '../port/vector/query.ts'
import { rank, type Ranked } from '../port/vector/ranking.ts'
import { compareTexts } from '../port/vector/text-order.ts'
import { checkDimensions } from '../port/vector/unit-vector.ts'
import type { ScoredItem, StoredDocument, StoredItem, VectorStore } from '../port/vector-store.ts'
import { WordIndex } from './word-index.ts'

/** An item without its vector, which lies in the blocks. */
type Row = Omit<StoredItem, 'vector'>

/**
 * Makes an empty store. Nearness is found by exact scan. It holds everything in memory, 4 bytes for each entry of a
 * vector; every call is answered at once, so a search keeps the event loop for as long as it takes.
 */
export function memoryVectorStore(): VectorStore {
  let tables = new Tables()
  let closed = false
  const enter = (signal: AbortSignal | undefined): void => {
    if (closed) throw new TellurionError('store_closed', 'The vector store has been closed; make a new one.')
    throwIfAborted(signal)
  }
  return {
    async upsert(items, { replacing = [], signal } = {}) {
      enter(signal)
      const plain = checkItems(items)
      const documents = checkNames(replacing, "'replacing'")
      if (plain.dimensions !== undefined) checkDimensions(plain.dimensions, tables.dimensions, 'A vector')
      for (const document of documents) tables.deleteDocument(document)
      for (const item of plain.items) tables.put(item)
    },
    async delete(what, { signal } = {}) {
      enter(signal)
      if ('ids' in what) return sum(checkNames(what.ids, "'ids'"), (id) => tables.deleteItem(id))
      return sum(checkNames(what.documents, "'documents'"), (document) => tables.deleteDocument(document))
    },
    async get(ids, { signal } = {}) {
      enter(signal)
      return checkNames(ids, "'ids'").flatMap((id) => tables.read(id) ?? [])
    },
    async search(query, { signal } = {}) {
      enter(signal)
      return tables.search(checkQuery(query))
    },
    async documents({ after, limit = 1_000, signal } = {}) {
      enter(signal)
      checkLimit(limit)
      return tables.documents(after, limit)
    },
    async count({ filter, signal } = {}) {
      enter(signal)
      return filter === undefined ? tables.size : tables.meeting(checkFilter(filter)).length
    },
    async close() {
      closed = true
      tables = new Tables()
    },
  }
}

/** The rows by key; keys rise with every write and are never used again. */
class Tables {
  readonly #rows = new Map<number, Row>()
  readonly #keyOfId = new Map<string, number>()
  readonly #keysOfDocument = new Map<string, Set<number>>()
  readonly #words = new WordIndex()
  #vectors: VectorBlocks | undefined
  #lastKey = 0

  get size(): number {
    return this.#rows.size
  }

  /** The length of all vectors; undefined while there are none. */
  get dimensions(): number | undefined {
    return this.#vectors === undefined || this.#vectors.size === 0 ? undefined : this.#vectors.dimensions
  }

  put({ vector, ...row }: StoredItem): void {
    this.deleteItem(row.id)
    const key = ++this.#lastKey
    this.#rows.set(key, row)
    this.#keyOfId.set(row.id, key)
    const keys = this.#keysOfDocument.get(row.document)
    if (keys === undefined) this.#keysOfDocument.set(row.document, new Set([key]))
    else keys.add(key)
    if (row.text !== undefined) this.#words.add(key, `${row.title ?? ''}\n${row.text}`)
    if (vector === undefined) return
    if (this.dimensions === undefined) this.#vectors = new VectorBlocks(vector.length)
    this.#vectors?.add(key, vector)
  }

  deleteItem(id: string): number {
    const key = this.#keyOfId.get(id)
    const row = key === undefined ? undefined : this.#rows.get(key)
    if (key === undefined || row === undefined) return 0
    this.#rows.delete(key)
    this.#keyOfId.delete(id)
    const keys = this.#keysOfDocument.get(row.document)
    keys?.delete(key)
    if (keys?.size === 0) this.#keysOfDocument.delete(row.document)
    this.#words.delete(key)
    this.#vectors?.delete(key)
    return 1
  }

  deleteDocument(document: string): number {
    return sum([...(this.#keysOfDocument.get(document) ?? [])], (key) => this.deleteItem(this.#rows.get(key)!.id))
  }

  read(id: string): StoredItem | undefined {
    const key = this.#keyOfId.get(id)
    if (key === undefined) return undefined
    const vector = this.#vectors?.get(key)
    return { ...structuredClone(this.#rows.get(key)!), ...(vector === undefined ? {} : { vector: vector.slice() }) }
  }

  /** The keys of items that meet a filter, oldest first. */
  meeting(filter: MetadataFilter): number[] {
    const meets = filterPredicate(filter)
    const keys: number[] = []
    for (const [key, row] of this.#rows) if (meets(row)) keys.push(key)
    return keys
  }

  search(query: ReturnType<typeof checkQuery>): ScoredItem[] {
    if (query.vector !== undefined) checkDimensions(query.vector.length, this.dimensions, 'The vector of the query')
    const keys = query.filter === undefined ? undefined : this.meeting(query.filter)
    const ranked = rank(query, {
      byVector: (vector, limit, minScore) => this.#vectors?.scan(vector, { limit, minScore, keys }) ?? [],
      byText: (text, limit) => this.#words.search(text, { limit, keys }),
    })
    return ranked.map((found) => this.#scored(found))
  }

  #scored({ key, ...scores }: Ranked): ScoredItem {
    return { ...structuredClone(this.#rows.get(key)!), ...scores }
  }

  documents(after: string | undefined, limit: number): StoredDocument[] {
    return [...this.#keysOfDocument]
      .filter(([document]) => after === undefined || compareTexts(document, after) > 0)
      .sort(([a], [b]) => compareTexts(a, b))
      .slice(0, limit)
      .map(([document, keys]) => {
        const [oldest = 0] = keys
        return { document, source: this.#rows.get(oldest)!.source, items: keys.size }
      })
  }
}

function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0)
}
