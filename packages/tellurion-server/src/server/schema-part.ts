// Schemas of what many resources hold: JSON, ids, usage, errors, messages and their parts. They check requests, and the
// OpenAPI document is written from them.

import { z } from 'zod'
import type { ErrorCode, ErrorData, Usage, UserInput } from 'tellurion'
import type { Json, JsonObject } from 'tellurion/protocol'
import { schemaOf } from './schema.ts'

/** Any JSON; whether it is some is asked of a whole body at once. */
export const json = z.unknown().meta({ id: 'Json', description: 'Any JSON.' }) as unknown as z.ZodType<Json>

/** Any JSON object. */
export const jsonObject: z.ZodType<JsonObject> = z.record(z.string(), json).meta({ id: 'JsonObject' })

/** An id that a client may give. */
export const id = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, "must be 1 to 64 letters, digits, '_' and '-'")

/** An id in a path: of what there is. */
export const pathId = id.meta({ description: 'An id.' })

/** Milliseconds since 1970. */
export const instant = z.number().meta({ description: 'Milliseconds since 1970.' })

const count = z.int().min(0)

/** Numbers of up to fifteen digits are exact in any language. */
const mostDigits = 999_999_999_999_999

/** A whole number in a path or a query, where everything is text. */
export const wholeNumber = (most = mostDigits, least = 0) =>
  z.preprocess(
    (given) => (typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given),
    z
      .int(`must be a whole number from ${least}${most === mostDigits ? '' : ` to ${most}`}`)
      .min(least)
      .max(most),
  )

/** Yes or no in a query. */
export const flag = z.preprocess(
  (given) => (given === 'true' ? true : given === 'false' ? false : given),
  z.boolean("must be 'true' or 'false'"),
)

/** Tokens of model calls. */
export const usage = schemaOf<Usage>()(
  z
    .object({
      inputTokens: count,
      outputTokens: count,
      totalTokens: count,
      cacheReadTokens: count.exactOptional(),
      cacheWriteTokens: count.exactOptional(),
      reasoningTokens: count.exactOptional(),
      cost: z.number().exactOptional().meta({ description: 'In the unit of the price function.' }),
    })
    .meta({ id: 'Usage' }),
)

/** Why a reply ended. */
export const finishReason = z.enum(['stop', 'length', 'tool-calls', 'content-filter', 'other'])

/** An error inside a resource. */
export const errorData = schemaOf<ErrorData>()(
  z
    .object({
      code: z.string() as unknown as z.ZodType<ErrorCode>,
      message: z.string(),
      retryable: z.boolean(),
      data: jsonObject.exactOptional(),
    })
    .meta({ id: 'ErrorData' }),
)

/** Opaque data of vendors. */
export const providerMetadata = z.record(z.string(), jsonObject)

/** Text. */
export const textPart = z.object({
  type: z.literal('text'),
  text: z.string(),
  providerMetadata: providerMetadata.exactOptional(),
})

const bytes = { data: z.base64().exactOptional(), url: z.httpUrl().exactOptional() }

const oneSource = (part: { data?: string; url?: string }): boolean =>
  (part.data === undefined) !== (part.url === undefined)

const imagePart = z
  .object({ type: z.literal('image'), mediaType: z.string(), ...bytes })
  .refine(oneSource, 'needs either data or url')

const filePart = z
  .object({ type: z.literal('file'), mediaType: z.string(), filename: z.string().exactOptional(), ...bytes })
  .refine(oneSource, 'needs either data or url')

/** What a person says in parts. */
export const userParts = z
  .array(z.discriminatedUnion('type', [textPart, imagePart, filePart]))
  .min(1)
  .meta({ id: 'UserParts', description: 'Text, images and files.' })

const userMessage = z
  .object({ role: z.literal('user'), content: z.union([z.string(), userParts]), id: z.string().exactOptional() })
  .meta({ id: 'UserMessage' })

/** What a person may hand in. */
export const userInput: z.ZodType<UserInput> = z
  .union([z.string().min(1), userParts, userMessage], {
    error: 'must be a text, a list of parts, or a message of the user',
  })
  .meta({ id: 'UserInput', description: 'Text, parts, or a whole message.' })
