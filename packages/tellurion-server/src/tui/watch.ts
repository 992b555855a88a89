// One session, watched: what was said in it, and the events of its runs, one run after another, over connections that break.
// What was seen once is not seen again.

import { TellurionError, type Message } from 'tellurion'
import type { EventResource, RunResource } from 'tellurion/protocol'
import type { Clock } from 'tellurion/world'
import type { Chat } from './chat.ts'
import type { Said } from './entry.ts'
import { isOutage } from './link.ts'
import type { ChatClient } from './chat-client.ts'

/** What a watch stands on. */
export interface WatchOptions {
  readonly client: ChatClient
  readonly chat: Chat
  readonly clock: Clock
  /** Ends the watching; runs go on. */
  readonly signal: AbortSignal
  readonly onChange: () => void
  /** Told when a run asks, or has ended: the list of runs says more than its events. */
  readonly onTurn: () => void
  /** Told of what the server refuses. */
  readonly onFailure: (error: unknown) => void
}

/** A run of the session, that begins or goes on. */
export interface Met {
  readonly run: RunResource
  /** Its events from the first on, where they are being read already; they may end before it does. */
  readonly events?: AsyncIterable<EventResource>
  /** The number of the last event that is known. Default 0. */
  readonly after?: number
  /** What it was made of. */
  readonly said?: Said
}

/** How often the past and the present of a run that moves on are tried to be seen at one instant. */
const tries = 5

/** Whether a run has not ended. */
export function isLive({ status }: RunResource): boolean {
  return status === 'queued' || status === 'running' || status === 'waiting' || status === 'paused'
}

/** Watches one session. */
export class Watch {
  readonly #options: WatchOptions
  /** Runs that have been met, and those that are still to be watched. */
  readonly #met = new Set<string>()
  readonly #queue: Met[] = []
  #busy = false

  constructor(options: WatchOptions) {
    this.#options = options
  }

  /** Shows what was said in a session that is there, and watches what is still under way. */
  async recall(session: string): Promise<void> {
    const { chat, clock, signal, onChange } = this.#options
    const items = await this.#runs(session)
    for (const { id } of items) this.#met.add(id)
    if (items.length === 0) return
    const live = items.filter(isLive).reverse()
    const { run, messages } = await this.#presence(session, live[0]?.id)
    signal.throwIfAborted()
    if (messages === undefined) chat.transcript.remark('(what was said before is not shown: too much happens)')
    else chat.transcript.recall(messages)
    if (run !== undefined) {
      this.#add({ run, after: messages === undefined ? 0 : run.events })
      chat.ask(run, clock.now())
    }
    for (const each of live.slice(1)) this.#add({ run: each })
    onChange()
  }

  /** The newest runs of a session; none where nothing was said in it yet. */
  async #runs(session: string): Promise<readonly RunResource[]> {
    const { client, signal } = this.#options
    try {
      return (await this.#persist(() => client.sessions.runs(session, { signal }).page())).items
    } catch (error) {
      if (error instanceof TellurionError && error.code === 'unknown_session') return []
      throw error
    }
  }

  /** Watches a run of the session when those before it have ended; one that has been met is not watched again. */
  meet(met: Met): void {
    if (this.#met.has(met.run.id)) return
    this.#met.add(met.run.id)
    this.#add(met)
  }

  /** Watches a run that goes on although it had ended. */
  resume(run: RunResource): void {
    this.#add({ run, after: run.events })
  }

  /** What was said, and the live run at the same instant; no messages where it would not hold still. */
  async #presence(
    session: string,
    id: string | undefined,
  ): Promise<{ readonly run?: RunResource; readonly messages?: readonly Message[] }> {
    const { client, signal } = this.#options
    if (id === undefined) return { messages: await this.#persist(() => this.#messages(session)) }
    const get = (): Promise<RunResource> => this.#persist(() => client.runs.get(id, { signal }))
    let before = await get()
    for (let count = 0; count < tries; count++) {
      const messages = await this.#persist(() => this.#messages(session))
      const run = await get()
      if (run.events === before.events) return { run, messages }
      before = run
    }
    return { run: before }
  }

  async #messages(session: string): Promise<Message[]> {
    const { client, signal } = this.#options
    const messages: Message[] = []
    for await (const message of client.sessions.messages(session, { signal })) messages.push(message)
    return messages
  }

  #add(met: Met): void {
    this.#queue.push(met)
    if (!this.#busy) void this.#work()
  }

  async #work(): Promise<void> {
    const { chat, clock, signal, onChange, onTurn, onFailure } = this.#options
    this.#busy = true
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const { run, said } = next
      chat.watch(run)
      onChange()
      try {
        await this.#follow(next)
      } catch (error) {
        if (!signal.aborted) onFailure(error)
      }
      if (signal.aborted) return
      chat.unwatch(run.id, clock.now())
      if (said !== undefined) chat.transcript.keep(said)
      onChange()
      onTurn()
    }
    this.#busy = false
  }

  /** Reads the events of a run to its end. */
  async #follow({ run: { id }, events: first, after: from = 0 }: Met): Promise<void> {
    const { client, chat, signal, onChange } = this.#options
    let after = from
    for (let events = first; ; events = undefined) {
      try {
        for await (const event of events ?? client.runs.events(id, { after, signal })) {
          after = event.seq ?? after
          this.#heard(id, event)
          if (events !== undefined && isEnd(event)) return
        }
        if (events === undefined) return
      } catch (error) {
        if (!signal.aborted && isOutage(error)) chat.transcript.tear()
        onChange()
        await chat.link.outlast(error, signal)
      }
    }
  }

  #heard(run: string, event: EventResource): void {
    const { chat, clock, onChange, onTurn } = this.#options
    chat.link.good()
    chat.take(run, event, clock.now())
    onChange()
    if (event.type === 'run.waiting') onTurn()
  }

  #persist<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#options.chat.link.persist(work, this.#options.signal)
  }
}

function isEnd({ type }: EventResource): boolean {
  return type === 'run.succeeded' || type === 'run.failed' || type === 'run.cancelled' || type === 'run.timed_out'
}
