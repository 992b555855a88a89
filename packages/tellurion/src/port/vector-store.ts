// The vector store port: pieces of text with their vectors, found by nearness, by words, or by both. One list of
// behaviours in `testing/` says what every implementation does.

import type { JsonObject } from '../schema/json.ts'
import type { MetadataFilter } from './metadata-filter.ts'

/**
 * One piece that is stored. It needs a text or a vector; one without a vector is found by words alone, one without
 * text by nearness alone. Ids, documents and sources are any well-formed text of 1 to 1,024 characters.
 */
export interface VectorItem {
  readonly id: string
  /** What the piece is a part of: the pieces of a document are replaced and deleted together. */
  readonly document: string
  /** Where it comes from, for people: a path, an address, a title. */
  readonly source: string
  /** At most 1,000,000 characters. */
  readonly text?: string
  /** Words that are searched with the text: headings, a name. At most 10,000 characters. */
  readonly title?: string
  /** Of one length in the whole store, finite, not all zeros. Only its direction is kept, as 32-bit floats. */
  readonly vector?: ArrayLike<number>
  /** What filters look at. At most 100,000 characters as JSON. */
  readonly metadata?: JsonObject
  /** What the writer wants back with the piece. It is never searched. At most 100,000 characters as JSON. */
  readonly note?: JsonObject
}

/** A piece as it is stored: the vector has length 1. */
export interface StoredItem extends Omit<VectorItem, 'vector'> {
  readonly vector?: Float32Array
}

/** A piece that was found. */
export interface ScoredItem extends Omit<VectorItem, 'vector'> {
  /** The score that the answer is ordered by; see `VectorQuery`. */
  readonly score: number
  /** Cosine of the angle to the query, -1 to 1, where the piece was among the nearest. */
  readonly vectorScore?: number
  /** How well its words fit, 0 to 1, where it was among the best by words. */
  readonly textScore?: number
}

/**
 * What is looked for.
 * - `vector` alone: by cosine. `score` is the cosine, -1 to 1.
 * - `text` alone: by BM25 over words. `score` is the part of what a perfect match would get, 0 to 1.
 * - both: the two lists, each of `max(50, 4 · limit)` pieces, joined by reciprocal rank (1 / (60 + rank), summed).
 *   `score` is 1 for a piece that is first in both, ½ for one that is first in one and missing in the other.
 */
export interface VectorQuery {
  readonly vector?: ArrayLike<number>
  readonly text?: string
  /** At most so many pieces, 1 to 10,000. */
  readonly limit: number
  readonly filter?: MetadataFilter | undefined
  /** Pieces with a lower `score` are left out. */
  readonly minScore?: number | undefined
}

/** A document and how many pieces it has. */
export interface StoredDocument {
  readonly document: string
  readonly source: string
  readonly items: number
}

/**
 * A store of vectors. Every method rejects with `TellurionError` (`invalid_vector`, `invalid_document`,
 * `invalid_option`, a `store_…` code of the material) and with the signal's reason when it aborts in time; a write is
 * then whole or not done at all.
 */
export interface VectorStore {
  /**
   * Writes items, over those of the same ids. In the same write everything else goes that the documents in `replacing`
   * held. The first vector fixes the length of all others, until no vector is left.
   */
  upsert(
    items: readonly VectorItem[],
    options?: { readonly replacing?: readonly string[]; readonly signal?: AbortSignal | undefined },
  ): Promise<void>
  /** Deletes by ids or by documents; returns how many items went. What is not there is passed over. */
  delete(
    what: { readonly ids: readonly string[] } | { readonly documents: readonly string[] },
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<number>
  /** The items of those ids that are there, in the order of the ids. */
  get(ids: readonly string[], options?: { readonly signal?: AbortSignal | undefined }): Promise<readonly StoredItem[]>
  /** The best items, best first; of equals, the one that was written earlier. */
  search(query: VectorQuery, options?: { readonly signal?: AbortSignal | undefined }): Promise<readonly ScoredItem[]>
  /** Documents by name (by code point), at most `limit` (default 1,000) after `after`; `source` is of their oldest item. */
  documents(options?: {
    readonly after?: string | undefined
    readonly limit?: number
    readonly signal?: AbortSignal | undefined
  }): Promise<readonly StoredDocument[]>
  /** How many items there are, or how many meet the filter. */
  count(options?: { readonly filter?: MetadataFilter; readonly signal?: AbortSignal | undefined }): Promise<number>
  /** Ends the use of the store; every later call rejects with `store_closed`. */
  close(): Promise<void>
}
