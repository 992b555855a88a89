// What a call of a tool gives back, as what a model reads: texts, images, embedded texts. Everything has a bound, and what
// a model cannot be shown is named in words. Characters that nobody sees are taken out.

import { TellurionError } from '../error/error.ts'
import type { UserPart } from '../message/message.ts'
import { jsonProblem } from '../schema/plain-json.ts'
import { cut, toolContent } from '../tool/result.ts'
import { plainText } from '../web/plain-text.ts'
import { cleanLine, cleanText } from './clean-text.ts'

/** Longest text of one result, in characters: a model reads far less, the rest may become an artifact. */
const maxText = 1_000_000
/** Base64 of one image, and how many of them. */
const maxImage = 7_000_000
const maxImages = 8
const maxParts = 200
const imageTypes = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp'])

/** A piece of content, as any of the protocol's kinds; read with suspicion. */
export interface ContentBlock {
  readonly type: string
  readonly text?: unknown
  readonly data?: unknown
  readonly mimeType?: unknown
  readonly uri?: unknown
  readonly name?: unknown
  readonly resource?: unknown
}

/** What the protocol's package gives for a call. */
export interface CallResult {
  readonly content?: readonly ContentBlock[] | undefined
  readonly structuredContent?: unknown
  readonly isError?: boolean | undefined
}

/**
 * The value for a tool to return: a text, parts with images, or structured content where there is nothing else. Throws
 * `tool_failed` with the server's words where it says that the call failed.
 */
export function resultValue({ content = [], structuredContent, isError }: CallResult): unknown {
  if (isError === true) throw new TellurionError('tool_failed', errorText(content))
  if (content.length === 0 && structuredContent !== undefined) return structured(structuredContent)
  return partsValue(contentParts(content))
}

/** The structured content of a result, checked to be plain JSON. */
export function structured(value: unknown): unknown {
  const problem = jsonProblem(value)
  if (problem !== undefined) {
    throw new TellurionError('tool_output_invalid', `The structured content is not plain JSON (${problem}).`)
  }
  return value
}

/** Parts as what a tool returns: one text where there is nothing but texts. */
export function partsValue(parts: readonly UserPart[]): unknown {
  if (parts.every((part) => part.type === 'text'))
    return parts.map(({ text }) => text).join('\n') || 'Done; there is no content.'
  return toolContent(parts)
}

/** Content as parts that models take. */
export function contentParts(content: readonly ContentBlock[]): UserPart[] {
  const parts: UserPart[] = []
  let room = maxText
  let images = 0
  const say = (text: string): void => {
    if (room <= 0) return
    const shown =
      text.length > room ? `${cut(text, room)}\n[cut: the result has more than ${maxText} characters]` : text
    room -= text.length
    parts.push({ type: 'text', text: plainText(shown) })
  }
  for (const block of content.slice(0, maxParts)) {
    const image = block.type === 'image' ? imagePart(block) : undefined
    if (image !== undefined && ++images <= maxImages) parts.push(image)
    else say(image === undefined ? blockText(block) : `[an image; more than ${maxImages} are not shown]`)
  }
  if (content.length > maxParts) say(`[${content.length - maxParts} more parts are not shown]`)
  return parts
}

function imagePart({ data, mimeType }: ContentBlock): UserPart | undefined {
  if (typeof data !== 'string' || typeof mimeType !== 'string' || !imageTypes.has(mimeType)) return undefined
  if (data.length > maxImage || !/^[A-Za-z0-9+/]+={0,2}$/.test(data)) return undefined
  return { type: 'image', mediaType: mimeType, data }
}

/** A block in words. */
function blockText(block: ContentBlock): string {
  const { type, text, data, mimeType, uri, name, resource } = block
  switch (type) {
    case 'text':
      return typeof text === 'string' ? text : ''
    case 'image':
    case 'audio':
      return `[${type} of ${line(mimeType)}, ${sizeOf(data)}, not shown]`
    case 'resource_link':
      return `[resource ${line(uri)}: ${line(name)}]`
    case 'resource':
      return resourceText(resource)
    default:
      return `[content of the kind ${line(type)}, not shown]`
  }
}

/** The contents of a resource, with where they come from. */
export function resourceText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return '[an empty resource]'
  const { uri, text, blob, mimeType } = value as { uri?: unknown; text?: unknown; blob?: unknown; mimeType?: unknown }
  if (typeof text === 'string') return `[resource ${line(uri)}]\n${text}`
  return `[resource ${line(uri)}: ${line(mimeType ?? 'bytes')}, ${sizeOf(blob)}, not shown]`
}

function errorText(content: readonly ContentBlock[]): string {
  const text = content.slice(0, maxParts).flatMap(({ text: each }) => (typeof each === 'string' ? [each] : []))
  return cleanText(text.join('\n'), 1_500) || 'the server gives no reason'
}

function sizeOf(base64: unknown): string {
  return typeof base64 === 'string' ? `${Math.floor((base64.length * 3) / 4)} bytes` : 'no data'
}

function line(value: unknown): string {
  return typeof value === 'string' ? cleanLine(value, 300) : 'unknown'
}
