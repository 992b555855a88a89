// Where the command writes: answers on one stream, remarks on another, colour only where it is wanted. What is written
// here must be inert already.

import { fit } from '../terminal/width.ts'
import { createWordWrap, type WordWrap } from './word-wrap.ts'

/** The part of a stream that is needed: a terminal, a pipe or a test's buffer. */
export interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** How words look. */
export type Style = 'plain' | 'faint' | 'strong' | 'warning'

const codes: Readonly<Record<Exclude<Style, 'plain'>, string>> = { faint: '2', strong: '1', warning: '33' }

/** One stream with a sense of where its cursor is. */
export class Screen {
  readonly #output: Output
  readonly #colour: boolean
  #wrap: WordWrap | undefined
  #lineOpen = false

  constructor(output: Output, env: Readonly<Record<string, string | undefined>>) {
    this.#output = output
    this.#colour = output.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
  }

  /** Columns of the terminal; a pipe has no end of line to mind. */
  get columns(): number {
    return this.#output.isTTY ? this.#output.columns || 80 : Infinity
  }

  /** Text as it comes; at a terminal, broken between words. */
  text(text: string): void {
    if (text === '') return
    this.#lineOpen = !text.endsWith('\n')
    if (!this.#output.isTTY) this.#output.write(text)
    else this.#write((this.#wrap ??= createWordWrap(() => this.columns - 1)).push(text))
  }

  /** A line of its own, whatever stands before it. */
  line(text: string, style: Style = 'plain'): void {
    this.endLine()
    this.#output.write(`${this.styled(text, style)}\n`)
  }

  /** One line of its own that is cut to the terminal's width. */
  note(text: string, style: Style = 'faint'): void {
    this.line(fit(text, this.columns - 1), style)
  }

  /** Ends the line that text has left open. */
  endLine(): void {
    if (this.#lineOpen) this.#output.write(`${this.#wrap?.flush() ?? ''}\n`)
    this.#wrap = undefined
    this.#lineOpen = false
  }

  #write(text: string): void {
    if (text !== '') this.#output.write(text)
  }

  styled(text: string, style: Style): string {
    return this.#colour && style !== 'plain' ? `\u001b[${codes[style]}m${text}\u001b[0m` : text
  }
}
