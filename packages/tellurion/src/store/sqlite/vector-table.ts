// The tables of a vector store in SQLite, and the rows of an item. A key is never used again, so what is cached under
// one never changes: it comes with a higher key, and goes with a line in `gone`.

import type { Json, JsonObject } from '../../schema/json.ts'
import type { StoredItem } from '../../port/vector-store.ts'
import { wordsOf } from '../../port/vector/words.ts'
import type { Database } from './database.ts'

/**
 * `field` holds the metadata by name and value, for filters: place 0 is the field itself, 1 an element of its list.
 * `words` holds texts as the words that `wordsOf` cuts, which the tokenizer `ascii` leaves as they are. `store` is one
 * row: the length of the vectors, how many items have one, how many have words, the newest and the oldest line of `gone`.
 */
export const vectorTables = `
CREATE TABLE store (
  dimensions INTEGER,
  vectors INTEGER NOT NULL,
  texts INTEGER NOT NULL,
  gone INTEGER NOT NULL,
  gone_from INTEGER NOT NULL
) STRICT;
INSERT INTO store VALUES (NULL, 0, 0, 0, 1);
CREATE TABLE item (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  document TEXT NOT NULL,
  source TEXT NOT NULL,
  worded INTEGER NOT NULL,
  text TEXT,
  title TEXT,
  metadata TEXT,
  note TEXT
) STRICT;
CREATE INDEX item_document ON item (document, source);
CREATE INDEX item_source ON item (source);
CREATE TABLE vector (key INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE gone (number INTEGER PRIMARY KEY, key INTEGER NOT NULL) STRICT;
CREATE TABLE field (
  name TEXT NOT NULL,
  place INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  value ANY NOT NULL,
  key INTEGER NOT NULL,
  PRIMARY KEY (name, place, kind, value, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX field_key ON field (key);
CREATE VIRTUAL TABLE words USING fts5(text, tokenize = 'ascii');
CREATE VIRTUAL TABLE vocabulary USING fts5vocab(words, 'row')`

/** The one row of `store`. */
export interface StoreRow {
  readonly dimensions: number | null
  readonly vectors: number
  readonly texts: number
  readonly gone: number
  readonly gone_from: number
}

/** A row of `item`, with its vector where it was asked for. */
export interface ItemRow {
  readonly key: number
  readonly id: string
  readonly document: string
  readonly source: string
  readonly text: string | null
  readonly title: string | null
  readonly metadata: string | null
  readonly note: string | null
  readonly data?: Uint8Array | null
}

/** Kinds of values in `field`. */
export const fieldKind = { null: 0, boolean: 1, number: 2, string: 3, other: 4 } as const

/** Lines of `gone` that are kept; who is further behind reads everything anew. */
const keptGone = 10_000

/** Reads the row of `store`. */
export function readStore(database: Database): StoreRow {
  return database.prepare('SELECT * FROM store').get() as unknown as StoreRow
}

/** One write of several items: it counts what it does, and `finish` writes that down. Part of a writer's job. */
export class ItemWriter {
  readonly #database: Database
  #store: StoreRow

  constructor(database: Database) {
    this.#database = database
    this.#store = readStore(database)
  }

  /** The length of all vectors; undefined while there are none. */
  get dimensions(): number | undefined {
    return this.#store.vectors === 0 ? undefined : (this.#store.dimensions ?? undefined)
  }

  put(item: StoredItem): void {
    this.deleteItem(item.id)
    const { id, document, source, text, title, metadata, note, vector } = item
    const words = text === undefined ? [] : wordsOf(`${title ?? ''}\n${text}`)
    const { lastInsertRowid } = this.#database
      .prepare(
        'INSERT INTO item (id, document, source, worded, text, title, metadata, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .run(id, document, source, Number(words.length > 0), text ?? null, title ?? null, json(metadata), json(note))
    const key = Number(lastInsertRowid)
    if (words.length > 0) this.#putWords(key, words)
    if (vector !== undefined) this.#putVector(key, vector)
    if (metadata !== undefined) this.#putFields(key, metadata)
  }

  /** How many went: 0 or 1. */
  deleteItem(id: string): number {
    const row = this.#database.prepare('SELECT key, worded FROM item WHERE id = ?').get(id)
    if (row === undefined) return 0
    this.#deleteRow(row as unknown as KeyRow)
    return 1
  }

  /** How many went. */
  deleteDocument(document: string): number {
    const rows = this.#database.prepare('SELECT key, worded FROM item WHERE document = ?').all(document)
    for (const row of rows) this.#deleteRow(row as unknown as KeyRow)
    return rows.length
  }

  finish(): void {
    const { dimensions, vectors, texts, gone } = this.#store
    const from = Math.max(this.#store.gone_from, gone - keptGone + 1)
    // Seldom, and then many.
    const due = from - this.#store.gone_from >= keptGone / 2
    if (due) this.#database.prepare('DELETE FROM gone WHERE number < ?').run(from)
    this.#database
      .prepare('UPDATE store SET dimensions = ?, vectors = ?, texts = ?, gone = ?, gone_from = ?')
      .run(dimensions, vectors, texts, gone, due ? from : this.#store.gone_from)
  }

  #putWords(key: number, words: readonly string[]): void {
    this.#database.prepare('INSERT INTO words (rowid, text) VALUES (?, ?)').run(key, words.join(' '))
    this.#store = { ...this.#store, texts: this.#store.texts + 1 }
  }

  #putVector(key: number, vector: Float32Array): void {
    const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)
    this.#database.prepare('INSERT INTO vector (key, data) VALUES (?, ?)').run(key, bytes)
    this.#store = { ...this.#store, vectors: this.#store.vectors + 1, dimensions: vector.length }
  }

  #putFields(key: number, metadata: JsonObject): void {
    const insert = this.#database.prepare(
      'INSERT OR IGNORE INTO field (name, place, kind, value, key) VALUES (?, ?, ?, ?, ?)',
    )
    for (const [name, value] of Object.entries(metadata)) {
      const [kind, plain] = fieldValue(value)
      insert.run(name, 0, kind, plain, key)
      if (!Array.isArray(value)) continue
      for (const element of value as readonly Json[]) {
        const [kind, plain] = fieldValue(element)
        if (kind !== fieldKind.other) insert.run(name, 1, kind, plain, key)
      }
    }
  }

  #deleteRow({ key, worded }: KeyRow): void {
    const run = (sql: string): number => Number(this.#database.prepare(sql).run(key).changes)
    run('DELETE FROM item WHERE key = ?')
    run('DELETE FROM field WHERE key = ?')
    const store = { ...this.#store }
    if (worded === 1) {
      run('DELETE FROM words WHERE rowid = ?')
      store.texts--
    }
    if (run('DELETE FROM vector WHERE key = ?') === 1) {
      store.vectors--
      store.gone++
      this.#database.prepare('INSERT INTO gone (number, key) VALUES (?, ?)').run(store.gone, key)
    }
    this.#store = store
  }
}

interface KeyRow {
  readonly key: number
  readonly worded: number
}

/** The kind of a value and what is compared. */
export function fieldValue(value: Json): readonly [kind: number, plain: string | number] {
  if (value === null) return [fieldKind.null, 0]
  switch (typeof value) {
    case 'boolean':
      return [fieldKind.boolean, Number(value)]
    case 'number':
      return [fieldKind.number, value]
    case 'string':
      return [fieldKind.string, value]
    default:
      return [fieldKind.other, 0]
  }
}

/** An item as it was written. */
export function itemOf(row: ItemRow): StoredItem {
  const { id, document, source, text, title, metadata, note, data } = row
  return {
    id,
    document,
    source,
    ...(text === null ? {} : { text }),
    ...(title === null ? {} : { title }),
    ...(metadata === null ? {} : { metadata: JSON.parse(metadata) as JsonObject }),
    ...(note === null ? {} : { note: JSON.parse(note) as JsonObject }),
    ...(data === undefined || data === null ? {} : { vector: floatsOf(data) }),
  }
}

/** A copy of a stored vector: bytes are not always aligned as floats must be. */
export function floatsOf(data: Uint8Array): Float32Array {
  return new Float32Array(Uint8Array.from(data).buffer)
}

function json(value: JsonObject | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value)
}
