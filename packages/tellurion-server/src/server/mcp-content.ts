// Content as MCP has it: what tools, prompts and agents give, as content blocks.

import type { ContentBlock } from '@modelcontextprotocol/server'
import type { UserPart } from 'tellurion'
import type { McpContent } from './mcp-offer.ts'

/** Blocks of text, or of parts. Images and sounds become such blocks, other files embedded resources, and addresses links. */
export function blocksOf(content: McpContent): ContentBlock[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return content.map((part, index) => blockOf(part, index))
}

function blockOf(part: UserPart, index: number): ContentBlock {
  if (part.type === 'text') return { type: 'text', text: part.text }
  const { mediaType, data, url } = part
  const name = (part.type === 'file' ? part.filename : undefined) ?? `${part.type}-${index + 1}`
  if (data === undefined) return { type: 'resource_link', uri: url ?? '', name, mimeType: mediaType }
  if (part.type === 'image') return { type: 'image', data, mimeType: mediaType }
  if (mediaType.startsWith('audio/')) return { type: 'audio', data, mimeType: mediaType }
  const uri = `file:///${encodeURIComponent(name)}`
  if (!isText(mediaType)) return { type: 'resource', resource: { uri, mimeType: mediaType, blob: data } }
  return { type: 'resource', resource: { uri, mimeType: mediaType, text: Buffer.from(data, 'base64').toString() } }
}

/** Whether a file of this media type is text. */
function isText(mediaType: string): boolean {
  return /^text\/|^application\/(?:[\w.-]+\+)?(?:json|xml|yaml|toml)\b/.test(mediaType)
}
