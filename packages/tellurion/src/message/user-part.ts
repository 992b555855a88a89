// Parts from outside: what a person, a program or a tool hands in as content, checked before anything keeps it.

import type { UserPart } from './message.ts'

/** What keeps a value from being a list of `UserPart`s, or undefined when nothing does. */
export function userPartsProblem(value: unknown): string | undefined {
  if (!Array.isArray(value)) return 'it is no list of parts'
  for (const part of value as readonly unknown[]) {
    const problem = partProblem(part)
    if (problem !== undefined) return problem
  }
  return undefined
}

function partProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'a part is an object such as { type, text }'
  const part = value as UserPart
  switch (part.type) {
    case 'text':
      return typeof part.text === 'string' ? undefined : 'a text part needs a text'
    case 'image':
    case 'file': {
      const [data, url]: unknown[] = [part.data, part.url]
      if ((data === undefined) === (url === undefined)) return `a part of type ${part.type} needs either data or url`
      if (typeof (data ?? url) !== 'string') return `data and url of a part of type ${part.type} are texts`
      return typeof part.mediaType === 'string' ? undefined : `a part of type ${part.type} needs a mediaType`
    }
    default:
      return `there is no part of type ${JSON.stringify((part satisfies never as { type?: unknown }).type)}`
  }
}
