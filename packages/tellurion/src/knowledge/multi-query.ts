// One question asked in several ways: what is found for many of them comes first.

import { throwIfAborted } from '../abort/abort.ts'
import { TellurionError } from '../error/error.ts'
import { checkOptions, checkWhole } from '../error/option.ts'
import type { MetadataFilter } from '../port/metadata-filter.ts'
import type { RetrievedDocument } from '../port/retriever.ts'

/** Something that retrieves pieces of one kind; every `Retriever` is one. */
export interface Finder<Found extends RetrievedDocument> {
  retrieve(
    query: string,
    options: {
      readonly limit: number
      readonly filter?: MetadataFilter | undefined
      readonly signal?: AbortSignal | undefined
    },
  ): Promise<readonly Found[]>
}

/** What asks in several ways. */
export interface MultiQueryOptions<Found extends RetrievedDocument> {
  readonly retriever: Finder<Found>
  /** Other ways to put the question: a model's, a table of synonyms, a translation. The question itself is always asked. */
  readonly queries: (
    query: string,
    options: { readonly signal?: AbortSignal | undefined },
  ) => readonly string[] | Promise<readonly string[]>
  /** Most ways, the question itself included; what comes after is left out. Default 5. */
  readonly most?: number
}

/** Throws `invalid_option` for what retrieves nothing. */
export function checkFinder(what: string, finder: Partial<Finder<RetrievedDocument>> | undefined): void {
  if (typeof finder?.retrieve === 'function') return
  throw new TellurionError('invalid_option', `${what} must have retrieve(query, options), as an index has.`)
}

/** How far a rank is from being the only thing that counts. */
const flatness = 60

/**
 * A retriever that asks `retriever` in several ways at once and joins the answers by reciprocal rank (RAG-Fusion:
 * Raudaschl, 2023). `score` is 1 for what is first in all of them. Rejects when one of the questions does. Throws
 * `invalid_option` and `unknown_option`.
 */
export function multiQuery<Found extends RetrievedDocument>(options: MultiQueryOptions<Found>): Finder<Found> {
  checkOptions('multiQuery', options, ['retriever', 'queries', 'most'])
  const { retriever, queries, most = 5 } = options
  checkFinder('retriever', retriever)
  if (typeof queries !== 'function') {
    throw new TellurionError('invalid_option', 'queries must be a function that gives other ways to put a question.')
  }
  checkWhole('most', most)
  return {
    async retrieve(query, asked) {
      const { limit, signal } = asked
      throwIfAborted(signal)
      const others = await queries(query, { signal })
      const ways = [...new Set([query, ...others].filter((way) => way.trim() !== ''))].slice(0, most)
      const answers = await Promise.all(ways.map((way) => retriever.retrieve(way, asked)))
      return joinAnswers(answers).slice(0, limit)
    },
  }
}

/** Several answers as one, by reciprocal rank; of equals the one that came first. */
export function joinAnswers<Found extends RetrievedDocument>(answers: readonly (readonly Found[])[]): Found[] {
  const joined = new Map<string, { piece: Found; worth: number }>()
  for (const answer of answers) {
    answer.forEach((piece, place) => {
      const known = joined.get(piece.id)
      const worth = (flatness + 1) / (flatness + 1 + place) / answers.length
      if (known === undefined) joined.set(piece.id, { piece, worth })
      else known.worth += worth
    })
  }
  const best = [...joined.values()].sort((a, b) => b.worth - a.worth)
  return best.map(({ piece, worth }) => ({ ...piece, score: worth }))
}
