// A secret: a text that shows as `[redacted]` wherever it is printed, logged or turned into JSON. Only `reveal()` gives it.

import { inspect } from 'node:util'

const shown = '[redacted]'

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

  [inspect.custom](): string {
    return shown
  }
}
