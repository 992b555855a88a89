// The AI SDK's language model interface as far as this library speaks it: versions 2, 3 and 4 of its specification, by
// structure and without its packages. Types only, so tolerant that patch releases with new part types still fit.

import type { ProviderMetadata } from '../message/message.ts'
import type { Json } from '../schema/json.ts'

/** An AI SDK language model: what `openai('gpt-5')` of `@ai-sdk/openai` gives, and every other provider. */
export interface AISDKModel {
  readonly specificationVersion: string
  readonly provider: string
  readonly modelId: string
  doStream(options: AISDKCallOptions): PromiseLike<{ readonly stream: ReadableStream<unknown> }>
}

/** A question in the AI SDK's form. */
export interface AISDKCallOptions {
  readonly prompt: AISDKMessage[]
  readonly maxOutputTokens?: number | undefined
  readonly temperature?: number | undefined
  readonly topP?: number | undefined
  readonly topK?: number | undefined
  readonly presencePenalty?: number | undefined
  readonly frequencyPenalty?: number | undefined
  readonly stopSequences?: string[] | undefined
  readonly seed?: number | undefined
  readonly reasoning?: string | undefined
  readonly responseFormat?: { type: 'text' } | { type: 'json'; schema?: object; name?: string } | undefined
  readonly tools?: AISDKTool[] | undefined
  readonly toolChoice?: { type: 'auto' | 'none' | 'required' } | { type: 'tool'; toolName: string } | undefined
  readonly abortSignal?: AbortSignal | undefined
  readonly headers?: Record<string, string | undefined> | undefined
  readonly providerOptions?: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined
}

export interface AISDKTool {
  readonly type: string
  readonly name: string
  readonly description?: string | undefined
  readonly inputSchema?: unknown
}

export interface AISDKMessage {
  readonly role: string
  readonly content: string | AISDKPart[]
}

/** A part of a prompt, a reply or a stream. What is read of it depends on `type`; nothing may be taken for granted. */
export interface AISDKPart {
  readonly type: string
  readonly id?: unknown
  readonly text?: unknown
  readonly delta?: unknown
  readonly data?: unknown
  readonly mediaType?: unknown
  readonly filename?: unknown
  readonly toolCallId?: unknown
  readonly toolName?: unknown
  readonly input?: unknown
  readonly output?: unknown
  readonly value?: unknown
  readonly reason?: unknown
  readonly providerExecuted?: unknown
  readonly modelId?: unknown
  readonly finishReason?: unknown
  readonly usage?: unknown
  readonly error?: unknown
  readonly providerOptions?: unknown
  readonly providerMetadata?: unknown
}

/** Our model in the AI SDK's form (specification 4). */
export interface AISDKLanguageModel {
  readonly specificationVersion: 'v4'
  readonly provider: string
  readonly modelId: string
  readonly supportedUrls: Record<string, RegExp[]>
  doGenerate(options: AISDKCallOptions): Promise<AISDKGenerateResult>
  doStream(options: AISDKCallOptions): Promise<{ stream: ReadableStream<AISDKStreamPart> }>
}

/** Metadata of a part that goes to the AI SDK. */
export type AISDKMetadata = { providerMetadata?: Record<string, { [key: string]: Json & {} }> }

export type AISDKContent =
  | { type: 'text'; text: string }
  | ({ type: 'reasoning'; text: string } & AISDKMetadata)
  | ({ type: 'tool-call'; toolCallId: string; toolName: string; input: string } & AISDKMetadata)

export interface AISDKUsage {
  inputTokens: Record<'total' | 'noCache' | 'cacheRead' | 'cacheWrite', number | undefined>
  outputTokens: Record<'total' | 'text' | 'reasoning', number | undefined>
}

export interface AISDKFinishReason {
  unified: 'stop' | 'length' | 'content-filter' | 'tool-calls' | 'error' | 'other'
  raw: string | undefined
}

export type AISDKWarning = { type: 'unsupported'; feature: string; details?: string }

export interface AISDKGenerateResult {
  content: AISDKContent[]
  finishReason: AISDKFinishReason
  usage: AISDKUsage
  warnings: AISDKWarning[]
  response: { id?: string; modelId?: string }
}

export type AISDKStreamPart =
  | { type: 'stream-start'; warnings: AISDKWarning[] }
  | { type: 'response-metadata'; id?: string; modelId?: string }
  | { type: 'text-start'; id: string }
  | { type: 'text-delta'; id: string; delta: string }
  | { type: 'text-end'; id: string }
  | { type: 'reasoning-start'; id: string }
  | { type: 'reasoning-delta'; id: string; delta: string }
  | ({ type: 'reasoning-end'; id: string } & AISDKMetadata)
  | { type: 'tool-input-start'; id: string; toolName: string }
  | { type: 'tool-input-delta'; id: string; delta: string }
  | { type: 'tool-input-end'; id: string }
  | ({ type: 'tool-call'; toolCallId: string; toolName: string; input: string } & AISDKMetadata)
  | { type: 'finish'; finishReason: AISDKFinishReason; usage: AISDKUsage }
  | { type: 'error'; error: unknown }

/** Metadata of a part, when it has the form of metadata: an object of objects. */
export function metadataOf(value: unknown): ProviderMetadata | undefined {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) return undefined
  return value as ProviderMetadata
}
