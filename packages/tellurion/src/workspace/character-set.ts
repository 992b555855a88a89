// Sets of characters: code points as ascending ranges. Immutable.

/** Code points as `[from, to, from, to, …]`, both ends in it, ascending, never touching. */
export type CharacterSet = readonly number[]

/** The last code point. */
export const lastCharacter = 0x10_ff_ff
/** No letter with a second case stands behind this one. */
const lastCased = 0x1_e9_43

/** The union of ranges in any order. */
export function characterSet(...ranges: readonly (readonly [from: number, to: number])[]): CharacterSet {
  const set: number[] = []
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const end = set.at(-1)
    if (end !== undefined && from <= end + 1) set[set.length - 1] = Math.max(end, to)
    else set.push(from, to)
  }
  return set
}

/** All characters of all sets. */
export function union(...sets: readonly CharacterSet[]): CharacterSet {
  return characterSet(...sets.flatMap(rangesOf))
}

/** Every character that is not in the set. */
export function complement(set: CharacterSet): CharacterSet {
  const ranges: [number, number][] = []
  let next = 0
  for (const [from, to] of rangesOf(set)) {
    if (from > next) ranges.push([next, from - 1])
    next = to + 1
  }
  if (next <= lastCharacter) ranges.push([next, lastCharacter])
  return characterSet(...ranges)
}

/** The set with the other case of each of its letters, where that is one character too. */
export function bothCases(set: CharacterSet): CharacterSet {
  const more: [number, number][] = []
  for (const [from, to] of rangesOf(set)) {
    const few = to - from < 300
    const letters = few ? twinsIn(from, to) : (allTwins ??= twinsIn(0, lastCased))
    for (const [code, twin] of letters) if (few || (code >= from && code <= to)) more.push([twin, twin])
  }
  return more.length === 0 ? set : characterSet(...rangesOf(set), ...more)
}

type Twins = readonly (readonly [code: number, twin: number])[]

/** Every letter with its other case; found out when the first large set needs it, in some milliseconds. */
let allTwins: Twins | undefined

function twinsIn(from: number, to: number): Twins {
  const found: [number, number][] = []
  for (let code = from; code <= Math.min(to, lastCased); code++) {
    if (code >= 0xd8_00 && code <= 0xdf_ff) continue
    const letter = String.fromCodePoint(code)
    for (const other of [letter.toLowerCase(), letter.toUpperCase()]) {
      const twin = other.codePointAt(0) ?? code
      if (twin !== code && other === String.fromCodePoint(twin)) found.push([code, twin])
    }
  }
  return found
}

/** Whether a character is in the set. */
export function contains(set: CharacterSet, code: number): boolean {
  let low = 0
  let high = set.length
  // The number of bounds at or before the character: between a `from` and its `to` it is odd.
  while (low < high) {
    const middle = (low + high) >> 1
    if (set[middle]! <= code) low = middle + 1
    else high = middle
  }
  return low % 2 === 1 || set[low - 1] === code
}

function rangesOf(set: CharacterSet): [number, number][] {
  const ranges: [number, number][] = []
  for (let index = 0; index < set.length; index += 2) ranges.push([set[index]!, set[index + 1]!])
  return ranges
}

/** `\d`, `\w` and `\s` of regular expressions. */
export const digits = characterSet([0x30, 0x39])
export const wordCharacters = characterSet([0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a])
export const spaces = characterSet(
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x16_80, 0x16_80],
  [0x20_00, 0x20_0a],
  [0x20_28, 0x20_29],
  [0x20_2f, 0x20_2f],
  [0x20_5f, 0x20_5f],
  [0x30_00, 0x30_00],
  [0xfe_ff, 0xfe_ff],
)
/** What a dot stands for: anything within a line. */
export const inLine = complement(characterSet([0x0a, 0x0a], [0x0d, 0x0d], [0x20_28, 0x20_29]))
