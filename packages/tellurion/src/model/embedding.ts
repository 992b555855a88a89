// Embedding models over OpenAI-compatible servers: texts in, vectors out, in order and checked.

import { abortReason, raceAbort, throwIfAborted } from '../abort/abort.ts'
import { TellurionError } from '../error/error.ts'
import type { EmbeddingModel } from '../port/model.ts'
import type { JsonObject } from '../schema/json.ts'
import { replyBounds } from './bounds.ts'
import { connect, readModelName, type Connection, type ModelOptions } from './endpoint.ts'
import { failure, failureError, failureFromError, type FailureContext } from './failure.ts'
import { count, isJsonObject } from './wire.ts'
import { failureFromBody, failureFromStatus } from './provider-failure.ts'

/** How an embedding model is reached, and what it is asked for. */
export interface EmbeddingOptions extends ModelOptions {
  /** The length of the vectors, where the model can shorten them. Default: the model's own. */
  readonly dimensions?: number
}

const defaultBatch = 96

/**
 * The embedding model of that name, `vendor/model`. Many texts are sent in batches, one after another. Throws as
 * `model()` does; `embed` rejects with a model code, and with the reason when its signal aborts.
 */
export function embeddingModel(name: string, options: EmbeddingOptions = {}): EmbeddingModel {
  const named = readModelName(name)
  const { vendor, model, row } = named
  if (row.wire !== 'openai') {
    throw new TellurionError('unknown_provider', `${vendor} has no embeddings: use another vendor, such as openai.`)
  }
  const { dimensions } = options
  if (dimensions !== undefined && (!Number.isInteger(dimensions) || dimensions < 1)) {
    throw new TellurionError('invalid_option', '`dimensions` must be a whole number of at least 1')
  }
  const connection = connect(named, options, ['dimensions'])
  const size = row.embeddingBatch ?? defaultBatch
  const fields = { model, encoding_format: 'float', ...(dimensions === undefined ? {} : { dimensions }) }
  return {
    name: `${vendor}/${model}`,
    async embed(texts, { signal } = {}) {
      const vectors: (readonly number[])[] = []
      let inputTokens = 0
      for (let start = 0; start < texts.length; start += size) {
        const batch = texts.slice(start, start + size)
        const body = await post(connection, { ...fields, input: batch }, signal)
        const read = vectorsOf(body, batch.length, vectors[0]?.length ?? dimensions)
        if (typeof read === 'string') throw invalidReply(read, connection.context)
        vectors.push(...read)
        const { usage } = body
        if (isJsonObject(usage)) inputTokens += count(usage['prompt_tokens'] ?? usage['total_tokens'])
      }
      return { vectors, usage: { inputTokens } }
    },
  }
}

async function post(
  { url, headers, fetch, context }: Connection,
  body: JsonObject,
  signal: AbortSignal | undefined,
): Promise<JsonObject> {
  throwIfAborted(signal)
  let response: Response
  let text: string
  try {
    const sent = fetch(url('/embeddings'), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      redirect: 'manual',
      ...(signal === undefined ? {} : { signal }),
    })
    response = await raceAbort(sent, signal)
    text = await raceAbort(boundedText(response, replyBounds.reply), signal)
  } catch (error) {
    if (signal?.aborted) throw abortReason(signal)
    throw failureError(failureFromError(error, { ...context, connection: true }), error)
  }
  if (!response.ok) throw failureError(failureFromStatus(response.status, text, response.headers, context))
  const parsed = parsedObject(text)
  if (parsed?.['error']) throw failureError(failureFromBody(parsed, context))
  if (parsed === undefined) throw invalidReply('the answer is not a JSON object', context)
  return parsed
}

async function boundedText(response: Response, limit: number): Promise<string> {
  if (response.body === null) return ''
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    text += decoder.decode(value, { stream: true })
    if (text.length > limit) {
      await reader.cancel()
      return ''
    }
  }
}

function parsedObject(text: string): JsonObject | undefined {
  try {
    const parsed = JSON.parse(text) as unknown
    return isJsonObject(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

/** The vectors of one batch in the order of its texts, by `index` and not by arrival; or what is wrong with them. */
function vectorsOf(
  { data }: JsonObject,
  wanted: number,
  length: number | undefined,
): readonly (readonly number[])[] | string {
  const items: readonly unknown[] = Array.isArray(data) ? data : []
  const vectors = Array.from<readonly number[] | undefined>({ length: wanted })
  let size = length
  for (const [place, item] of items.entries()) {
    if (!isJsonObject(item)) continue
    const { embedding, index = place } = item
    if (!isVector(embedding)) return 'a vector is not an array of numbers'
    size ??= embedding.length
    if (embedding.length !== size) return `a vector has ${embedding.length} dimensions where ${size} were expected`
    if (typeof index === 'number' && index in vectors) vectors[index] = embedding
  }
  const whole = vectors.filter((vector) => vector !== undefined)
  return whole.length === wanted ? whole : `${whole.length} vectors came for ${wanted} texts`
}

function isVector(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => Number.isFinite(item))
}

function invalidReply(message: string, context: FailureContext): TellurionError {
  return failureError(failure('service', `${message} (from ${context.url})`, { ...context, code: 'invalid_reply' }))
}
