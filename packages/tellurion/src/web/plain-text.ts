// Text of strangers made plain: nothing in it that is not seen, moves the cursor, or turns the order of letters round. What
// is hidden from a person must not be there for a model to obey.

/** Controls, format characters and fillers, but for line ends, tabs, variation selectors and joiners. */
const unseen = /(?![\n\t\p{Join_C}]|[\u{fe00}-\u{fe0f}]|[\u{e0100}-\u{e01ef}])[\p{Cc}\p{Cf}\p{DI}]/gu
/** Joiners are needed within emoji and the scripts of India and Arabia; elsewhere, and in rows, they are letters in a code of bits. */
const idle =
  /(?<=^|\p{Join_C}|[\0-\u058f\u1d00-\u1fff\u2e80-\ua7ff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef])\p{Join_C}+/gu
/** Variation selectors carry bytes where there are many; one after a character is an ordinary emoji. */
const smuggled = /[\u{e0100}-\u{e01ef}]+|(?<=[\ufe00-\ufe0f])[\ufe00-\ufe0f]+/gu

/** The text without characters that are not seen; line ends become `\n`. Well-formed. Linear in its length. */
export function plainText(text: string): string {
  return text
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    .replace(unseen, '')
    .replace(idle, '')
    .replace(smuggled, '')
    .toWellFormed()
}

/** The same on one line of at most `most` characters. */
export function plainLine(text: string, most: number): string {
  // Cut first: what is thrown away need not be looked at.
  return plainText(text.slice(0, 4 * most))
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, most)
    .toWellFormed()
}
