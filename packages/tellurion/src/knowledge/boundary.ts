// Where a text may be cut: after a paragraph, a line, a sentence, a word, and at the worst between two characters as a
// person sees them. Looks at what is near, so that cutting a long text takes time in proportion to its length.

/** How good a place is to cut: the higher, the better. */
export const boundary = { none: 0, word: 1, sentence: 2, line: 3, paragraph: 4 } as const

/** Good places that turn out to lie inside a character, such as a space with an accent, before they are given up. */
const mostTorn = 32

/** Blank space that is looked through for the line before. */
const longestBlank = 256

/** How good it is to cut before the character at `at`. Says nothing about combining characters. */
export function boundaryAt(text: string, at: number): number {
  const before = text.charCodeAt(at - 1)
  if (before === 0x0a) return isBlankBefore(text, at - 1) ? boundary.paragraph : boundary.line
  if (isFullStop(before)) return isCloser(text.charCodeAt(at)) ? boundary.none : boundary.sentence
  if (!isSpace(before)) return boundary.none
  return endsSentence(text, at - 1) ? boundary.sentence : boundary.word
}

/** Options of `bestCut`. */
export interface CutWindow {
  /** The cut is at least here, and at most at `high`. */
  readonly low: number
  readonly high: number
  /** A place before `low` where a character begins. */
  readonly start: number
  /** An earlier place for one that may not be cut; the place itself where it may. Default: every place may be. */
  readonly allowed?: (at: number) => number
}

/** The best place to cut in a window; of equally good ones the last. Before `low` only where nothing else is allowed. */
export function bestCut(text: string, { low, high, start, allowed = (at) => at }: CutWindow): number {
  const isStart = characterStarts(text, start, high)
  let best = -1
  let torn = 0
  let quality: number = boundary.none
  for (let at = high; at >= low; at--) {
    const found = boundaryAt(text, at)
    if (found <= quality) continue
    const place = allowed(at)
    if (place < at) {
      // Whatever lies between the two is forbidden as well.
      at = place + 1
      continue
    }
    if (!isStart(at)) {
      if (++torn > mostTorn) break
      continue
    }
    best = at
    quality = found
    if (quality === boundary.paragraph) break
  }
  return best === -1 ? characterFloor(text, start, high) : best
}

/** The first good place at or after `from`, for a piece that repeats the end of the one before; `end` when there is none. */
export function repeatFrom(text: string, from: number, { start, end }: { start: number; end: number }): number {
  const half = from + Math.floor((end - from) / 2)
  const isStart = characterStarts(text, start, end)
  let word = -1
  let torn = 0
  for (let at = from; at < end; at++) {
    const found = boundaryAt(text, at)
    const better = found >= boundary.sentence && at <= half
    if (better || (found !== boundary.none && word === -1)) {
      if (isStart(at)) {
        if (better) return at
        word = at
      } else if (++torn > mostTorn) break
    }
    if (word !== -1 && at > half) break
  }
  if (word !== -1) return word
  // No space far and wide: a script without any, or no language at all.
  const begin = characterBegin(text, start, from)
  return begin === from ? from : characterCeiling(text, begin, end)
}

// Made at first use: importing does nothing, and most texts never need it.
let segmenter: Intl.Segmenter | undefined

/** Tells whether a character as a person sees it begins at a place up to `end`, given that one begins at `start`. */
function characterStarts(text: string, start: number, end: number): (at: number) => boolean {
  let near: Intl.Segments | undefined
  return (at) => {
    if (isSimple(text, at)) return true
    near ??= segments(text.slice(start, end + 2))
    return near.containing(at - start)?.index === at - start
  }
}

/**
 * The last place up to `high` where a character begins; it is after `start`, where one does. A character longer than
 * that is cut between code points.
 */
function characterFloor(text: string, start: number, high: number): number {
  const begin = characterBegin(text, start, high)
  if (begin > start) return begin
  if (!isLowSurrogate(text.charCodeAt(high))) return high
  return high - 1 > start ? high - 1 : high + 1
}

/** Where the character begins that the unit at `at` belongs to; one begins at `start`. */
function characterBegin(text: string, start: number, at: number): number {
  if (at >= text.length || isSimple(text, at)) return at
  const { index = 0 } = segments(text.slice(start, at + 2)).containing(at - start) ?? {}
  return start + index
}

/** The end of the character that begins at `start`, at most `end`. */
function characterCeiling(text: string, start: number, end: number): number {
  const first = segments(text.slice(start, end)).containing(0)
  return first === undefined ? end : start + first.segment.length
}

function segments(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  return segmenter.segment(text)
}

/** Whether both units stand by themselves, as those of most texts do, so that nobody need be asked. */
function isSimple(text: string, at: number): boolean {
  if (at <= 0 || at >= text.length) return true
  const [before, after] = [text.charCodeAt(at - 1), text.charCodeAt(at)]
  return before === 0x0a || (isAlone(before) && isAlone(after) && !(before === 0x0d && after === 0x0a))
}

/** Latin, Greek, Cyrillic, kana, ideographs and Hangul syllables, without anything that combines. */
function isAlone(unit: number): boolean {
  if (unit < 0x300) return true
  if (unit < 0x530) return unit >= 0x370 && !(unit >= 0x483 && unit <= 0x489)
  if (unit < 0x3400) return unit >= 0x3041 && unit <= 0x30fa && unit !== 0x3097 && unit !== 0x3098 && !isSoundMark(unit)
  return unit < 0xa000 || (unit >= 0xac00 && unit <= 0xd7a3)
}

function isSoundMark(unit: number): boolean {
  return unit === 0x3099 || unit === 0x309a
}

function isBlankBefore(text: string, lineEnd: number): boolean {
  const least = Math.max(0, lineEnd - longestBlank)
  for (let at = lineEnd - 1; at >= least; at--) {
    const unit = text.charCodeAt(at)
    if (unit === 0x0a) return true
    if (unit !== 0x20 && unit !== 0x09 && unit !== 0x0d) return false
  }
  return false
}

/** Whether `.`, `!`, `?` or `…`, perhaps with closing marks, stands before the space at `space`. */
function endsSentence(text: string, space: number): boolean {
  let at = space - 1
  while (at > space - 4 && isCloser(text.charCodeAt(at))) at--
  const unit = text.charCodeAt(at)
  return unit === 0x2e || unit === 0x21 || unit === 0x3f || unit === 0x2026
}

/** Ends of sentences that no space follows: 。！？；｡ */
function isFullStop(unit: number): boolean {
  return unit === 0x3002 || unit === 0xff01 || unit === 0xff1f || unit === 0xff1b || unit === 0xff61
}

/** `"`, `'`, `)`, `]`, `}`, `»`, `’`, `”`, `」`, `』`, `）` */
function isCloser(unit: number): boolean {
  switch (unit) {
    case 0x22:
    case 0x27:
    case 0x29:
    case 0x5d:
    case 0x7d:
    case 0xbb:
    case 0x2019:
    case 0x201d:
    case 0x300d:
    case 0x300f:
    case 0xff09:
      return true
    default:
      return false
  }
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x09 || unit === 0x0d || unit === 0xa0 || unit === 0x3000 || unit === 0x200b
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000
}
