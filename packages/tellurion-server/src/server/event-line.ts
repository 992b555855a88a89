// The line of one event stream: what is written goes to Node's own response when the stream is served by a socket, and
// into a web stream anywhere else. What the client has not taken yet is counted the same in both.

import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { chunkOf } from './chunk.ts'
import { Outlet, type Sink } from './outlet.ts'

/** A line, before it is known who takes it. */
export class EventLine {
  readonly outlet: Outlet
  readonly body: ReadableStream<Uint8Array>
  readonly #gathered: Uint8Array[] = []
  #waiting = 0
  #stream: ReadableStreamDefaultController<Uint8Array> | undefined
  #pulled: (() => void) | undefined
  #response: ServerResponse | undefined
  /**
   * The connection of a response in chunks, which are written to it as they are, the same for all. Nothing goes through
   * the response itself then, which holds back what it is given until the end of the turn.
   */
  #connection: Socket | undefined
  #over = false
  readonly #onGone: () => void

  /** `onGone` is called once when nobody reads any more, or too slowly. */
  constructor({ most, onGone }: { readonly most: number; readonly onGone: () => void }) {
    this.#onGone = onGone
    const waiting = (): number => this.#response?.writableLength ?? this.#waiting
    const sink: Sink = {
      get waiting() {
        return waiting()
      },
      write: (bytes) => this.#write(bytes),
      cut: () => this.#cut(),
    }
    this.outlet = new Outlet(sink, { most, onSlow: onGone })
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (stream) => void (this.#stream = stream),
        pull: () => this.#pull(),
        cancel: () => this.#gone(),
      },
      { highWaterMark: 0 },
    )
  }

  /** Lets Node's response take it; its head must have been written. */
  serve(response: ServerResponse): void {
    if (this.outlet.closed && !this.#over) {
      response.destroy()
      return
    }
    this.#response = response
    // A response that waits for an earlier one on its connection has none yet.
    const { socket } = response
    if (socket !== null && response.chunkedEncoding) this.#connection = socket
    for (const bytes of this.#gathered.splice(0)) this.#write(bytes)
    if (this.#over) {
      response.end()
      return
    }
    const taken = (): void => this.outlet.taken()
    const drained = this.#connection ?? response
    drained.on('drain', taken)
    response.on('close', () => {
      drained.off('drain', taken)
      this.#gone()
    })
    if (response.destroyed) this.#gone()
    // What is taken at once drains nothing.
    this.outlet.taken()
  }

  /** Nothing more comes; what waits is still sent. */
  end(): void {
    if (this.outlet.closed) return
    this.outlet.close()
    this.#over = true
    this.#response?.end()
    this.#pulled?.()
  }

  #write(bytes: Uint8Array): void {
    if (this.#connection !== undefined) return void this.#connection.write(chunkOf(bytes))
    if (this.#response !== undefined) return void this.#response.write(bytes)
    this.#gathered.push(bytes)
    this.#waiting += bytes.length
    this.#pulled?.()
  }

  async #pull(): Promise<void> {
    if (this.#gathered.length === 0 && !this.#over) await new Promise<void>((pulled) => (this.#pulled = pulled))
    this.#pulled = undefined
    for (const bytes of this.#gathered.splice(0)) this.#stream?.enqueue(bytes)
    this.#waiting = 0
    if (this.#over) this.#stream?.close()
    else this.outlet.taken()
  }

  #cut(): void {
    this.#gathered.length = 0
    this.#waiting = 0
    if (this.#response === undefined) this.#stream?.error(new Error('This client was too slow and was dropped.'))
    else this.#response.destroy()
  }

  #gone(): void {
    this.outlet.close()
    this.#onGone()
  }
}
