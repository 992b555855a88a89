// Files as text: UTF-8, with or without a byte order mark, and nothing else. What cannot be written back byte by byte is
// not text.

import { isUtf8 } from 'node:buffer'

/** A text and how it stood in its file. */
export interface Text {
  /** Without the byte order mark. */
  readonly text: string
  /** Whether a byte order mark stood before it. */
  readonly mark: boolean
}

/** What bytes are that are no text. */
export interface NoText {
  /** In words that end a sentence: `is binary`. */
  readonly problem: string
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const marks: readonly (readonly [name: string, ...bytes: number[]])[] = [
  ['UTF-32', 0xff, 0xfe, 0, 0],
  ['UTF-32', 0, 0, 0xfe, 0xff],
  ['UTF-16', 0xff, 0xfe],
  ['UTF-16', 0xfe, 0xff],
]

/** Reads bytes as text. */
export function readText(bytes: Uint8Array): Text | NoText {
  for (const [name, ...mark] of marks) {
    if (bytes.length >= mark.length && mark.every((byte, index) => bytes[index] === byte)) {
      return { problem: `is ${name} text; only UTF-8 is read` }
    }
  }
  if (bytes.includes(0)) return { problem: 'is binary' }
  if (!isUtf8(bytes)) return { problem: 'is not valid UTF-8 text' }
  const mark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  return { text: decoder.decode(mark ? bytes.subarray(3) : bytes), mark }
}

/** The bytes of a text. */
export function writeText({ text, mark }: Text): Uint8Array {
  return new TextEncoder().encode(mark ? `\ufeff${text}` : text)
}
