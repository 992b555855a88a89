// Chunks of a stream that differ from one another in one text alone, as a model's deltas mostly do. Recognising them
// spares parsing the same JSON a thousand times. What is not exactly such a chunk is not recognised, so it is safe.

/** How often another shape of chunk is learnt before giving up: some servers pad each chunk differently. */
const shapes = 4
const probe = 'probe-7d1f'

/** Remembers one chunk as what stands before and behind its text. */
export class RepeatedChunk {
  #before = ''
  #behind = ''
  #left = shapes

  /** The text of a chunk that is like the learnt one in everything else; undefined for any other. */
  textOf(data: string): string | undefined {
    const before = this.#before
    if (before === '') return undefined
    const end = data.length - this.#behind.length
    // Comparing slices is many times faster than startsWith and endsWith.
    if (end < before.length || data.slice(0, before.length) !== before || data.slice(end) !== this.#behind) {
      return undefined
    }
    const text = data.slice(before.length, end)
    return isVerbatim(text) ? text : undefined
  }

  /**
   * Learns a chunk whose only effect is `text`, the string under `key`. `textIn` reads that string out of any chunk: it
   * proves that the place which was found is the right one.
   */
  learn(data: string, { key, text, textIn }: { key: string; text: string; textIn: (data: string) => unknown }): void {
    if (this.#left === 0 || text === '' || !isVerbatim(text)) return
    this.#left--
    const place = data.indexOf(`"${text}"`, data.indexOf(`"${key}"`) + key.length + 2)
    if (place === -1) return
    const before = data.slice(0, place + 1)
    const behind = data.slice(place + 1 + text.length)
    if (textIn(before + probe + behind) !== probe) return
    this.#before = before
    this.#behind = behind
  }
}

/** Whether JSON writes the text as it is: no quote, no escape, no control character. */
function isVerbatim(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit < 32 || unit === 34 || unit === 92) return false
  }
  return true
}
