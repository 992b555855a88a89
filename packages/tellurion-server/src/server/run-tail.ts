// The tail of a run: its events are read once, from a number on, and passed to every client that has come so far. What was
// passed last is remembered, so that a client that is a little behind can join without reading.

import { TellurionError } from 'tellurion'
import type { RunEvent, RunHandle, RunRecord } from 'tellurion/runtime'
import type { Clock } from 'tellurion/world'
import type { Outlet } from './outlet.ts'
import { changesStatus, type Telling } from './telling.ts'
import type { Piece, Wire } from './wire.ts'

/** Who listens to a tail. */
export interface Listener {
  readonly outlet: Outlet
  readonly telling: Telling
  readonly wire: Wire
  /** Called once: the run has ended, or cannot be read any more. */
  done(error?: TellurionError): void
}

/** How a tail is made. */
export interface TailOptions {
  readonly record: RunRecord
  /** The number after which it reads. */
  readonly after: number
  readonly clock: Clock
  /** Milliseconds in which events gather before they are written. */
  readonly tick: number
  /** Whether it begins with what was live before. */
  readonly recent?: boolean | undefined
}

/** Events that are remembered at most, and their characters. */
const mostRemembered = 256
const mostText = 262_144
/** Characters that gather at most before they are written. */
const mostGathered = 65_536
/** Milliseconds after which a store that could not be read is tried again. */
const tryAgain = 1000

/** Somebody who waits until a number was passed on. */
interface Waiting {
  readonly seq: number
  readonly reached: () => void
}

/** The clients that hear the same: their bytes are made once. */
class Feed {
  readonly telling: Telling
  readonly wire: Wire
  readonly listeners = new Set<Listener>()
  #gathered: Piece[] = []

  constructor({ telling, wire }: Pick<Listener, 'telling' | 'wire'>) {
    this.telling = telling
    this.wire = wire
  }

  add(piece: Piece): void {
    this.#gathered.push(piece)
  }

  /** Writes what has gathered to all who listen now. */
  flush(): void {
    if (this.#gathered.length === 0) return
    const bytes = this.wire(this.#gathered)
    this.#gathered = []
    for (const { outlet } of this.listeners) outlet.write(bytes)
  }
}

/** The pieces that tell of one event: only the last says that it is told. */
export function piecesOf({ seq }: RunEvent, texts: readonly string[]): Piece[] {
  return texts.map((text, index) => (seq === undefined || index < texts.length - 1 ? { text } : { text, seq }))
}

function isReply(event: RunEvent): event is RunEvent & { type: 'message.added' } {
  return event.type === 'message.added' && event.message.role === 'assistant'
}

/** Anything thrown as an error that a client may be told. */
export function failureIn(error: unknown): TellurionError {
  if (error instanceof TellurionError) return error
  return new TellurionError('internal_error', 'The events of the run cannot be read.', { cause: error })
}

/** The tail of a run. */
export class RunTail {
  /** The run as it stood when it was last looked at. */
  record: RunRecord
  /** The number of the newest kept event that was passed on. */
  position: number
  ended = false
  readonly #run: RunHandle
  readonly #clock: Clock
  readonly #tick: number
  readonly #stop = new AbortController()
  readonly #feeds: Feed[] = []
  readonly #remembered: { readonly event: RunEvent; readonly size: number }[] = []
  readonly #waiting = new Set<Waiting>()
  /** By entity. */
  readonly #streamed = new Map<number, string>()
  #rememberedText = 0
  #gatheredText = 0
  #stopTimer: (() => void) | undefined

  constructor(run: RunHandle, { record, after, clock, tick, recent = false }: TailOptions) {
    this.record = record
    this.position = after
    this.#run = run
    this.#clock = clock
    this.#tick = tick
    void this.#read(recent)
  }

  /** The least number after which a client can join. */
  get start(): number {
    return this.position - this.#remembered.length
  }

  /** Passes on to a client what comes after a number from `start` to `position`. Gives what ends that. */
  join(listener: Listener, after: number): () => void {
    const { outlet, telling, wire } = listener
    const feed = this.#feedOf(listener)
    feed.flush()
    const missed = this.#remembered.slice(this.#remembered.length - (this.position - after))
    const pieces: Piece[] = missed.flatMap(({ event }) => this.#pieces(telling, event, ''))
    for (const streamed of this.#streamed.values()) {
      const text = telling.join?.({ record: this.record, seq: this.position, streamed })
      if (text !== undefined) pieces.push({ text })
    }
    if (pieces.length > 0) outlet.write(wire(pieces))
    feed.listeners.add(listener)
    return () => this.#leave(feed, listener)
  }

  /** Resolves when an event of that number was passed on, or the tail has ended. */
  reached(seq: number): Promise<void> {
    if (this.ended || this.position >= seq) return Promise.resolve()
    return new Promise((reached) => this.#waiting.add({ seq, reached }))
  }

  /** Reads no further; who listens is told that it is over. */
  close(): void {
    if (this.ended) return
    this.#stop.abort()
    this.#end()
  }

  #feedOf(asked: Pick<Listener, 'telling' | 'wire'>): Feed {
    let feed = this.#feeds.find(({ telling, wire }) => telling === asked.telling && wire === asked.wire)
    if (feed === undefined) this.#feeds.push((feed = new Feed(asked)))
    return feed
  }

  #leave(feed: Feed, listener: Listener): void {
    feed.listeners.delete(listener)
    if (feed.listeners.size > 0) return
    const index = this.#feeds.indexOf(feed)
    if (index !== -1) this.#feeds.splice(index, 1)
  }

  async #read(first: boolean): Promise<void> {
    const { signal } = this.#stop
    let recent = first
    while (!signal.aborted) {
      try {
        for await (const event of this.#run.events({ after: this.position, signal, recent })) {
          recent = false
          if (changesStatus(event) && this.#feeds.some(({ telling }) => telling.needsRecord)) await this.#look()
          this.#pass(event)
          if (this.#gatheredText > mostGathered) await this.#breathe()
        }
        await this.#look()
        return this.#end()
      } catch (error) {
        if (signal.aborted) return
        const failure = failureIn(error)
        if (failure.code === 'slow_reader') continue
        if (!failure.retryable) return this.#end(failure)
        await this.#pause(tryAgain)
      }
    }
  }

  async #look(): Promise<void> {
    this.record = await this.#run.record()
  }

  #pass(event: RunEvent): void {
    const { seq } = event
    if (seq !== undefined) {
      this.position = seq
      this.#remember(event)
    }
    const streamed = ('entity' in event && this.#streamed.get(event.entity)) || ''
    for (const feed of this.#feeds) {
      for (const piece of this.#pieces(feed.telling, event, streamed)) {
        feed.add(piece)
        this.#gatheredText += piece.text.length
      }
    }
    this.#follow(event, streamed)
    if (this.#gatheredText > 0) this.#stopTimer ??= this.#clock.timer(this.#tick, () => this.#flush())
    for (const waiting of this.#waiting) if (waiting.seq <= this.position) this.#wake(waiting)
  }

  #pieces(telling: Telling, event: RunEvent, streamed: string): Piece[] {
    return piecesOf(event, telling.tell(event, { record: this.record, seq: event.seq ?? this.position, streamed }))
  }

  /** Keeps what has come of the text that an entity is saying, for whoever joins in the middle of it. */
  #follow(event: RunEvent, streamed: string): void {
    if (event.type === 'text.delta') this.#streamed.set(event.entity, streamed + event.text)
    else if (event.type === 'stream.restarted' || isReply(event)) this.#streamed.delete(event.entity)
  }

  #remember(event: RunEvent): void {
    const size = JSON.stringify(event).length
    this.#remembered.push({ event, size })
    this.#rememberedText += size
    while (this.#remembered.length > mostRemembered || this.#rememberedText > mostText) {
      this.#rememberedText -= this.#remembered.shift()!.size
    }
  }

  #flush(): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
    this.#gatheredText = 0
    for (const feed of this.#feeds) feed.flush()
  }

  /** Much has come at once: it is written, and the sockets get a turn to send it before more comes. */
  async #breathe(): Promise<void> {
    this.#flush()
    await this.#pause(0)
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.timer(ms, resolve)
    })
  }

  #wake(waiting: Waiting): void {
    this.#waiting.delete(waiting)
    waiting.reached()
  }

  #end(error?: TellurionError): void {
    if (this.ended) return
    this.ended = true
    const over = error === undefined && !this.#stop.signal.aborted
    for (const feed of this.#feeds) {
      if (over) for (const text of feed.telling.end(this.record)) feed.add({ text })
    }
    this.#flush()
    for (const waiting of this.#waiting) this.#wake(waiting)
    for (const feed of this.#feeds.splice(0)) for (const listener of feed.listeners) listener.done(error)
  }
}
