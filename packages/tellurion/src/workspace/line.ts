// Lines, each with what ends it, and their anchors: a number and a short hash of the line and its neighbours, by which an
// edit shows that it means the file as it is.

/** One line of a text. */
export interface Line {
  readonly text: string
  /** What ends it: `\n`, `\r\n`, or nothing for a last line without an end. */
  readonly end: '\n' | '\r\n' | ''
}

/** Takes a text apart; put together again the lines are the text, byte by byte. An empty text has no lines. */
export function splitLines(text: string): Line[] {
  const lines: Line[] = []
  for (let from = 0; from < text.length;) {
    const newline = text.indexOf('\n', from)
    if (newline === -1) {
      lines.push({ text: text.slice(from), end: '' })
      break
    }
    const crlf = newline > from && text[newline - 1] === '\r'
    lines.push({ text: text.slice(from, crlf ? newline - 1 : newline), end: crlf ? '\r\n' : '\n' })
    from = newline + 1
  }
  return lines
}

/** Puts lines together. */
export function joinLines(lines: readonly Line[]): string {
  return lines.map(({ text, end }) => text + end).join('')
}

/** A place in a file as a model names it: `12:k3f9`. */
export interface Anchor {
  /** From 1. */
  readonly number: number
  readonly hash: string
}

/** Reads an anchor; undefined for a text that is none. What a model copies along with it is ignored. */
export function readAnchor(text: string): Anchor | undefined {
  const found = /^\s*(\d{1,9}):([0-9a-v]{4})(?:\||\s|$)/.exec(text)
  return found === null ? undefined : { number: Number(found[1]), hash: found[2]! }
}

/**
 * The hash of a line of these: 20 bits over its text and those of its neighbours, so that one of many closing brackets is
 * not taken for another. FNV-1a (Fowler, Noll, Vo) with a last mixing of MurmurHash3 (Austin Appleby).
 */
export function anchorHash(lines: readonly Pick<Line, 'text'>[], index: number): string {
  let hash = 0x81_1c_9d_c5
  for (let at = index - 1; at <= index + 1; at++) {
    const text = lines[at]?.text
    // A missing neighbour is not an empty one.
    hash = Math.imul(hash ^ (text === undefined ? 0x1_00_01 : 0x1_00_02), 0x01_00_01_93)
    for (let place = 0; text !== undefined && place < text.length; place++) {
      hash = Math.imul(hash ^ text.charCodeAt(place), 0x01_00_01_93)
    }
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85_eb_ca_6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2_b2_ae_35)
  return ((hash ^ (hash >>> 16)) >>> 12).toString(32).padStart(4, '0')
}

/** A line as models are shown it: `12:k3f9|text`. */
export function shownLine(lines: readonly Line[], index: number, maxLength = Infinity): string {
  const { text } = lines[index]!
  const shown = text.length <= maxLength ? text : `${text.slice(0, maxLength).toWellFormed()}…`
  return `${index + 1}:${anchorHash(lines, index)}|${shown}`
}
