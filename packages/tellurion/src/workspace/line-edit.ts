// Edits of lines by their anchors, as a pure function: all of them or none, and none when a line is not what the edit was
// made for. Ends of lines, the last one's too, stay as they are.

import { TellurionError } from '../error/error.ts'
import { anchorHash, readAnchor, shownLine, splitLines, type Line } from './line.ts'

/** One edit. */
export interface LineEdit {
  /** The anchor of the first line, or `start` or `end` of the file where lines are put before or after everything. */
  readonly at: string
  /** The anchor of the last line, where more than one is replaced. Default the first. */
  readonly through?: string | undefined
  /** What is done with these lines. Default `replace`. */
  readonly action?: 'replace' | 'before' | 'after' | undefined
  /** The new lines. None, with `replace`, deletes. */
  readonly text?: string | undefined
}

/** Lines after their edits, and where they differ. */
export interface Edited {
  readonly lines: readonly Line[]
  /** Ranges of new lines, from 0, the end not in it; where lines were deleted it is empty. Ascending. */
  readonly touched: readonly (readonly [from: number, to: number])[]
}

/** Lines from 0, the end not in it, and what is put there. */
interface Splice {
  readonly from: number
  readonly to: number
  readonly text: string | undefined
}

/**
 * Makes edits, each for the lines as they are before all of them. Throws `file_changed`, showing what the lines are now,
 * when an anchor does not fit, and `file_access` for edits that overlap or say nothing.
 */
export function editLines(path: string, lines: readonly Line[], edits: readonly LineEdit[]): Edited {
  const splices = edits.map((edit) => spliceOf(path, lines, edit)).sort((a, b) => a.from - b.from || a.to - b.to)
  for (const [index, { from, to }] of splices.entries()) {
    const next = splices[index + 1]
    if (next !== undefined && (next.from < to || (next.from === from && next.to === to))) {
      throw new TellurionError('file_access', `Two edits of ${path} touch line ${next.from + 1}; make them one.`)
    }
  }
  const result: Line[] = []
  const touched: [number, number][] = []
  let at = 0
  for (const { from, to, text } of splices) {
    result.push(...lines.slice(at, from))
    const begin = result.length
    if (text !== undefined) result.push(...newLines(lines, text, from))
    touched.push([begin, result.length])
    at = to
  }
  result.push(...lines.slice(at))
  return { lines: closed(result, lines), touched }
}

function spliceOf(path: string, lines: readonly Line[], edit: LineEdit): Splice {
  const { at, through, action = 'replace', text } = edit
  if (action !== 'replace' && text === undefined) {
    throw new TellurionError('file_access', `An edit of ${path} puts lines ${action} another, but has no text.`)
  }
  if (action !== 'replace' && through !== undefined) {
    throw new TellurionError('file_access', `An edit of ${path} has through, which only replace takes.`)
  }
  if (at === 'start' || at === 'end') {
    if (text === undefined || through !== undefined) {
      throw new TellurionError('file_access', `An edit at the ${at} of ${path} takes text, and nothing to replace.`)
    }
    const place = at === 'start' ? 0 : lines.length
    return { from: place, to: place, text }
  }
  const first = lineAt(path, lines, at)
  const last = through === undefined ? first : lineAt(path, lines, through)
  if (last < first) throw new TellurionError('file_access', `An edit of ${path} goes from ${at} back to ${through}.`)
  if (action === 'before') return { from: first, to: first, text }
  if (action === 'after') return { from: first + 1, to: first + 1, text }
  return { from: first, to: last + 1, text }
}

/** The index of the line that an anchor means. */
function lineAt(path: string, lines: readonly Line[], text: string): number {
  const anchor = readAnchor(text)
  if (anchor === undefined) {
    throw new TellurionError(
      'file_access',
      `${JSON.stringify(text.slice(0, 40).toWellFormed())} is no anchor; take number:hash as readFile and grepFiles show it, such as 12:k3f9.`,
    )
  }
  const index = anchor.number - 1
  if (index < lines.length && anchorHash(lines, index) === anchor.hash) return index
  throw stale(path, lines, { index, hash: anchor.hash, text: `${anchor.number}:${anchor.hash}` })
}

function stale(
  path: string,
  lines: readonly Line[],
  { index, hash, text }: { index: number; hash: string; text: string },
): TellurionError {
  const moved: number[] = []
  for (let at = 0; at < lines.length && moved.length < 2; at++) if (anchorHash(lines, at) === hash) moved.push(at)
  const around = moved.length === 1 ? moved[0]! : Math.min(index, Math.max(0, lines.length - 1))
  const shown = linesAround(lines, [around, around + 1], 120)
  const where = moved.length === 1 ? `it may be line ${around + 1} now` : 'it is gone or was changed'
  const now = shown === '' ? 'The file is empty now.' : `The lines are now:\n${shown}`
  return new TellurionError(
    'file_changed',
    `${path} is not what the edit was made for: there is no line ${text} any more, ${where}. Nothing was changed. Use these anchors, or read the file again. ${now}`,
  )
}

/** Some lines with two of their neighbours on each side, as models are shown them. */
export function linesAround(lines: readonly Line[], [from, to]: readonly [number, number], maxLength: number): string {
  const shown: string[] = []
  for (let at = Math.max(0, from - 2); at < Math.min(lines.length, to + 2); at++)
    shown.push(shownLine(lines, at, maxLength))
  return shown.join('\n')
}

/** New lines that end as the lines around them do. One newline at the end of the text is the end of its last line. */
function newLines(lines: readonly Line[], text: string, at: number): Line[] {
  const end = (lines[at]?.end || lines[at - 1]?.end || lines[0]?.end) === '\r\n' ? '\r\n' : '\n'
  if (text === '') return [{ text: '', end }]
  return splitLines(text).map((line) => ({ text: line.text, end }))
}

/** The last line ends as the last line did before; only in an empty file with a newline. */
function closed(result: Line[], before: readonly Line[]): Line[] {
  const last = result.at(-1)
  if (last === undefined) return result
  const style = result.find(({ end }) => end !== '')?.end ?? '\n'
  // An empty line without an end would be no line.
  const open = before.at(-1)?.end === '' && last.text !== ''
  // A line without an end can only be the last one.
  for (let at = 0; at < result.length - 1; at++) if (result[at]!.end === '') result[at] = { ...result[at]!, end: style }
  result[result.length - 1] = { ...last, end: open ? '' : last.end === '' ? style : last.end }
  return result
}
