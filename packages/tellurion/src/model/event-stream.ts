// Server-sent events (WHATWG HTML, section 9.2), as far as a model's reply needs them: text in pieces goes in, the data
// of each event comes out. Event names, ids and retry times are read over. Nothing is kept but an unfinished event.

const letterD = 100
const space = 32

/** Cuts a stream of text into the data of its events; the pieces may end anywhere. */
export class EventStream {
  readonly #limit: number
  readonly #onData: (data: string) => void
  #rest = ''
  #data: string | undefined
  #afterCarriageReturn = false

  /** `limit` bounds the characters of one event. */
  constructor(limit: number, onData: (data: string) => void) {
    this.#limit = limit
    this.#onData = onData
  }

  /** Takes the next piece. False when an event has grown past the limit; the stream is then of no more use. */
  feed(piece: string): boolean {
    const text = this.#normalised(piece)
    const first = text.indexOf('\n')
    if (first === -1) {
      this.#rest += text
      return this.#within()
    }
    const whole = this.#rest === '' ? text : this.#rest + text
    this.#rest = ''
    let start = 0
    for (let end = first + whole.length - text.length; end !== -1; end = whole.indexOf('\n', start)) {
      if (end === start) this.#dispatch()
      else if (this.#isData(whole, start, end)) {
        const from = start + 5 + (whole.charCodeAt(start + 5) === space ? 1 : 0)
        const value = from < end ? whole.slice(from, end) : ''
        this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`
        if (!this.#within()) return false
      }
      start = end + 1
    }
    if (start < whole.length) this.#rest = whole.slice(start)
    return this.#within()
  }

  /** The stream has ended: an event that lacks its final newlines is given out all the same. */
  end(): void {
    if (this.#rest !== '') this.feed('\n')
    this.#dispatch()
  }

  #dispatch(): void {
    const data = this.#data
    if (data === undefined) return
    this.#data = undefined
    this.#onData(data)
  }

  #isData(text: string, start: number, end: number): boolean {
    if (text.charCodeAt(start) !== letterD) return false
    return text.startsWith('data:', start) || (end - start === 4 && text.startsWith('data', start))
  }

  #within(): boolean {
    return this.#rest.length + (this.#data === undefined ? 0 : this.#data.length) <= this.#limit
  }

  /** With `\n` as the only line end. A `\r` that ends a piece counts at once; a `\n` that then begins the next does not. */
  #normalised(piece: string): string {
    let text = piece
    if (this.#afterCarriageReturn && text !== '') {
      this.#afterCarriageReturn = false
      if (text.startsWith('\n')) text = text.slice(1)
    }
    if (!text.includes('\r')) return text
    this.#afterCarriageReturn = text.endsWith('\r')
    return text.replace(/\r\n?/g, '\n')
  }
}
