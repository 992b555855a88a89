// An outlet: the way to one client of streams, and what waits in it. Writing never blocks; a client that does not take
// what is written holds no more than its bound, then it is cut off.

/** Where the bytes of an outlet go. */
export interface Sink {
  /** Bytes that were written and that the client's system has not taken yet. */
  readonly waiting: number
  write(bytes: Uint8Array): void
  /** Ends the connection at once; what waits is gone. */
  cut(): void
}

/** The bounds of an outlet. */
export interface OutletOptions {
  /** Bytes that may wait. One piece that is larger is let through when nothing waits. */
  readonly most: number
  /** Told once when the client was too slow, before the sink is cut. */
  readonly onSlow?: () => void
}

/** Bytes below which a reader that waits for room goes on. */
const lowWater = 65_536

/** The way to one client. */
export class Outlet {
  /** Whether nothing can be written any more. */
  closed = false
  /** Bytes that were written so far. */
  written = 0
  readonly #sink: Sink
  readonly #options: OutletOptions
  #room: PromiseWithResolvers<void> | undefined
  #beat = { written: 0, taken: 0 }

  constructor(sink: Sink, options: OutletOptions) {
    this.#sink = sink
    this.#options = options
  }

  /** Bytes that wait for the client. */
  get waiting(): number {
    return this.closed ? 0 : this.#sink.waiting
  }

  /** Writes, or cuts off a client that would hold too much. */
  write(bytes: Uint8Array): void {
    if (this.closed) return
    const { waiting } = this.#sink
    if (waiting > 0 && waiting + bytes.length > this.#options.most) return this.drop()
    this.written += bytes.length
    this.#sink.write(bytes)
  }

  /** Cuts a client off that is too slow. */
  drop(): void {
    if (this.closed) return
    this.close()
    this.#options.onSlow?.()
    this.#sink.cut()
  }

  /** Takes nothing more; who waits for room goes on. The sink is left to whoever made it. */
  close(): void {
    this.closed = true
    this.#room?.resolve()
  }

  /** Resolves when there is room for more, or nothing can be written any more; undefined where there is now. */
  room(): Promise<void> | undefined {
    if (this.closed || this.#sink.waiting <= lowWater) return undefined
    this.#room ??= Promise.withResolvers()
    return this.#room.promise
  }

  /** To be called when the client has taken something. */
  taken(): void {
    if (this.#room === undefined || this.#sink.waiting > lowWater) return
    this.#room.resolve()
    this.#room = undefined
  }

  /**
   * To be called at equal times: writes a sign of life when nothing else was written since the last time, and drops a
   * client of which something has waited since then and that has taken nothing.
   */
  beat(signOfLife: Uint8Array): void {
    const taken = this.written - this.waiting
    const before = this.#beat
    if (this.waiting > 0 && taken === before.taken && before.written > before.taken) return this.drop()
    if (this.written === before.written) this.write(signOfLife)
    this.#beat = { written: this.written, taken }
  }
}
