// A redactor: takes secrets that have become plain texts out of whatever is about to leave: an answer that echoes a key,
// an address with a password in it, a tool's result. It knows what it was given and nothing else.

import { TellurionError } from '../error/error.ts'
import { isRevealing, redacted, revealed, type Revealing } from './secret.ts'

/** Takes secrets out of what is about to leave. */
export interface Redactor {
  /** The text with `[redacted]` in the place of each secret. The same text where there is none. */
  text(text: string): string
  /**
   * A JSON value without the secrets, in names of properties too; the same value where there is none. What is no plain
   * object or array stays as it is.
   */
  value<T>(value: T): T
  /** An error that tells the same, down its causes, stacks included. The same error where there is nothing to hide. */
  error(error: unknown): unknown
  /** Knows one more secret from now on. Throws as `createRedactor` does. */
  add(secret: string | Revealing): void
}

/** Shorter texts stand in so many others that hiding them would tell more than it hides. */
const shortest = 6
const deepest = 100

/**
 * Makes a redactor. It finds secrets as they are, and as they stand in JSON, in addresses, in Base64 and in hexadecimal;
 * and the user and password of an address that is a secret, one by one. Throws `invalid_option` for secrets of fewer than
 * six characters: choose longer ones.
 */
export function createRedactor(secrets: Iterable<string | Revealing> = []): Redactor {
  let needles: readonly string[] = []
  const add = (secret: string | Revealing): void => {
    if (typeof secret !== 'string' && !isRevealing(secret)) {
      throw new TellurionError('invalid_option', 'A redactor takes texts and secrets: createRedactor([key, token]).')
    }
    const text = revealed(secret).trim()
    if (text.length < shortest) {
      throw new TellurionError('invalid_option', `A secret of fewer than ${shortest} characters cannot be hidden.`)
    }
    const all = new Set([...needles, ...[text, ...partsOf(text)].flatMap(formsOf)])
    // The longest first: one may stand in another.
    needles = [...all].toSorted((a, b) => b.length - a.length)
  }
  for (const secret of secrets) add(secret)

  const text = (given: string): string => {
    let clean = given
    for (const needle of needles) if (clean.includes(needle)) clean = clean.replaceAll(needle, redacted)
    return clean
  }
  const value = (given: unknown, depth: number): unknown => {
    if (typeof given === 'string') return text(given)
    if (typeof given !== 'object' || given === null || depth > deepest) return given
    if (Array.isArray(given)) return list(given, depth)
    const prototype: unknown = Object.getPrototypeOf(given)
    if (prototype !== Object.prototype && prototype !== null) return given
    return record(given as Readonly<Record<string, unknown>>, depth)
  }
  const list = (given: readonly unknown[], depth: number): readonly unknown[] => {
    let clean: unknown[] | undefined
    for (const [index, each] of given.entries()) {
      const next = value(each, depth + 1)
      if (next !== each) (clean ??= [...given])[index] = next
    }
    return clean ?? given
  }
  const record = (given: Readonly<Record<string, unknown>>, depth: number): Readonly<Record<string, unknown>> => {
    const entries = Object.entries(given)
    let changed = false
    const clean = entries.map(([name, each]) => {
      const next = [text(name), value(each, depth + 1)] as const
      changed ||= next[0] !== name || next[1] !== each
      return next
    })
    return changed ? Object.fromEntries(clean) : given
  }
  return {
    add,
    text,
    value: <T>(given: T) => value(given, 0) as T,
    error: (given) => cleanError(given, { text, value: (each) => value(each, 0) }, 0),
  }
}

/** How a secret may stand in a text. */
function formsOf(text: string): string[] {
  const bytes = new TextEncoder().encode(text)
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  const forms = [text, ...jsonForms(text), ...addressForms(text), hex, hex.toUpperCase(), ...base64Forms(bytes)]
  return forms.filter((form) => form.length >= shortest)
}

/** As JSON is written here, and where slashes, or all that is not ASCII, are escaped. */
function jsonForms(text: string): string[] {
  const plain = JSON.stringify(text).slice(1, -1)
  const escaped = (sign: string): string => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`
  return [plain, plain.replace(/[^\0-\x7f]/g, escaped)].flatMap((form) => [form, form.replaceAll('/', '\\/')])
}

/** As a part of an address, a whole one, or a field of a form; some write the digits of escapes small. */
function addressForms(text: string): string[] {
  const forms = [encodeURIComponent(text), encodeURI(text), new URLSearchParams([['', text]]).toString().slice(1)]
  return forms.flatMap((form) => [form, form.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase())])
}

/**
 * The pieces of Base64 that stand for these bytes whatever stands before and behind them, so that `user:password` in a
 * header is found by its password. In both alphabets.
 */
function base64Forms(bytes: Uint8Array): string[] {
  return [0, 1, 2].flatMap((before) => {
    const padded = new Uint8Array(before + bytes.length)
    padded.set(bytes, before)
    const whole = btoa(Array.from(padded, (byte) => String.fromCharCode(byte)).join(''))
    // Characters that also hold bits of the neighbours do not count.
    const start = Math.ceil((before * 8) / 6)
    const piece = whole.slice(start, Math.floor((padded.length * 8) / 6))
    return piece.length < 2 * shortest ? [] : [piece, piece.replaceAll('+', '-').replaceAll('/', '_')]
  })
}

/** The password of an address, which shows up alone when the address is taken apart. */
function partsOf(text: string): string[] {
  if (!text.includes('://') || !URL.canParse(text)) return []
  const { password } = new URL(text)
  return [password, decoded(password)].filter((part) => part.length >= shortest)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
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
