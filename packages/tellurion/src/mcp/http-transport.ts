// The way to a server over streamable HTTP: the official transport behind the egress guard, with its messages counted and
// measured, and with requests whose stream breaks off told at once instead of at their deadline.

import type {
  JSONRPCMessage,
  StreamableHTTPClientTransport,
  Transport,
  TransportSendOptions,
} from '@modelcontextprotocol/client'
import type { Clock } from '../clock/clock.ts'
import { createEgress } from '../web/egress.ts'
import { limitedResponse } from './event-limit.ts'
import { brokenStream, isSessionLost } from './failure.ts'
import type { Redactor } from '../secret/redactor.ts'
import { MessageGate } from './message-gate.ts'
import type { Sdk } from './sdk.ts'

/** Options of an HTTP transport. */
export interface HttpTransportOptions {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** Whether addresses that are not public may be connected to, under exactly this host and port. */
  readonly allowPrivate: boolean
  readonly clock: Clock
  readonly redactor: Redactor
  /** Longest message, in bytes. */
  readonly maxMessage: number
}

/** How long to wait before a broken stream is taken up again, where the server does not say. */
const reconnection = {
  initialReconnectionDelay: 1_000,
  maxReconnectionDelay: 30_000,
  reconnectionDelayGrowFactor: 2,
  maxRetries: 1_000_000,
}
/** Whatever a server says about it, in milliseconds. */
const leastDelay = 100
const mostDelay = 300_000

/** A transport to one address; redirects stay within its origin. */
export class HttpTransport implements Transport {
  readonly #inner: StreamableHTTPClientTransport
  readonly #gate: MessageGate
  /** Requests that have not been answered yet. */
  readonly #open = new Set<string | number>()
  /** Streams that wait to be taken up again. */
  readonly #waiting = new Set<() => void>()
  #closed = false
  onclose?: (() => void) | undefined
  onerror?: ((error: Error) => void) | undefined
  onmessage?: Transport['onmessage']
  readonly hasPerRequestStream = true

  constructor(sdk: Sdk, { url, headers, allowPrivate, clock, redactor, maxMessage }: HttpTransportOptions) {
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
    const host = `${url.hostname}:${port}`
    const egress = createEgress({
      allow: allowPrivate ? [host] : [],
      ports: [port],
      // Streams may be silent for days and grow without end: each message is measured instead, each request has a deadline.
      limits: { firstByte: Infinity, idle: Infinity, whole: Infinity, bytes: Infinity, requestBytes: maxMessage },
      clock,
    }).within([host])
    this.#gate = new MessageGate({
      clock,
      redactor,
      deliver: (message) => this.onmessage?.(message),
      onTrouble: (what) => this.onerror?.(new Error(what)),
    })
    this.#inner = new sdk.StreamableHTTPClientTransport(url, {
      requestInit: { headers },
      fetch: async (input, init) => limitedResponse(await egress(input, init), maxMessage),
      reconnectionOptions: reconnection,
      redirectPolicy: 'same-origin',
      onInsufficientScope: 'throw',
      reconnectionScheduler: (reconnect, delay) => {
        const cancel = clock.timer(Math.min(Math.max(delay, leastDelay), mostDelay), () => {
          this.#waiting.delete(cancel)
          reconnect()
        })
        this.#waiting.add(cancel)
      },
    })
    Object.assign(this.#inner, {
      onmessage: (message: JSONRPCMessage) => this.#receive(message),
      onclose: () => this.#end(),
      onerror: (error: Error) => {
        this.onerror?.(error)
        // The server has forgotten us: nothing more will come, and a new session has to be made.
        // The request that found out gets its own error first.
        if (isSessionLost(error) && this.sessionId !== undefined) clock.timer(0, () => this.#end())
      },
    } satisfies Partial<StreamableHTTPClientTransport>)
  }

  get sessionId(): string | undefined {
    return this.#inner.sessionId
  }

  start(): Promise<void> {
    return this.#inner.start()
  }

  async send(message: JSONRPCMessage, options: TransportSendOptions = {}): Promise<void> {
    const id = 'method' in message && 'id' in message ? message.id : undefined
    const { resumptionToken, onresumptiontoken, requestSignal, headers } = options
    const given = {
      ...(resumptionToken === undefined ? {} : { resumptionToken }),
      ...(onresumptiontoken === undefined ? {} : { onresumptiontoken }),
      ...(requestSignal === undefined ? {} : { requestSignal }),
      ...(headers === undefined ? {} : { headers }),
    }
    if (id === undefined) return this.#inner.send(message, given)
    this.#open.add(id)
    const onRequestStreamEnd = (): void => {
      options.onRequestStreamEnd?.()
      this.#breakOff(id)
    }
    try {
      await this.#inner.send(message, { ...given, onRequestStreamEnd })
    } catch (error) {
      this.#open.delete(id)
      throw error
    }
  }

  /** Ends the session at the server, where there is one, and every stream. */
  async close(): Promise<void> {
    if (!this.#closed && this.sessionId !== undefined) await this.#inner.terminateSession().catch(() => {})
    await this.#inner.close()
    this.#end()
  }

  setProtocolVersion(version: string): void {
    this.#inner.setProtocolVersion(version)
  }

  #receive(message: JSONRPCMessage): void {
    if (!('method' in message) && message.id !== undefined) this.#open.delete(message.id)
    if (!this.#closed) this.#gate.take(message)
  }

  #breakOff(id: string | number): void {
    if (!this.#open.delete(id)) return
    this.onmessage?.({
      jsonrpc: '2.0',
      id,
      error: { code: brokenStream, message: 'the stream ended without an answer' },
    })
  }

  #end(): void {
    if (this.#closed) return
    this.#closed = true
    this.#open.clear()
    for (const cancel of this.#waiting) cancel()
    this.#waiting.clear()
    this.onclose?.()
  }
}
