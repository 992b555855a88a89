// What a tool gives back, as what a model reads: text, or parts with images. Bounded; the whole is kept as an artifact.

import type { ErrorCode } from '../error/catalogue.ts'
import { TellurionError, messageOf } from '../error/error.ts'
import type { KeptArtifact, ToolCallPart, ToolMessage, UserPart } from '../message/message.ts'
import { userPartsProblem } from '../message/user-part.ts'
import type { Artifacts, ArtifactReference } from './artifact.ts'
import { jsonText } from './json-text.ts'

/** How one call ended. Plain JSON. */
export interface ToolOutcome {
  readonly toolCallId: string
  readonly toolName: string
  readonly content: string | readonly UserPart[]
  readonly isError?: true
  /** Why it is an error. */
  readonly code?: ErrorCode
  /** Where the whole text is, when `content` holds only its beginning. */
  readonly artifact?: ArtifactReference
  /** What the tool kept beside it, in the order of the names' first use. */
  readonly kept?: readonly KeptArtifact[]
}

/** How results are bounded, and where tools keep what stands beside them. */
export interface ResultOptions {
  /** Where texts over the bound are kept, without it they are lost past the bound; and what a tool keeps. */
  readonly artifacts?: Artifacts | undefined
  /** Whether a tool finds what an earlier execution of its call has kept: where no two calls have one key. Default false. */
  readonly recall?: boolean | undefined
  /** Longest text, in characters (UTF-16 units). Default 10,000. */
  readonly maxLength?: number | undefined
}

const defaultMaxLength = 10_000
const maxErrorLength = 2_000
/** Base64 of all images and files of one result together. */
const maxDataLength = 16_000_000

/** The message that answers a call, to append to a conversation by hand. */
export function toolMessage({ toolCallId, toolName, content, isError, kept }: ToolOutcome): ToolMessage {
  const message = { role: 'tool', toolCallId, toolName, content, ...(isError ? { isError } : {}) } as const
  return kept === undefined ? message : { ...message, kept }
}

/** A result that says why there is none, in words the model can act on. */
export function errorOutcome(call: ToolCallPart, code: ErrorCode, message: string): ToolOutcome {
  const { toolCallId, toolName } = call
  return { toolCallId, toolName, content: cut(message, maxErrorLength).toWellFormed(), isError: true, code }
}

/** Parts as a tool's result, made by `toolContent`. */
class Content {
  readonly parts: readonly UserPart[]

  constructor(parts: readonly UserPart[]) {
    this.parts = parts
  }
}

/** A result of text, images and files, for `execute` to return: `toolContent([{ type: 'image', … }])`. Throws `tool_output_invalid`. */
export function toolContent(parts: readonly UserPart[]): unknown {
  const problem = userPartsProblem(parts)
  if (problem !== undefined) throw badContent(problem)
  const length = parts.reduce((sum, part) => sum + (part.type === 'text' ? 0 : (part.data?.length ?? 0)), 0)
  if (length > maxDataLength) throw badContent(`its data has ${length} characters, the limit is ${maxDataLength}`)
  return new Content(parts)
}

function badContent(why: string): TellurionError {
  return new TellurionError(
    'tool_output_invalid',
    `toolContent([{ type: 'text', text }, { type: 'image', mediaType, data }]): ${why}.`,
  )
}

/** The outcome of a value that a tool returned; a promise only where something is kept. Never throws. */
export function valueOutcome(
  call: ToolCallPart,
  value: unknown,
  options: ResultOptions,
): ToolOutcome | Promise<ToolOutcome> {
  const { toolCallId, toolName } = call
  if (value instanceof Content) return partsOutcome(call, value.parts, options)
  let text: string
  try {
    text = textOfValue(value)
  } catch (error) {
    return errorOutcome(
      call,
      'tool_output_invalid',
      `The tool '${toolName}' returned something that is not JSON (${messageOf(error)}).`,
    )
  }
  const max = options.maxLength ?? defaultMaxLength
  if (text.length <= max) return { toolCallId, toolName, content: text }
  return keep(text, options).then((kept) => ({
    toolCallId,
    toolName,
    content: bounded(text, max, kept),
    ...(kept === undefined ? {} : { artifact: kept }),
  }))
}

function textOfValue(value: unknown): string {
  if (typeof value === 'string') return value.toWellFormed()
  return value === undefined ? 'Done; the tool returned nothing.' : jsonText(value)
}

function partsOutcome(
  call: ToolCallPart,
  parts: readonly UserPart[],
  options: ResultOptions,
): ToolOutcome | Promise<ToolOutcome> {
  const { toolCallId, toolName } = call
  const max = options.maxLength ?? defaultMaxLength
  let text = ''
  const formed = parts.map((part) => {
    if (part.type !== 'text') return part
    text += part.text
    return { ...part, text: part.text.toWellFormed() }
  })
  if (text.length <= max) return { toolCallId, toolName, content: formed }
  return keep(text.toWellFormed(), options).then((kept) => {
    const rest = formed.filter((part) => part.type !== 'text')
    const content: UserPart[] = [{ type: 'text', text: bounded(text.toWellFormed(), max, kept) }, ...rest]
    return { toolCallId, toolName, content, ...(kept === undefined ? {} : { artifact: kept }) }
  })
}

/** What cannot be kept is lost past the bound, and the marker says so; the call itself has succeeded. */
function keep(text: string, { artifacts }: ResultOptions): Promise<ArtifactReference | undefined> {
  return artifacts ? artifacts.put(text).catch(() => undefined) : Promise.resolve(undefined)
}

function bounded(text: string, max: number, kept: ArtifactReference | undefined): string {
  const where = kept === undefined ? 'the rest was not kept' : `the whole is kept as artifact ${kept.hash}`
  const shown = cut(text, max)
  return `${shown}\n[cut: ${shown.length} of ${text.length} characters shown; ${where}]`
}

/** At most `max` characters, never half of a surrogate pair. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text
  const last = text.charCodeAt(max - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? max - 1 : max)
}
