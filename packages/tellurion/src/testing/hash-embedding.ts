// An embedding model without a model: texts that share words and parts of words have near vectors. The same text has
// the same vector on every machine.

import { throwIfAborted } from '../abort/abort.ts'
import type { EmbeddingModel } from '../port/model.ts'
import { wordsOf } from '../port/vector/words.ts'

/** How such a model is made. */
export interface HashEmbeddingOptions {
  /** Default `test/hash`. */
  readonly name?: string
  /** The length of the vectors. Default 256. */
  readonly dimensions?: number
}

/** The model, and what it was asked for. */
export interface HashEmbedding extends EmbeddingModel {
  /** The texts of each call so far. */
  readonly calls: readonly (readonly string[])[]
}

/** What a part of a word is worth beside the word. */
const partWorth = 0.4

/**
 * Makes a model that hashes words and their parts of three characters into the entries of a vector (Weinberger and
 * others, 2009). A word counts by the logarithm of how often it comes, and short ones count little. A token is four characters.
 */
export function hashEmbedding({ name = 'test/hash', dimensions = 256 }: HashEmbeddingOptions = {}): HashEmbedding {
  const calls: (readonly string[])[] = []
  return {
    name,
    calls,
    async embed(texts, { signal } = {}) {
      throwIfAborted(signal)
      calls.push([...texts])
      const vectors = texts.map((text) => embed(text, dimensions))
      const inputTokens = texts.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0)
      return { vectors, usage: { inputTokens } }
    },
  }
}

function embed(text: string, dimensions: number): number[] {
  const vector = Array<number>(dimensions).fill(0)
  const counts = new Map<string, number>()
  for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1)
  for (const [word, count] of counts) {
    const worth = (1 + Math.log(count)) * Math.min(1, word.length / 5)
    add(vector, word, worth)
    const framed = `^${word}$`
    for (let at = 0; at + 3 <= framed.length; at++) add(vector, `~${framed.slice(at, at + 3)}`, worth * partWorth)
  }
  // A text without a word still has a direction, its own.
  if (counts.size === 0) add(vector, `=${text}`, 1)
  const norm = Math.hypot(...vector)
  return norm === 0 ? vector.with(0, 1) : vector.map((value) => value / norm)
}

function add(vector: number[], feature: string, worth: number): void {
  const hash = hashOf(feature)
  const entry = (hash >>> 1) % vector.length
  vector[entry]! += (hash & 1) === 0 ? worth : -worth
}

/** FNV-1a (Fowler, Noll, Vo) over UTF-16 units, mixed once more so that its low bits are good. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}
