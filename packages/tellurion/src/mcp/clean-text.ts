// Words of a server that models and people will read: cut, and without characters that nobody sees. Invisible text is a
// favourite place for instructions; what is taken out never comes back.

import { cut } from '../tool/result.ts'

/**
 * Controls but for line breaks and tabs, formatting characters (bidi, zero width, tags), private use, separators of lines
 * and paragraphs, variation selectors, fillers.
 */
const hidden = /[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}\p{DI}]/gu

/** A text of a stranger, well-formed, of at most `max` characters; what was cut is said so. */
export function cleanText(text: string, max: number): string {
  const seen = withoutHidden(text.toWellFormed())
  return seen.length <= max ? seen : `${cut(seen, max)} [cut]`
}

/** The same on one line. */
export function cleanLine(text: string, max: number): string {
  return cleanText(text.slice(0, max * 4).replaceAll(/\s+/g, ' '), max).trim()
}

/** Whether something in a name or a value could not be seen. */
export function hasHidden(text: string): boolean {
  return !text.isWellFormed() || withoutHidden(text) !== text
}

function withoutHidden(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(hidden, (character) => {
    return character === '\n' || character === '\t' ? character : ''
  })
}
