// One line at the foot of a terminal that says how far long work is, and goes away. Pipes never see it.

import type { Output } from './screen.ts'
import { fit } from '../terminal/width.ts'

/** A line that is written over. */
export class StatusLine {
  readonly #output: Output
  #shown = false

  constructor(output: Output) {
    this.#output = output
  }

  /** Shows a text instead of the one before. The cursor must stand at the beginning of a line. */
  show(text: string): void {
    if (this.#output.isTTY !== true) return
    this.#output.write(`\r\u001b[K${fit(text, (this.#output.columns || 80) - 1)}`)
    this.#shown = true
  }

  /** Takes it away; to be called before anything else is written. */
  clear(): void {
    if (!this.#shown) return
    this.#output.write('\r\u001b[K')
    this.#shown = false
  }
}
