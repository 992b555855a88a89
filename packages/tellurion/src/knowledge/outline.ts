// The outline of a Markdown text, read line by line: where its headings stand, and which stretches belong together. It
// is no parser: what it does not know it takes as text.

/** A heading with its line or two. */
export interface Heading {
  readonly start: number
  readonly end: number
  /** 1 to 6. */
  readonly depth: number
  /** Its words, at most 200 characters. */
  readonly text: () => string
}

/** A fenced code block, a table or the matter at the front, up to and with its last line feed. */
export interface Whole {
  readonly start: number
  readonly end: number
}

/** Both in the order of the text. */
export interface Outline {
  readonly headings: readonly Heading[]
  readonly wholes: readonly Whole[]
}

const longestHeading = 200

interface Line {
  readonly start: number
  /** Without its line feed. */
  readonly textEnd: number
  /** After its line feed. */
  readonly end: number
}

/** Reads an outline in one pass. */
export function readOutline(text: string): Outline {
  const headings: Heading[] = []
  const wholes: Whole[] = []
  // Some editors begin a file with a byte order mark.
  const begin = text.startsWith('\ufeff') ? 1 : 0
  let at = begin
  let before: Line | undefined
  if (text.startsWith('---\n', begin) || text.startsWith('---\r\n', begin)) {
    const close = /\n(?:---|\.\.\.)[ \t\r]*(?:\n|$)/g
    close.lastIndex = begin + 3
    const found = close.exec(text.slice(0, 100_000))
    if (found !== null) {
      at = found.index + found[0].length
      wholes.push({ start: begin, end: at })
    }
  }
  while (at < text.length) {
    const line = lineAt(text, at)
    at = line.end
    const first = firstMark(text, line)
    const fence = fenceOf(text, first, line)
    if (fence !== undefined) {
      at = fenceEnd(text, line, fence)
      wholes.push({ start: line.start, end: at })
      before = undefined
      continue
    }
    const depth = depthOf(text, first, line)
    if (depth > 0) {
      headings.push({
        start: line.start,
        end: line.end,
        depth,
        text: () => headingText(text, first + depth, line.textEnd),
      })
      before = undefined
      continue
    }
    const under = before === undefined ? 0 : underlineDepth(text, first, line)
    if (before !== undefined && under > 0) {
      const { start, textEnd } = before
      headings.push({ start, end: line.end, depth: under, text: () => headingText(text, start, textEnd) })
      before = undefined
      continue
    }
    if (before !== undefined && isDelimiterRow(text, line) && hasPipe(text, before)) {
      at = tableEnd(text, line)
      wholes.push({ start: before.start, end: at })
      before = undefined
      continue
    }
    // What a line of dashes or a row of a table may follow.
    before = first === line.textEnd || isListItem(text, first) ? undefined : line
  }
  return { headings, wholes }
}

function lineAt(text: string, start: number): Line {
  const feed = text.indexOf('\n', start)
  if (feed === -1) return { start, textEnd: text.length, end: text.length }
  return { start, textEnd: text.charCodeAt(feed - 1) === 0x0d && feed > start ? feed - 1 : feed, end: feed + 1 }
}

function firstMark(text: string, { start, textEnd }: Line): number {
  let at = start
  while (at < textEnd && isSpace(text.charCodeAt(at))) at++
  return at
}

/** The opening run of a code fence: its character and length. */
function fenceOf(text: string, first: number, { textEnd }: Line): { unit: number; length: number } | undefined {
  const unit = text.charCodeAt(first)
  if (unit !== 0x60 && unit !== 0x7e) return undefined
  const length = runLength(text, first, textEnd)
  if (length < 3) return undefined
  // What follows backticks may hold none: that would be code within a line.
  const rest = text.slice(first + length, Math.min(textEnd, first + length + 1_000))
  return unit === 0x60 && rest.includes('`') ? undefined : { unit, length }
}

/** Where a fenced block ends: after the closing line, or with the text. */
function fenceEnd(text: string, opening: Line, { unit, length }: { unit: number; length: number }): number {
  let at = opening.end
  while (at < text.length) {
    const line = lineAt(text, at)
    const first = firstMark(text, line)
    if (text.charCodeAt(first) === unit) {
      const run = runLength(text, first, line.textEnd)
      if (run >= length && isBlankFrom(text, first + run, line.textEnd)) return line.end
    }
    at = line.end
  }
  return text.length
}

/** How many `#` begin the line, when it is a heading; 0 when not. */
function depthOf(text: string, first: number, { start, textEnd }: Line): number {
  if (text.charCodeAt(first) !== 0x23 || first - start > 3) return 0
  const depth = runLength(text, first, Math.min(textEnd, first + 7))
  const after = first + depth
  return depth <= 6 && (after === textEnd || isSpace(text.charCodeAt(after))) ? depth : 0
}

/** 1 for a line of `=`, 2 for a line of `-`; 0 for any other. */
function underlineDepth(text: string, first: number, { start, textEnd }: Line): number {
  const unit = text.charCodeAt(first)
  if ((unit !== 0x3d && unit !== 0x2d) || first - start > 3) return 0
  const run = runLength(text, first, textEnd)
  if (!isBlankFrom(text, first + run, textEnd)) return 0
  return unit === 0x3d ? 1 : 2
}

/** `| --- | :-: |`: the second row of a table. */
function isDelimiterRow(text: string, { start, textEnd }: Line): boolean {
  let [dashes, pipes] = [0, 0]
  for (let at = start; at < textEnd; at++) {
    const unit = text.charCodeAt(at)
    if (unit === 0x2d) dashes++
    else if (unit === 0x7c) pipes++
    else if (unit !== 0x3a && !isSpace(unit)) return false
  }
  return dashes > 0 && pipes > 0
}

function tableEnd(text: string, delimiter: Line): number {
  let at = delimiter.end
  while (at < text.length) {
    const line = lineAt(text, at)
    if (!hasPipe(text, line)) break
    at = line.end
  }
  return at
}

function hasPipe(text: string, { start, textEnd }: Line): boolean {
  for (let at = start; at < textEnd; at++) if (text.charCodeAt(at) === 0x7c) return true
  return false
}

function isListItem(text: string, first: number): boolean {
  const unit = text.charCodeAt(first)
  return (unit === 0x2d || unit === 0x2a || unit === 0x2b || unit === 0x3e) && isSpace(text.charCodeAt(first + 1))
}

function runLength(text: string, first: number, end: number): number {
  const unit = text.charCodeAt(first)
  let at = first
  while (at < end && text.charCodeAt(at) === unit) at++
  return at - first
}

function isBlankFrom(text: string, from: number, end: number): boolean {
  for (let at = from; at < end; at++) if (!isSpace(text.charCodeAt(at))) return false
  return true
}

/** The words of a heading, without the marks that may close it. */
function headingText(text: string, start: number, end: number): string {
  const words = text.slice(start, Math.min(end, start + longestHeading * 2)).trim()
  const open = words.replace(/(?:^|[ \t])#+$/, '').trim()
  return open.length <= longestHeading ? open : `${open.slice(0, longestHeading - 1).toWellFormed()}…`
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x09
}
