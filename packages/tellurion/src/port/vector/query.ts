// A query looked at before it is answered.

import { TellurionError } from '../../error/error.ts'
import { checkOptions } from '../../error/option.ts'
import type { MetadataFilter } from '../metadata-filter.ts'
import type { VectorQuery } from '../vector-store.ts'
import { checkFilter } from './filter.ts'
import { unitVector } from './unit-vector.ts'

/** Most items of one answer. */
export const maxLimit = 10_000
/** Longest text that is looked for. */
const maxText = 100_000

/** A query that can be answered. */
export interface PlainQuery {
  /** Of length 1. */
  readonly vector?: Float32Array
  readonly text?: string
  readonly limit: number
  readonly filter?: MetadataFilter
  readonly minScore?: number
}

/** A copy of the query. Throws `invalid_option` or `invalid_vector`. */
export function checkQuery(query: VectorQuery): PlainQuery {
  // A slip in the name of the filter would find what was to stay hidden.
  checkOptions('A query', query, ['vector', 'text', 'limit', 'filter', 'minScore'])
  const { vector, text, limit, filter, minScore } = query
  if (vector === undefined && text === undefined) throw invalid('A query needs a vector, a text or both.')
  if (text !== undefined && (typeof text !== 'string' || text.length > maxText)) {
    throw invalid(`The text of a query must have at most ${maxText} characters.`)
  }
  checkLimit(limit)
  if (minScore !== undefined && !Number.isFinite(minScore)) throw invalid("'minScore' must be a number.")
  return {
    ...(vector === undefined ? {} : { vector: unitVector(vector, 'The vector of the query') }),
    ...(text === undefined ? {} : { text: text.toWellFormed() }),
    limit,
    ...(filter === undefined ? {} : { filter: checkFilter(filter) }),
    ...(minScore === undefined ? {} : { minScore }),
  }
}

/** Throws `invalid_option` unless it is a whole number of 1 to 10,000. */
export function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit) {
    throw invalid(`'limit' must be a whole number of 1 to ${maxLimit}, not ${String(limit)}.`)
  }
}

function invalid(message: string): TellurionError {
  return new TellurionError('invalid_option', message)
}
