// What a socket has to go on with when its connection was another: what was asked and not answered, what is joined and
// followed, and how far. It knows nothing of connections.

import type { ClientFrame, ServerFrame } from '../protocol/socket.ts'

/** A run that is told here. */
interface Followed {
  readonly session: string
  readonly as: 'events' | 'chat'
  /** The number of its newest kept event that came. */
  after: number
  /** Over another connection a text that was begun is told from its beginning. */
  anew: boolean
}

/** A frame with the id under which it is answered. */
export type AskedFrame = ClientFrame & { readonly id: string }

/** The id of frames that nobody asked for: they take up again what stood. */
const again = 'again'

/** The past of a socket. */
export class SocketPast {
  readonly #open = new Map<string, AskedFrame>()
  readonly #sessions = new Set<string>()
  readonly #runs = new Map<string, Followed>()
  #allTasks = false

  /** Frames that nobody has answered yet. */
  get open(): number {
    return this.#open.size
  }

  /** Whether a frame waits for its answer no more. */
  isAnswered(id: string | undefined): boolean {
    return id === undefined || !this.#open.has(id)
  }

  sent(frame: AskedFrame): void {
    this.#open.set(frame.id, frame)
  }

  /** What a frame is to whoever reads: itself, told for another connection, or undefined for what came before. */
  received(given: ServerFrame): ServerFrame | undefined {
    const frame = given.id === again ? unasked(given) : given
    if (frame !== given && frame.type === 'session_joined') return undefined
    const asked = frame.id === undefined ? undefined : this.#open.get(frame.id)
    if (asked !== undefined) this.#answered(asked, frame)
    switch (frame.type) {
      case 'task_created':
        if (asked !== undefined || this.#sessions.has(frame.session_id)) this.#follow(frame, 'chat', 0)
        return frame
      case 'task_updated':
        if (asked === undefined && this.#sessions.has(frame.session_id)) {
          this.#follow(frame, 'chat', frame.data.events)
        }
        return frame
      case 'event':
      case 'message':
        return this.#isNew(frame.run_id, frame.seq) ? frame : undefined
      case 'stream_data':
        return this.#piece(frame)
      case 'stream_complete':
        this.#runs.delete(frame.run_id)
        return frame
      case 'task_completed':
        if (this.#runs.get(frame.run_id)?.as === 'events') this.#runs.delete(frame.run_id)
        return frame
      default:
        return frame
    }
  }

  /** What is to be sent over another connection, and what nobody can say whether it happened. */
  again(): { readonly resent: readonly AskedFrame[]; readonly lost: readonly AskedFrame[] } {
    const open = [...this.#open.values()]
    const lost = open.filter(({ type }) => type === 'steer' || type === 'answer')
    for (const { id } of lost) this.#open.delete(id)
    const standing: AskedFrame[] = []
    for (const [run_id, { as, after }] of this.#runs) {
      standing.push({ type: 'subscribe_tasks', id: again, run_id, after, as })
    }
    for (const session_id of this.#sessions) standing.push({ type: 'join_session', id: again, session_id })
    if (this.#allTasks) standing.push({ type: 'subscribe_tasks', id: again })
    for (const followed of this.#runs.values()) followed.anew = true
    return { resent: [...standing, ...open.filter((frame) => !lost.includes(frame))], lost }
  }

  #answered(asked: AskedFrame, frame: ServerFrame): void {
    // A session that is made on the way answers nothing yet.
    if (frame.type === 'session_created' && asked.type !== 'create_session') return
    this.#open.delete(asked.id)
    if (frame.type === 'error') return
    if (asked.type === 'join_session') this.#sessions.add(asked.session_id)
    else if (asked.type === 'leave_session') this.#leave(asked.session_id)
    else if (asked.type === 'subscribe_tasks' && asked.run_id === undefined) this.#allTasks = true
    else if (asked.type === 'subscribe_tasks' && frame.type === 'task_updated') {
      this.#follow(frame, asked.as ?? 'events', asked.after ?? 0)
    }
  }

  #leave(session: string): void {
    this.#sessions.delete(session)
    for (const [run, followed] of this.#runs) {
      if (followed.as === 'chat' && followed.session === session) this.#runs.delete(run)
    }
  }

  #follow(of: { readonly run_id: string; readonly session_id: string }, as: Followed['as'], after: number): void {
    const { run_id, session_id: session } = of
    if (!this.#runs.has(run_id)) this.#runs.set(run_id, { session, as, after, anew: false })
  }

  #isNew(run: string, seq: number | undefined): boolean {
    const followed = this.#runs.get(run)
    if (followed === undefined || seq === undefined) return true
    if (seq <= followed.after) return false
    followed.after = seq
    return true
  }

  #piece<Frame extends ServerFrame & { type: 'stream_data' | 'stream_chunk' }>(frame: Frame): ServerFrame {
    const followed = this.#runs.get(frame.run_id)
    if (followed?.anew !== true) return frame
    followed.anew = false
    return { ...frame, data: { ...frame.data, anew: true } }
  }
}

/** A frame that answers nobody. */
function unasked({ id: _id, ...frame }: ServerFrame): ServerFrame {
  return frame
}
