// Lines out of a stream of bytes, each of at most so many bytes. The bytes of a line are joined once, when it is whole.

const newline = 0x0a

/** Cuts chunks into lines. */
export class LineReader {
  readonly #most: number
  readonly #tell: (line: Uint8Array) => void
  #pieces: Uint8Array[] = []
  #length = 0

  constructor(most: number, tell: (line: Uint8Array) => void) {
    this.#most = most
    this.#tell = tell
  }

  /** Takes a chunk; false when a line has become too long: what was read of it is forgotten. */
  push(chunk: Uint8Array): boolean {
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      const piece = chunk.subarray(start, end)
      start = end + 1
      if (!this.#fits(piece)) return false
      const line = this.#pieces.length === 0 ? piece : joined([...this.#pieces, piece], this.#length + piece.length)
      this.#pieces = []
      this.#length = 0
      this.#tell(line)
    }
    const rest = chunk.subarray(start)
    if (!this.#fits(rest)) return false
    if (rest.length > 0) this.#pieces.push(rest)
    this.#length += rest.length
    return true
  }

  /** What came after the last line break. */
  end(): void {
    if (this.#length > 0) this.#tell(joined(this.#pieces, this.#length))
    this.#pieces = []
    this.#length = 0
  }

  #fits(piece: Uint8Array): boolean {
    if (this.#length + piece.length <= this.#most) return true
    this.#pieces = []
    this.#length = 0
    return false
  }
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
