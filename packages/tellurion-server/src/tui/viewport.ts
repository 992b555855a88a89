// A window onto blocks that are put one below the other. It follows the end, or stays where it was scrolled to whatever
// comes below. Only what is seen is laid out.

import type { Block } from './laid.ts'

/** What is looked at. */
export interface Blocks<Item extends Block> {
  readonly length: number
  at(index: number): Item | undefined
  /** Whether a blank line stands before this one. */
  apart(index: number): boolean
}

/** One line of the window, and what it belongs to. */
export interface Row<Item extends Block> {
  readonly text: string
  readonly block?: Item
}

/** A line: the how-many-th of which block. */
interface Place {
  index: number
  line: number
}

/** How far around its old place a block is looked for, when others came or went before it. */
const around = 500

/** A window of a size that may change each time it is looked through. */
export class Viewport<Item extends Block> {
  readonly #blocks: Blocks<Item>
  #width = 80
  #height = 1
  /** The first line that is seen; undefined where the end is followed. */
  #held: (Place & { block: Item | undefined }) | undefined
  #top: Place = { index: 0, line: 0 }

  readonly #following: boolean

  /** Without `follows` it begins at the beginning, and stays where it is. */
  constructor(blocks: Blocks<Item>, { follows = true }: { readonly follows?: boolean } = {}) {
    this.#blocks = blocks
    this.#following = follows
    if (!follows) this.toStart()
  }

  /** Whether what comes is seen. */
  get follows(): boolean {
    return this.#held === undefined
  }

  /** Lines of the window, at most `height`. */
  rows(width: number, height: number): Row<Item>[] {
    this.#width = width
    this.#height = height
    const held = this.#found()
    const rows = held === undefined ? undefined : this.#from(held)
    if (rows !== undefined && rows.length === height) {
      this.#top = held!
      return rows
    }
    this.#top = this.#up({ index: this.#blocks.length, line: 0 }, height)
    if (this.#following) this.#held = undefined
    else this.#hold(this.#top)
    return this.#from(this.#top)
  }

  /** Scrolls by so many lines, up when negative. */
  scroll(lines: number): void {
    this.#hold(lines < 0 ? this.#up(this.#top, -lines) : this.#down(this.#top, lines))
  }

  /** Scrolls by windows; a line of each is seen twice. */
  page(pages: number): void {
    this.scroll(pages * Math.max(1, this.#height - 1))
  }

  toStart(): void {
    this.#hold({ index: 0, line: 0 })
  }

  toEnd(): void {
    this.#held = undefined
  }

  /** Stays at what is seen now. */
  stay(): void {
    this.#hold(this.#top)
  }

  /** Scrolls as little as shows a block, its beginning first. */
  reveal(index: number): void {
    const top = this.follows ? this.#up({ index: this.#blocks.length, line: 0 }, this.#height) : this.#top
    const lines = this.#heightOf(index)
    const lowest = this.#up({ index, line: lines }, this.#height)
    if (lines >= this.#height || isBefore({ index, line: 0 }, top)) this.#hold({ index, line: 0 })
    else if (isBefore(top, lowest)) this.#hold(lowest)
  }

  #hold(place: Place): void {
    this.#held = { ...place, block: this.#blocks.at(place.index) }
    this.#top = place
  }

  /** Where the held block stands now. */
  #found(): Place | undefined {
    const held = this.#held
    if (held === undefined) return undefined
    if (this.#blocks.at(held.index) !== held.block) {
      for (let step = 1; step <= around; step++) {
        const index = [held.index - step, held.index + step].find((each) => this.#blocks.at(each) === held.block)
        if (index === undefined) continue
        held.index = index
        break
      }
    }
    const index = Math.min(held.index, Math.max(0, this.#blocks.length - 1))
    return { index, line: Math.min(held.line, Math.max(0, this.#heightOf(index) - 1)) }
  }

  #from({ index, line }: Place): Row<Item>[] {
    const rows: Row<Item>[] = []
    for (let at = index; at < this.#blocks.length && rows.length < this.#height; at++) {
      const block = this.#blocks.at(at)!
      const lines = block.lines(this.#width)
      const height = this.#heightOf(at)
      for (let row = at === index ? line : 0; row < height && rows.length < this.#height; row++) {
        const text = lines[row - (height - lines.length)]
        rows.push(text === undefined ? { text: '' } : { text, block })
      }
    }
    return rows
  }

  #up({ index, line }: Place, lines: number): Place {
    for (let left = lines, at = index, above = line; ;) {
      if (left <= above) return { index: at, line: above - left }
      if (at === 0) return { index: 0, line: 0 }
      left -= above
      at -= 1
      above = this.#heightOf(at)
    }
  }

  #down({ index, line }: Place, lines: number): Place {
    for (let at = index, below = line + lines; ; at++) {
      const count = this.#heightOf(at)
      if (below < count) return { index: at, line: below }
      if (at >= this.#blocks.length - 1) return { index: at, line: Math.max(0, count - 1) }
      below -= count
    }
  }

  /** Lines of a block, with the blank one before it. */
  #heightOf(index: number): number {
    const lines = this.#blocks.at(index)?.lines(this.#width).length ?? 0
    return lines > 0 && this.#blocks.apart(index) ? lines + 1 : lines
  }
}

function isBefore(one: Place, other: Place): boolean {
  return one.index < other.index || (one.index === other.index && one.line < other.line)
}
