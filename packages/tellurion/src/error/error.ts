// The one error class. Failures that travel as data (of models, tools, systems) are `ErrorData`, its JSON form.

import type { ErrorCode } from './catalogue.ts'
import { isRetryableCode } from './retryable.ts'
import type { Json, JsonObject } from '../schema/json.ts'

/** An error as plain JSON: what components, events and wires carry. */
export interface ErrorData {
  readonly code: ErrorCode
  readonly message: string
  readonly retryable: boolean
  readonly data?: JsonObject
}

/**
 * Everything this library throws. `code` is stable and listed in `docs/errors.md`; `message` is one line that says what
 * to do; `retryable` says whether the same call may succeed later; `data` is JSON; `cause` is the original error.
 */
export class TellurionError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly data: JsonObject | undefined
  /** What there is all the same: the result of a failed run. Not part of the JSON form. */
  result: unknown

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; data?: JsonObject; retryable?: boolean } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'TellurionError'
    this.code = code
    this.retryable = options.retryable ?? isRetryableCode(code)
    this.data = options.data
  }

  /** The JSON form, without cause and stack. */
  toJSON(): ErrorData {
    const { code, message, retryable, data } = this
    return data === undefined ? { code, message, retryable } : { code, message, retryable, data }
  }

  /** The error that some `ErrorData` stands for. */
  static from(data: ErrorData, cause?: unknown): TellurionError {
    return new TellurionError(data.code, data.message, {
      retryable: data.retryable,
      ...(data.data === undefined ? {} : { data: data.data }),
      ...(cause === undefined ? {} : { cause }),
    })
  }
}

/** Any thrown value as `ErrorData`; `code` is used for what is not already one of ours. */
export function errorData(error: unknown, code: ErrorCode): ErrorData {
  if (error instanceof TellurionError) return error.toJSON()
  return { code, message: messageOf(error), retryable: isRetryableCode(code) }
}

/** One well-formed line about any thrown value. */
export function messageOf(error: unknown): string {
  if (typeof error === 'string') return error.toWellFormed()
  try {
    if (error instanceof Error) return String(error.message || error.name).toWellFormed()
    return (JSON.stringify(error) ?? String(error)).toWellFormed()
  } catch {
    return 'unknown error'
  }
}

/**
 * The name nearest to `wanted` among `known`, by edit distance (Levenshtein, 1966) — undefined when none is close
 * enough to be a slip of the finger.
 */
export function nearest(wanted: string, known: Iterable<string>): string | undefined {
  const a = String(wanted).toLowerCase().slice(0, 64)
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(a.length / 3)) + 1
  for (const name of known) {
    const distance = editDistance(a, name.toLowerCase().slice(0, 64))
    if (distance < bestDistance) {
      best = name
      bestDistance = distance
    }
  }
  return best
}

/** ` Did you mean 'x'?`, or ` Known: a, b.` when nothing is near; ready to be put behind a sentence. */
export function suggestion(wanted: string, known: Iterable<string>): string {
  const names = [...known]
  const near = nearest(wanted, names)
  if (near !== undefined) return ` Did you mean '${near}'?`
  return names.length === 0 ? '' : ` Known: ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}.`
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, substitution))
    }
    previous = row
  }
  return previous[b.length] ?? 0
}

/** A value as JSON for `data` of an error: strings, numbers and booleans as they are, anything else as text. */
export function shown(value: unknown): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  return String(value)
}
