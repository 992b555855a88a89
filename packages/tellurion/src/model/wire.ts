// What a wire is: how one kind of API wants to be asked, and how it answers. The HTTP around it is `reply-stream.ts`.

import { TellurionError } from '../error/error.ts'
import { jsonProblem } from '../schema/plain-json.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import type { ProviderMetadata, ToolCallPart } from '../message/message.ts'
import type { ModelEvent, ModelRequest } from '../port/model.ts'
import type { FailureContext } from './failure.ts'

/** One kind of API. */
export interface Wire {
  /** The path under the base URL. */
  readonly path: string
  /** Headers that every request of this wire carries. */
  readonly headers: Readonly<Record<string, string>>
  /** The body of a request. Throws `model_validation` for what this wire cannot say. */
  encode(request: ModelRequest): string
  /** Reads the answer to one request. */
  reader(request: ModelRequest, context: FailureContext): ReplyReader
}

/**
 * Turns one answer into model events, which it pushes to `out`. It throws, a syntax error or another, at what is no JSON
 * or has no shape that it knows: the reply is then invalid.
 */
export interface ReplyReader {
  /** The data of one server-sent event. */
  event(data: string, out: ModelEvent[]): void
  /** A whole reply that came as one JSON body. */
  whole(body: JsonObject, out: ModelEvent[]): void
  /** The stream is over. Pushes `finish` when the reply was whole by then, nothing when it was cut. */
  end(out: ModelEvent[]): void
}

/** What `encode` throws for a request that a wire cannot carry. */
export function cannotSend(message: string): TellurionError {
  return new TellurionError('model_validation', message)
}

/** A finished tool call from the exact text of its arguments. No text is no arguments, `{}`. */
export function toolCall(
  toolCallId: string,
  toolName: string,
  text: string,
  providerMetadata?: ProviderMetadata,
): ToolCallPart {
  const rest = providerMetadata === undefined ? {} : { providerMetadata }
  const name = toolName.toWellFormed()
  if (text.trim() === '') return { type: 'tool-call', toolCallId, toolName: name, input: {}, ...rest }
  const input = plainJson(text)
  return input === undefined
    ? { type: 'tool-call', toolCallId, toolName: name, input: null, invalidInput: text.toWellFormed(), ...rest }
    : { type: 'tool-call', toolCallId, toolName: name, input, ...rest }
}

/** The JSON in a text, unless it is something that a world would refuse, with the message around it, to hold. */
function plainJson(text: string): Json | undefined {
  try {
    const input = JSON.parse(text) as Json
    return jsonProblem({ content: [{ input }] }) === undefined ? input : undefined
  } catch {
    return undefined
  }
}

/** A call's arguments as the object that wires ask for, also where the model wrote none. */
export function argumentsOf(call: ToolCallPart): JsonObject {
  const { input, invalidInput } = call
  if (invalidInput !== undefined) return { invalid_json: invalidInput }
  return isJsonObject(input) ? input : { value: input }
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `extra` over `base`: a field wins, an object over an object field by field. */
export function withExtra(base: JsonObject, extra: JsonObject | undefined): JsonObject {
  if (extra === undefined) return base
  const merged: Record<string, Json> = { ...base }
  for (const [key, value] of Object.entries(extra)) {
    const old = merged[key]
    merged[key] = isJsonObject(old) && isJsonObject(value) ? { ...old, ...value } : value
  }
  return merged
}

/** A count of tokens as the provider gave it; 0 for anything else. */
export function count(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0
}

/** Puts pieces of text out whole: a surrogate pair that was split between two of them is held back until its second half. */
export class TextPieces {
  #held = ''

  /** The text that may go out now; possibly empty. */
  take(piece: string): string {
    const text = this.#held === '' ? piece : this.#held + piece
    const last = text.charCodeAt(text.length - 1)
    if (last >= 0xd800 && last <= 0xdbff) {
      this.#held = text.slice(-1)
      return text.slice(0, -1)
    }
    this.#held = ''
    return text
  }
}
