// The WebSocket of a server, as one that does not break: the connection is made anew, and everything that stood goes on
// from where it was.

import { abortReason } from '../abort/abort.ts'
import { createChannel, type Channel } from '../channel/channel.ts'
import { TellurionError } from '../error/error.ts'
import { pathOf } from '../protocol/route.ts'
import {
  heartbeatEvery,
  socketProtocol,
  tokenProtocol,
  type ClientFrame,
  type ServerFrame,
} from '../protocol/socket.ts'
import { backoff, type RetryPolicy } from '../retry/backoff.ts'
import type { Caller, CallOptions } from './caller.ts'
import { noAnswer } from './refusal.ts'
import { SocketPast, type AskedFrame } from './socket-past.ts'

/** As much of a `WebSocket` as is used: the platform's, or the one of the package `ws`. */
export interface SocketConnection {
  send(text: string): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'open' | 'error', listener: () => void): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: { readonly code: number }) => void): void
}

/** What makes connections: `WebSocket`. */
export type SocketConstructor = new (url: string, protocols: string[]) => SocketConnection

/** Milliseconds after which a connection on which nothing came is dead: heartbeats are shorter. */
const silence = heartbeatEvery * 2.5
/** Frames that wait to be read, and frames that wait for an answer, at most. */
const mostUnread = 10_000
const mostOpen = 1000

/**
 * A socket. Iterating gives the server's frames, but heartbeats, in one place; it ends when the socket is closed, and
 * rejects with what the server refuses, `server_unreachable` when patience ends, and `slow_reader` when 10,000 frames wait.
 * Over another connection kept events come once, a text that was begun comes from its beginning (`anew`), and chats that
 * were not answered are sent again under their key; a `steer` or `answer` of which nobody knows is told as an `error`.
 */
export interface RemoteSocket extends AsyncIterable<ServerFrame> {
  readonly state: 'connecting' | 'open' | 'closed'
  /** Sends, now or when there is a connection. Gives the id by which the answer is known; a chat without a session gets one. */
  send(frame: ClientFrame): string
  /** Sends, and gives the frame that answers. Rejects with what the server refuses. */
  ask(frame: ClientFrame, options?: CallOptions): Promise<ServerFrame>
  close(): void
}

/** What a socket is made of. */
export interface SocketMaking {
  readonly caller: Caller
  readonly make: SocketConstructor | undefined
  readonly policy: RetryPolicy
}

/** Opens a socket; it connects at once. The signal closes it. Throws `invalid_option` where there is no `WebSocket`. */
export function openSocket(making: SocketMaking, { signal }: CallOptions = {}): RemoteSocket {
  const { make = (globalThis as { readonly WebSocket?: SocketConstructor }).WebSocket } = making
  if (make === undefined) {
    throw new TellurionError('invalid_option', "This platform has no WebSocket: give createClient one as 'WebSocket'.")
  }
  return new Socket({ ...making, make }, signal)
}

interface Waiting {
  resolve(frame: ServerFrame): void
  reject(error: Error): void
}

class Socket implements RemoteSocket {
  state: RemoteSocket['state'] = 'connecting'
  readonly #making: SocketMaking & { readonly make: SocketConstructor }
  readonly #signal: AbortSignal | undefined
  readonly #frames: Channel<ServerFrame>
  readonly #past = new SocketPast()
  readonly #asked = new Map<string, Waiting>()
  #connection: SocketConnection | undefined
  #failures = 0
  /** When something came last, on the clock. */
  #heard = 0
  #stopTimer = (): void => {}

  constructor(making: SocketMaking & { readonly make: SocketConstructor }, signal: AbortSignal | undefined) {
    this.#making = making
    this.#signal = signal
    this.#frames = createChannel({ capacity: mostUnread, overflow: 'error' })
    if (signal?.aborted) this.#end(abortReason(signal))
    else this.#connect()
    signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  send(given: ClientFrame): string {
    if (this.state === 'closed') throw new TellurionError('channel_closed', 'The socket is closed; open another one.')
    if (this.#past.open >= mostOpen) {
      throw new TellurionError('channel_full', `${mostOpen} frames wait for their answers; send no more.`)
    }
    const frame = this.#complete(given)
    this.#past.sent(frame)
    if (this.state === 'open') this.#write(frame)
    return frame.id
  }

  ask(frame: ClientFrame, { signal }: CallOptions = {}): Promise<ServerFrame> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortReason(signal))
      const id = this.send(frame)
      const onAbort = (): void => settle(() => reject(abortReason(signal)))
      const settle = (how: () => void): void => {
        this.#asked.delete(id)
        signal?.removeEventListener('abort', onAbort)
        how()
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#asked.set(id, {
        resolve: (answer) => settle(() => resolve(answer)),
        reject: (error) => settle(() => reject(error)),
      })
    })
  }

  close(): void {
    this.#end(undefined)
  }

  [Symbol.asyncIterator](): AsyncIterator<ServerFrame> {
    const frames = this.#frames[Symbol.asyncIterator]()
    return {
      next: () => frames.next(),
      return: () => {
        this.close()
        return Promise.resolve({ done: true, value: undefined })
      },
    }
  }

  readonly #onAbort = (): void => this.#end(abortReason(this.#signal))

  #complete(frame: ClientFrame): AskedFrame {
    const { ids } = this.#making.caller
    const { id = ids('frame') } = frame
    switch (frame.type) {
      case 'chat':
      case 'message':
        // Under a key of the caller's it is the server that names the session, the same each time.
        if (frame.key !== undefined) return { ...frame, id }
        return { key: ids('key'), session_id: ids('session'), ...frame, id }
      case 'create_session':
        return { session_id: ids('session'), ...frame, id }
      default:
        return { ...frame, id }
    }
  }

  #connect(): void {
    const { make, caller } = this.#making
    const { baseURL, token } = caller
    const protocols = token === undefined ? [socketProtocol] : [socketProtocol, tokenProtocol(token)]
    const connection = new make(`${baseURL.replace(/^http/, 'ws')}${pathOf('socket')}`, protocols)
    this.#connection = connection
    let greeted = false
    this.#heard = this.#making.caller.clock.monotonic()
    this.#watch(connection, silence)
    connection.addEventListener('error', () => {})
    connection.addEventListener('message', ({ data }) => {
      if (this.#connection !== connection) return
      this.#heard = this.#making.caller.clock.monotonic()
      const frame = frameIn(data)
      if (frame === undefined) return
      if (frame.type === 'connection_established') {
        greeted = true
        this.#greeted()
      } else this.#failures = 0
      this.#take(frame)
    })
    connection.addEventListener('close', () => {
      if (this.#connection === connection) void this.#broken(greeted)
    })
  }

  /** There is a connection: what stood is taken up, and what waited is sent. */
  #greeted(): void {
    this.state = 'open'
    const { resent, lost } = this.#past.again()
    for (const frame of resent) this.#write(frame)
    for (const { id, type } of lost) {
      const message = `The connection broke before '${type}' was answered; whether it happened is not known.`
      this.#take({ id, type: 'error', data: { code: 'server_unreachable', message } })
    }
  }

  #take(frame: ServerFrame): void {
    const told = this.#past.received(frame)
    const waiting = frame.id === undefined ? undefined : this.#asked.get(frame.id)
    if (frame.type === 'error') waiting?.reject(errorIn(frame))
    else if (frame.type !== 'session_created' || this.#past.isAnswered(frame.id)) waiting?.resolve(frame)
    if (told === undefined || frame.type === 'heartbeat') return
    try {
      void this.#frames.send(told)
    } catch {
      this.#end(new TellurionError('slow_reader', `${mostUnread} frames of the socket were not read.`))
    }
  }

  /** A connection on which nothing comes is dead. */
  #watch(connection: SocketConnection, wait: number): void {
    const { clock } = this.#making.caller
    this.#stopTimer = clock.timer(wait, () => {
      const rest = this.#heard + silence - clock.monotonic()
      if (rest > 0) return this.#watch(connection, rest)
      connection.close()
      void this.#broken(true)
    })
  }

  async #broken(greeted: boolean): Promise<void> {
    const { caller, policy } = this.#making
    this.#stopTimer()
    this.#connection = undefined
    this.state = 'connecting'
    const refusal = greeted ? undefined : await this.#refusal()
    if (this.#isClosed()) return
    if (refusal !== undefined) return this.#end(refusal)
    if (++this.#failures > policy.maxRetries) return this.#end(noAnswer(caller.baseURL, undefined))
    const wait = backoff(this.#failures, policy, { random: caller.random })
    this.#stopTimer = caller.clock.timer(wait, () => this.#connect())
  }

  /** Why the server takes no connection, where that will not change: a WebSocket does not say. */
  async #refusal(): Promise<Error | undefined> {
    try {
      await this.#making.caller.call('socket', this.#signal === undefined ? {} : { signal: this.#signal })
      return undefined
    } catch (error) {
      if (!(error instanceof TellurionError) || error.retryable || error.code === 'upgrade_required') return undefined
      return error
    }
  }

  #write(frame: AskedFrame): void {
    this.#connection?.send(JSON.stringify(frame))
  }

  #isClosed(): boolean {
    return this.state === 'closed'
  }

  #end(error: Error | undefined): void {
    if (this.state === 'closed') return
    this.state = 'closed'
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#stopTimer()
    const connection = this.#connection
    this.#connection = undefined
    connection?.close(1000)
    const gone = error ?? new TellurionError('channel_closed', 'The socket was closed.')
    for (const waiting of this.#asked.values()) waiting.reject(gone)
    this.#frames.close(error)
  }
}

function frameIn(data: unknown): ServerFrame | undefined {
  try {
    const frame = JSON.parse(String(data)) as ServerFrame | null
    return typeof frame?.type === 'string' ? frame : undefined
  } catch {
    return undefined
  }
}

function errorIn({ data }: ServerFrame & { type: 'error' }): TellurionError {
  return new TellurionError(data.code as TellurionError['code'], data.message)
}
