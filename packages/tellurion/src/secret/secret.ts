// A secret: a text that shows as `[redacted]` wherever it is printed, logged, joined to other texts, cloned or turned into
// JSON. Only `reveal()` gives it, at the wire that needs it.

/** What stands in the place of a secret. */
export const redacted = '[redacted]'
/** Under this name Node asks how a value is printed. */
const printed: unique symbol = Symbol.for('nodejs.util.inspect.custom')

/** A text that nothing prints. No component, event or message can hold it: it is no plain JSON. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The text itself. Never put it into a log, an error, a URL or an argument of another process. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return redacted
  }

  toJSON(): string {
    return redacted
  }

  [Symbol.toPrimitive](): string {
    return redacted
  }

  [printed](): string {
    return redacted
  }
}

/** What gives a text when it is asked for, such as a `Secret` of whatever copy of this library. */
export interface Revealing {
  reveal(): string
}

/** Whether a value keeps a text to itself until it is asked. */
export function isRevealing(value: unknown): value is Revealing {
  return typeof value === 'object' && value !== null && typeof (value as { reveal?: unknown }).reveal === 'function'
}

/** The text of a secret, or a text as it is; for the moment of its use. */
export function revealed(value: string | Revealing): string {
  return typeof value === 'string' ? value : value.reveal()
}
