// Chunks of Markdown: cut before headings, with code blocks and tables whole where they fit, each knowing the headings
// it stands under.

import { cutText, type Chunk, type Form } from './chunk.ts'
import { readOutline, type Outline } from './outline.ts'
import { createRuler, type ChunkSize } from './ruler.ts'

/** Blank space after which a heading and its text are no longer taken as one. */
const fewBlanks = 256

/** A piece of a Markdown text. */
export interface MarkdownChunk extends Chunk {
  /** The headings over the first new character of the chunk, outermost first; a heading there is the last of them. */
  readonly headings: readonly string[]
}

/**
 * Cuts Markdown as `chunkText` cuts text, but a chunk ends with its section: before a higher heading, and before any
 * heading once it has a quarter of its size. Fenced code blocks and tables that fit into a chunk are never cut, and no
 * heading is left without its text. A chunk that begins with a heading repeats nothing. Takes time in proportion to the
 * length. Throws `invalid_option` and
 * `unknown_option`.
 */
export function chunkMarkdown(text: string, options: ChunkSize = {}): MarkdownChunk[] {
  const ruler = createRuler(text, options)
  const outline = readOutline(text)
  const path = createPath(outline)
  return cutText(text, ruler, formOf(text, outline)).map((chunk) => ({
    ...chunk,
    headings: path(firstNew(chunk)),
  }))
}

/** The first character that the chunk before does not have and that is not blank. */
function firstNew({ text, start, overlap }: Chunk): number {
  const blank = /^\s*/.exec(text.slice(overlap))?.[0].length ?? 0
  return start + overlap + blank
}

function formOf(text: string, { headings, wholes }: Outline): Form {
  return {
    section({ start, low, high }) {
      const next = firstFrom(headings, start + 1)
      const own = headings[next - 1]?.depth ?? 0
      for (let index = next; index < headings.length; index++) {
        const heading = headings[index]!
        if (heading.start > high) break
        if (heading.start >= low || heading.depth < own) return heading.start
      }
      return undefined
    },
    whole(at) {
      const around = wholes[firstFrom(wholes, at) - 1]
      return around !== undefined && at < around.end ? around : undefined
    },
    before(at) {
      const last = headings[firstFrom(headings, at) - 1]
      if (last === undefined || last.end > at || at - last.end > fewBlanks) return at
      for (let place = last.end; place < at; place++) if (!isBlank(text.charCodeAt(place))) return at
      return last.start
    },
  }
}

/** The headings over places that rise from call to call. */
function createPath({ headings }: Outline): (at: number) => readonly string[] {
  const open: { readonly depth: number; readonly text: string }[] = []
  let next = 0
  return (at) => {
    for (; next < headings.length && headings[next]!.start <= at; next++) {
      const { depth, text } = headings[next]!
      while (open.length > 0 && open.at(-1)!.depth >= depth) open.pop()
      open.push({ depth, text: text() })
    }
    return open.map(({ text }) => text)
  }
}

/** The index of the first stretch that begins at `at` or later. */
function firstFrom(stretches: readonly { readonly start: number }[], at: number): number {
  let [low, high] = [0, stretches.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (stretches[middle]!.start < at) low = middle + 1
    else high = middle
  }
  return low
}

function isBlank(unit: number): boolean {
  return unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09
}
