// Any AI SDK language model as a model of ours. Its stream is translated part by part; what has no counterpart (sources,
// files, raw chunks, and whatever a later release adds) is passed over.

import { raceAbort } from '../abort/abort.ts'
import { TellurionError } from '../error/error.ts'
import type { ProviderMetadata, ToolCallPart } from '../message/message.ts'
import type { FinishReason, Model, ModelEvent, ModelRequest, Usage } from '../port/model.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { failureFromAISDK } from './ai-sdk-failure.ts'
import { nameOfAISDK } from './ai-sdk-model.ts'
import { callOptions } from './ai-sdk-prompt.ts'
import { metadataOf, type AISDKModel, type AISDKPart } from './ai-sdk.ts'
import { isLast } from './ask.ts'
import { failure, isCancelled } from './failure.ts'

/**
 * An AI SDK model (specification 2, 3 or 4) as a model of ours, named `vendor/modelId`. Tools that the provider ran
 * itself are not reported as calls. Metadata of reasoning and tool calls travels back with the parts it came with.
 * Throws `invalid_option` for another version.
 */
export function fromAISDK(model: AISDKModel): Model {
  const name = nameOfAISDK(model)
  return { name, stream: (request, { signal }) => stream(model, request, { name, signal }) }
}

async function* stream(
  model: AISDKModel,
  request: ModelRequest,
  { name, signal }: { name: string; signal: AbortSignal | undefined },
): AsyncGenerator<ModelEvent> {
  let reader: ReadableStreamDefaultReader<unknown> | undefined
  // Cancelling the reader settles its pending read, also when the provider does not listen to the signal.
  const letGo = (): void => void reader?.cancel().catch(() => {})
  try {
    reader = (await open(model, request, signal)).getReader()
    signal?.addEventListener('abort', letGo, { once: true })
    const translation = new Translation(name)
    while (!signal?.aborted) {
      const { done, value } = await reader.read()
      if (signal?.aborted) break
      const event = done ? translation.cut() : translation.event(value)
      if (event === undefined) continue
      yield event
      if (isLast(event)) return
    }
    yield { type: 'aborted' }
  } catch (error) {
    if (isCancelled(error, signal)) yield { type: 'aborted' }
    else yield { type: 'error', failure: failureFromAISDK(error, name) }
  } finally {
    signal?.removeEventListener('abort', letGo)
    letGo()
  }
}

async function open(
  model: AISDKModel,
  request: ModelRequest,
  signal: AbortSignal | undefined,
): Promise<ReadableStream<unknown>> {
  signal?.throwIfAborted()
  const opening = Promise.resolve(model.doStream(callOptions(model, request, signal))).then(streamOf)
  try {
    return await raceAbort(opening, signal)
  } catch (error) {
    // A provider that did not listen opens its stream later: nobody reads it then.
    opening.then((stream) => stream.cancel()).catch(() => {})
    throw error
  }
}

function streamOf(opened: { readonly stream?: ReadableStream<unknown> } | undefined): ReadableStream<unknown> {
  const stream = opened?.stream
  if (typeof stream?.getReader === 'function') return stream
  throw new TellurionError('invalid_reply', 'the model opened no stream; check its provider and version')
}

/** What must be remembered between the parts of one stream. */
class Translation {
  readonly #name: string
  readonly #toolNames = new Map<unknown, string>()
  readonly #reasoning = new Map<unknown, ProviderMetadata>()
  #begun = false
  #responseId: string | undefined
  #modelId: string | undefined

  constructor(name: string) {
    this.#name = name
  }

  /** The reply broke off: the stream closed, or the provider says `error` without saying which. */
  cut(): ModelEvent {
    const broken = this.#begun
      ? failure('network', 'the stream ended before the reply did', { model: this.#name })
      : failure('service', 'the stream held no reply', { model: this.#name, code: 'invalid_reply' })
    return { type: 'error', failure: broken }
  }

  /** The event for one part; undefined when there is nothing to tell. */
  event(given: unknown): ModelEvent | undefined {
    if (typeof given !== 'object' || given === null) return undefined
    const event = this.#translated(given as AISDKPart)
    this.#begun ||= event !== undefined
    return event
  }

  #translated(part: AISDKPart): ModelEvent | undefined {
    switch (part.type) {
      case 'text-delta':
        return part.delta ? { type: 'text.delta', text: String(part.delta) } : undefined
      case 'reasoning-start':
        this.#noteReasoning(part)
        return undefined
      case 'reasoning-delta':
        this.#noteReasoning(part)
        return part.delta ? { type: 'reasoning.delta', text: String(part.delta) } : undefined
      case 'reasoning-end':
        return this.#endReasoning(part)
      case 'tool-input-start':
        if (!part.providerExecuted) this.#toolNames.set(part.id, String(part.toolName))
        return undefined
      case 'tool-input-delta':
        return this.#toolDelta(part)
      case 'tool-call':
        return part.providerExecuted ? undefined : { type: 'tool.call', call: toolCall(part) }
      case 'response-metadata':
        if (typeof part.id === 'string') this.#responseId = part.id
        if (typeof part.modelId === 'string') this.#modelId = part.modelId
        return undefined
      case 'error':
        return { type: 'error', failure: failureFromAISDK(part.error, this.#name) }
      case 'finish':
        return this.#finish(part)
      default:
        return undefined
    }
  }

  #noteReasoning(part: AISDKPart): void {
    const metadata = metadataOf(part.providerMetadata)
    if (!metadata) return
    const known = this.#reasoning.get(part.id)
    const merged: Record<string, JsonObject> = { ...known }
    for (const [vendor, fields] of Object.entries(metadata)) merged[vendor] = { ...known?.[vendor], ...fields }
    this.#reasoning.set(part.id, merged)
  }

  #endReasoning(part: AISDKPart): ModelEvent {
    this.#noteReasoning(part)
    const providerMetadata = this.#reasoning.get(part.id)
    this.#reasoning.delete(part.id)
    const { signature, redactedData } = providerMetadata?.['anthropic'] ?? {}
    return {
      type: 'reasoning.end',
      ...(typeof signature === 'string' && { signature }),
      ...(typeof redactedData === 'string' && { redacted: redactedData }),
      ...(providerMetadata && { providerMetadata }),
    }
  }

  #toolDelta(part: AISDKPart): ModelEvent | undefined {
    const toolName = this.#toolNames.get(part.id)
    if (toolName === undefined || !part.delta) return undefined
    return { type: 'tool.delta', toolCallId: String(part.id), toolName, delta: String(part.delta) }
  }

  #finish({ finishReason, usage }: AISDKPart): ModelEvent {
    const reason = finishReasonOf(finishReason)
    if (reason === 'error') return this.cut()
    return {
      type: 'finish',
      finishReason: reason,
      usage: usageOf(usage),
      ...(this.#modelId !== undefined && { model: this.#modelId }),
      ...(this.#responseId !== undefined && { responseId: this.#responseId }),
    }
  }
}

function toolCall(part: AISDKPart): ToolCallPart {
  const providerMetadata = metadataOf(part.providerMetadata)
  const call = {
    type: 'tool-call',
    toolCallId: String(part.toolCallId),
    toolName: String(part.toolName),
    ...(providerMetadata && { providerMetadata }),
  } as const
  const text = typeof part.input === 'string' ? part.input : JSON.stringify(part.input ?? {})
  try {
    return { ...call, input: JSON.parse(text.trim() || '{}') as Json }
  } catch {
    return { ...call, input: null, invalidInput: text }
  }
}

/** A word in version 2, an object with the word in `unified` later. */
function finishReasonOf(value: unknown): FinishReason | 'error' {
  const word = typeof value === 'object' && value !== null ? (value as { unified?: unknown }).unified : value
  if (word === 'stop' || word === 'length' || word === 'tool-calls' || word === 'content-filter') return word
  return word === 'error' ? 'error' : 'other'
}

interface AnyUsage {
  inputTokens?: unknown
  outputTokens?: unknown
  totalTokens?: unknown
  reasoningTokens?: unknown
  cachedInputTokens?: unknown
}

/** Plain numbers in version 2, objects with a total later; whatever is missing counts as none. */
function usageOf(value: unknown): Usage {
  const usage: AnyUsage = typeof value === 'object' && value !== null ? value : {}
  const input = figures(usage.inputTokens)
  const output = figures(usage.outputTokens)
  const inputTokens = input['total'] ?? 0
  const outputTokens = output['total'] ?? 0
  const cacheReadTokens = input['cacheRead'] ?? count(usage.cachedInputTokens)
  const cacheWriteTokens = input['cacheWrite']
  const reasoningTokens = output['reasoning'] ?? count(usage.reasoningTokens)
  return {
    inputTokens,
    outputTokens,
    totalTokens: count(usage.totalTokens) ?? inputTokens + outputTokens,
    ...(cacheReadTokens !== undefined && { cacheReadTokens }),
    ...(cacheWriteTokens !== undefined && { cacheWriteTokens }),
    ...(reasoningTokens !== undefined && { reasoningTokens }),
  }
}

function figures(value: unknown): Readonly<Record<string, number | undefined>> {
  if (typeof value !== 'object' || value === null) return { total: count(value) }
  return Object.fromEntries(Object.entries(value).map(([name, figure]) => [name, count(figure)]))
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
