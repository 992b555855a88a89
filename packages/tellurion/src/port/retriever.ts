// The retriever port: a question in, pieces of text with their source out. What comes back is quoted data, whatever it
// says; it is never an instruction.

import type { Trust } from '../message/trust.ts'
import type { JsonObject } from '../schema/json.ts'
import type { MetadataFilter } from './metadata-filter.ts'

/** One piece of text that was found, with where it comes from. */
export interface RetrievedDocument {
  /** Names the piece; the same piece has the same id in every answer. */
  readonly id: string
  readonly text: string
  /** Where the text comes from: a path, an address, a title. */
  readonly source: string
  /** How well it fits, higher is better; comparable within one answer. */
  readonly score: number
  readonly metadata?: JsonObject
  /** Whose words it is, as the program knows it and never as the text says. Default `unvouched`. */
  readonly trust?: Trust
}

/** Finds text that fits a question. Throws `TellurionError`; rejects with the reason when aborted. */
export interface Retriever {
  /** At most `limit` pieces, best first; an empty list when nothing fits. */
  retrieve(
    query: string,
    options: {
      readonly limit: number
      readonly filter?: MetadataFilter | undefined
      readonly signal?: AbortSignal | undefined
    },
  ): Promise<readonly RetrievedDocument[]>
}
