// The vector store in a SQLite file: words by FTS5, nearness by exact scan over vectors that are kept in memory. Several
// processes may share the file, and each sees at once what the others wrote.

import { raceAbort, throwIfAborted } from '../../abort/abort.ts'
import { systemClock, type Clock } from '../../clock/clock.ts'
import { TellurionError } from '../../error/error.ts'
import type { Found } from '../../port/vector/best.ts'
import { checkFilter } from '../../port/vector/filter.ts'
import { checkItems, checkNames } from '../../port/vector/item.ts'
import { checkLimit, checkQuery, type PlainQuery } from '../../port/vector/query.ts'
import { rank, type Ranked } from '../../port/vector/ranking.ts'
import { perfectScore, tellingWords } from '../../port/vector/relevance.ts'
import { checkDimensions } from '../../port/vector/unit-vector.ts'
import { queryWords } from '../../port/vector/words.ts'
import type { ScoredItem, StoredDocument, VectorStore } from '../../port/vector-store.ts'
import { openDatabase, type Database } from './database.ts'
import type { DatabaseOptions } from './open-options.ts'
import { VectorCache } from './vector-cache.ts'
import { filterKeys, type KeySet } from './vector-filter.ts'
import { itemOf, ItemWriter, readStore, vectorTables, type ItemRow } from './vector-table.ts'
import { createWriter, type Writer } from './writer.ts'

/** How a file of vectors is opened. */
export interface SqliteVectorOptions extends Omit<DatabaseOptions, 'clock' | 'layout'> {
  /** Bytes of vectors kept in memory; the others are read from the file at each search. Default 1 GiB. */
  readonly cacheBytes?: number
  readonly clock?: Clock
}

/** `application_id` of such a file: "TELV". */
const mark = 0x54454c56

/**
 * Opens the SQLite file `path` as a vector store; it and its folders are made when they are missing. One file is one
 * store. Rejects with `store_unavailable`, `store_read_only`, `store_corrupt`, `store_newer`, `store_full`,
 * `store_locked` or `invalid_option`.
 */
export async function sqliteVectorStore(path: string, options: SqliteVectorOptions = {}): Promise<VectorStore> {
  const { clock = systemClock, cacheBytes = 2 ** 30, ...rest } = options
  if (!Number.isFinite(cacheBytes) || cacheBytes < 0) {
    throw new TellurionError('invalid_option', "'cacheBytes' must be a number of at least 0.")
  }
  const database = await openDatabase(path, { layout: { mark, version: 1, create: vectorTables }, clock, ...rest })
  return handle(database, { writer: createWriter(database, { clock }), cache: new VectorCache(database, cacheBytes) })
}

function handle(database: Database, { writer, cache }: { writer: Writer; cache: VectorCache }): VectorStore {
  return {
    async upsert(items, { replacing = [], signal } = {}) {
      throwIfAborted(signal)
      const plain = checkItems(items)
      const documents = checkNames(replacing, "'replacing'")
      await write(writer, signal, () => {
        const rows = new ItemWriter(database)
        if (plain.dimensions !== undefined) checkDimensions(plain.dimensions, rows.dimensions, 'A vector')
        for (const document of documents) rows.deleteDocument(document)
        for (const item of plain.items) rows.put(item)
        rows.finish()
      })
    },
    async delete(what, { signal } = {}) {
      throwIfAborted(signal)
      const byId = 'ids' in what
      const names = byId ? checkNames(what.ids, "'ids'") : checkNames(what.documents, "'documents'")
      return write(writer, signal, () => {
        const rows = new ItemWriter(database)
        const went = names.reduce((sum, name) => sum + (byId ? rows.deleteItem(name) : rows.deleteDocument(name)), 0)
        if (went > 0) rows.finish()
        return went
      })
    },
    async get(ids, { signal } = {}) {
      throwIfAborted(signal)
      const names = checkNames(ids, "'ids'")
      return inOneMoment(database, () => {
        const read = database.prepare('SELECT item.*, data FROM item LEFT JOIN vector USING (key) WHERE id = ?')
        return names.flatMap((id) => {
          const row = read.get(id)
          return row === undefined ? [] : [itemOf(row as unknown as ItemRow)]
        })
      })
    },
    async search(query, { signal } = {}) {
      throwIfAborted(signal)
      const plain = checkQuery(query)
      const warm = plain.vector === undefined ? undefined : database.read(() => cache.warm())
      if (warm !== undefined) await raceAbort(warm, signal)
      return inOneMoment(database, () => search(database, cache, plain))
    },
    async documents({ after, limit = 1_000, signal } = {}) {
      throwIfAborted(signal)
      checkLimit(limit)
      return database.read(() => {
        // With a minimum SQLite takes the other columns from the row that has it.
        const read = database.prepare(
          `SELECT document, source, count(*) AS items, min(key) FROM item
           WHERE ?1 IS NULL OR document > ?1 GROUP BY document ORDER BY document LIMIT ?2`,
        )
        const rows = read.all(after ?? null, limit) as unknown as readonly StoredDocument[]
        return rows.map(({ document, source, items }) => ({ document, source, items }))
      })
    },
    async count({ filter, signal } = {}) {
      throwIfAborted(signal)
      const { sql, values } = filterKeys(filter === undefined ? { and: [] } : checkFilter(filter))
      return database.read(() => {
        const read = database.sqlite.prepare(`SELECT count(*) AS n FROM (${sql})`)
        return (read.get(...values) as { n: number }).n
      })
    },
    async close() {
      await writer.close()
      cache.close()
      database.close()
    },
  }
}

/** Writes unless the signal has aborted by the time it is this job's turn. */
async function write<T>(writer: Writer, signal: AbortSignal | undefined, job: () => T): Promise<T> {
  const outcome = await writer.write(() => (signal?.aborted === true ? undefined : { value: job() }))
  if (outcome !== undefined) return outcome.value
  throwIfAborted(signal)
  throw new TellurionError('aborted', 'The write was cancelled before it began.')
}

/** Reads several things as they are at one moment, whatever other processes write. */
function inOneMoment<T>(database: Database, read: () => T): Promise<T> {
  return database.read(() => {
    database.prepare('BEGIN').run()
    try {
      return read()
    } finally {
      if (database.sqlite.isTransaction) database.prepare('COMMIT').run()
    }
  })
}

function search(database: Database, cache: VectorCache, query: PlainQuery): ScoredItem[] {
  const store = readStore(database)
  if (query.vector !== undefined && store.vectors > 0) {
    checkDimensions(query.vector.length, store.dimensions ?? undefined, 'The vector of the query')
  }
  const narrow = query.filter === undefined ? undefined : filterKeys(query.filter)
  const ranked = rank(query, {
    byVector: (vector, limit, minScore) => {
      const keys = narrow === undefined ? undefined : keysMeeting(database, narrow)
      return store.vectors === 0 ? [] : cache.scan(vector, store, { limit, minScore, keys })
    },
    byText: (text, limit) => searchWords(database, text, { limit, narrow, texts: store.texts }),
  })
  const read = database.prepare('SELECT * FROM item WHERE key = ?')
  return ranked.map(({ key, ...scores }: Ranked) => ({
    ...itemOf(read.get(key) as unknown as ItemRow),
    ...scores,
  }))
}

// Statements of filters are not kept: there are as many as there are filters.
function keysMeeting(database: Database, { sql, values }: KeySet): number[] {
  const read = database.sqlite.prepare(`SELECT key FROM (${sql}) ORDER BY key`)
  read.setReturnArrays(true)
  return (read.all(...values) as unknown as readonly (readonly [number])[]).map(([key]) => key)
}

function searchWords(
  database: Database,
  text: string,
  { limit, narrow, texts }: { limit: number; narrow: KeySet | undefined; texts: number },
): Found[] {
  const vocabulary = database.prepare('SELECT doc FROM vocabulary WHERE term = ?')
  const withWord = (word: string): number => (vocabulary.get(word) as { doc: number } | undefined)?.doc ?? 0
  const telling = tellingWords(queryWords(text), { texts, withWord })
  if (telling.length === 0) return []
  // No word holds a quotation mark. The plus keeps SQLite from asking FTS5 about every single key.
  const wanted = telling.map(({ word }) => `"${word}"`).join(' OR ')
  const narrowed = narrow === undefined ? '' : `AND +rowid IN (${narrow.sql})`
  const sql = `SELECT rowid AS key, bm25(words) AS score FROM words WHERE words MATCH ? ${narrowed}
               ORDER BY score, rowid LIMIT ?`
  const read = narrow === undefined ? database.prepare(sql) : database.sqlite.prepare(sql)
  const rows = read.all(wanted, ...(narrow?.values ?? []), limit) as unknown as readonly Found[]
  const perfect = perfectScore(telling.map(({ weight }) => weight))
  // FTS5 counts downwards from zero, so that the best comes first.
  return rows.map(({ key, score }) => ({ key, score: -score / perfect }))
}
