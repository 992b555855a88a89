// The circle of sockets that want news: who has joined which session, and who follows the tasks of which user. It listens
// to the desk only while there is somebody.

import type { ServerFrame } from 'tellurion/protocol'
import type { Runtime } from 'tellurion/runtime'
import type { Identity } from './identity.ts'
import type { NewsDesk, RunNews } from './run-news.ts'

/** Who wants news. */
export interface Member {
  readonly identity: Identity
  /** The sessions that it has joined. */
  readonly sessions: ReadonlySet<string>
  /** Hears what is new of a run; `joined` when it has joined the session. */
  hear(news: RunNews, joined: boolean): void
  send(frame: ServerFrame): void
}

/** Members by what they want to hear of. */
class Circle {
  readonly #members = new Map<string, Set<Member>>()

  get empty(): boolean {
    return this.#members.size === 0
  }

  of(name: string): ReadonlySet<Member> {
    return this.#members.get(name) ?? nobody
  }

  add(name: string, client: Member): void {
    let set = this.#members.get(name)
    if (set === undefined) this.#members.set(name, (set = new Set()))
    set.add(client)
  }

  delete(name: string, client: Member): void {
    const set = this.#members.get(name)
    if (set?.delete(client) === true && set.size === 0) this.#members.delete(name)
  }
}

const nobody: ReadonlySet<Member> = new Set()

/** Who wants news of which runs. */
export class NewsCircle {
  readonly #desk: NewsDesk
  readonly #runtime: Runtime
  readonly #sessions = new Circle()
  readonly #users = new Circle()
  #stop: (() => void) | undefined

  constructor({ desk, runtime }: { readonly desk: NewsDesk; readonly runtime: Runtime }) {
    this.#desk = desk
    this.#runtime = runtime
  }

  /** From now on a client hears of the runs of a session. */
  join(session: string, client: Member): void {
    this.#sessions.add(session, client)
    this.#listen()
  }

  leave(session: string, client: Member): void {
    this.#sessions.delete(session, client)
    this.#rest()
  }

  /** From now on a client hears of all runs of its user. */
  follow(client: Member): void {
    this.#users.add(client.identity.user, client)
    this.#listen()
  }

  /** A client has gone. */
  forget(client: Member): void {
    for (const session of client.sessions) this.#sessions.delete(session, client)
    this.#users.delete(client.identity.user, client)
    this.#rest()
  }

  #listen(): void {
    this.#stop ??= this.#desk.listen((news) => this.#tell(news))
  }

  #rest(): void {
    if (!this.#sessions.empty || !this.#users.empty) return
    this.#stop?.()
    this.#stop = undefined
  }

  #tell(news: RunNews): void {
    const { session, user } = news.record
    const joined = this.#sessions.of(session)
    for (const client of joined) client.hear(news, true)
    for (const client of this.#users.of(user)) if (!joined.has(client)) client.hear(news, false)
    if (news.kind === 'completed' && joined.size > 0) void this.#tellSession(session).catch(() => {})
  }

  /** A run that has ended has touched its session. */
  async #tellSession(id: string): Promise<void> {
    const session = await this.#runtime.getSession(id)
    if (session === undefined) return
    const { own: _own, ...data } = session
    for (const client of this.#sessions.of(id)) client.send({ type: 'session_updated', session_id: id, data })
  }
}
