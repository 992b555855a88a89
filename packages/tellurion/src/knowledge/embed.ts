// Many texts to vectors: each distinct text once, in batches, a few batches at a time.

import { childController } from '../abort/abort.ts'
import { TellurionError } from '../error/error.ts'
import type { EmbeddingModel } from '../port/model.ts'

/** How texts are sent to an embedding model. */
export interface EmbedOptions {
  /** Texts of one call. */
  readonly batch: number
  /** Calls at a time. */
  readonly concurrency: number
  readonly signal?: AbortSignal | undefined
}

/** Vectors by text, and what they cost. */
export interface Embedded {
  readonly vectors: ReadonlyMap<string, readonly number[]>
  readonly inputTokens: number
}

/**
 * Embeds texts. The first call that fails stops the others and is what this rejects with; a reply with another number
 * of vectors than texts is `invalid_vector`.
 */
export async function embedTexts(
  embedding: EmbeddingModel,
  texts: Iterable<string>,
  { batch, concurrency, signal }: EmbedOptions,
): Promise<Embedded> {
  const distinct = [...new Set(texts)]
  const vectors = new Map<string, readonly number[]>()
  let inputTokens = 0
  let next = 0
  const { controller, detach } = childController(signal)
  const work = async (): Promise<void> => {
    while (next < distinct.length && !controller.signal.aborted) {
      const some = distinct.slice(next, (next += batch))
      const reply = await embedding.embed(some, { signal: controller.signal })
      if (reply.vectors.length !== some.length) {
        throw new TellurionError(
          'invalid_vector',
          `The embedding model ${embedding.name} gave ${reply.vectors.length} vectors for ${some.length} texts.`,
        )
      }
      some.forEach((text, index) => vectors.set(text, reply.vectors[index]!))
      inputTokens += reply.usage.inputTokens
    }
  }
  try {
    const calls = Math.min(concurrency, Math.ceil(distinct.length / batch))
    await Promise.all(Array.from({ length: calls }, () => work().catch((error: unknown) => stop(controller, error))))
  } finally {
    detach()
  }
  return { vectors, inputTokens }
}

function stop(controller: AbortController, error: unknown): never {
  controller.abort(error)
  throw error
}
