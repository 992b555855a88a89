// A document on its way into an index: looked at, hashed, cut into the pieces that are stored.

import type { JsonObject } from '../schema/json.ts'
import { canonicalJson, sha256 } from '../schema/canonical.ts'
import { jsonProblem } from '../schema/plain-json.ts'
import { invalidDocument } from '../port/vector/item.ts'
import type { StoredItem, VectorItem } from '../port/vector-store.ts'
import { chunkText, type Chunk } from './chunk.ts'
import { chunkMarkdown, type MarkdownChunk } from './markdown.ts'
import type { ChunkSize } from './ruler.ts'

/** A document to be found: plain text or Markdown, one of the two. */
export interface IndexDocument {
  /** Names it; the same id again replaces it. 1 to 1,000 characters. */
  readonly id: string
  readonly text?: string
  readonly markdown?: string
  /** Where it comes from, for people. Default: the id. */
  readonly source?: string
  /** Is searched, and embedded, with every piece of the document. */
  readonly title?: string
  /** What filters look at. */
  readonly metadata?: JsonObject
}

/** Where a piece stands in its document. */
export interface Citation {
  readonly document: string
  readonly source: string
  /** From where to where, in UTF-16 units of the document's text. */
  readonly start: number
  readonly end: number
  /** The headings over it, outermost first; none for plain text. */
  readonly headings: readonly string[]
}

/** What an index keeps with each piece of a document. */
interface PieceNote {
  readonly start: number
  readonly end: number
  readonly overlap: number
  readonly headings: readonly string[]
  /** Which embedding model its vector is of; none where it has no vector. */
  readonly embedding?: string
  /** With the first piece: the hash of the whole, how many pieces there are, and the document's own title. */
  readonly hash?: string
  readonly pieces?: number
  readonly title?: string
}

/** A piece that still wants its vector: `embed` is the text to be embedded, absent where there is nothing to embed. */
export interface Piece {
  readonly item: VectorItem
  readonly embed?: string
}

const longestId = 1_000
/** Between headings, in titles. */
const separator = ' › '

/** What the pieces of a document depend on besides the document itself. */
export interface Cutting {
  readonly chunk: ChunkSize
  /** The name of the embedding model, if there is one. */
  readonly embedding: string | undefined
}

/** The id of a document's piece. */
export function pieceId(document: string, index: number): string {
  return `${document}#${index}`
}

/** Throws `invalid_document` for what is no document. Everything else is the store's to refuse. */
export function checkDocument(document: IndexDocument): void {
  if (typeof document !== 'object' || document === null) throw invalidDocument('A document must be an object.')
  const { id, text, markdown, title, metadata } = document
  if (typeof id !== 'string' || id === '' || id.length > longestId || !id.isWellFormed()) {
    throw invalidDocument(`A document's id must be a well-formed text of 1 to ${longestId} characters.`)
  }
  if ((text === undefined) === (markdown === undefined)) {
    throw invalidDocument(`The document '${id}' must have either a text or a markdown.`)
  }
  for (const [name, value] of Object.entries({ text, markdown, title })) {
    if (value !== undefined && typeof value !== 'string') {
      throw invalidDocument(`The document '${id}': '${name}' must be a string.`)
    }
  }
  const problem = metadata === undefined ? undefined : jsonProblem(metadata)
  if (problem !== undefined) {
    throw invalidDocument(`The document '${id}': its metadata must be plain JSON, but ${problem}.`)
  }
}

/** The hash of everything that a document's pieces are made of. */
export function hashDocument(document: IndexDocument, { chunk, embedding }: Cutting): Promise<string> {
  const { id, text, markdown, source = id, title, metadata } = document
  const { size, overlap, count } = chunk
  const parts = { text, markdown, source, title, metadata, size, overlap, counted: count !== undefined, embedding }
  return sha256(canonicalJson(JSON.parse(JSON.stringify(parts)) as JsonObject))
}

/** Cuts a document. A blank piece is kept, so that the document can be put together again, but not embedded. */
export function cutDocument(document: IndexDocument, { chunk, embedding }: Cutting, hash: string): Piece[] {
  const { id, source = id, title = '', metadata } = document
  const chunks = chunksOf(document, chunk)
  return chunks.map(({ text, start, end, overlap, headings = [] }, index): Piece => {
    const titles = title === headings[0] ? headings : [title, ...headings]
    const fullTitle = titles.filter((part) => part !== '').join(separator)
    const embeds = embedding !== undefined && text.trim() !== ''
    const first = index === 0 ? { hash, pieces: chunks.length, ...(title === '' ? {} : { title }) } : {}
    const note = { start, end, overlap, headings, ...(embeds ? { embedding } : {}), ...first }
    const item: VectorItem = {
      id: pieceId(id, index),
      document: id,
      source,
      text,
      ...(fullTitle === '' ? {} : { title: fullTitle }),
      ...(metadata === undefined ? {} : { metadata }),
      note,
    }
    return embeds ? { item, embed: embeddedText(item) } : { item }
  })
}

function chunksOf({ text, markdown }: IndexDocument, size: ChunkSize): readonly (Chunk & Partial<MarkdownChunk>)[] {
  if (markdown !== undefined) return chunkMarkdown(markdown.toWellFormed(), size)
  return chunkText((text ?? '').toWellFormed(), size)
}

/** What is embedded of a piece: its headings say what the text alone may not. */
function embeddedText({ title, text = '' }: Pick<VectorItem, 'title' | 'text'>): string {
  return title === undefined ? text : `${title}\n\n${text}`
}

/** The vectors of stored pieces by the text they are of, as far as they are of that embedding model. */
export function vectorsByText(items: readonly StoredItem[], embedding: string): ReadonlyMap<string, Float32Array> {
  const vectors = new Map<string, Float32Array>()
  for (const item of items) {
    if (item.vector !== undefined && noteOf(item).embedding === embedding) vectors.set(embeddedText(item), item.vector)
  }
  return vectors
}

/** The note of a piece; empty places where the store holds an item that no index wrote. */
export function noteOf({ note = {}, text = '' }: Pick<VectorItem, 'note' | 'text'>): PieceNote {
  return { start: 0, end: text.length, overlap: 0, headings: [], ...(note as Partial<PieceNote>) }
}

/** Where a stored piece stands. */
export function citationOf(item: Pick<VectorItem, 'document' | 'source' | 'note' | 'text'>): Citation {
  const { start, end, headings } = noteOf(item)
  return { document: item.document, source: item.source, start, end, headings }
}
