// The model port: one small interface between everything that thinks and everything that can be asked.

import type { ErrorCode } from '../error/catalogue.ts'
import type { AssistantMessage, Messages, ProviderMetadata, ToolCallPart } from '../message/message.ts'
import type { JsonObject } from '../schema/json.ts'

/** What a model is told about a tool. */
export interface ToolSpec {
  readonly name: string
  readonly description: string
  readonly inputSchema: JsonObject
}

/** Which tools the model may, must or must not use. */
export type ToolChoice = 'auto' | 'none' | 'required' | { readonly tool: string }

/** One question to a model. Only `messages` is required; what a vendor cannot do it answers with `model_validation`. */
export interface ModelRequest {
  readonly messages: Messages
  /** One text that goes before all messages. */
  readonly system?: string
  readonly tools?: readonly ToolSpec[]
  readonly toolChoice?: ToolChoice
  /** Whether the model may make several calls in one reply. Vendor's default when absent. */
  readonly parallelToolCalls?: boolean
  /** A JSON Schema that the reply's text must match. */
  readonly output?: { readonly name: string; readonly schema: JsonObject }
  readonly maxOutputTokens?: number
  readonly temperature?: number
  readonly topP?: number
  readonly stopSequences?: readonly string[]
  readonly seed?: number
  /** Extra HTTP headers. */
  readonly headers?: Readonly<Record<string, string>>
  /** Extra fields of the vendor's request body, by vendor name; they win over everything else. */
  readonly providerOptions?: ProviderMetadata
}

/** Tokens of one reply or of many. `inputTokens` includes what was read from and written to the cache. */
export interface Usage {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly totalTokens: number
  readonly cacheReadTokens?: number
  readonly cacheWriteTokens?: number
  readonly reasoningTokens?: number
  /** Money in the unit of the price function, where the model is `priced`. */
  readonly cost?: number
}

/** Why a reply ended: done, cut at its token limit, waiting for tools, filtered, or for the vendor’s own reason. */
export type FinishReason = 'stop' | 'length' | 'tool-calls' | 'content-filter' | 'other'

/** The kinds of failure, classified by type and status, never by words in a message. */
export type ModelErrorKind =
  | 'network'
  | 'timeout'
  | 'rate_limit'
  | 'validation'
  | 'permission'
  | 'authentication'
  | 'service'
  | 'not_found'
  | 'unknown'

/** Why a model call failed, as data. */
export interface ModelFailure {
  readonly kind: ModelErrorKind
  readonly code: ErrorCode
  readonly message: string
  readonly retryable: boolean
  /** The HTTP status, when there was one. */
  readonly status?: number
  /** How long the provider asks to wait, in milliseconds. */
  readonly retryAfter?: number
  /** `vendor/model` of the model that failed. */
  readonly model?: string
  readonly data?: JsonObject
}

/**
 * What a model yields, in order. The last event is exactly one of `finish`, `error` and `aborted`; nothing follows it.
 * - `tool.call` comes once per call, whole and parsed; `tool.delta` before it is a preview of its arguments.
 * - `reasoning.end` closes a stretch of reasoning and brings its signature.
 * - `restart`: what came so far is void, the reply begins anew (a failover in mid-reply).
 */
export type ModelEvent =
  | { readonly type: 'text.delta'; readonly text: string }
  | { readonly type: 'reasoning.delta'; readonly text: string }
  | {
      readonly type: 'reasoning.end'
      readonly signature?: string
      readonly redacted?: string
      readonly providerMetadata?: ProviderMetadata
    }
  | { readonly type: 'tool.delta'; readonly toolCallId: string; readonly toolName: string; readonly delta: string }
  | { readonly type: 'tool.call'; readonly call: ToolCallPart }
  | { readonly type: 'restart'; readonly failure: ModelFailure }
  | {
      readonly type: 'finish'
      readonly finishReason: FinishReason
      readonly usage: Usage
      /** The model that answered, as the provider names it. */
      readonly model?: string
      readonly responseId?: string
    }
  | { readonly type: 'error'; readonly failure: ModelFailure }
  | { readonly type: 'aborted' }

/**
 * A language model. `stream` never throws and never rejects: failures are `error` events, cancelling is `aborted`.
 * Calling it starts nothing; the request goes out when the first event is asked for. Leaving the loop early cancels
 * the request.
 */
export interface Model {
  /** `vendor/model`, for logs, events and prices. */
  readonly name: string
  stream(request: ModelRequest, options: { signal?: AbortSignal | undefined }): AsyncIterable<ModelEvent>
}

/** A whole reply: what `collect` makes of a stream of events. */
export type ModelReply =
  | {
      readonly status: 'finished'
      readonly message: AssistantMessage
      readonly finishReason: FinishReason
      readonly usage: Usage
      readonly model?: string
      readonly responseId?: string
    }
  /** Failed. `message` is what had come by then, marked partial and without tool calls; absent when nothing had. */
  | { readonly status: 'failed'; readonly failure: ModelFailure; readonly message?: AssistantMessage }
  | { readonly status: 'aborted'; readonly message?: AssistantMessage }

/** A price of one reply, in a unit of the caller's choice. */
export type PriceFunction = (usage: Usage, model: string) => number

/** Asks for the vectors of texts. Throws `TellurionError` with a model code; rejects with the reason when aborted. */
export interface EmbeddingModel {
  readonly name: string
  /** One vector a text, in order, all of the same length. */
  embed(
    texts: readonly string[],
    options: { signal?: AbortSignal | undefined },
  ): Promise<{ readonly vectors: readonly (readonly number[])[]; readonly usage: { readonly inputTokens: number } }>
}
