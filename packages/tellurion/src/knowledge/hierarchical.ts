// First the documents, then the passages within them: a question finds its place before it finds its words.

import { checkOptions, checkWhole } from '../error/option.ts'
import type { MetadataFilter } from '../port/metadata-filter.ts'
import type { RetrievedDocument } from '../port/retriever.ts'
import { checkFinder, type Finder } from './multi-query.ts'

/** A piece that says which document it is of, as passages do. */
export interface OfDocument extends RetrievedDocument {
  readonly document: string
}

/** What is searched in two steps. */
export interface HierarchicalOptions<Found extends OfDocument> {
  /** The passages. */
  readonly passages: Finder<Found>
  /**
   * An index of summaries, each under the id, and with the source and the metadata, of its document. Without one the
   * documents are those with the most and best passages in a wide search.
   */
  readonly summaries?: Finder<OfDocument>
  /** How many documents are looked into, 1 to 1,000. Default 5. */
  readonly documents?: number
}

/** Passages of a wide search for each document that is wanted. */
const width = 10

/**
 * A retriever that picks documents first and then searches the passages of those alone. A filter counts in both steps.
 * Rejects as the retrievers do. Throws `invalid_option` and `unknown_option`.
 */
export function hierarchical<Found extends OfDocument>(options: HierarchicalOptions<Found>): Finder<Found> {
  checkOptions('hierarchical', options, ['passages', 'summaries', 'documents'])
  const { passages, summaries, documents = 5 } = options
  checkFinder('passages', passages)
  if (summaries !== undefined) checkFinder('summaries', summaries)
  checkWhole('documents', documents, { most: 1_000 })
  return {
    async retrieve(query, { limit, filter, signal }) {
      const picked =
        summaries === undefined
          ? bestDocuments(await passages.retrieve(query, { limit: documents * width, filter, signal }))
          : (await summaries.retrieve(query, { limit: documents, filter, signal })).map(({ document }) => document)
      if (picked.length === 0) return []
      const within: MetadataFilter = { document: [...new Set(picked)].slice(0, documents) }
      return passages.retrieve(query, {
        limit,
        filter: filter === undefined ? within : { and: [within, filter] },
        signal,
      })
    },
  }
}

/** Documents by the sum of what their passages' places are worth. */
function bestDocuments(found: readonly OfDocument[]): string[] {
  const worth = new Map<string, number>()
  found.forEach(({ document }, place) => worth.set(document, (worth.get(document) ?? 0) + 1 / (place + 1)))
  return [...worth].sort(([, a], [, b]) => b - a).map(([document]) => document)
}
