// What stands in a transcript: something said, a reply, a thought, a tool call, a remark. Each lays itself out for a width
// and keeps the lines until it changes.

import { wrapTextWithAnsi } from '@earendil-works/pi-tui'
import { inert, inertLine, inertStream } from '../terminal/inert.ts'
import type { Call } from './call.ts'
import { exactLines } from './exact.ts'
import { Laid, oneLine, type Block } from './laid.ts'
import { Prose } from './prose.ts'
import type { Theme } from './theme.ts'

/** One entry. `key` finds it again; what can be unfolded has `open`. */
export type Entry = Said | Reply | Thought | Call | Remark

/** An entry that shows more when it is unfolded. */
export type Fold = Thought | Call

/** The columns before each line: room for the mark of who speaks, or of what is selected. */
const margin = 2

/** The text inert, without tabs and blanks at its ends. */
function blockOf(text: string): string {
  return inert(text).replaceAll('\t', '    ').trim()
}

/** Lines of a text with a mark before the first. */
function marked(text: string, mark: string, width: number): string[] {
  const room = Math.max(1, width - margin)
  return wrapTextWithAnsi(text, room).map(
    (line, index) => `${index === 0 ? mark : ' '.repeat(margin)}${line.trimEnd()}`,
  )
}

/** What a person said. A pending one has not come back as part of the conversation yet. */
export class Said implements Block {
  readonly kind = 'said'
  readonly text: string
  readonly #theme: Theme
  readonly #laid = new Laid()
  #pending: string | undefined

  constructor(text: string, { theme, pending }: { readonly theme: Theme; readonly pending?: string }) {
    this.text = text
    this.#theme = theme
    this.#pending = pending
  }

  /** Why it is not part of the conversation yet; undefined where that is nothing to say. */
  set pending(why: string | undefined) {
    this.#pending = why
    this.#laid.changed()
  }

  lines(width: number): readonly string[] {
    const { strong, faint, accent } = this.#theme
    return this.#laid.lines(width, () => {
      const text = blockOf(this.text)
      if (this.#pending === undefined) return marked(strong(text), accent('> '), width)
      return [...marked(faint(text), faint('> '), width), oneLine(`  ${faint(`(${inertLine(this.#pending)})`)}`, width)]
    })
  }
}

/** What the model says: Markdown that grows. */
export class Reply implements Block {
  readonly kind = 'reply'
  readonly #prose: Prose
  readonly #clean = inertStream()

  constructor(theme: Theme, text = '') {
    this.#prose = new Prose(theme, text)
  }

  append(piece: string): void {
    this.#prose.append(this.#clean(piece))
  }

  lines(width: number): readonly string[] {
    return this.#prose.lines(width)
  }
}

/** What the model thought before it said something: one line, unfolded all of it. */
export class Thought implements Block {
  readonly kind = 'thought'
  readonly #theme: Theme
  readonly #laid = new Laid()
  #text = ''
  #open = false
  #selected = false

  constructor(theme: Theme, text = '') {
    this.#theme = theme
    this.#text = text
  }

  append(piece: string): void {
    this.#text += piece
    this.#laid.changed()
  }

  get open(): boolean {
    return this.#open
  }

  set open(open: boolean) {
    this.#open = open
    this.#laid.changed()
  }

  set selected(selected: boolean) {
    this.#selected = selected
    this.#laid.changed()
  }

  lines(width: number): readonly string[] {
    const { faint, accent } = this.#theme
    return this.#laid.lines(width, () => {
      const mark = this.#selected ? accent('❯ ') : '  '
      if (this.#open)
        return [`${mark}${faint('thought')}`, ...exactLines(blockOf(this.#text), { width, by: 4, style: faint })]
      // As much as may be seen: thoughts are long, and this one grows.
      return [oneLine(`${mark}${faint(`thought: ${inertLine(this.#text.slice(0, width * 4))}`)}`, width)]
    })
  }
}

/** Something about the conversation: that it was stopped, an error, who is here. */
export class Remark implements Block {
  readonly kind = 'remark'
  readonly #text: string
  readonly #style: (text: string) => string
  readonly #laid = new Laid()

  constructor(text: string, style: (text: string) => string) {
    this.#text = text
    this.#style = style
  }

  lines(width: number): readonly string[] {
    return this.#laid.lines(width, () => wrapTextWithAnsi(this.#style(blockOf(this.#text)), width))
  }
}
