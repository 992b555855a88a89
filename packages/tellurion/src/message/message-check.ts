// Messages from outside: what code of another make hands in as said, checked before a conversation keeps it.

import type { AssistantPart, Message } from './message.ts'
import { userPartsProblem } from './user-part.ts'

/** What keeps a value from being a list of messages, or undefined when nothing does. */
export function messagesProblem(value: unknown): string | undefined {
  if (!Array.isArray(value)) return 'it is no list of messages'
  for (const message of value as readonly unknown[]) {
    const problem = messageProblem(message)
    if (problem !== undefined) return problem
  }
  return undefined
}

function messageProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'a message is an object such as { role, content }'
  const message = value as Message
  const content: unknown = message.content
  switch (message.role) {
    case 'system':
      return typeof content === 'string' ? undefined : 'the content of a system message is a text'
    case 'user':
      return contentProblem(content)
    case 'assistant':
      return typeof content === 'string' ? undefined : assistantPartsProblem(content)
    case 'tool': {
      const [id, name]: unknown[] = [message.toolCallId, message.toolName]
      if (typeof id !== 'string' || typeof name !== 'string') return 'a tool message needs a toolCallId and a toolName'
      return contentProblem(content)
    }
    default:
      return `there is no role ${JSON.stringify((message satisfies never as { role?: unknown }).role)}`
  }
}

function contentProblem(content: unknown): string | undefined {
  return typeof content === 'string' ? undefined : userPartsProblem(content)
}

function assistantPartsProblem(content: unknown): string | undefined {
  if (!Array.isArray(content)) return 'the content of an assistant message is a text, or a list of parts'
  for (const value of content as readonly unknown[]) {
    if (typeof value !== 'object' || value === null) return 'a part is an object such as { type, text }'
    const part = value as AssistantPart
    switch (part.type) {
      case 'text':
      case 'reasoning':
        if (typeof (part.text as unknown) !== 'string') return `a part of type ${part.type} needs a text`
        break
      case 'tool-call': {
        const [id, name]: unknown[] = [part.toolCallId, part.toolName]
        if (typeof id !== 'string' || typeof name !== 'string' || !('input' in part)) {
          return 'a part of type tool-call needs a toolCallId, a toolName and an input'
        }
        break
      }
      default:
        return `there is no part of type ${JSON.stringify((part satisfies never as { type?: unknown }).type)}`
    }
  }
  return undefined
}
