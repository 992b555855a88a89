// What the cases of a vector store share: how a case looks, and comparing.

import type { VectorItem, VectorStore } from '../port/vector-store.ts'

/** A fresh, empty store, and where its material allows it a way to open the same store once more. */
export interface VectorStoreBench {
  readonly store: VectorStore
  readonly again?: () => Promise<VectorStore>
}

/** One behaviour. `run` rejects with what is wrong. A shared one needs `again`, and is skipped without. */
export interface VectorStoreCase {
  readonly name: string
  readonly shared?: true
  run(bench: VectorStoreBench): Promise<void>
}

/** Rejects unless both are the same as JSON. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (got !== wanted) throw new Error(`${what}: expected ${wanted}, got ${got}`)
}

/** Rejects unless two scores are the same but for rounding. */
export function near(actual: number | undefined, expected: number | undefined, what: string): void {
  if (actual === expected) return
  if (actual === undefined || expected === undefined || !(Math.abs(actual - expected) < 1e-5)) {
    throw new Error(`${what}: expected ${expected}, got ${actual}`)
  }
}

/** Rejects unless `work` rejects with an error of that code whose message says all of `words`. */
export async function refuses(work: () => Promise<unknown>, code: string, ...words: readonly string[]): Promise<void> {
  let error: { code?: unknown; message?: unknown }
  try {
    const value = await work()
    throw new Error(`expected ${code}, got ${JSON.stringify(value)}`)
  } catch (thrown) {
    error = thrown as typeof error
  }
  if (error.code !== code) throw new Error(`expected ${code}, got ${String(error.code)}: ${String(error.message)}`)
  const missing = words.find((word) => !String(error.message).includes(word))
  if (missing !== undefined) throw new Error(`the message does not say '${missing}': ${String(error.message)}`)
}

/** An item of a document `d` unless told otherwise. */
export function draftItem(id: string, rest: Partial<VectorItem> = {}): VectorItem {
  const text = rest.vector === undefined && rest.text === undefined ? { text: id } : {}
  return { id, document: 'd', source: 'test', ...text, ...rest }
}

/** The ids that a search finds, best first. */
export async function found(store: VectorStore, query: Parameters<VectorStore['search']>[0]): Promise<string[]> {
  return (await store.search(query)).map(({ id }) => id)
}
