// What a server may send: plain JSON, so many notifications a second, one message after the other. The rest is dropped
// before it costs anything.

import type { JSONRPCMessage } from '@modelcontextprotocol/client'
import type { Clock } from '../clock/clock.ts'
import { jsonProblem } from '../schema/plain-json.ts'
import type { Redactor } from '../secret/redactor.ts'
import { unreadableAnswer } from './failure.ts'

/** Where messages go that are let through. */
export interface GateOptions {
  readonly clock: Clock
  /** A server that echoes its own secrets tells them to nobody. */
  readonly redactor: Redactor
  deliver(message: JSONRPCMessage): void
  /** Told why something was not let through as it came. */
  onTrouble(what: string): void
}

const window = 1_000
const maxPerWindow = 500

/** Lets messages through or not. */
export class MessageGate {
  readonly #options: GateOptions
  readonly #queue: JSONRPCMessage[] = []
  #since = -Infinity
  #count = 0
  #delivering = false

  constructor(options: GateOptions) {
    this.#options = options
  }

  /** Answers pass; notifications and requests of the server as long as there are not too many. */
  take(message: JSONRPCMessage): void {
    if ('method' in message && !this.#hasRoom()) return
    const problem = jsonProblem(message)
    if (problem !== undefined) this.#refuse(message, problem)
    else this.#enqueue(this.#options.redactor.value(message))
  }

  #hasRoom(): boolean {
    const now = this.#options.clock.monotonic()
    if (now - this.#since >= window) {
      this.#since = now
      this.#count = 0
    }
    this.#count++
    if (this.#count === maxPerWindow + 1)
      this.#options.onTrouble(`it sends more than ${maxPerWindow} messages a second`)
    return this.#count <= maxPerWindow
  }

  /** Whoever waits for what cannot be let in is told so. */
  #refuse(message: JSONRPCMessage, problem: string): void {
    const what = `its answer is not plain JSON (${problem})`
    this.#options.onTrouble(what)
    const { id } = message as { id?: unknown }
    if ('method' in message || (typeof id !== 'number' && typeof id !== 'string')) return
    this.#enqueue({ jsonrpc: '2.0', id, error: { code: unreadableAnswer, message: what } })
  }

  #enqueue(message: JSONRPCMessage): void {
    this.#queue.push(message)
    if (!this.#delivering) void this.#deliver()
  }

  /** The protocol's package looks at notifications a moment later, but at answers at once: progress would come too late. */
  async #deliver(): Promise<void> {
    this.#delivering = true
    for (let message = this.#queue.shift(); message !== undefined; message = this.#queue.shift()) {
      this.#options.deliver(message)
      if (!('method' in message)) continue
      await Promise.resolve()
      await Promise.resolve()
    }
    this.#delivering = false
  }
}
