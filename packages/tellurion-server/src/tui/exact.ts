// Lines of what must be read exactly: broken where the width ends, so that no blank goes missing, and behind a margin.

import { visibleWidth } from '@earendil-works/pi-tui'

/** How lines are set. On a narrow terminal the margin shrinks. */
export interface Setting {
  readonly width: number
  /** Columns before each line. */
  readonly by: number
  readonly style?: (text: string) => string
}

/** The lines of a text that is inert and has no tabs. */
export function exactLines(text: string, { width, by, style = (line) => line }: Setting): string[] {
  const blank = ' '.repeat(Math.min(by, Math.max(0, width - 10)))
  const room = Math.max(2, width - blank.length)
  return text.split('\n').flatMap((line) => broken(line, room).map((piece) => blank + style(piece)))
}

const printable = /^[ -~]*$/
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

function broken(line: string, room: number): string[] {
  if (line.length <= room && printable.test(line)) return [line]
  const pieces: string[] = []
  let piece = ''
  let width = 0
  for (const { segment } of graphemes.segment(line)) {
    const columns = visibleWidth(segment)
    if (width + columns > room) {
      pieces.push(piece)
      piece = ''
      width = 0
    }
    piece += segment
    width += columns
  }
  return [...pieces, piece]
}
