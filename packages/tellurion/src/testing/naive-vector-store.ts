// What a vector store should answer, worked out the long way: a list of items, every formula written out. The random
// courses compare stores with it.

import type { MetadataFilter } from '../port/metadata-filter.ts'
import { queryWords, wordsOf } from '../port/vector/words.ts'
import type { VectorItem } from '../port/vector-store.ts'
import type { Json } from '../schema/json.ts'

/** Items from the oldest to the newest. */
export class NaiveVectorStore {
  items: readonly VectorItem[] = []

  upsert(items: readonly VectorItem[], replacing: readonly string[] = []): void {
    const kept = this.items.filter(({ document }) => !replacing.includes(document))
    for (const item of items) {
      const at = kept.findIndex(({ id }) => id === item.id)
      if (at !== -1) kept.splice(at, 1)
      kept.push(item)
    }
    this.items = kept
  }

  delete(gone: (item: VectorItem) => boolean): number {
    const before = this.items.length
    this.items = this.items.filter((item) => !gone(item))
    return before - this.items.length
  }

  /** The cosine of every item that has a vector. */
  vectorScores(query: readonly number[]): ReadonlyMap<string, number> {
    const cosine = (a: ArrayLike<number>, b: readonly number[]): number => {
      const dot = b.reduce((sum, value, at) => sum + value * a[at]!, 0)
      return dot / Math.hypot(...b) / Math.hypot(...Array.from(a))
    }
    return new Map(
      this.items.flatMap(({ id, vector }) => (vector === undefined ? [] : ([[id, cosine(vector, query)]] as const))),
    )
  }

  /** BM25 of every item that has a telling word of the query, as a part of the perfect score. */
  textScores(query: string): ReadonlyMap<string, number> {
    const texts = this.items.flatMap(({ id, text, title = '' }) => {
      const words = text === undefined ? [] : wordsOf(`${title}\n${text}`)
      return words.length === 0 ? [] : [{ id, words }]
    })
    const mean = texts.reduce((sum, { words }) => sum + words.length, 0) / texts.length
    const weighed = queryWords(query).flatMap((word) => {
      const having = texts.filter(({ words }) => words.includes(word)).length
      if (having === 0) return []
      const common = having * 2 >= texts.length
      return [{ word, common, weight: common ? 1e-6 : Math.log((texts.length - having + 0.5) / (having + 0.5)) }]
    })
    const rare = weighed.filter(({ common }) => !common)
    const telling = rare.length > 0 ? rare : weighed
    const perfect = telling.reduce((sum, { weight }) => sum + weight * 2.2, 0)
    const scores = texts.map(({ id, words }) => {
      const parts = telling.map(({ word, weight }) => {
        const times = words.filter((one) => one === word).length
        return (weight * times * 2.2) / (times + 1.2 * (0.25 + (0.75 * words.length) / mean))
      })
      return [id, parts.reduce((sum, part) => sum + part, 0) / perfect] as const
    })
    return new Map(scores.filter(([, score]) => score > 0))
  }
}

/** Whether an item meets a filter, read off the definition. */
export function meetsFilter(item: VectorItem, filter: MetadataFilter): boolean {
  if ('and' in filter) return filter.and.every((part) => meetsFilter(item, part))
  if ('or' in filter) return filter.or.some((part) => meetsFilter(item, part))
  if ('not' in filter) return !meetsFilter(item, filter.not)
  if ('document' in filter) return filter.document.includes(item.document)
  if ('source' in filter) return filter.source.includes(item.source)
  const field = Object.entries(item.metadata ?? {}).find(([name]) => name === filter.key)?.[1]
  if ('equals' in filter) return field === filter.equals
  if ('in' in filter) return filter.in.some((value) => value === field)
  if ('has' in filter) return Array.isArray(field) && field.some((value) => value === filter.has)
  if ('exists' in filter) return (field !== undefined) === filter.exists
  const { gt, gte, lt, lte } = filter
  return (
    (gt === undefined || compare(field, gt) === 1) &&
    (gte === undefined || [0, 1].includes(compare(field, gte) ?? -1)) &&
    (lt === undefined || compare(field, lt) === -1) &&
    (lte === undefined || [0, -1].includes(compare(field, lte) ?? 1))
  )
}

function compare(field: Json | undefined, bound: string | number): -1 | 0 | 1 | undefined {
  if (typeof field !== typeof bound) return undefined
  const list = (value: string | number): readonly number[] =>
    typeof value === 'number' ? [value] : [...new TextEncoder().encode(value)]
  const [a, b] = [list(field as string | number), list(bound)]
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    if (a[at] === b[at]) continue
    if (a[at] === undefined) return -1
    if (b[at] === undefined) return 1
    return a[at]! < b[at]! ? -1 : 1
  }
  return 0
}
