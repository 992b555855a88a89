// The door `tellurion/knowledge`: documents cut into passages, kept with their vectors, found with where they stand.

export { chunkText, type Chunk } from './chunk.ts'
export { chunkMarkdown, type MarkdownChunk } from './markdown.ts'
export type { ChunkSize } from './ruler.ts'
export { createIndex } from './document-index.ts'
export type {
  DocumentIndex,
  IndexedDocument,
  IndexOptions,
  Passage,
  SearchMode,
  SearchOptions,
} from './document-index.ts'
export type { Citation, IndexDocument } from './document.ts'
export type { AddReport, DocumentProgress } from './indexing.ts'
export { memoryVectorStore } from './memory-vector-store.ts'
export { multiQuery, type Finder, type MultiQueryOptions } from './multi-query.ts'
export { hierarchical, type HierarchicalOptions, type OfDocument } from './hierarchical.ts'
export type { FilterValue, MetadataFilter } from '../port/metadata-filter.ts'
export type { EmbeddingModel } from '../port/model.ts'
export type { RetrievedDocument, Retriever } from '../port/retriever.ts'
export type {
  ScoredItem,
  StoredDocument,
  StoredItem,
  VectorItem,
  VectorQuery,
  VectorStore,
} from '../port/vector-store.ts'
