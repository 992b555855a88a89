// How much of a text fits into a chunk: by characters, or by whatever a given function counts.

import { TellurionError } from '../error/error.ts'
import { checkOptions } from '../error/option.ts'

/** How large chunks are. */
export interface ChunkSize {
  /** Most units of a chunk, at least 16. Default 1,000; with `count` 250. */
  readonly size?: number
  /** Most units that a chunk repeats of the one before, at most half of `size`. Default a tenth of `size`. */
  readonly overlap?: number
  /**
   * Counts the units of a text, such as tokens: `estimateTokens` of `tellurion/model`, or a tokenizer's count. It is
   * called some ten times a chunk, with texts of about that size. Default: UTF-16 units, as `length` counts.
   */
  readonly count?: (text: string) => number
}

/** Measures pieces of one text. */
export interface Ruler {
  /** How many characters a full chunk has, about. */
  readonly length: number
  /** The furthest place up to which a chunk that begins at `start` may go: after `start`, where there is text left. */
  end(start: number): number
  /** The earliest place, not before `from`, from which on a chunk may repeat what ends at `end`. */
  repeat(end: number, from: number): number
  /** Whether a piece fits into a chunk. */
  fits(start: number, end: number): boolean
  /** Whether a chunk may repeat a piece. */
  repeatable(start: number, end: number): boolean
}

/** Where a counted unit is hardly any text, a chunk still ends after so many characters a unit. */
const mostCharacters = 16

/** Makes the ruler of a text. Throws `invalid_option` and `unknown_option`. */
export function createRuler(text: string, options: ChunkSize): Ruler {
  checkOptions('A chunk', options, ['size', 'overlap', 'count'])
  const { count, size = count === undefined ? 1_000 : 250 } = options
  const { overlap = Math.floor(size / 10) } = options
  if (!Number.isInteger(size) || size < 16) {
    throw new TellurionError('invalid_option', `'size' must be a whole number of at least 16, not ${String(size)}.`)
  }
  if (!Number.isInteger(overlap) || overlap < 0 || overlap > size / 2) {
    throw new TellurionError(
      'invalid_option',
      `'overlap' must be a whole number of 0 to half of 'size' (${Math.floor(size / 2)}), not ${String(overlap)}.`,
    )
  }
  if (count === undefined) return byLength(text, size, overlap)
  if (typeof count !== 'function') throw new TellurionError('invalid_option', "'count' must be a function of a text.")
  return byCount(text, { size, overlap, count })
}

function byLength(text: string, size: number, overlap: number): Ruler {
  return {
    length: size,
    end: (start) => whole(text, Math.min(text.length, start + size), start),
    repeat: (end, from) => Math.max(from, end - overlap),
    fits: (start, end) => end - start <= size,
    repeatable: (start, end) => end - start <= overlap,
  }
}

function byCount(text: string, { size, overlap, count }: Required<ChunkSize>): Ruler {
  // How many characters a unit has, as far as is known.
  let ratio = 3
  const counted = (start: number, end: number): number => {
    const units = count(text.slice(start, end))
    if (typeof units === 'number' && units >= 0) return units
    throw new TellurionError('invalid_option', `'count' must return a number of at least 0, not ${String(units)}.`)
  }
  return {
    get length() {
      return size * ratio
    },
    end(start) {
      const most = Math.min(text.length - start, size * mostCharacters)
      const length = longest(most, size * ratio, (length) => counted(start, whole(text, start + length)) <= size)
      if (length > 0) ratio = Math.max(1, length / size)
      return whole(text, start + length, start)
    },
    repeat(end, from) {
      if (overlap === 0) return end
      const most = Math.min(end - from, overlap * mostCharacters)
      const length = longest(most, overlap * ratio, (length) => counted(whole(text, end - length), end) <= overlap)
      return whole(text, end - length, end - length - 1)
    },
    fits: (start, end) => end - start <= size * mostCharacters && counted(start, end) <= size,
    repeatable: (start, end) => end - start <= overlap * mostCharacters && counted(start, end) <= overlap,
  }
}

/**
 * A length up to `most` that fits, within a sixteenth of the longest that does; 0 when none was found. It looks around
 * `guess` first, in steps that grow.
 */
function longest(most: number, guess: number, fits: (length: number) => boolean): number {
  let low = 0
  let high = most + 1
  let length = Math.min(most, Math.max(1, Math.round(guess)))
  while (low < most && high - low > Math.max(1, low >> 4)) {
    if (fits(length)) low = length
    else high = length
    const next = high > most ? Math.min(most, Math.ceil(length * 1.25)) : Math.floor((low + high) / 2)
    if (next === length || next <= low) break
    length = next
  }
  return low
}

/** Not between the halves of a pair; and past `least`, where there is more text. */
function whole(text: string, at: number, least = -1): number {
  const place = Math.max(at, Math.min(least + 1, text.length))
  const unit = text.charCodeAt(place)
  if (!(unit >= 0xdc00 && unit < 0xe000)) return place
  return place - 1 > least ? place - 1 : place + 1
}
