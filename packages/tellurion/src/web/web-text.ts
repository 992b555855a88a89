// A response as text that a model can read, by its type: pages as Markdown, other text as it is, the rest by name only.

import { TellurionError } from '../error/error.ts'
import { readBytes } from './body-bytes.ts'
import { decodeText, mediaType } from './charset.ts'
import type { PageReader } from './page-reader.ts'
import { plainLine, plainText } from './plain-text.ts'

/** What was read at an address. */
export interface WebText {
  /** Where it was in the end. */
  readonly url: string
  readonly type: string
  readonly title: string
  readonly text: string
  /** What is to be said about it: that it was cut, or could not be read as it should. */
  readonly note: string
}

/** What it may cost. */
export interface WebTextOptions {
  readonly reader: PageReader
  readonly part: 'article' | 'page'
  /** Bytes that are looked at; a page is cut there. */
  readonly bytes: number
  readonly signal: AbortSignal
}

/** Reads a response. Rejects with `egress_failed` for what is no text, and with what the body's stream errors with. */
export async function webText(response: Response, options: WebTextOptions): Promise<WebText> {
  const { url } = response
  const contentType = response.headers.get('content-type') ?? ''
  const stated = mediaType(contentType)
  const readable = stated === '' || isText(stated)
  if (!readable) {
    await response.body?.cancel()
    throw noText(url, stated, response.headers.get('content-length'))
  }
  const { bytes, cut } = await readBytes(response, options.bytes)
  if (
    bytes.includes(0) &&
    stated !== 'text/html' &&
    !/utf-?(16|32)/i.test(contentType) &&
    !(bytes[0]! >= 0xfe && bytes[1]! >= 0xfe)
  ) {
    throw noText(url, stated || 'an unknown type', String(bytes.byteLength))
  }
  const source = decodeText(bytes, contentType)
  const type =
    stated === '' ? (/^\s*<(!doctype html|html|head|body)[\s>]/i.test(source) ? 'text/html' : 'text/plain') : stated
  const note = cut ? `Only the first ${options.bytes} bytes were read.` : ''
  if (type !== 'text/html' && type !== 'application/xhtml+xml') {
    return { url, type, title: '', text: plainText(source), note }
  }
  const { part, reader, signal } = options
  const { title, markdown, plain } = await reader.read({ html: source, url, part }, { signal })
  const notes = plain ? [note, 'It is too convoluted to be read as a page; this is its mere text.'] : [note]
  return { url, type, title: plainLine(title, 200), text: plainText(markdown), note: notes.filter(Boolean).join(' ') }
}

/** Whether a media type is text that a model can read. */
export function isText(type: string): boolean {
  return (
    type.startsWith('text/') ||
    /^application\/([\w.-]+\+)?(json|xml|yaml|x-yaml|javascript|x-javascript|ecmascript|toml|sql|x-ndjson|ndjson|jsonl|graphql|x-sh|xhtml)/.test(
      type,
    )
  )
}

function noText(url: string, type: string, length: string | null): TellurionError {
  const size = length === null ? '' : ` of ${length} bytes`
  const name = plainLine(type, 100)
  return new TellurionError('egress_failed', `${plainLine(url, 300)} is ${name}${size}, which cannot be read as text.`)
}
