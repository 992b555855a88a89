// Chunks: pieces of a text that are small enough to be embedded. Nothing is lost: without what they repeat they are the
// text again.

import { bestCut, repeatFrom } from './boundary.ts'
import { createRuler, type ChunkSize, type Ruler } from './ruler.ts'

/** A piece of a text: `text.slice(start, end)`. */
export interface Chunk {
  readonly text: string
  /** Where it begins and ends in the text, in UTF-16 units. */
  readonly start: number
  readonly end: number
  /** How many units at its beginning the chunk before it has as well. */
  readonly overlap: number
}

/** What the form of a text says about where to cut it. Places rise from call to call. */
export interface Form {
  /** Where a section ends that a chunk should end with, when the chunk begins at `start`; it has at least `low`. */
  section?(chunk: { readonly start: number; readonly low: number; readonly high: number }): number | undefined
  /** The stretch around a place that must stay whole, without its ends. */
  whole?(at: number): { readonly start: number; readonly end: number } | undefined
  /** An earlier place to cut, where this one would leave a heading without its text. */
  before?(at: number): number
}

/**
 * Cuts a text into chunks of at most `size` units: at the end of a paragraph where there is one in the second half of a
 * chunk, else of a line, a sentence, a word; else between two characters as a person sees them. An empty text has no
 * chunk. Takes time in proportion to the length. Throws `invalid_option` and
 * `unknown_option`.
 */
export function chunkText(text: string, options: ChunkSize = {}): Chunk[] {
  return cutText(text, createRuler(text, options), {})
}

/** Cuts by a ruler and a form. */
export function cutText(text: string, ruler: Ruler, form: Form): Chunk[] {
  const chunks: Chunk[] = []
  let start = 0
  let covered = 0
  while (covered < text.length) {
    const full = ruler.end(start)
    if (full >= text.length && sectionEnd({ ruler, form, covered, full }) === undefined) {
      chunks.push(chunkOf(text, { start, covered, end: text.length }))
      break
    }
    const cut = full > covered ? chooseCut(text, { ruler, form, start, covered, full }) : undefined
    if (cut === undefined) {
      // What is repeated leaves no room for what comes next.
      start = covered
      continue
    }
    chunks.push(chunkOf(text, { start, covered, end: cut.end }))
    start = cut.section ? cut.end : repeatedFrom(text, { ruler, form, start, end: cut.end })
    covered = cut.end
  }
  return chunks
}

interface Place {
  readonly ruler: Ruler
  readonly form: Form
  readonly start: number
  /** Up to here everything is in a chunk. */
  readonly covered: number
  /** The furthest end. */
  readonly full: number
}

/** The end of the chunk; undefined when it has to begin at `covered` first. */
function chooseCut(text: string, place: Place): { end: number; section: boolean } | undefined {
  const { ruler, form, start, covered } = place
  const repeats = start < covered
  let { full } = place
  for (;;) {
    if (repeats && full - covered < (full - start) / 4) return undefined
    const section = sectionEnd({ ruler, form, covered, full })
    const found = section ?? cutAnywhere(text, { ...place, full })
    if (found === undefined) return undefined
    // A character that is longer than a chunk is cut where there is no more room.
    const end = found > covered ? found : full
    if (end - start <= 2 || ruler.fits(start, end)) return { end, section: section !== undefined }
    // Fewer characters can be more tokens.
    full = Math.max(start + 1, Math.floor(start + (end - start) * 0.9))
    if (full <= covered && repeats) return undefined
  }
}

function sectionEnd({ ruler, form, covered, full }: Omit<Place, 'start'>): number | undefined {
  return form.section?.({ start: covered, low: covered + ruler.length / 4, high: full })
}

function cutAnywhere(text: string, { ruler, form, start, covered, full }: Place): number | undefined {
  const low = Math.max(start + Math.ceil((full - start) / 2), covered + Math.ceil((full - covered) / 2))
  const before = (at: number): number => {
    const earlier = form.before?.(at) ?? at
    return earlier > covered ? earlier : at
  }
  const whole = form.whole?.(full)
  if (whole !== undefined) {
    if (whole.start > covered && (whole.start >= low || ruler.fits(whole.start, whole.end))) return before(whole.start)
    if (whole.start === covered && start < covered && ruler.fits(covered, whole.end)) return undefined
  }
  const allowed = (at: number): number => {
    const around = form.whole?.(at)
    return around !== undefined && around.start > covered && ruler.fits(around.start, around.end) ? around.start : at
  }
  return before(bestCut(text, { low, high: full, start, allowed }))
}

function repeatedFrom(
  text: string,
  { ruler, form, start, end }: { ruler: Ruler; form: Form; start: number; end: number },
): number {
  const from = ruler.repeat(end, start + 1)
  if (from >= end) return end
  const place = repeatFrom(text, from, { start, end })
  const at = Math.min(form.whole?.(place)?.end ?? place, end)
  return ruler.repeatable(at, end) ? at : end
}

function chunkOf(text: string, { start, covered, end }: { start: number; covered: number; end: number }): Chunk {
  return { text: text.slice(start, end), start, end, overlap: covered - start }
}
