// The scheduler of a simulation: it alone decides what happens next, by a seeded random. Everything that would take
// time outside (an answer of the store, a hint, a timer) waits here as a point; the same seed takes the same course.

import type { Clock } from '../clock/clock.ts'
import { seededRandom, type Random } from '../id/random.ts'

/** Virtual time begins here, so that wall time and durations cannot be confused unnoticed. */
const beginning = 1_000_000

/** Something that waits to happen. What is on the `wire` has left its lane: it may happen although the lane is dead. */
interface Point {
  readonly lane: Lane | undefined
  readonly label: string
  readonly wire: boolean
  readonly go: () => void
}

interface Timer {
  readonly lane: Lane | undefined
  readonly due: number
  readonly go: () => void
}

/** One simulated process: it can be stopped for a while, and die at any point. */
export interface Lane {
  readonly name: string
  readonly alive: boolean
  /** It stands still: no timer, no answer, no call. */
  frozen: boolean
  /** It goes on, but nothing reaches the store or comes back. */
  cutOff: boolean
  /** Resolves at its death. */
  readonly death: Promise<void>
  /** Its view of time, which differs from others' by a fixed skew. */
  readonly clock: Clock
}

/** Points, timers, and the one hand that picks among them. */
export class Scheduler {
  readonly random: Random
  /** How likely, at each step, time goes on although something could happen now. */
  haste = 0
  /** Work that the platform does outside of sight (a hash); nothing goes on until it is back. */
  outside = 0
  /** Steps so far. */
  steps = 0
  #now = beginning
  #points: Point[] = []
  #timers: Timer[] = []
  #hash = 0x811c9dc5
  readonly #channel = new MessageChannel()
  #rested: () => void = () => {}
  readonly #onStep: ((line: string) => void) | undefined

  constructor(seed: number, onStep?: (line: string) => void) {
    this.random = seededRandom(seed)
    this.#onStep = onStep
    this.#channel.port1.addEventListener('message', () => this.#rested())
    this.#channel.port1.start()
  }

  get now(): number {
    return this.#now
  }

  /** A hash of everything that happened, and when. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0')
  }

  /** An integer in [0, n). */
  pick(n: number): number {
    return Math.floor(this.random() * n)
  }

  /** True with probability `p`; nothing is drawn for 0. */
  chance(p: number): boolean {
    return p > 0 && this.random() < p
  }

  /** Makes a lane. */
  lane(name: string, skew = 0): Lane & { die(): void } {
    let alive = true
    const { promise: death, resolve: die } = Promise.withResolvers<void>()
    const lane = {
      name,
      frozen: false,
      cutOff: false,
      death,
      get alive() {
        return alive
      },
      clock: {
        now: () => this.#now + skew,
        monotonic: () => this.#now,
        timer: (ms: number, go: () => void) => this.timer(ms, go, lane),
      },
      die: () => {
        alive = false
        this.#timers = this.#timers.filter((timer) => timer.lane !== lane)
        // What was on the wire may arrive or not; what was to come back never does.
        this.#points = this.#points.filter((point) => point.lane !== lane || (point.wire && this.chance(0.5)))
        this.note(`${name} dies`)
        die()
      },
    }
    return lane
  }

  /** Calls `go` once after `ms`, in a lane or outside of all; returns a function that cancels it. */
  timer(ms: number, go: () => void, lane?: Lane): () => void {
    if (lane?.alive === false) return () => {}
    const timer = { lane, due: this.#now + Math.max(0, ms), go }
    this.#timers.push(timer)
    return () => {
      const index = this.#timers.indexOf(timer)
      if (index >= 0) this.#timers.splice(index, 1)
    }
  }

  /** Lets `go` happen at some later step. */
  point(label: string, go: () => void, at: { lane?: Lane; wire?: boolean } = {}): void {
    if (at.lane?.alive === false) return
    this.#points.push({ lane: at.lane, label, wire: at.wire === true, go })
  }

  /** Puts a line into the course. */
  note(line: string): void {
    for (let index = 0; index < line.length; index++) {
      this.#hash = Math.imul(this.#hash ^ line.charCodeAt(index), 0x01000193)
    }
    this.#hash = Math.imul(this.#hash ^ this.#now, 0x01000193)
    this.#onStep?.(`${this.#now - beginning} ${line}`)
  }

  /** Lets everything come to rest, then lets one thing happen. False when there is nothing left to happen. */
  async step(): Promise<boolean> {
    await this.rest()
    this.steps++
    const ready = this.#points.filter(({ lane }) => lane?.frozen !== true && lane?.cutOff !== true)
    if (ready.length > 0 && !this.chance(this.haste)) {
      const point = ready[this.pick(ready.length)]!
      this.#points.splice(this.#points.indexOf(point), 1)
      this.note(point.label)
      point.go()
      return true
    }
    const timer = this.#nextTimer()
    if (timer === undefined) return ready.length > 0
    this.#timers.splice(this.#timers.indexOf(timer), 1)
    this.#now = Math.max(this.#now, timer.due)
    this.note(timer.lane?.name ?? '')
    timer.go()
    return true
  }

  /** The next timer to fire; among those of one instant any. */
  #nextTimer(): Timer | undefined {
    let next: Timer[] = []
    for (const timer of this.#timers) {
      if (timer.lane?.frozen === true) continue
      const due = Math.max(timer.due, this.#now)
      const least = next[0] === undefined ? Infinity : Math.max(next[0].due, this.#now)
      if (due < least) next = [timer]
      else if (due === least) next.push(timer)
    }
    return next.length > 1 ? next[this.pick(next.length)] : next[0]
  }

  /** Resolves when no promise job is left, and what the platform does outside has come back. */
  async rest(): Promise<void> {
    await this.#drain()
    // A hash of our own that comes back says that those before it have; whose asker has gone is never told of.
    for (let round = 0; this.outside > 0 && round < 20; round++) {
      await crypto.subtle.digest('SHA-256', new Uint8Array(1))
      await this.#drain()
    }
    this.outside = 0
  }

  #drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#rested = resolve
      this.#channel.port2.postMessage(null)
    })
  }

  /** Ends it; nothing happens any more. */
  close(): void {
    this.#points = []
    this.#timers = []
    this.#channel.port1.close()
  }
}
