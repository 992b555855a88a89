// The hub of a server's streams: however many clients watch a run, its events are read once. A client that comes late
// reads what it has missed by itself, at its own pace, and then joins the others without a gap or a repetition.

import type { TellurionError } from 'tellurion'
import { hasEnded, type RunEvent, type RunHandle, type RunRecord } from 'tellurion/runtime'
import type { Clock } from 'tellurion/world'
import { RequestError } from './failure.ts'
import type { Outlet } from './outlet.ts'
import { failureIn, piecesOf, RunTail, type Listener } from './run-tail.ts'
import type { Telling } from './telling.ts'
import type { Piece, Wire } from './wire.ts'

/** What a client watches. */
export interface WatchOptions {
  /** The number of the newest event that the client has. */
  readonly after: number
  readonly telling: Telling
  readonly wire: Wire
  readonly outlet: Outlet
  /** Whether the run was made for this client just now: it is told from its first moment. */
  readonly isNew?: boolean | undefined
}

/** A client that watches a run. */
export interface Watching {
  /** The run as it stood when the watching began. */
  readonly record: RunRecord
  /** Resolves when the run has ended and that was told, or `stop` was called; with what kept it from going on. */
  readonly ended: Promise<TellurionError | undefined>
  /** Tells the client nothing more. The run goes on. */
  stop(): void
}

/** How a hub works. */
export interface HubOptions {
  readonly clock: Clock
  /** Milliseconds in which events gather before they are written. Default 2. */
  readonly tick?: number
}

/** Stored events that are read at one time for a client that is behind. */
const page = 32
/** Characters of them that are written at one time. */
const mostAtOnce = 32_768
/** A client that is at most so many events behind starts a tail there. */
const near = 256

/** The hub. */
export class StreamHub {
  readonly #clock: Clock
  readonly #tick: number
  readonly #tails = new Map<string, { readonly tail: RunTail; holders: number }>()

  constructor({ clock, tick = 2 }: HubOptions) {
    this.#clock = clock
    this.#tick = tick
  }

  /** Runs that are being read now. */
  get readers(): number {
    return this.#tails.size
  }

  /**
   * Begins to tell a client of a run. Throws `unknown_run`, `events_dropped`, and `invalid_request` for a number that the
   * run has not come to.
   */
  async watch(run: RunHandle, options: WatchOptions): Promise<Watching> {
    const record = await run.record()
    if (options.after > record.events) throw tooFar(run.id, options.after, record.events)
    const reading = new Reading(run, options)
    try {
      if (options.isNew === true || !hasEnded(record.status)) {
        reading.hold(this.#hold(run, record, { after: options.after, recent: options.isNew }))
      }
      // What cannot be read is said before anything else is.
      if (!reading.canJoin && options.after < record.events) await reading.look()
    } catch (error) {
      reading.stop()
      throw error
    }
    void this.#follow(reading)
    return { record, ended: reading.ended, stop: () => reading.stop() }
  }

  /** Reads nothing more, and tells nobody anything more. */
  close(): void {
    for (const { tail } of this.#tails.values()) tail.close()
    this.#tails.clear()
  }

  /** The tail of a run for one more client, and what lets go of it. */
  #hold(
    run: RunHandle,
    record: RunRecord,
    { after, recent }: { readonly after: number; readonly recent?: boolean | undefined },
  ): Held {
    let entry = this.#tails.get(run.id)
    if (entry === undefined || entry.tail.ended) {
      const start = Math.max(after, record.events - near)
      const tail = new RunTail(run, { record, after: start, clock: this.#clock, tick: this.#tick, recent })
      this.#tails.set(run.id, (entry = { tail, holders: 0 }))
    }
    const held = entry
    held.holders++
    return {
      tail: held.tail,
      release: () => {
        if (--held.holders > 0) return
        held.tail.close()
        if (this.#tails.get(run.id) === held) this.#tails.delete(run.id)
      },
    }
  }

  /** Brings a client to where the others are; it then hears what they hear. */
  async #follow(reading: Reading): Promise<void> {
    try {
      while (!reading.over) {
        if (reading.canJoin) return reading.join()
        if (await reading.waits()) continue
        if (!(await reading.page())) {
          const record = await reading.run.record()
          if (hasEnded(record.status) && reading.after >= record.events) return reading.finish(record)
          // It goes on: somebody gave a run that had ended another try.
          if (!hasEnded(record.status)) reading.hold(this.#hold(reading.run, record, { after: reading.after }))
        }
      }
    } catch (error) {
      reading.done(failureIn(error))
    }
  }
}

interface Held {
  readonly tail: RunTail
  release(): void
}

/** One client's way through a run. */
class Reading implements Listener {
  readonly run: RunHandle
  readonly outlet: Outlet
  readonly telling: Telling
  readonly wire: Wire
  after: number
  over = false
  readonly #ended = Promise.withResolvers<TellurionError | undefined>()
  #held: Held | undefined
  #leave: (() => void) | undefined
  /** What was read and not told yet. */
  #seen: readonly RunEvent[] | undefined

  constructor(run: RunHandle, { after, telling, wire, outlet }: WatchOptions) {
    this.run = run
    this.after = after
    this.telling = telling
    this.wire = wire
    this.outlet = outlet
  }

  get ended(): Promise<TellurionError | undefined> {
    return this.#ended.promise
  }

  /** The tail while it is being read. */
  get #tail(): RunTail | undefined {
    return this.#held?.tail.ended === false ? this.#held.tail : undefined
  }

  hold(held: Held): void {
    this.#held?.release()
    this.#held = held
  }

  get canJoin(): boolean {
    const tail = this.#tail
    return tail !== undefined && this.after >= tail.start && this.after <= tail.position
  }

  join(): void {
    this.#leave = this.#tail!.join(this, this.after)
  }

  /** Waits for a tail that has not come so far yet; whether there was one. */
  async waits(): Promise<boolean> {
    const tail = this.#tail
    if (tail === undefined || this.after <= tail.position) return false
    await tail.reached(this.after)
    return true
  }

  /** Reads the next stored events without telling them yet. Throws `events_dropped`. */
  async look(): Promise<void> {
    this.#seen = await this.#read()
  }

  #read(): Promise<readonly RunEvent[]> {
    return this.run.log({ after: this.after, limit: page })
  }

  /** Tells the next stored events, as the client takes them; whether there were any. */
  async page(): Promise<boolean> {
    const events = this.#seen ?? (await this.#read())
    this.#seen = undefined
    const record = this.#held?.tail.record ?? (await this.run.record())
    let pieces: Piece[] = []
    let size = 0
    for (const event of events) {
      for (const piece of piecesOf(event, this.telling.tell(event, { record, seq: event.seq!, streamed: '' }))) {
        pieces.push(piece)
        size += piece.text.length
      }
      if (size < mostAtOnce && event !== events.at(-1)) continue
      if (this.over) return false
      if (pieces.length > 0) this.outlet.write(this.wire(pieces))
      this.after = event.seq!
      pieces = []
      size = 0
      await this.room()
    }
    return events.length > 0
  }

  /** Waits until the client has taken most of what was written. */
  async room(): Promise<void> {
    await this.outlet.room()
    if (this.outlet.closed) this.stop()
  }

  /** The run has ended, and everything of it was told. */
  finish(record: RunRecord): void {
    const pieces = this.telling.end(record).map((text) => ({ text }))
    if (pieces.length > 0) this.outlet.write(this.wire(pieces))
    this.done()
  }

  done(error?: TellurionError): void {
    if (this.over) return
    this.over = true
    this.#leave?.()
    this.#held?.release()
    this.#ended.resolve(error)
  }

  stop(): void {
    this.done()
  }
}

function tooFar(run: string, after: number, events: number): RequestError {
  return new RequestError('invalid_request', `Run ${run} has ${events} events so far; there is no number ${after}.`)
}
