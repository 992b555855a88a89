// One line: a text that cannot pass for more than itself where lines mean something.

/** The text with single spaces in the place of line ends, control characters and white space, well-formed. */
export function oneLine(text: string): string {
  return text
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .toWellFormed()
}
