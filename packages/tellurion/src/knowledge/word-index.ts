// An inverted index in memory: which texts have which words, and which fit a query best.

import { Best, type Found } from '../port/vector/best.ts'
import { perfectScore, tellingWords, wordScore } from '../port/vector/relevance.ts'
import { queryWords, wordsOf } from '../port/vector/words.ts'

/** Texts by key. A text without any word is not counted. */
export class WordIndex {
  /** How often a word occurs, by word and key. */
  readonly #postings = new Map<string, Map<number, number>>()
  /** The words of a text, each once, and how many there are with repetitions. */
  readonly #texts = new Map<number, { readonly words: readonly string[]; readonly length: number }>()
  #length = 0

  add(key: number, text: string): void {
    const all = wordsOf(text)
    if (all.length === 0) return
    for (const word of all) {
      let posting = this.#postings.get(word)
      if (posting === undefined) this.#postings.set(word, (posting = new Map()))
      posting.set(key, (posting.get(key) ?? 0) + 1)
    }
    this.#texts.set(key, { words: [...new Set(all)], length: all.length })
    this.#length += all.length
  }

  delete(key: number): void {
    const text = this.#texts.get(key)
    if (text === undefined) return
    for (const word of text.words) {
      const posting = this.#postings.get(word)
      posting?.delete(key)
      if (posting?.size === 0) this.#postings.delete(word)
    }
    this.#texts.delete(key)
    this.#length -= text.length
  }

  /** The best texts for the words of a query, by BM25 over what a perfect match would get. */
  search(query: string, { limit, keys }: { limit: number; keys?: readonly number[] | undefined }): Found[] {
    const telling = tellingWords(queryWords(query), {
      texts: this.#texts.size,
      withWord: (word) => this.#postings.get(word)?.size ?? 0,
    })
    if (telling.length === 0) return []
    const allowed = keys === undefined ? undefined : new Set(keys)
    const mean = this.#length / this.#texts.size
    const sums = new Map<number, number>()
    for (const { word, weight } of telling) {
      for (const [key, times] of this.#postings.get(word) ?? []) {
        if (allowed !== undefined && !allowed.has(key)) continue
        const { length } = this.#texts.get(key)!
        sums.set(key, (sums.get(key) ?? 0) + wordScore(weight, times, { length, mean }))
      }
    }
    if (sums.size === 0) return []
    const perfect = perfectScore(telling.map(({ weight }) => weight))
    const best = new Best(Math.min(limit, sums.size))
    for (const [key, score] of sums) best.offer(score / perfect, key)
    return best.ranking()
  }
}
