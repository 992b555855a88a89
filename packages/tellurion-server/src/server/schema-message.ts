// Schemas of messages: what was said, and how something is said.

import { z } from 'zod'
import type { Message } from 'tellurion'
import type { MessageResource, NewMessageRequest } from 'tellurion/protocol'
import { schemaOf } from './schema.ts'
import { id, json, providerMetadata, textPart, userInput, userParts } from './schema-part.ts'

const messageId = z.string().exactOptional()

const reasoningPart = z.object({
  type: z.literal('reasoning'),
  text: z.string(),
  signature: z.string().exactOptional(),
  redacted: z.string().exactOptional(),
  providerMetadata: providerMetadata.exactOptional(),
})

const toolCallPart = z.object({
  type: z.literal('tool-call'),
  toolCallId: z.string(),
  toolName: z.string(),
  input: json,
  invalidInput: z.string().exactOptional(),
  providerMetadata: providerMetadata.exactOptional(),
})

/** What one side said. */
export const message = schemaOf<Message>()(
  z
    .discriminatedUnion('role', [
      z.object({ role: z.literal('system'), content: z.string(), id: messageId }),
      z.object({ role: z.literal('user'), content: z.union([z.string(), userParts]), id: messageId }),
      z.object({
        role: z.literal('assistant'),
        content: z.union([z.string(), z.array(z.discriminatedUnion('type', [textPart, reasoningPart, toolCallPart]))]),
        partial: z.literal(true).exactOptional(),
        id: messageId,
      }),
      z.object({
        role: z.literal('tool'),
        toolCallId: z.string(),
        toolName: z.string(),
        content: z.union([z.string(), userParts]),
        isError: z.literal(true).exactOptional(),
        kept: z
          .array(z.object({ name: z.string(), hash: z.string(), size: z.int(), mediaType: z.string().exactOptional() }))
          .exactOptional(),
        id: messageId,
      }),
    ])
    .meta({ id: 'Message' }),
)

/** A message of a run. */
export const messageResource = schemaOf<MessageResource>()(
  z
    .object({
      id: z.string(),
      tick: z.int().meta({ description: 'The last tick that had ended before it.' }),
      message,
    })
    .meta({ id: 'RunMessage' }),
)

/** Says something in a session. */
export const newMessageRequest = schemaOf<NewMessageRequest>()(
  z
    .strictObject({
      content: userInput,
      session_id: id.exactOptional().meta({ description: 'Default: a new session.' }),
      agent: id.exactOptional(),
    })
    .meta({ id: 'NewMessage' }),
)
