// `.env` files: variables by name, read strictly. Nothing is expanded, the process's own environment is never touched,
// and no error shows a line's content, which may be a secret.

import { closeSync, openSync, readSync } from 'node:fs'
import { messageOf, TellurionError } from '../error/error.ts'

/** The largest file that is read, in bytes. */
const maxSize = 1_048_576

/**
 * Reads a `.env` file into a record. A line is empty, a `# comment`, or `NAME=value` with an optional `export` before
 * it. A value ends at ` #` or at the end of its line and is trimmed; in `'…'` and `` `…` `` it is taken as it is, in
 * `"…"` with `\n`, `\r`, `\t`, `\"`, `\\` and `\$` read as escapes, and may span lines. The last of two lines with one
 * name counts. Throws `invalid_configuration`, naming file and line, for anything else and for a file that cannot be
 * read; with `optional`, a file that is not there (or is a folder) is an empty record.
 */
export function loadDotEnv(
  path: string,
  { optional = false }: { readonly optional?: boolean } = {},
): Record<string, string> {
  let bytes: Buffer
  try {
    bytes = readStart(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (optional && (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR')) return {}
    throw broken(path, code === 'ENOENT' ? 'there is no such file' : `it cannot be read: ${messageOf(error)}`, error)
  }
  if (bytes.length > maxSize) throw broken(path, `it is longer than ${maxSize} bytes`)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw broken(path, 'it is not UTF-8 text: save it as UTF-8', error)
  }
  return parseDotEnv(text, path)
}

/** The file as far as it is worth reading: a device or a pipe may never end. */
function readStart(path: string): Buffer {
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.allocUnsafe(maxSize + 1)
    let length = 0
    for (let read = -1; read !== 0; length += read) read = readSync(file, bytes, length, bytes.length - length, null)
    return bytes.subarray(0, length)
  } finally {
    closeSync(file)
  }
}

/** The text of a `.env` file as a record; `name` is the file's name for errors. */
export function parseDotEnv(text: string, name: string): Record<string, string> {
  return new Reader(text.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n'), name).read()
}

const assignment = /[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=/y
const blank = /[ \t]*(?:#[^\n]*)?(?:\n|$)/y
const opening = /[ \t]*(?=['"`])/y
const plain = /((?:(?![ \t]#)[^\n])*)(?:[ \t]#[^\n]*)?(?:\n|$)/y
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', $: '$' }

class Reader {
  readonly #text: string
  readonly #name: string
  readonly #values = new Map<string, string>()
  #at = 0

  constructor(text: string, name: string) {
    this.#text = text
    this.#name = name
  }

  read(): Record<string, string> {
    while (this.#at < this.#text.length) {
      if (this.#match(blank) !== undefined) continue
      const start = this.#at
      const name = this.#match(assignment)?.[1]
      if (name === undefined) throw this.#wrong(start, "write NAME=value, or '#' before a comment")
      const value = this.#value()
      if (value.includes('\0')) throw this.#wrong(start, 'a value cannot hold the character NUL')
      this.#values.set(name, value)
    }
    return Object.fromEntries(this.#values)
  }

  #value(): string {
    if (this.#match(opening) === undefined) return this.#match(plain)?.[1]?.trim() ?? ''
    const quote = this.#text[this.#at] ?? ''
    const start = this.#at
    const end = this.#closing(quote)
    if (end === -1) throw this.#wrong(start, `the quote ${quote} is never closed: close it, or put other quotes around`)
    const inside = this.#text.slice(start + 1, end)
    this.#at = end + 1
    if (this.#match(blank) === undefined) {
      throw this.#wrong(end, `something follows the closing ${quote}: put the whole value in quotes of another kind`)
    }
    return quote === '"' ? inside.replace(/\\([nrt"\\$])/g, (_, letter: string) => escapes[letter] ?? letter) : inside
  }

  /** Where the quote that was opened here is closed; -1 when it never is. */
  #closing(quote: string): number {
    if (quote !== '"') return this.#text.indexOf(quote, this.#at + 1)
    for (let at = this.#at + 1; at < this.#text.length; at++) {
      if (this.#text[at] === '\\') at++
      else if (this.#text[at] === '"') return at
    }
    return -1
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found === null) return undefined
    this.#at += found[0].length
    return found
  }

  #wrong(at: number, advice: string): TellurionError {
    const line = this.#text.slice(0, at).split('\n').length
    return broken(`${this.#name}:${line}`, advice)
  }
}

function broken(where: string, why: string, cause?: unknown): TellurionError {
  return new TellurionError('invalid_configuration', `${where}: ${why}.`, cause === undefined ? {} : { cause })
}
