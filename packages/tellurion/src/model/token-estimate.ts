// How many tokens a text or a request may be, without a tokenizer. Good to about a quarter for European languages,
// Chinese, Japanese and Korean; never used to bill anybody.

import type { AssistantPart, Message, UserPart } from '../message/message.ts'
import type { ModelRequest } from '../port/model.ts'

/** What a picture or a page costs about, whatever its size. */
const mediaTokens = 1_000
/** Role and separators of one message. */
const messageTokens = 4

/** Tokens of a text, about: one for each wide (CJK) character, one for four others. Reads at most the whole text once. */
export function estimateTokens(text: string): number {
  let wide = 0
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) >= 0x2e80) wide++
  return Math.ceil(wide + (text.length - wide) / 4)
}

// Messages are never changed, so each is measured once for as long as somebody holds it.
const measured = new WeakMap<Message, number>()

/** Input tokens of a request, about: messages, system text, tools and output schema. */
export function estimateRequestTokens(request: ModelRequest): number {
  let sum = estimateTokens(request.system ?? '')
  for (const message of request.messages) sum += messageEstimate(message)
  if (request.tools) sum += estimateTokens(JSON.stringify(request.tools))
  if (request.output) sum += estimateTokens(JSON.stringify(request.output.schema))
  return sum
}

function messageEstimate(message: Message): number {
  let sum = measured.get(message)
  if (sum === undefined) {
    sum = messageTokens
    if (typeof message.content === 'string') sum += estimateTokens(message.content)
    else for (const part of message.content) sum += partEstimate(part)
    measured.set(message, sum)
  }
  return sum
}

function partEstimate(part: UserPart | AssistantPart): number {
  switch (part.type) {
    case 'text':
    case 'reasoning':
      return estimateTokens(part.text)
    case 'tool-call':
      return estimateTokens(part.toolName) + estimateTokens(part.invalidInput ?? JSON.stringify(part.input))
    case 'image':
    case 'file':
      return mediaTokens
    default:
      return part satisfies never
  }
}
