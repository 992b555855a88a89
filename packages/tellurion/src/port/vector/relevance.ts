// BM25 (Robertson and others, 1994), with the constants and the rounding of SQLite's FTS5, so that every store ranks
// alike; the result is divided by what a perfect match would get.

const k1 = 1.2
const b = 0.75
/** What a word weighs that is in half of the texts or more. */
const leastWeight = 1e-6

/** How much a word tells: more, the fewer of the `texts` have it. */
export function wordWeight(texts: number, withWord: number): number {
  const weight = Math.log((texts - withWord + 0.5) / (withWord + 0.5))
  return weight <= 0 ? leastWeight : weight
}

/** What a word adds to a text's score that has it `times` among its `length` words, where the mean length is `mean`. */
export function wordScore(weight: number, times: number, { length, mean }: { length: number; mean: number }): number {
  return weight * ((times * (k1 + 1)) / (times + k1 * (1 - b + (b * length) / mean)))
}

/** What no text can reach that has all these words. */
export function perfectScore(weights: readonly number[]): number {
  return weights.reduce((sum, weight) => sum + weight, 0) * (k1 + 1)
}

/**
 * The words worth looking for: those that some text has, and of these the rare ones. Words in half of the texts or more
 * say nothing and cost the most; they count only where a query has no others.
 */
export function tellingWords(
  words: readonly string[],
  { texts, withWord }: { texts: number; withWord: (word: string) => number },
): { readonly word: string; readonly weight: number }[] {
  const weighed = words.flatMap((word) => {
    const found = withWord(word)
    return found === 0 ? [] : [{ word, weight: wordWeight(texts, found) }]
  })
  const rare = weighed.filter(({ weight }) => weight > leastWeight)
  return rare.length > 0 ? rare : weighed
}
