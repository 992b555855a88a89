// How wide a text is on a terminal, and texts cut to a width.

const wide =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u
const invisible = /[\p{Mn}\p{Me}\p{Cf}]/u

/** Columns of a text without controls: two for wide characters and emoji, none for marks that join what is before. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of text) width += columnsOf(character)
  return width
}

/** The text, or its beginning with `…`, in at most so many columns. */
export function fit(text: string, columns: number): string {
  if (text.length * 2 <= columns || widthOf(text) <= columns) return text
  let kept = ''
  let width = 1
  for (const character of text) {
    width += columnsOf(character)
    if (width > columns) break
    kept += character
  }
  return `${kept}…`
}

/** Whether a character takes two columns. */
export function isWide(character: string): boolean {
  return character > '\u02ff' && wide.test(character)
}

function columnsOf(character: string): number {
  if (character <= '\u02ff') return 1
  return invisible.test(character) ? 0 : wide.test(character) ? 2 : 1
}
