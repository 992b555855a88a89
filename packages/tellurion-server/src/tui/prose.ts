// Markdown as lines of a terminal, also while it streams: what can change no more is laid out once, and only the end again.

import { Markdown, setCapabilityOverrides } from '@earendil-works/pi-tui'
import { inert } from '../terminal/inert.ts'
import type { Theme } from './theme.ts'

/** A text that grows. Whatever comes in is made inert; links show where they lead. */
export class Prose {
  readonly #theme: Theme
  readonly #settled: Markdown[] = []
  #open = ''
  /** The lines for a width: those of what is settled, and behind them those of what is open. */
  #lines: string[] = []
  #settledLines = 0
  #laid = 0
  #width = 0
  #fresh = false

  constructor(theme: Theme, text = '') {
    this.#theme = theme
    this.#open = inert(text)
  }

  /** Adds a piece that is inert already and not cut inside a character. */
  append(piece: string): void {
    if (piece === '') return
    this.#open += piece
    this.#fresh = false
  }

  /** The lines, none wider than `width`, good until the next piece. */
  lines(width: number): readonly string[] {
    if (this.#fresh && this.#width === width) return this.#lines
    const end = boundary(this.#open)
    if (end > 0) {
      this.#settled.push(laidOut(this.#open.slice(0, end), this.#theme))
      this.#open = this.#open.slice(end)
    }
    if (this.#width !== width) {
      this.#width = width
      this.#settledLines = 0
      this.#laid = 0
    }
    this.#lines.length = this.#settledLines
    for (; this.#laid < this.#settled.length; this.#laid++) this.#add(this.#settled[this.#laid]!)
    this.#settledLines = this.#lines.length
    if (this.#open.trim() !== '') this.#add(laidOut(this.#open, this.#theme))
    this.#fresh = true
    return this.#lines
  }

  /** Adds a block behind the lines that are there, a blank line between. */
  #add(block: Markdown): void {
    const lines = trimmed(block.render(this.#width))
    if (lines.length === 0) return
    if (this.#lines.length > 0) this.#lines.push('')
    for (const line of lines) this.#lines.push(line)
  }
}

function laidOut(text: string, theme: Theme): Markdown {
  // A link that hides its address, and an image, are nothing that a model may show.
  setCapabilityOverrides({ images: null, hyperlinks: false })
  return new Markdown(text, 0, 0, theme.markdown, undefined, { renderLatex: false, preserveOrderedListMarkers: true })
}

/** Without the blanks that fill each line, and blank lines at both ends. */
function trimmed(lines: readonly string[]): string[] {
  const kept = lines.map((line) => line.trimEnd())
  while (kept.at(-1) === '') kept.pop()
  while (kept[0] === '') kept.shift()
  return kept
}

const fence = /^ {0,3}(`{3,}|~{3,})/
/** What may belong to the block before the blank line: an item of a list, or its continuation. */
const goesOn = /^(?:\s|[-*+]\s|\d{1,9}[.)]\s)/

/** Where the last block begins that more text can still change: behind a blank line, outside code, not in a list. */
function boundary(text: string): number {
  let found = 0
  let start = 0
  let open: string | undefined
  let blank = false
  for (;;) {
    const end = text.indexOf('\n', start)
    const line = text.slice(start, end === -1 ? undefined : end)
    const mark = fence.exec(line)?.[1]
    // Two characters tell a list from a word; less may still become one.
    if (blank && open === undefined && line.length > 1 && !goesOn.test(line) && !/^\d+[.)]?$/.test(line)) found = start
    if (mark !== undefined) {
      if (open === undefined) open = mark
      else if (mark[0] === open[0] && mark.length >= open.length && line.trim() === mark) open = undefined
    }
    blank = line.trim() === ''
    if (end === -1) return found
    start = end + 1
  }
}
