// The direction of a vector: what stores keep of it. Whatever has no direction is refused with what to do about it.

import { TellurionError } from '../../error/error.ts'

/** Longest vector that is taken. */
export const maxDimensions = 65_536

/**
 * `values` as a vector of length 1. Throws `invalid_vector` for one that is empty, too long, not finite or all zeros.
 * `what` begins the message: `The vector of 'a'`.
 */
export function unitVector(values: ArrayLike<number>, what: string): Float32Array {
  const length = lengthOf(values, what)
  // Dividing by the largest entry first keeps the squares of huge and tiny numbers finite.
  const largest = largestOf(values, what)
  let sum = 0
  for (let index = 0; index < length; index++) sum += (values[index]! / largest) ** 2
  const norm = Math.sqrt(sum)
  const unit = new Float32Array(length)
  for (let index = 0; index < length; index++) unit[index] = values[index]! / largest / norm
  return unit
}

/** Throws `invalid_vector` unless a vector is as long as those of the store, where it has any. */
export function checkDimensions(length: number, stored: number | undefined, what: string): void {
  if (stored === undefined || length === stored) return
  throw invalidVector(
    `${what} has ${length} dimensions where the others have ${stored}: ` +
      'use the embedding model that the store was filled with, or fill a new store.',
  )
}

function lengthOf(values: ArrayLike<number>, what: string): number {
  const length: unknown = (values as ArrayLike<number> | undefined | null)?.length
  if (typeof values !== 'object' || typeof length !== 'number' || length < 1 || length > maxDimensions) {
    throw invalidVector(`${what} is no list of 1 to ${maxDimensions} numbers: pass what the embedding model gave.`)
  }
  return length
}

function largestOf(values: ArrayLike<number>, what: string): number {
  let largest = 0
  for (let index = 0; index < values.length; index++) {
    const value: unknown = values[index]
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      throw invalidVector(`${what} holds ${String(value)} at ${index}: every entry must be a finite number.`)
    }
    largest = Math.max(largest, Math.abs(value))
  }
  if (largest === 0) {
    throw invalidVector(`${what} is all zeros and points nowhere: leave out texts that the model gives no vector for.`)
  }
  return largest
}

function invalidVector(message: string): TellurionError {
  return new TellurionError('invalid_vector', message)
}
