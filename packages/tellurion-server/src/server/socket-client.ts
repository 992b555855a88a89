// A client of the WebSocket: what it is sent, what it watches, and its end. What it asks for stands in `socket-deed.ts`.

import type { Duplex } from 'node:stream'
import { closeCodes, type ServerFrame } from 'tellurion/protocol'
import type { RunRecord } from 'tellurion/runtime'
import type { WebSocket } from 'ws'
import { failureOf, RequestError } from './failure.ts'
import type { Identity } from './identity.ts'
import { Outlet } from './outlet.ts'
import type { NewsCircle } from './news-circle.ts'
import type { RunNews } from './run-news.ts'
import type { Call, ServerSetting } from './setting.ts'
import type { Watching } from './stream-hub.ts'
import { chat, frameOf, framedEvents, type Telling } from './telling.ts'
import { socketWire } from './wire.ts'

/** Milliseconds that a client has for the close to be answered. */
const closeTime = 2000
/** Runs whose end was told, remembered so that it is not told again. */
const mostEnded = 256

/** A run that a client is told of. */
interface Watched {
  readonly session: string
  stop(): void
}

/** How a client is made. */
export interface SocketClientOptions {
  readonly setting: ServerSetting
  readonly identity: Identity
  readonly socket: WebSocket
  /** The connection under it. */
  readonly connection: Duplex
  readonly circle: NewsCircle
}

/** A client. */
export class SocketClient {
  readonly setting: ServerSetting
  readonly identity: Identity
  readonly #socket: WebSocket
  readonly #circle: NewsCircle
  readonly #sessions = new Set<string>()
  readonly #outlet: Outlet
  readonly #gone = new AbortController()
  readonly #chats = new Map<string, Watched>()
  readonly #followed = new Map<string, Watched>()
  readonly #ended = new Set<string>()
  #alive = true

  constructor({ setting, identity, socket, connection, circle }: SocketClientOptions) {
    this.setting = setting
    this.#circle = circle
    this.identity = identity
    this.#socket = socket
    const outlet = new Outlet(
      {
        get waiting() {
          return connection.writableLength
        },
        // Frames are written whole, between those that `ws` writes by itself: pongs, pings and the close.
        write: (bytes) => void (socket.readyState === socket.OPEN && connection.write(bytes)),
        cut: () => this.close(closeCodes.slow, 'You read too slowly; come again with the number of your last event.'),
      },
      { most: setting.limits.waiting },
    )
    this.#outlet = outlet
    connection.on('drain', () => outlet.taken())
    socket.on('pong', () => (this.#alive = true))
  }

  /** The sessions that it has joined. */
  get sessions(): ReadonlySet<string> {
    return this.#sessions
  }

  /** Aborts when the client has gone. */
  get gone(): AbortSignal {
    return this.#gone.signal
  }

  /** A call on behalf of this client, as an operation takes it. */
  call<Parameters, Body>(parts: {
    readonly parameters?: Parameters
    readonly body?: Body
    readonly query?: unknown
    readonly key?: string | undefined
  }) {
    const { setting, identity, gone: signal } = this
    const { parameters, body, query = {}, key } = parts
    const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key }
    const request = new Request('http://socket/ws', { headers })
    return { setting, identity, requestId: setting.ids('req'), request, signal, parameters, body, query } as Call<
      Parameters,
      unknown,
      Body
    >
  }

  send(frame: ServerFrame): void {
    this.sendText(JSON.stringify(frame))
  }

  sendText(text: string): void {
    this.#outlet.write(socketWire([{ text }]))
  }

  /** Says what went wrong with a frame. */
  refuse(error: unknown, id: string | undefined): void {
    const { setting } = this
    const requestId = setting.ids('req')
    const { status, body } = failureOf(error, requestId)
    if (status >= 500) setting.log.error('frame.failed', { requestId, error: String((error as Error)?.stack ?? error) })
    const { code, message } = body.error
    this.send({ ...(id === undefined ? {} : { id }), type: 'error', data: { code, message } })
  }

  /** From now on a run is told as a chat shows it, unless it is already. */
  async chat({ id, session }: RunRecord, after: number): Promise<void> {
    if (!this.#chats.has(id)) await this.#watch(this.#chats, { run: id, session, after, telling: chat })
  }

  /** From now on the events of a run are told from after a number. */
  async follow({ id, session }: RunRecord, after: number): Promise<void> {
    this.#followed.get(id)?.stop()
    await this.#watch(this.#followed, { run: id, session, after, telling: framedEvents })
  }

  /** From now on the runs of a session are told, whoever makes them. */
  join(session: string): void {
    this.#sessions.add(session)
    this.#circle.join(session, this)
  }

  /** From now on is told how the tasks of its user stand. */
  followTasks(): void {
    this.#circle.follow(this)
  }

  /** What is new of a run; whoever has joined its session is told all of it. */
  hear({ kind, record }: RunNews, joined: boolean): void {
    if (this.#chats.has(record.id)) return
    if (kind === 'completed' && this.#ended.delete(record.id)) return
    this.sendText(frameOf(`task_${kind}`, record))
    if (!joined || kind === 'completed') return
    this.chat(record, kind === 'created' ? 0 : record.events).catch((error: unknown) => this.refuse(error, undefined))
  }

  /** Tells no more of the runs of a session. */
  leave(session: string): void {
    this.#sessions.delete(session)
    this.#circle.leave(session, this)
    for (const watched of this.#chats.values()) if (watched.session === session) watched.stop()
  }

  /** To be called at equal times: a sign of life to a silent client, and the end of one that gives none. */
  beat(): void {
    if (!this.#alive) return this.#socket.terminate()
    this.#alive = false
    this.#socket.ping()
    this.#outlet.beat(socketWire([{ text: JSON.stringify({ type: 'heartbeat', at: this.setting.clock.now() }) }]))
  }

  /** Any sign of life. */
  heard(): void {
    this.#alive = true
  }

  /** Ends the connection in an orderly way; one that does not answer is cut. */
  close(code: number, reason: string): void {
    this.#outlet.close()
    this.#socket.close(code, reason)
    const stop = this.setting.clock.timer(closeTime, () => this.#socket.terminate())
    this.#socket.once('close', stop)
  }

  /** The connection is gone: nothing is watched any more. Runs go on. */
  end(): void {
    this.#outlet.close()
    this.#gone.abort()
    for (const watched of [...this.#chats.values(), ...this.#followed.values()]) watched.stop()
    this.#circle.forget(this)
    this.#sessions.clear()
  }

  async #watch(
    all: Map<string, Watched>,
    { run, session, after, telling }: { run: string; session: string; after: number; telling: Telling },
  ): Promise<void> {
    const { streams, runtime, limits } = this.setting
    if (this.#chats.size + this.#followed.size >= limits.watched) throw tooMany(limits.watched)
    const state: { stopped: boolean; watching?: Watching } = { stopped: this.gone.aborted }
    const watched: Watched = {
      session,
      stop: () => {
        state.stopped = true
        state.watching?.stop()
      },
    }
    const forget = (): void => {
      if (all.get(run) === watched) all.delete(run)
    }
    // It counts from now on, so that nobody watches it twice.
    all.set(run, watched)
    try {
      const watching = await streams.hub.watch(runtime.run(run), {
        after,
        telling,
        wire: socketWire,
        outlet: this.#outlet,
      })
      state.watching = watching
      if (state.stopped) watching.stop()
      void watching.ended.then((error) => {
        forget()
        if (error !== undefined) this.refuse(error, undefined)
        else if (!state.stopped) this.#remember(run)
      })
    } catch (error) {
      forget()
      throw error
    }
  }

  #remember(run: string): void {
    this.#ended.add(run)
    for (const oldest of this.#ended) {
      if (this.#ended.size <= mostEnded) break
      this.#ended.delete(oldest)
    }
  }
}

function tooMany(most: number): RequestError {
  return new RequestError('rate_limited', `A socket watches ${most} runs at most; open another one.`)
}
