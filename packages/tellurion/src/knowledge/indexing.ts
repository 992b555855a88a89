// Documents into a store, a window of them at a time: what is unchanged is passed over, what is new is embedded in
// batches, and each document is written whole.

import { throwIfAborted } from '../abort/abort.ts'
import type { EmbeddingModel } from '../port/model.ts'
import type { StoredItem, VectorItem, VectorStore } from '../port/vector-store.ts'
import {
  checkDocument,
  cutDocument,
  hashDocument,
  noteOf,
  pieceId,
  vectorsByText,
  type IndexDocument,
  type Piece,
} from './document.ts'
import { embedTexts } from './embed.ts'
import type { ChunkSize } from './ruler.ts'

/** What became of many documents. */
export interface AddReport {
  readonly added: number
  readonly replaced: number
  readonly unchanged: number
  /** Passages that were written. */
  readonly passages: number
  /** Texts that the embedding model was asked for. */
  readonly embedded: number
  /** What that cost, as the embedding model says. */
  readonly inputTokens: number
}

/** What became of one document, and of all up to it. */
export interface DocumentProgress {
  readonly document: string
  readonly status: 'added' | 'replaced' | 'unchanged'
  /** Passages that were written for it. */
  readonly passages: number
  readonly total: AddReport
}

/** What is needed to add documents. */
export interface IndexingOptions {
  readonly store: VectorStore
  readonly embedding: EmbeddingModel | undefined
  readonly chunk: ChunkSize
  readonly batch: number
  readonly concurrency: number
  readonly signal?: AbortSignal | undefined
}

/** Most documents of a window. */
const windowDocuments = 64

/** A document that is looked at, with its pieces where it has to be written. */
interface Draft {
  readonly id: string
  readonly status: DocumentProgress['status']
  readonly pieces: readonly Piece[]
  /** Vectors that the store has already, by text. */
  readonly known: ReadonlyMap<string, Float32Array>
}

/** Adds documents; yields what became of each, in order, once it is stored. */
export async function* addDocuments(
  documents: Iterable<IndexDocument> | AsyncIterable<IndexDocument>,
  options: IndexingOptions,
): AsyncGenerator<DocumentProgress, void, undefined> {
  const report = { added: 0, replaced: 0, unchanged: 0, passages: 0, embedded: 0, inputTokens: 0 }
  for await (const window of windowsOf(documents, options)) {
    const { drafts, embedded, inputTokens } = await writeWindow(window, options)
    report.embedded += embedded
    report.inputTokens += inputTokens
    for (const { id, status, pieces } of drafts) {
      report[status]++
      report.passages += pieces.length
      yield { document: id, status, passages: pieces.length, total: { ...report } }
    }
  }
}

/** Documents by so many that their text keeps the embedding model busy, and each id once. */
async function* windowsOf(
  documents: Iterable<IndexDocument> | AsyncIterable<IndexDocument>,
  { chunk, batch, concurrency, signal }: IndexingOptions,
): AsyncGenerator<ReadonlyMap<string, IndexDocument>, void, undefined> {
  // About four rounds of calls.
  const most = batch * concurrency * 4 * (chunk.size ?? 1_000)
  let window = new Map<string, IndexDocument>()
  let length = 0
  for await (const document of documents) {
    throwIfAborted(signal)
    checkDocument(document)
    if (window.has(document.id)) {
      yield window
      window = new Map()
      length = 0
    }
    window.set(document.id, document)
    length += (document.text ?? document.markdown ?? '').length
    if (window.size < windowDocuments && length < most) continue
    yield window
    window = new Map()
    length = 0
  }
  if (window.size > 0) yield window
}

async function writeWindow(
  window: ReadonlyMap<string, IndexDocument>,
  options: IndexingOptions,
): Promise<{ drafts: readonly Draft[]; embedded: number; inputTokens: number }> {
  const { store, embedding, signal } = options
  const firsts = await store.get(
    [...window.keys()].map((id) => pieceId(id, 0)),
    { signal },
  )
  const stored = new Map(firsts.map((item) => [item.document, item]))
  const drafts: Draft[] = []
  for (const document of window.values()) drafts.push(await draftOf(document, stored.get(document.id), options))

  const wanted = drafts.flatMap(({ pieces, known }) =>
    pieces.flatMap(({ embed }) => (embed === undefined || known.has(embed) ? [] : [embed])),
  )
  const { vectors, inputTokens } =
    embedding === undefined ? { vectors: new Map(), inputTokens: 0 } : await embedTexts(embedding, wanted, options)
  throwIfAborted(signal)
  // Together, so that a store may write them in one go; each by itself is whole.
  const writes = drafts.map(async ({ id, status, pieces, known }) => {
    if (status === 'unchanged') return
    const items = pieces.map(({ item, embed }): VectorItem => {
      const vector = embed === undefined ? undefined : (known.get(embed) ?? vectors.get(embed))
      return vector === undefined ? item : { ...item, vector }
    })
    await store.upsert(items, { replacing: [id], signal })
  })
  const outcomes = await Promise.allSettled(writes)
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  return { drafts, embedded: vectors.size, inputTokens }
}

async function draftOf(
  document: IndexDocument,
  first: StoredItem | undefined,
  { store, embedding, chunk, signal }: IndexingOptions,
): Promise<Draft> {
  const { id } = document
  const cutting = { chunk, embedding: embedding?.name }
  const hash = await hashDocument(document, cutting)
  const note = first === undefined ? undefined : noteOf(first)
  if (note?.hash === hash) return { id, status: 'unchanged', pieces: [], known: new Map() }
  const pieces = cutDocument(document, cutting, hash)
  if (note === undefined) return { id, status: 'added', pieces, known: new Map() }
  if (embedding === undefined) return { id, status: 'replaced', pieces, known: new Map() }
  const ids = Array.from({ length: note.pieces ?? 1 }, (_, index) => pieceId(id, index))
  return { id, status: 'replaced', pieces, known: vectorsByText(await store.get(ids, { signal }), embedding.name) }
}
