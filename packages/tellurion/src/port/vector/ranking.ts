// From lists of what was found to one ranking: by nearness, by words, or both joined by reciprocal rank (Cormack,
// Clarke and Büttcher, 2009).

import type { Found } from './best.ts'
import type { PlainQuery } from './query.ts'

/** How far a rank is from being the only thing that counts. */
const flatness = 60
/** What first place in two lists is worth. */
const perfect = 2 / (flatness + 1)

/** A place in the answer. */
export interface Ranked extends Found {
  readonly vectorScore?: number
  readonly textScore?: number
}

/** The two ways to look; each gives at most `limit`, best first. */
export interface Finders {
  readonly byVector: (vector: Float32Array, limit: number, minScore?: number) => readonly Found[]
  readonly byText: (text: string, limit: number) => readonly Found[]
}

/** The answer to a query. */
export function rank({ vector, text, limit, minScore = -Infinity }: PlainQuery, finders: Finders): readonly Ranked[] {
  if (vector !== undefined && text !== undefined) {
    const depth = Math.max(50, limit * 4)
    const joined = join(finders.byVector(vector, depth), finders.byText(text, depth))
    return joined.filter(({ score }) => score >= minScore).slice(0, limit)
  }
  if (vector !== undefined) {
    return finders.byVector(vector, limit, minScore).map((found) => ({ ...found, vectorScore: found.score }))
  }
  if (text === undefined) return []
  const found = finders.byText(text, limit).filter(({ score }) => score >= minScore)
  return found.map((one) => ({ ...one, textScore: one.score }))
}

function join(byVector: readonly Found[], byText: readonly Found[]): Ranked[] {
  const joined = new Map<number, { key: number; score: number; vectorScore?: number; textScore?: number }>()
  byVector.forEach(({ key, score }, place) => joined.set(key, { key, score: worth(place), vectorScore: score }))
  byText.forEach(({ key, score }, place) => {
    const both = joined.get(key)
    if (both === undefined) joined.set(key, { key, score: worth(place), textScore: score })
    else {
      both.score += worth(place)
      both.textScore = score
    }
  })
  return [...joined.values()].sort((x, y) => y.score - x.score || x.key - y.key)
}

function worth(place: number): number {
  return 1 / (flatness + 1 + place) / perfect
}
