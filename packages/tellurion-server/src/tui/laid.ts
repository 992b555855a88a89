// What can be shown in a window: lines for a width, laid out once and kept until something changes.

import { truncateToWidth } from '@earendil-works/pi-tui'

/** Lines, none wider than the width. */
export interface Block {
  lines(width: number): readonly string[]
}

/** Keeps the lines of one width until something changes. */
export class Laid {
  #lines: readonly string[] | undefined
  #width = 0

  changed(): void {
    this.#lines = undefined
  }

  lines(width: number, lay: () => readonly string[]): readonly string[] {
    if (this.#lines === undefined || this.#width !== width) {
      this.#lines = lay()
      this.#width = width
    }
    return this.#lines
  }
}

/** The text, or its beginning with `…`, on one line. */
export function oneLine(text: string, width: number): string {
  const line = truncateToWidth(text, width, '…')
  // What is not styled needs no end of a style.
  return text.includes('\u001b') ? line : line.replaceAll('\u001b[0m', '')
}
