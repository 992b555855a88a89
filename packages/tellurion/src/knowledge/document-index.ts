// An index: documents in, passages with citations out. What has not changed costs nothing; what has is replaced in one
// write of the store. What is found is quoted text, never an instruction.

import { throwIfAborted } from '../abort/abort.ts'
import { TellurionError } from '../error/error.ts'
import { checkOptions, checkWhole } from '../error/option.ts'
import type { MetadataFilter } from '../port/metadata-filter.ts'
import type { EmbeddingModel } from '../port/model.ts'
import type { RetrievedDocument, Retriever } from '../port/retriever.ts'
import type { StoredDocument, StoredItem, VectorStore } from '../port/vector-store.ts'
import type { JsonObject } from '../schema/json.ts'
import { citationOf, noteOf, pieceId, type Citation, type IndexDocument } from './document.ts'
import { askEmbedding } from './embed.ts'
import { addDocuments, type AddReport, type DocumentProgress } from './indexing.ts'
import { createRuler, type ChunkSize } from './ruler.ts'

/** What an index is made of. */
export interface IndexOptions {
  readonly store: VectorStore
  /** Without one, passages are found by words alone. */
  readonly embedding?: EmbeddingModel
  /** How large passages are. Default: 1,000 characters, of which 100 repeat the one before. */
  readonly chunk?: ChunkSize
  /** Texts of one call to the embedding model. Default 64. */
  readonly batch?: number
  /** Calls to the embedding model at a time. Default 2. */
  readonly concurrency?: number
}

/** How passages are found: by nearness of meaning, by words, or by both. */
export type SearchMode = 'hybrid' | 'vector' | 'text'

/** How a search is narrowed. */
export interface SearchOptions {
  /** Default 10, at most 10,000. */
  readonly limit?: number
  readonly filter?: MetadataFilter | undefined
  /** Default: `hybrid`, and `text` for an index without an embedding model. */
  readonly mode?: SearchMode
  /** Leaves out passages with a lower score; what scores mean depends on the mode, see `VectorQuery`. */
  readonly minScore?: number
  readonly signal?: AbortSignal | undefined
}

/** A piece of a document that was found, with where it stands. */
export interface Passage extends RetrievedDocument {
  readonly document: string
  readonly citation: Citation
  readonly title?: string
  /** Cosine to the query, where the passage was among the nearest. */
  readonly vectorScore?: number
  /** How well its words fit, where it was among the best by words. */
  readonly textScore?: number
}

/** A document as an index holds it. */
export interface IndexedDocument {
  readonly id: string
  readonly source: string
  readonly title?: string
  readonly metadata?: JsonObject
  /** The whole text, put together again. */
  readonly text: string
  readonly passages: number
}

/** Documents that can be found. Rejects with `TellurionError`, and with the reason of a signal that aborts. */
export interface DocumentIndex extends Retriever {
  /** Adds documents and replaces those that have changed; what was done before a failure stays done. */
  add(
    documents: Iterable<IndexDocument> | AsyncIterable<IndexDocument>,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<AddReport>
  /** The same, telling of each document when it is stored. Stops when it is no longer read. */
  addEach(
    documents: Iterable<IndexDocument> | AsyncIterable<IndexDocument>,
    options?: { readonly signal?: AbortSignal | undefined },
  ): AsyncIterable<DocumentProgress>
  /** Takes documents out; returns how many passages went. */
  remove(ids: readonly string[], options?: { readonly signal?: AbortSignal | undefined }): Promise<number>
  /** A document as it was added. */
  get(id: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<IndexedDocument | undefined>
  /** Documents by id, at most `limit` (default 1,000) after `after`. */
  list(options?: Parameters<VectorStore['documents']>[0]): Promise<readonly StoredDocument[]>
  /** The best passages for a question, best first. Only its first 8,000 characters are looked at. */
  search(query: string, options?: SearchOptions): Promise<readonly Passage[]>
  /** The same, as everything that retrieves is asked. */
  retrieve(
    query: string,
    options: {
      readonly limit: number
      readonly filter?: MetadataFilter | undefined
      readonly signal?: AbortSignal | undefined
    },
  ): Promise<readonly Passage[]>
}

const longestQuery = 8_000

/** Makes an index over a store, which may hold documents from before. Throws `invalid_option` and `unknown_option`. */
export function createIndex(options: IndexOptions): DocumentIndex {
  checkOptions('createIndex', options, ['store', 'embedding', 'chunk', 'batch', 'concurrency'])
  const { store, embedding, chunk = {}, batch = 64, concurrency = 2 } = options
  if (typeof store?.search !== 'function') {
    throw new TellurionError('invalid_option', 'store must be a vector store, such as memoryVectorStore().')
  }
  if (embedding !== undefined && typeof embedding?.embed !== 'function') {
    throw new TellurionError('invalid_option', 'embedding must be an embedding model.')
  }
  checkWhole('batch', batch)
  checkWhole('concurrency', concurrency)
  createRuler('', chunk)
  const addEach: DocumentIndex['addEach'] = (documents, { signal } = {}) =>
    addDocuments(documents, { store, embedding, chunk, batch, concurrency, signal })
  const search: DocumentIndex['search'] = async (query, asked = {}) => {
    checkOptions('search', asked, ['limit', 'filter', 'mode', 'minScore', 'signal'])
    const { limit = 10, filter, mode, minScore, signal } = asked
    throwIfAborted(signal)
    if (typeof query !== 'string') throw new TellurionError('invalid_option', 'The query of a search must be a text.')
    const text = query.slice(0, longestQuery).toWellFormed()
    if (text.trim() === '') return []
    const by = checkMode(mode ?? (embedding === undefined ? 'text' : 'hybrid'), embedding)
    const vector = by === 'text' ? undefined : (await askEmbedding(embedding!, [text], signal)).vectors[0]
    const items = await store.search(
      {
        ...(vector === undefined ? {} : { vector }),
        ...(by === 'vector' ? {} : { text }),
        limit,
        filter,
        minScore,
      },
      { signal },
    )
    return items.map(({ id, document, source, title, text = '', metadata, note, ...scores }) => ({
      id,
      document,
      text,
      source,
      ...(title === undefined ? {} : { title }),
      ...(metadata === undefined ? {} : { metadata }),
      ...scores,
      citation: citationOf({ document, source, text, ...(note === undefined ? {} : { note }) }),
    }))
  }
  return {
    addEach,
    async add(documents, options) {
      let report: AddReport = { added: 0, replaced: 0, unchanged: 0, passages: 0, embedded: 0, inputTokens: 0 }
      for await (const { total } of addEach(documents, options)) report = total
      return report
    },
    remove: (ids, options) => store.delete({ documents: ids }, options),
    async get(id, options) {
      const [first] = await store.get([pieceId(id, 0)], options)
      if (first === undefined || first.document !== id) return undefined
      const { pieces = 1 } = noteOf(first)
      const rest = Array.from({ length: pieces - 1 }, (_, index) => pieceId(id, index + 1))
      return documentOf([first, ...(await store.get(rest, options))])
    },
    list: (options) => store.documents(options),
    search,
    retrieve: (query, { limit, filter, signal }) => search(query, { limit, filter, signal }),
  }
}

function documentOf(items: readonly [StoredItem, ...StoredItem[]]): IndexedDocument {
  const [{ document: id, source, metadata, ...first }] = items
  const { title } = noteOf(first)
  return {
    id,
    source,
    ...(title === undefined ? {} : { title }),
    ...(metadata === undefined ? {} : { metadata }),
    text: items.map((item) => (item.text ?? '').slice(noteOf(item).overlap)).join(''),
    passages: items.length,
  }
}

function checkMode(mode: SearchMode, embedding: EmbeddingModel | undefined): SearchMode {
  if (mode === 'text') return mode
  if (mode !== 'hybrid' && mode !== 'vector') {
    throw new TellurionError('invalid_option', `'mode' must be hybrid, vector or text, not ${String(mode)}.`)
  }
  if (embedding !== undefined) return mode
  throw new TellurionError('invalid_option', `An index without an embedding model has no mode '${mode}'; use 'text'.`)
}
