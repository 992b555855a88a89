// How many tokens a text or a request may be, without a tokenizer. Good to about a fifth for European languages;
// up to a half too high for Chinese, Japanese and Korean. Never used to bill anybody.

import type { AssistantPart, Message, UserPart } from '../message/message.ts'
import type { ModelRequest } from '../port/model.ts'

/** What a picture or a page costs about, whatever its size. */
const mediaTokens = 1_000
/** Role and separators of one message. */
const frameTokens = 4

/** Counts the tokens of a text. Pure, and quick: it meets each text of a conversation once. */
export type TokenCounter = (text: string) => number

/** Tokens of a text, about: one for each wide (CJK) character, one for four others. Reads at most the whole text once. */
export function estimateTokens(text: string): number {
  let wide = 0
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) >= 0x2e80) wide++
  return Math.ceil(wide + (text.length - wide) / 4)
}

// Messages are never changed, so each is measured once for as long as somebody holds it.
const measured = new WeakMap<TokenCounter, WeakMap<Message, number>>()

/** Input tokens of a request, about: messages, system text, tools and output schema. */
export function estimateRequestTokens(request: ModelRequest): number {
  let sum = estimateTokens(request.system ?? '')
  for (const message of request.messages) sum += messageTokens(message)
  if (request.tools) sum += estimateTokens(JSON.stringify(request.tools))
  if (request.output) sum += estimateTokens(JSON.stringify(request.output.schema))
  return sum
}

/** Tokens of one message: its texts and tool calls as `count` says, a fixed price for pictures and files. */
export function messageTokens(message: Message, count: TokenCounter = estimateTokens): number {
  let known = measured.get(count)
  if (known === undefined) measured.set(count, (known = new WeakMap()))
  let sum = known.get(message)
  if (sum === undefined) {
    sum = frameTokens
    if (typeof message.content === 'string') sum += count(message.content)
    else for (const part of message.content) sum += partTokens(part, count)
    known.set(message, sum)
  }
  return sum
}

function partTokens(part: UserPart | AssistantPart, count: TokenCounter): number {
  switch (part.type) {
    case 'text':
    case 'reasoning':
      return count(part.text)
    case 'tool-call':
      return count(part.toolName) + count(part.invalidInput ?? JSON.stringify(part.input))
    case 'image':
    case 'file':
      return mediaTokens
    default:
      return part satisfies never
  }
}
