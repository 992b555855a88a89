// What a chat does: says, answers, stops, opens, through a client alone. Whatever comes of it is told to the chat. A server
// that is gone is waited for; nothing is said twice.

import { TellurionError } from 'tellurion'
import type { RunResource } from 'tellurion/protocol'
import { systemIds, type Ids } from 'tellurion/runtime'
import type { Clock } from 'tellurion/world'
import type { Chat } from './chat.ts'
import type { ChatClient } from './chat-client.ts'
import type { Answering } from './inquiry.ts'
import { Lookout } from './lookout.ts'
import type { RunOrder } from './run-board.ts'
import { Watch, type Met } from './watch.ts'

/** What a talk stands on. */
export interface TalkOptions {
  readonly client: ChatClient
  readonly chat: Chat
  readonly clock: Clock
  /** Told when there is something new to see. */
  readonly onChange: () => void
  /** Given back what was said and did not arrive. */
  readonly onReturn: (text: string) => void
  /** Who is asked; default the server's first agent. */
  readonly agent?: string | undefined
  readonly ids?: Ids
}

/** What belongs to the session that is open. */
interface Scope {
  readonly controller: AbortController
  readonly watch: Watch
}

/** The doing side of a chat. `close` ends everything that it has under way; runs go on. */
export class Talk {
  readonly #options: TalkOptions
  readonly #ids: Ids
  readonly #lookout: Lookout
  readonly #end = new AbortController()
  #scope: Scope
  /** What was said and has not arrived. */
  #unsent: { readonly text: string; readonly controller: AbortController } | undefined

  constructor(options: TalkOptions) {
    this.#options = options
    this.#ids = options.ids ?? systemIds
    this.#scope = this.#open()
    this.#lookout = new Lookout({
      ...options,
      onRuns: (runs) => runs.forEach((run) => this.#scope.watch.meet({ run })),
      onFailure: (error) => this.#failed(error, this.#end.signal),
    })
  }

  /** Opens a session with what was said in it, or none yet; looks at the runs from now on. */
  begin(session: string | undefined): void {
    this.open(session)
    void this.#lookout.work(this.#end.signal)
  }

  /** Goes to another session; to a new one where none is given. */
  open(session: string | undefined): void {
    const { chat, clock, onChange } = this.#options
    this.#scope.controller.abort()
    this.#scope = this.#open()
    this.#unsent = undefined
    chat.begin(session, clock.now())
    if (session !== undefined) this.#do(() => this.#scope.watch.recall(session))
    onChange()
  }

  /** Ends. */
  close(): void {
    this.#end.abort()
    this.#scope.controller.abort()
  }

  /** Whether the list of runs is on the screen. */
  set listing(listing: boolean) {
    this.#lookout.listing = listing
    if (listing) this.#lookout.look()
  }

  /** Says something: into the turn that is under way, else as a new one. */
  say(text: string): void {
    this.#do(async (signal) => {
      if (!(await this.#steer(text, signal))) await this.#submit(text, signal)
    })
  }

  /** Stops the turn that is under way, or takes back what a server that is gone has not heard. */
  stop(): void {
    const { client, chat, onReturn } = this.#options
    const { live, link } = chat
    if (link.state.kind === 'lost' && this.#unsent !== undefined) {
      this.#unsent.controller.abort()
      return onReturn(this.#unsent.text)
    }
    if (live === undefined || live.stopping) return
    live.stopping = true
    this.#do(async (signal) => {
      try {
        await chat.link.persist(() => client.runs.cancel(live.run, { signal }), signal)
      } catch (error) {
        live.stopping = false
        throw error
      }
    })
  }

  /** Gives an answer. */
  answer(answering: Answering): void {
    const { client, chat, clock } = this.#options
    const { asked, answer } = answering
    const { id } = asked.interaction
    chat.inquiries.sent(answering)
    this.#do(async (signal) => {
      try {
        await client.interactions.answer(id, answer, { run: asked.run, signal })
        chat.inquiries.taken(answering, clock.now())
      } catch (error) {
        if (isCode(error, 'unknown_interaction')) {
          chat.inquiries.close(({ interaction }) => interaction.id === id, clock.now())
          throw error
        }
        chat.inquiries.refused(answering, error instanceof Error ? error.message : String(error))
      }
      this.#lookout.look()
    })
  }

  /** Does with a run of the list what is wanted. */
  order(order: RunOrder, run: RunResource): void {
    if (order === 'open') return this.open(run.session)
    this.#do(async (signal) => {
      const now = await this.#options.client.runs[order](run.id, { signal })
      if (order === 'retry' && now.session === this.#options.chat.session) this.#scope.watch.resume(now)
      this.#lookout.look()
    })
  }

  /** Says it into the live turn; whether there was one to hear it. */
  async #steer(text: string, signal: AbortSignal): Promise<boolean> {
    const { client, chat, onReturn } = this.#options
    const { live, transcript } = chat
    if (live === undefined || live.stopping) return false
    const said = transcript.send(text, { steers: true, why: 'sending' })
    try {
      await client.runs.steer(live.run, text, { signal })
      said.pending = 'is heard when the present step is done'
      return true
    } catch (error) {
      transcript.unsend(said)
      if (isCode(error, 'invalid_transition')) return false
      // Whether it arrived is not known: a person decides whether it is said again.
      onReturn(text)
      throw error
    }
  }

  /** Says it as a new turn, as soon as the server is there; once, however often it must be asked. */
  async #submit(text: string, signal: AbortSignal): Promise<void> {
    const { client, chat, agent } = this.#options
    const { transcript, link } = chat
    const { watch } = this.#scope
    const said = transcript.send(text, { steers: false, why: 'sending' })
    const controller = new AbortController()
    const unsent = (this.#unsent = { text, controller })
    const options = { key: this.#ids('key'), signal: AbortSignal.any([signal, controller.signal]) }
    try {
      const session = (chat.session ??= this.#ids('session'))
      const request = { input: text, session, ...(agent === undefined ? {} : { agent }) }
      const made = async (): Promise<Met> => {
        const turn = client.runs.start(request, options)
        return { run: await turn.run, events: turn, said }
      }
      watch.meet(await link.persist(made, options.signal))
      said.pending = undefined
    } catch (error) {
      transcript.unsend(said)
      if (!controller.signal.aborted) throw error
    } finally {
      if (this.#unsent === unsent) this.#unsent = undefined
    }
  }

  #open(): Scope {
    const controller = new AbortController()
    const { signal } = controller
    const watch = new Watch({
      ...this.#options,
      signal,
      onTurn: () => this.#lookout.look(),
      onFailure: (error) => this.#failed(error, signal),
    })
    return { controller, watch }
  }

  /** Does something for the open session; what goes wrong is said there. */
  #do(work: (signal: AbortSignal) => Promise<unknown>): void {
    const { signal } = this.#scope.controller
    void work(signal)
      .catch((error: unknown) => this.#failed(error, signal))
      .finally(this.#options.onChange)
  }

  #failed(error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return
    this.#options.chat.transcript.remark(error instanceof Error ? error.message : String(error), 'bad')
  }
}

function isCode(error: unknown, code: TellurionError['code']): boolean {
  return error instanceof TellurionError && error.code === code
}
