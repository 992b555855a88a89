// The way to a server that is a process of ours: JSON messages as lines over its standard input and output. A server that
// sends too much, or no JSON, is ended; ending leaves nothing of it.

import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client'
import type { Clock } from '../clock/clock.ts'
import { messageOf } from '../error/error.ts'
import type { ServerProcess } from './server-process.ts'
import { LineReader } from './line-reader.ts'
import type { Redactor } from '../secret/redactor.ts'
import { MessageGate } from './message-gate.ts'

/** Lines in a row that are no messages before a server is given up: some print a banner. */
const maxNoise = 50
/** Bytes that may wait for a server that does not read. */
const maxWaiting = 16 * 1_048_576

/** Options of a stdio transport. */
export interface StdioTransportOptions {
  readonly clock: Clock
  readonly redactor: Redactor
  /** Longest message, in bytes. */
  readonly maxMessage: number
  /** Starts the process; called once. */
  start(): Promise<ServerProcess>
  /** Told each line of standard error. */
  onLog(line: string): void
}

const longestLog = 2_000

/** A transport over a process. It has `pid` and `stderr`, by which the protocol's package knows that it speaks over pipes. */
export class StdioTransport implements Transport {
  readonly #options: StdioTransportOptions
  readonly #gate: MessageGate
  #process: ServerProcess | undefined
  #closing: Promise<void> | undefined
  #ended = false
  #noise = 0
  onclose?: (() => void) | undefined
  onerror?: ((error: Error) => void) | undefined
  onmessage?: Transport['onmessage']
  readonly stderr = null

  constructor(options: StdioTransportOptions) {
    this.#options = options
    this.#gate = new MessageGate({
      clock: options.clock,
      redactor: options.redactor,
      deliver: (message) => this.onmessage?.(message),
      onTrouble: (what) => this.onerror?.(new Error(what)),
    })
  }

  get pid(): number | null {
    return this.#process?.pid ?? null
  }

  async start(): Promise<void> {
    const child = await this.#options.start()
    if (this.#closing !== undefined) {
      await child.kill()
      throw new Error('The transport was closed before it started.')
    }
    this.#process = child
    const lines = new LineReader(this.#options.maxMessage, (line) => this.#read(line))
    child.stdout.on('data', (chunk: Uint8Array) => {
      if (!this.#ended && !lines.push(chunk))
        this.#fail(`it sent a message of more than ${this.#options.maxMessage} bytes`)
    })
    const logs = new LineReader(65_536, (line) => this.#log(line))
    child.stderr.on('data', (chunk: Uint8Array) => {
      if (!logs.push(chunk)) this.#options.onLog('[a line that is too long]')
    })
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => {})
    void child.exited.then((why) => {
      logs.end()
      this.#end(`it ended (${why})`)
    })
  }

  send(message: JSONRPCMessage): Promise<void> {
    const { stdin } = this.#process ?? {}
    if (stdin === undefined || this.#ended || !stdin.writable) return Promise.reject(new Error('The server has ended.'))
    if (stdin.writableLength > maxWaiting) return Promise.reject(new Error('The server does not read what it is sent.'))
    stdin.write(`${JSON.stringify(message)}\n`)
    return Promise.resolve()
  }

  /** Ends the process and waits until nothing is left of it. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.#process?.kill()
      this.#end('it was closed')
    })()
    return this.#closing
  }

  #read(line: Uint8Array): void {
    if (this.#ended || line.length === 0) return
    let message: unknown
    try {
      message = JSON.parse(decoder.decode(line))
    } catch (error) {
      this.#tellNoise(`a line is no JSON (${messageOf(error)})`)
      return
    }
    if (typeof message !== 'object' || message === null || (message as { jsonrpc?: unknown }).jsonrpc !== '2.0') {
      this.#tellNoise('a line is no message of JSON-RPC')
      return
    }
    this.#noise = 0
    this.#gate.take(message as JSONRPCMessage)
  }

  #tellNoise(what: string): void {
    this.onerror?.(new Error(what))
    if (++this.#noise > maxNoise) this.#fail('what it writes is no MCP')
  }

  #log(line: Uint8Array): void {
    if (line.length > 0) this.#options.onLog(decoder.decode(line.subarray(0, longestLog)))
  }

  #fail(why: string): void {
    this.onerror?.(new Error(why))
    this.#end(why)
    void this.close()
  }

  #end(why: string): void {
    if (this.#ended) return
    this.#ended = true
    this.onerror?.(new Error(why))
    this.onclose?.()
  }
}

const decoder = new TextDecoder()
