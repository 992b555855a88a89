// Streamed text broken between words, so that a terminal does not break it inside one. A word is held back until it is
// whole; what is wider than a line goes out as it is.

import { isWide, widthOf } from '../terminal/width.ts'

/** A wrapper of one stream of text. */
export interface WordWrap {
  /** What can be written now. */
  push(text: string): string
  /** The word that was held back; the next text begins where it ends. */
  flush(): string
}

/** Makes a wrapper that starts at the left edge; `columns` is asked for each word, for a terminal may be resized. */
export function createWordWrap(columns: () => number): WordWrap {
  let column = 0
  let blank = ''
  let word = ''

  /** Writes blank and word, on this line if they fit. */
  const settle = (): string => {
    const width = widthOf(word)
    const start = blankEnd(column, blank)
    const fits = column === 0 || start + width <= columns()
    const text = fits ? blank + word : `\n${word}`
    if (word === '') return ''
    column = (fits ? start : 0) + width
    blank = ''
    word = ''
    return text
  }

  return {
    push(text) {
      let written = ''
      for (const character of text) {
        if (character === '\n') {
          written += `${settle()}\n`
          column = 0
          blank = ''
        } else if (character === ' ' || character === '\t') {
          written += settle()
          blank += character
        } else {
          if (isWide(character)) written += settle()
          word += character
          if (isWide(character)) written += settle()
        }
      }
      return written
    },
    flush() {
      const text = settle() + blank
      column = blankEnd(column, blank)
      blank = ''
      return text
    },
  }
}

function blankEnd(column: number, blank: string): number {
  let end = column
  for (const character of blank) end = character === '\t' ? (Math.floor(end / 8) + 1) * 8 : end + 1
  return end
}
