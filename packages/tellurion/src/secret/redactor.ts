// A redactor: takes secrets that have become plain texts out of whatever is about to leave: an answer that echoes a key,
// an address with a password in it, a tool's result. It knows what it was given and nothing else.

import { TellurionError } from '../error/error.ts'
import { redactedStream, type RedactedStream } from './redacted-stream.ts'
import { redactedValue } from './redacted-value.ts'
import { isRevealing, redacted, revealed, type Revealing } from './secret.ts'
import { shortest, spellingsOf } from './spelling.ts'

/** Takes secrets out of what is about to leave. */
export interface Redactor {
  /** The text with `[redacted]` in the place of each secret. The same text where there is none. */
  text(text: string): string
  /**
   * A text that comes in pieces: a secret in several of them is found as well. Keeps back no more than a secret could begin
   * with, until the next piece or the end.
   */
  stream(): RedactedStream
  /**
   * A value without the secrets, in names of properties too; the same value where there is none. Maps, sets, bytes (of the
   * same length, with `*`), errors and values of classes are copied as what they are; what speaks for itself by `toJSON`
   * becomes what it says.
   */
  value<T>(value: T): T
  /** An error that tells the same, down its causes, stacks included. The same error where there is nothing to hide. */
  error(error: unknown): unknown
  /** Knows one more secret from now on. Throws as `createRedactor` does. */
  add(secret: string | Revealing): void
}

/**
 * Makes a redactor. It finds secrets as they are, and as they stand in JSON, in addresses, in markup, in Base64 and in
 * hexadecimal; of an address that is a secret also its password and a long name in it, of one in many lines each long line.
 * Throws `invalid_option` for secrets of fewer than six characters: choose longer ones.
 */
export function createRedactor(secrets: Iterable<string | Revealing> = []): Redactor {
  let needles: readonly string[] = []
  let byFirst: ReadonlyMap<string, readonly string[]> = new Map()
  const add = (secret: string | Revealing): void => {
    if (typeof secret !== 'string' && !isRevealing(secret)) {
      throw new TellurionError('invalid_option', 'A redactor takes texts and secrets: createRedactor([key, token]).')
    }
    const text = revealed(secret).trim()
    if (text.length < shortest) {
      throw new TellurionError('invalid_option', `A secret of fewer than ${shortest} characters cannot be hidden.`)
    }
    const all = new Set([...needles, ...spellingsOf(text)])
    // The longest first: one may stand in another.
    needles = [...all].toSorted((a, b) => b.length - a.length)
    byFirst = Map.groupBy(needles, (needle) => needle[0]!)
  }
  for (const secret of secrets) add(secret)

  const text = (given: string): string => {
    if (given.length < (needles.at(-1)?.length ?? 0)) return given
    let clean = given
    for (const needle of needles) {
      // Most texts are names, shorter than all of them.
      if (needle.length <= clean.length && clean.includes(needle)) clean = clean.replaceAll(needle, redacted)
    }
    return clean
  }
  const bytes = (given: Uint8Array): Uint8Array => {
    const before = latin(given)
    let clean = before
    for (const needle of needles) {
      const form = latin(new TextEncoder().encode(needle))
      if (clean.includes(form)) clean = clean.replaceAll(form, '*'.repeat(form.length))
    }
    return clean === before ? given : Uint8Array.from(clean, (sign) => sign.charCodeAt(0))
  }
  const value = (given: unknown): unknown => redactedValue(given, { text, bytes })
  return {
    add,
    text,
    stream: () => redactedStream(() => ({ byFirst, longest: needles[0]?.length ?? 0, text })),
    value: <T>(given: T) => value(given) as T,
    error: (given) => cleanError(given, { text, value }, 0),
  }
}

/** Bytes as characters, one each. */
function latin(bytes: Uint8Array): string {
  const pieces: string[] = []
  for (let at = 0; at < bytes.length; at += 8_192) pieces.push(String.fromCharCode(...bytes.subarray(at, at + 8_192)))
  return pieces.join('')
}

interface Cleaning {
  text(text: string): string
  value(value: unknown): unknown
}

/** Errors are rewritten where they stand: whoever holds one already holds the clean one too. */
function cleanError(given: unknown, clean: Cleaning, depth: number): unknown {
  if (!(given instanceof Error) || depth > 10) return typeof given === 'string' ? clean.text(given) : clean.value(given)
  for (const name of ['message', 'stack'] as const) {
    const before = given[name]
    const after = before === undefined ? undefined : clean.text(before)
    if (after !== before) Object.defineProperty(given, name, { value: after, configurable: true, writable: true })
  }
  for (const name of Object.keys(given)) {
    const fields = given as unknown as Record<string, unknown>
    const after = cleanError(fields[name], clean, depth + 1)
    if (after !== fields[name])
      Object.defineProperty(given, name, { value: after, configurable: true, writable: true, enumerable: true })
  }
  if (given.cause !== undefined) {
    const after = cleanError(given.cause, clean, depth + 1)
    if (after !== given.cause)
      Object.defineProperty(given, 'cause', { value: after, configurable: true, writable: true })
  }
  if (given instanceof AggregateError) for (const each of given.errors) cleanError(each, clean, depth + 1)
  return given
}
