// The gentle stages of a compaction: old tool outputs made short, and texts that stand again further on named instead of
// told twice. Messages stay where they are, with their roles and calls; only what they say gets shorter.

import type { Message, ToolMessage, UserPart } from '../message/message.ts'
import { cut } from '../tool/result.ts'

/** Messages that say the same in fewer words, by their place. */
export type Edits = Map<number, Message>

/** A text is worth naming instead of repeating from so many characters on. */
const leastRepeated = 200

/**
 * Shortens the outputs of tools before `end` to about `length` characters: their beginning and their end. Pictures and
 * files in them become a word.
 */
export function shorten(messages: readonly Message[], end: number, length: number): Edits {
  const edits: Edits = new Map()
  for (let index = 0; index < end; index++) {
    const message = messages[index]!
    if (message.role !== 'tool') continue
    const content = shortened(message.content, length)
    if (content !== message.content) edits.set(index, { ...message, content } as ToolMessage)
  }
  return edits
}

function shortened(content: ToolMessage['content'], length: number): ToolMessage['content'] {
  if (typeof content === 'string') return shortText(content, length)
  const parts = content.map((part) => shortPart(part, length))
  return parts.some((part, index) => part !== content[index]) ? parts : content
}

function shortPart(part: UserPart, length: number): UserPart {
  if (part.type !== 'text') return { type: 'text', text: `[${part.type} left out: ${part.mediaType}]` }
  const text = shortText(part.text, length)
  return text === part.text ? part : { ...part, text }
}

/** Beginning and end of a text, with a note between them; a text that would not get shorter stays. */
function shortText(text: string, length: number): string {
  const head = cut(text, Math.ceil((length * 2) / 3))
  const tail = text.slice(text.length - (length - head.length))
  const short = `${head}\n[… ${text.length - length} of ${text.length} characters left out …]\n${tail.toWellFormed()}`
  return short.length < text.length ? short : text
}

/**
 * Names what is told again later, instead of telling it: of equal outputs of one tool, and of equal texts of one side,
 * the last one stays. Looks at all messages, edits those before `end` that are not in `kept`.
 */
export function deduplicate(messages: readonly Message[], end: number, kept: ReadonlySet<Message>): Edits {
  const edits: Edits = new Map()
  const later = new Set<string>()
  for (let index = messages.length - 1; index >= 0; index--) {
    const message = messages[index]!
    const { content } = message
    if (typeof content !== 'string' || content.length < leastRepeated || message.role === 'system') continue
    const key = `${message.role === 'tool' ? message.toolName : message.role}\n${content}`
    if (!later.has(key)) later.add(key)
    else if (index < end && !kept.has(message)) edits.set(index, { ...message, content: repeatNote(message) })
  }
  return edits
}

function repeatNote(message: Message): string {
  return message.role === 'tool'
    ? `[the same as a later result of ${message.toolName}]`
    : '[the same text stands again further on]'
}
