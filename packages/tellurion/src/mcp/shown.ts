// What a server has beside tools, as it is shown to programs: resources and prompts, without a type of the protocol's
// package, so that no program that imports the door needs its types.

import type { UserPart } from '../message/message.ts'

/** Something that can be read. */
export interface McpResource {
  readonly uri: string
  readonly name: string
  readonly description?: string
  readonly mediaType?: string
}

/** Something that can be read once the blanks of its address are filled in. */
export interface McpResourceTemplate {
  /** Such as `file:///logs/{day}`, after RFC 6570. */
  readonly uriTemplate: string
  readonly name: string
  readonly description?: string
  readonly mediaType?: string
}

/** What was read: a text, or bytes in base64. */
export interface McpResourceContent {
  readonly uri: string
  readonly mediaType?: string
  readonly text?: string
  readonly data?: string
}

/** A prompt that a server offers. */
export interface McpPrompt {
  readonly name: string
  readonly description?: string
  readonly arguments: readonly { readonly name: string; readonly description?: string; readonly required: boolean }[]
}

/** One message of a filled-in prompt. */
export interface McpPromptMessage {
  readonly role: 'user' | 'assistant'
  readonly content: readonly UserPart[]
}
