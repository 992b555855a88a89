// A transcript: messages as lines of JSON, one a message. What was said cannot be taken for the frame around it, and a
// program can read it as well as a model.

import { textOf, toolCallsOf, type Message } from '../message/message.ts'
import type { Json } from '../schema/json.ts'
import { cut } from '../tool/result.ts'

/** Longest text of one line, longest arguments of one call, in characters. */
const maxText = 8_000
const maxInput = 600

/** One line. The side that speaks is the key: `{"user":"…"}`. */
export interface TranscriptLine {
  readonly user?: string
  readonly assistant?: string
  readonly calls?: readonly (readonly [tool: string, input: Json])[]
  /** The tool whose result `text` is. */
  readonly result?: string
  readonly text?: string
  readonly error?: true
}

/** One message as a line; empty for what nobody needs to know again. */
export function transcriptLine(message: Message): string {
  const line = lineOf(message)
  return line === undefined ? '' : JSON.stringify(line)
}

function lineOf(message: Message): TranscriptLine | undefined {
  const text = bounded(textOf(message), maxText)
  switch (message.role) {
    case 'system':
      return undefined
    case 'user':
      return { user: `${text}${mediaOf(message)}` }
    case 'assistant': {
      const calls = toolCallsOf(message).map(({ toolName, input }) => [toolName, shortInput(input)] as const)
      if (text === '' && calls.length === 0) return undefined
      return { ...(text === '' ? {} : { assistant: text }), ...(calls.length === 0 ? {} : { calls }) }
    }
    case 'tool':
      return { result: message.toolName, text: `${text}${mediaOf(message)}`, ...(message.isError && { error: true }) }
    default:
      return message satisfies never
  }
}

/** What a message holds besides text, in words. */
function mediaOf({ content }: Message): string {
  if (typeof content === 'string') return ''
  let words = ''
  for (const part of content)
    if (part.type === 'image' || part.type === 'file') words += ` [${part.type}: ${part.mediaType}]`
  return words
}

function shortInput(input: Json): Json {
  const text = JSON.stringify(input)
  return text.length <= maxInput ? input : bounded(text, maxInput)
}

function bounded(text: string, length: number): string {
  return text.length <= length ? text : `${cut(text, length)}…`
}

/** The lines of a transcript that are objects, in order; whatever else stands around them is passed over. */
export function readTranscript(text: string): TranscriptLine[] {
  return text.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return []
    try {
      return [JSON.parse(line) as TranscriptLine]
    } catch {
      return []
    }
  })
}
