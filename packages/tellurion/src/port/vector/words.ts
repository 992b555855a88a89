// A text as the words it is found by. Both sides of a search, and every store, cut it the same way.

/** Longest word that is kept, in UTF-16 units; what is longer is cut off. */
const longestWord = 64
/** Distinct words of a query that are looked for. */
export const maxQueryWords = 64

const run = /[\p{L}\p{N}\p{M}]+/gu
/** Scripts that are written without spaces, or whose words grow endings: they are found by pairs of characters. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}々ー]+/gu
const accented = /([\p{Script=Latin}\p{Script=Greek}])\p{Mn}+/gu
// Most texts need none of the folding but lower case.
const plain = /^[\0-\x7f]*$/

/**
 * The words of a stored text, in order: runs of letters and digits, in lower case, without the accents of Latin and
 * Greek. A run of Chinese, Japanese, Korean or another script without spaces gives each character and each pair of
 * neighbours. There is no stemming and there are no stop words.
 */
export function wordsOf(text: string): string[] {
  const words: string[] = []
  for (const [piece] of fold(text).matchAll(run)) cut(piece, words, true)
  return words
}

/** The distinct words of a query, at most 64: as `wordsOf`, but single characters only where they stand alone. */
export function queryWords(text: string): string[] {
  const words: string[] = []
  for (const [piece] of fold(text).matchAll(run)) {
    cut(piece, words, false)
    if (words.length > maxQueryWords * 4) break
  }
  return [...new Set(words)].slice(0, maxQueryWords)
}

function fold(text: string): string {
  if (plain.test(text)) return text.toLowerCase()
  return text.normalize('NFKD').toLowerCase().replace(accented, '$1').replaceAll('ς', 'σ').normalize('NFC')
}

function cut(piece: string, words: string[], singles: boolean): void {
  let from = 0
  for (const { 0: stretch, index } of piece.matchAll(unspaced)) {
    if (index > from) words.push(shorten(piece.slice(from, index)))
    from = index + stretch.length
    pairs(stretch, words, singles)
  }
  if (from < piece.length) words.push(shorten(piece.slice(from)))
}

function pairs(stretch: string, words: string[], singles: boolean): void {
  let before = ''
  for (const character of stretch) {
    if (singles || stretch.length === character.length) words.push(character)
    if (before !== '') words.push(before + character)
    before = character
  }
}

function shorten(word: string): string {
  return word.length <= longestWord ? word : word.slice(0, longestWord).replace(/[\ud800-\udbff]$/, '')
}
