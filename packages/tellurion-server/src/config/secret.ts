// A secret: a text that shows as `[redacted]` wherever it is printed, logged or turned into JSON. Only `reveal()` gives it.

const shown = '[redacted]'
/** Under this name Node asks how a value is printed. */
const printed: unique symbol = Symbol.for('nodejs.util.inspect.custom')

/** A text that nothing prints. */
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
    return shown
  }

  toJSON(): string {
    return shown
  }

  [printed](): string {
    return shown
  }
}
