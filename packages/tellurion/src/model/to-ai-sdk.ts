// A model of ours as an AI SDK model, so that its retries, pools and breakers serve AI SDK apps. That side cannot take
// back what it has shown: a reply that begins anew after its first delta fails there with what had come.

import { abortReason } from '../abort/abort.ts'
import type { AssistantMessage, ProviderMetadata, ReasoningPart, ToolCallPart } from '../message/message.ts'
import type { FinishReason, Model, ModelEvent, Usage } from '../port/model.ts'
import { callErrorOf } from './ai-sdk-failure.ts'
import { requestOf, warningsOf } from './ai-sdk-request.ts'
import type { AISDKCallOptions, AISDKContent, AISDKFinishReason, AISDKGenerateResult } from './ai-sdk.ts'
import type { AISDKLanguageModel, AISDKMetadata, AISDKStreamPart, AISDKUsage } from './ai-sdk.ts'
import { ask } from './ask.ts'
import { collect } from './collect.ts'

/**
 * A model of ours as an AI SDK language model of specification 4. A call that fails before its first event rejects with
 * an error that the SDK takes for an `APICallError`, retryable or not as the failure says; a later failure is an `error`
 * part. Settings that have no counterpart (topK, penalties, reasoning effort, provider tools) become warnings.
 */
export function toAISDK(model: Model): AISDKLanguageModel {
  const slash = model.name.indexOf('/')
  return {
    specificationVersion: 'v4',
    provider: slash > 0 ? model.name.slice(0, slash) : 'tellurion',
    modelId: model.name.slice(slash + 1),
    // Links are fetched by the SDK and arrive as bytes: not every model behind this one takes links.
    supportedUrls: {},
    doGenerate: (options) => generate(model, options),
    doStream: async (options) => ({ stream: await open(model, options) }),
  }
}

async function generate(model: Model, options: AISDKCallOptions): Promise<AISDKGenerateResult> {
  const { abortSignal } = options
  const reply = await collect(ask(model, requestOf(options), abortSignal))
  switch (reply.status) {
    case 'aborted':
      throw abortReason(abortSignal)
    case 'failed':
      throw callErrorOf(reply.failure)
    case 'finished':
      return {
        content: contentOf(reply.message),
        finishReason: finishReasonOf(reply.finishReason),
        usage: usageOf(reply.usage),
        warnings: warningsOf(options),
        response: responseOf(reply),
      }
    default:
      return reply satisfies never
  }
}

/** Asks for the first event before it resolves: a call that fails at once can then be retried by the SDK. */
async function open(model: Model, options: AISDKCallOptions): Promise<ReadableStream<AISDKStreamPart>> {
  const { abortSignal } = options
  const events = ask(model, requestOf(options), abortSignal)
  let first: ModelEvent | undefined = await firstEvent(events)
  if (first?.type === 'error') throw callErrorOf(first.failure)
  if (first?.type === 'aborted') throw abortReason(abortSignal)
  const translation = new Translation()
  return new ReadableStream<AISDKStreamPart>({
    start(controller) {
      controller.enqueue({ type: 'stream-start', warnings: warningsOf(options) })
    },
    async pull(controller) {
      const event: ModelEvent | undefined = first ?? (await events.next()).value
      first = undefined
      if (event?.type === 'aborted') {
        controller.error(abortReason(abortSignal))
        return
      }
      const parts = event === undefined ? [] : translation.parts(event)
      for (const part of parts) controller.enqueue(part)
      if (parts.at(-1)?.type !== 'finish') return
      controller.close()
      await events.return?.()
    },
    async cancel() {
      await events.return?.()
    },
  })
}

/** The first event that shows something: a reply that began anew before that has lost nothing. */
async function firstEvent(events: AsyncIterator<ModelEvent>): Promise<ModelEvent | undefined> {
  for (;;) {
    const { value } = await events.next()
    const event = value as ModelEvent | undefined
    if (event?.type !== 'restart') return event
  }
}

/** What must be remembered between the parts of one stream: which block is open, and which calls have begun. */
class Translation {
  #open: { kind: 'text' | 'reasoning'; id: string } | undefined
  #blocks = 0
  readonly #begun = new Set<string>()

  /** The parts for one event. After a `finish` part nothing follows. */
  parts(event: ModelEvent): AISDKStreamPart[] {
    switch (event.type) {
      case 'text.delta':
        return this.#delta('text', event.text)
      case 'reasoning.delta':
        return this.#delta('reasoning', event.text)
      case 'reasoning.end':
        return this.#endReasoning(event)
      case 'tool.delta':
        return this.#toolDelta(event)
      case 'tool.call':
        return this.#toolCall(event.call)
      case 'finish':
        return [
          ...this.#close(),
          { type: 'response-metadata', ...responseOf(event) },
          { type: 'finish', finishReason: finishReasonOf(event.finishReason), usage: usageOf(event.usage) },
        ]
      case 'restart':
      case 'error':
        return [
          ...this.#close(),
          { type: 'error', error: callErrorOf(event.failure) },
          { type: 'finish', finishReason: { unified: 'error', raw: undefined }, usage: usageOf(undefined) },
        ]
      case 'aborted':
        return []
      default:
        return event satisfies never
    }
  }

  #delta(kind: 'text' | 'reasoning', delta: string): AISDKStreamPart[] {
    const before = this.#begin(kind)
    const { id } = this.#open ?? { id: '' }
    return [...before, { type: `${kind}-delta`, id, delta }]
  }

  #begin(kind: 'text' | 'reasoning'): AISDKStreamPart[] {
    if (this.#open?.kind === kind) return []
    const closing = this.#close()
    this.#open = { kind, id: `${kind}-${++this.#blocks}` }
    return [...closing, { type: `${kind}-start`, id: this.#open.id }]
  }

  #close(metadata: AISDKMetadata = {}): AISDKStreamPart[] {
    if (!this.#open) return []
    const { kind, id } = this.#open
    this.#open = undefined
    return [kind === 'text' ? { type: 'text-end', id } : { type: 'reasoning-end', id, ...metadata }]
  }

  #endReasoning(end: Omit<ReasoningPart, 'type' | 'text'>): AISDKStreamPart[] {
    const before = this.#begin('reasoning')
    return [...before, ...this.#close(reasoningMetadata(end))]
  }

  #toolDelta({ toolCallId: id, toolName, delta }: Extract<ModelEvent, { type: 'tool.delta' }>): AISDKStreamPart[] {
    const piece: AISDKStreamPart = { type: 'tool-input-delta', id, delta }
    if (this.#begun.has(id)) return [piece]
    this.#begun.add(id)
    return [...this.#close(), { type: 'tool-input-start', id, toolName }, piece]
  }

  #toolCall(call: ToolCallPart): AISDKStreamPart[] {
    const { toolCallId: id } = call
    const ending: AISDKStreamPart[] = this.#begun.delete(id) ? [{ type: 'tool-input-end', id }] : []
    return [...this.#close(), ...ending, toolCallContent(call)]
  }
}

function contentOf({ content }: AssistantMessage): AISDKContent[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  return content.map((part): AISDKContent => {
    switch (part.type) {
      case 'text':
        return { type: 'text', text: part.text }
      case 'reasoning':
        return { type: 'reasoning', text: part.text, ...reasoningMetadata(part) }
      case 'tool-call':
        return toolCallContent(part)
      default:
        return part satisfies never
    }
  })
}

function toolCallContent(call: ToolCallPart): Extract<AISDKContent, { type: 'tool-call' }> {
  const { toolCallId, toolName, input, invalidInput, providerMetadata } = call
  const text = invalidInput ?? JSON.stringify(input)
  return { type: 'tool-call', toolCallId, toolName, input: text, ...metadata(providerMetadata) }
}

/** A signature of ours travels under our own name and comes back with the prompt. */
function reasoningMetadata(part: Omit<ReasoningPart, 'type' | 'text'>): AISDKMetadata {
  const { signature, redacted, providerMetadata } = part
  if (signature === undefined && redacted === undefined) return metadata(providerMetadata)
  const own = { ...(signature !== undefined && { signature }), ...(redacted !== undefined && { redacted }) }
  return metadata({ ...providerMetadata, tellurion: own })
}

function metadata(value: ProviderMetadata | undefined): AISDKMetadata {
  // The SDK's type asks for mutable JSON; nobody writes to it.
  return value ? { providerMetadata: value as NonNullable<AISDKMetadata['providerMetadata']> } : {}
}

function finishReasonOf(reason: FinishReason): AISDKFinishReason {
  return { unified: reason, raw: undefined }
}

function responseOf({ model, responseId }: { model?: string; responseId?: string }): { id?: string; modelId?: string } {
  return { ...(responseId !== undefined && { id: responseId }), ...(model !== undefined && { modelId: model }) }
}

function usageOf(usage: Usage | undefined): AISDKUsage {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, reasoningTokens } = usage ?? {}
  return {
    inputTokens: {
      total: inputTokens,
      noCache: less(inputTokens, (cacheReadTokens ?? 0) + (cacheWriteTokens ?? 0)),
      cacheRead: cacheReadTokens,
      cacheWrite: cacheWriteTokens,
    },
    outputTokens: { total: outputTokens, text: less(outputTokens, reasoningTokens ?? 0), reasoning: reasoningTokens },
  }
}

function less(total: number | undefined, part: number): number | undefined {
  return total === undefined ? undefined : Math.max(0, total - part)
}
