// Which facts come first: those that fit by words or by meaning, then the certain and the new.

import { perfectScore, tellingWords, wordScore } from '../port/vector/relevance.ts'
import { queryWords, wordsOf } from '../port/vector/words.ts'
import type { Fact } from './fact.ts'

/** What joins two rankings (Cormack and others, 2009): the later a place, the less it counts. */
const smoothing = 60

/**
 * At most `limit` facts, the fittest first. `near` are the keys that are near in meaning, nearest first. Facts that do not
 * fit fill the places that are left: the most certain first, of equals the newest.
 */
export function rankFacts(
  facts: readonly Fact[],
  { query, limit, near }: { query: string; limit: number; near: readonly string[] },
): (Fact & { readonly score: number })[] {
  const worded = byWords(facts, query)
  const places = new Map(near.map((key, place) => [key, place]))
  const scored = facts.map((fact, index) => {
    const place = places.get(fact.key)
    const word = worded.get(index)
    const fits =
      (place === undefined ? 0 : smoothing / (smoothing + place)) +
      (word === undefined ? 0 : smoothing / (smoothing + word))
    return { ...fact, score: Math.min(1, near.length === 0 ? fits : fits / 2) }
  })
  return scored
    .sort((a, b) => b.score - a.score || b.confidence - a.confidence || b.updated - a.updated)
    .slice(0, limit)
}

/** The places of the facts that share telling words with a query, best first. */
function byWords(facts: readonly Fact[], query: string): Map<number, number> {
  const texts = facts.map(({ key, text }) => wordsOf(`${key} ${text}`))
  const frequency = new Map<string, number>()
  for (const words of texts) for (const word of new Set(words)) frequency.set(word, (frequency.get(word) ?? 0) + 1)
  const telling = tellingWords(queryWords(query), {
    texts: texts.length,
    withWord: (word) => frequency.get(word) ?? 0,
  })
  const mean = texts.reduce((sum, { length }) => sum + length, 0) / Math.max(1, texts.length)
  const perfect = perfectScore(telling.map(({ weight }) => weight))
  const scores: { readonly index: number; readonly score: number }[] = []
  for (const [index, words] of texts.entries()) {
    let score = 0
    for (const { word, weight } of telling) {
      const times = words.filter((each) => each === word).length
      if (times > 0) score += wordScore(weight, times, { length: words.length, mean })
    }
    if (score > 0) scores.push({ index, score: score / perfect })
  }
  scores.sort((a, b) => b.score - a.score)
  return new Map(scores.map(({ index }, place) => [index, place]))
}
