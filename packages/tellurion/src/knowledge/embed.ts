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
      const reply = await askEmbedding(embedding, some, controller.signal)
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

type Reply = Awaited<ReturnType<EmbeddingModel['embed']>>

/** What a model gives for texts, whoever wrote it. Throws `invalid_vector` for anything but one vector a text. */
export async function askEmbedding(
  embedding: EmbeddingModel,
  texts: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Reply> {
  const { vectors, usage } = ((await embedding.embed(texts, { signal })) as Reply | null | undefined) ?? {}
  const who = `The embedding model ${embedding.name}`
  if (!Array.isArray(vectors) || !Number.isFinite(usage?.inputTokens)) {
    throw new TellurionError('invalid_vector', `${who} must give { vectors, usage: { inputTokens } } for its texts.`)
  }
  if (vectors.length === texts.length) return { vectors, usage: usage! }
  throw new TellurionError('invalid_vector', `${who} gave ${vectors.length} vectors for ${texts.length} texts.`)
}

function stop(controller: AbortController, error: unknown): never {
  controller.abort(error)
  throw error
}
