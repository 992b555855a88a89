// The question of a command: its words, or what is on standard input.

import { UsageError } from './fault.ts'
import type { Host } from './setting.ts'

/** The longest question from standard input, in characters. */
const longest = 1_048_576

/** The question; `-` alone reads it from standard input. Throws a `UsageError` where there is none. */
export async function readQuestion(words: readonly string[], host: Host): Promise<string> {
  const question = (words.length === 1 && words[0] === '-' ? await readAll(host.stdin) : words.join(' ')).trim()
  if (question !== '') return question
  throw new UsageError("There is no question: give one, or '-' and the question on standard input.")
}

async function readAll(stdin: AsyncIterable<string | Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of stdin) {
    text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    if (text.length > longest) throw new UsageError(`The question is longer than ${longest} characters.`)
  }
  return text + decoder.decode()
}
