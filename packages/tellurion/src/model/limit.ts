// A model that is asked no more than so often. Calls that must wait stand in one line, first come first served, which
// is bounded and which a cancelled call leaves at once.

import { abortReason } from '../abort/abort.ts'
import { Ring } from '../channel/ring.ts'
import type { Clock } from '../clock/clock.ts'
import { systemClock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import type { Model, ModelEvent, ModelRequest } from '../port/model.ts'
import { asModel, type AnyModel } from './any-model.ts'
import { ask } from './ask.ts'
import { failureFromError } from './failure.ts'
import { estimateRequestTokens } from './token-estimate.ts'

/** Bounds of a model; at least one. They hold over any 60 seconds, not only over minutes of the clock. */
export interface LimitOptions {
  /** Calls at one time. */
  readonly concurrency?: number
  readonly requestsPerMinute?: number
  /**
   * Input and output tokens together. A call reserves an estimate of its input and its `maxOutputTokens`, and is
   * corrected to the usage it reports; one that alone exceeds the bound goes when nothing else is counted.
   */
  readonly tokensPerMinute?: number
  /** Calls that may wait; one more fails with `model_rate_limit`. Default 1,000. */
  readonly maxWaiting?: number
  readonly clock?: Clock
}

/** A model behind bounds of concurrency, requests and tokens a minute. Share the limited model to share the bounds. */
export function limit(model: AnyModel, options: LimitOptions): Model {
  const inner = asModel(model)
  const gate = new Gate(options)
  const counts = options.tokensPerMinute !== undefined

  async function* stream(request: ModelRequest, signal: AbortSignal | undefined): AsyncGenerator<ModelEvent> {
    const tokens = counts ? estimateRequestTokens(request) + (request.maxOutputTokens ?? 0) : 0
    let ticket: Ticket
    try {
      const entering = gate.enter(tokens, signal)
      ticket = entering instanceof Promise ? await entering : entering
    } catch (error) {
      if (signal?.aborted) yield { type: 'aborted' }
      else yield { type: 'error', failure: failureFromError(error, { model: inner.name }) }
      return
    }
    // What fails before it has begun has used nothing; what breaks off later keeps what it reserved.
    let used: number | undefined = 0
    try {
      for await (const event of ask(inner, request, signal)) {
        if (event.type === 'finish') used = event.usage.totalTokens
        else if (event.type !== 'error' && event.type !== 'aborted') used = undefined
        yield event
      }
    } finally {
      gate.leave(ticket, used)
    }
  }

  return { name: inner.name, stream: (request, { signal }) => stream(request, signal) }
}

const minute = 60_000

/** Leave to make one call: when it was given, and the tokens it is counted with. */
interface Ticket {
  readonly time: number
  tokens: number
  counted: boolean
}

interface Waiting {
  readonly tokens: number
  readonly admit: (ticket: Ticket) => void
}

/** Keeps the bounds: who is inside, who came in during the last minute, who waits. */
class Gate {
  readonly #concurrency: number
  readonly #requests: number
  readonly #tokens: number
  readonly #maxWaiting: number
  readonly #clock: Clock
  readonly #recent = new Ring<Ticket>()
  readonly #waiting = new Set<Waiting>()
  #running = 0
  #tokenSum = 0
  #cancelTimer: (() => void) | undefined

  constructor(options: LimitOptions) {
    const { concurrency, requestsPerMinute, tokensPerMinute, maxWaiting = 1_000, clock = systemClock } = options
    const bounds = { concurrency, requestsPerMinute, tokensPerMinute }
    for (const [name, value] of Object.entries(bounds)) {
      if (value === undefined || value >= 1) continue
      throw new TellurionError('invalid_option', `'${name}' must be a number of at least 1, not ${value}.`)
    }
    if (Object.values(bounds).every((value) => value === undefined)) {
      const names = Object.keys(bounds).join("', '")
      throw new TellurionError('invalid_option', `A limit needs at least one of '${names}'.`)
    }
    this.#concurrency = concurrency ?? Infinity
    this.#requests = requestsPerMinute ?? Infinity
    this.#tokens = tokensPerMinute ?? Infinity
    this.#maxWaiting = maxWaiting
    this.#clock = clock
  }

  /** Gives a ticket at once or in its turn. Throws when the line is full; rejects with the reason when aborted. */
  enter(tokens: number, signal: AbortSignal | undefined): Ticket | Promise<Ticket> {
    if (signal?.aborted) throw abortReason(signal)
    if (this.#waiting.size === 0 && this.#waitFor(tokens) === 0) return this.#admit(tokens)
    if (this.#waiting.size >= this.#maxWaiting) {
      const message = `${this.#maxWaiting} calls wait already; raise 'maxWaiting' or the limit.`
      throw new TellurionError('model_rate_limit', message)
    }
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        tokens,
        admit(ticket) {
          signal?.removeEventListener('abort', onAbort)
          resolve(ticket)
        },
      }
      const onAbort = (): void => {
        this.#waiting.delete(waiting)
        this.#serve()
        reject(abortReason(signal))
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.add(waiting)
      this.#serve()
    })
  }

  /** The call is over; `used` corrects its tokens where they are known. */
  leave(ticket: Ticket, used: number | undefined): void {
    this.#running--
    if (used !== undefined && ticket.counted) {
      this.#tokenSum += used - ticket.tokens
      ticket.tokens = used
    }
    this.#serve()
  }

  #admit(tokens: number): Ticket {
    const ticket = { time: this.#clock.monotonic(), tokens, counted: true }
    this.#running++
    if (this.#requests < Infinity || this.#tokens < Infinity) {
      this.#recent.push(ticket)
      this.#tokenSum += tokens
    }
    return ticket
  }

  /** Milliseconds until a call of so many tokens may try; Infinity when it takes another call to end first. */
  #waitFor(tokens: number): number {
    if (this.#running >= this.#concurrency) return Infinity
    const oldest = this.#forgetOld()
    if (oldest === undefined) return 0
    const full = this.#recent.size >= this.#requests || (this.#tokenSum > 0 && this.#tokenSum + tokens > this.#tokens)
    return full ? oldest.time + minute - this.#clock.monotonic() : 0
  }

  /** Drops the tickets of more than a minute ago and returns the oldest that is left. */
  #forgetOld(): Ticket | undefined {
    const until = this.#clock.monotonic() - minute
    for (;;) {
      const oldest = this.#recent.first
      if (oldest === undefined || oldest.time > until) return oldest
      this.#recent.shift()
      this.#tokenSum -= oldest.tokens
      oldest.counted = false
    }
  }

  #serve(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    for (const waiting of this.#waiting) {
      const wait = this.#waitFor(waiting.tokens)
      if (wait > 0) {
        if (wait < Infinity) this.#cancelTimer = this.#clock.timer(wait, () => this.#serve())
        return
      }
      this.#waiting.delete(waiting)
      waiting.admit(this.#admit(waiting.tokens))
    }
  }
}
