// Messages: what is said between people, models and tools. Plain JSON of our own, so no vendor's release can break a
// stored run. Anything that stores or sends a conversation uses exactly these shapes.

import type { Json, JsonObject } from '../schema/json.ts'

/** Opaque data of one vendor that must travel back with the part it came with, by vendor name. */
export type ProviderMetadata = { readonly [vendor: string]: JsonObject }

/** Text. */
export interface TextPart {
  readonly type: 'text'
  readonly text: string
  readonly providerMetadata?: ProviderMetadata
}

/** An image: base64 `data`, or an `http(s)` `url`. Exactly one of the two. */
export interface ImagePart {
  readonly type: 'image'
  readonly mediaType: string
  readonly data?: string
  readonly url?: string
}

/** A file such as a PDF: base64 `data`, or an `http(s)` `url`. Exactly one of the two. */
export interface FilePart {
  readonly type: 'file'
  readonly mediaType: string
  readonly filename?: string
  readonly data?: string
  readonly url?: string
}

/** What a reasoning model thought before it answered. `signature` and `redacted` are the vendor's, kept byte for byte. */
export interface ReasoningPart {
  readonly type: 'reasoning'
  readonly text: string
  readonly signature?: string
  readonly redacted?: string
  readonly providerMetadata?: ProviderMetadata
}

/**
 * A model's wish to have a tool run. When the arguments were not valid JSON, `invalidInput` holds their exact text,
 * `input` is null, and the call is answered with an error instead of being run.
 */
export interface ToolCallPart {
  readonly type: 'tool-call'
  readonly toolCallId: string
  readonly toolName: string
  readonly input: Json
  readonly invalidInput?: string
  readonly providerMetadata?: ProviderMetadata
}

/** A part of what a person says. */
export type UserPart = TextPart | ImagePart | FilePart
/** A part of a model’s reply. */
export type AssistantPart = TextPart | ReasoningPart | ToolCallPart

export interface SystemMessage {
  readonly role: 'system'
  readonly content: string
  readonly id?: string
}

export interface UserMessage {
  readonly role: 'user'
  readonly content: string | readonly UserPart[]
  readonly id?: string
}

/** A model's reply. `partial` marks one that died half-way: it carries no tool calls and no later request sees it. */
export interface AssistantMessage {
  readonly role: 'assistant'
  readonly content: string | readonly AssistantPart[]
  readonly partial?: true
  readonly id?: string
}

/** Bytes that a tool kept beside its result, by the name it gave them: an artifact of the session. */
export interface KeptArtifact {
  readonly name: string
  /** SHA-256 of the bytes, hex: what `artifacts.get` takes. */
  readonly hash: string
  /** Bytes. */
  readonly size: number
  readonly mediaType?: string
}

/** The one result of one tool call. */
export interface ToolMessage {
  readonly role: 'tool'
  readonly toolCallId: string
  readonly toolName: string
  readonly content: string | readonly UserPart[]
  readonly isError?: true
  /** What the tool kept beside it; models are not shown this. */
  readonly kept?: readonly KeptArtifact[]
  readonly id?: string
}

/** What one side said; `role` tells which side. */
export type Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage

/** A read-only sequence of messages: an array, or a world's log view. Readers must not need random writes or copies. */
export interface Messages extends Iterable<Message> {
  readonly length: number
  at(index: number): Message | undefined
}

/** What a person may hand in: plain text, parts, or a whole message. */
export type UserInput = string | readonly UserPart[] | UserMessage

/** A system message: what the model is told before anyone speaks. */
export function system(content: string): SystemMessage {
  return { role: 'system', content }
}

/** A user message from text or parts. */
export function user(content: string | readonly UserPart[]): UserMessage {
  return { role: 'user', content }
}

/** An assistant message from text, tool calls, or both. */
export function assistant(content: string | readonly AssistantPart[]): AssistantMessage {
  return { role: 'assistant', content }
}

/** The text of a message: all its text parts joined, nothing else. */
export function textOf(message: Message): string {
  const { content } = message
  if (typeof content === 'string') return content
  let text = ''
  for (const part of content) if (part.type === 'text') text += part.text
  return text
}

const noCalls: readonly ToolCallPart[] = Object.freeze([])

/** The tool calls of a message in the order the model made them; empty for anything but an assistant message. */
export function toolCallsOf(message: Message): readonly ToolCallPart[] {
  if (message.role !== 'assistant' || typeof message.content === 'string') return noCalls
  let calls: ToolCallPart[] | undefined
  for (const part of message.content) if (part.type === 'tool-call') (calls ??= []).push(part)
  return calls ?? noCalls
}
