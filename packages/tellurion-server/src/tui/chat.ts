// What there is to see of a chat: the conversation, what is asked, the runs, the connection, and how far the turn is. It is
// told of everything and asks nobody.

import type { EventResource, RunResource } from 'tellurion/protocol'
import { Inquiries } from './inquiry.ts'
import type { Link } from './link.ts'
import { RunBoard } from './run-board.ts'
import type { Theme } from './theme.ts'
import { Transcript } from './transcript.ts'
import { Viewport } from './viewport.ts'
import type { Entry } from './entry.ts'

/** The turn that is under way. */
export interface LiveTurn {
  readonly run: string
  readonly since: number
  /** What it does just now, in a word or two. */
  doing: string
  tokens: number
  /** It has been told to stop. */
  stopping: boolean
}

/** A chat with one agent in one session at a time. */
export class Chat {
  readonly theme: Theme
  readonly link: Link
  readonly board: RunBoard
  readonly inquiries: Inquiries
  #transcript: Transcript
  #viewport: Viewport<Entry>
  session: string | undefined
  live: LiveTurn | undefined

  constructor(theme: Theme, link: Link) {
    this.theme = theme
    this.link = link
    this.board = new RunBoard(theme)
    this.inquiries = new Inquiries(theme)
    this.#transcript = new Transcript(theme)
    this.#viewport = new Viewport(this.#transcript)
  }

  get transcript(): Transcript {
    return this.#transcript
  }

  get viewport(): Viewport<Entry> {
    return this.#viewport
  }

  /** Another conversation, of which nothing is known yet. */
  begin(session: string | undefined, now: number): void {
    this.session = session
    this.live = undefined
    this.inquiries.close(() => true, now)
    this.#transcript = new Transcript(this.theme)
    this.#viewport = new Viewport(this.#transcript)
  }

  /** A run is watched from now on. */
  watch({ id, startedAt, createdAt, usage }: RunResource): void {
    this.live = {
      run: id,
      since: startedAt ?? createdAt,
      doing: 'queued',
      tokens: usage?.totalTokens ?? 0,
      stopping: false,
    }
  }

  /** It is not watched any more: it has ended, or cannot be read. */
  unwatch(run: string, now: number): void {
    if (this.live?.run === run) this.live = undefined
    this.inquiries.close((asked) => asked.run === run, now)
  }

  /** Takes an event of the watched run. */
  take(run: string, event: EventResource, now: number): void {
    this.#transcript.take(event)
    const live = this.live?.run === run ? this.live : undefined
    switch (event.type) {
      case 'interaction.requested':
        return this.inquiries.ask(run, [event.interaction], now)
      case 'interaction.answered':
      case 'interaction.expired':
        return this.inquiries.close(({ interaction }) => interaction.id === event.id, now)
      case 'interaction.refused':
        return this.inquiries.reopen(event.id)
      case 'run.waiting': {
        const open = new Set(event.interactions.map(({ id }) => id))
        this.inquiries.close((asked) => asked.run === run && !open.has(asked.interaction.id), now)
        this.inquiries.ask(run, event.interactions, now)
        if (live !== undefined) live.doing = 'waiting'
        return
      }
      case 'model.replied':
        if (live !== undefined) live.tokens += event.usage.totalTokens
        return
      default:
        if (live !== undefined) live.doing = doingAt(event) ?? live.doing
    }
  }

  /** What a run asked before it was watched. */
  ask({ id, interactions }: RunResource, now: number): void {
    this.inquiries.ask(id, interactions, now)
    for (const interaction of interactions) {
      this.#transcript.take({ type: 'interaction.requested', entity: interaction.entity, interaction })
    }
  }

  /** Takes the list of runs: how far they are, and what is asked by those that work for the watched one. */
  list(runs: readonly RunResource[], ticks: ReadonlyMap<string, number>, now: number): void {
    this.board.take(runs, ticks)
    const live = this.live
    if (live === undefined) return
    const parents = new Map(runs.map(({ id, parent }) => [id, parent]))
    const helpers = runs.filter(({ id }) => id !== live.run && worksFor(id, live.run, parents))
    for (const { id, interactions } of helpers) this.inquiries.ask(id, interactions, now)
    const open = new Set(helpers.flatMap(({ interactions }) => interactions.map(({ id }) => id)))
    this.inquiries.close(({ run, interaction }) => run !== live.run && !open.has(interaction.id), now)
  }
}

function doingAt(event: EventResource): string | undefined {
  switch (event.type) {
    case 'run.started':
    case 'run.resumed':
    case 'tool.ended':
      return 'working'
    case 'model.called':
    case 'reasoning.delta':
      return 'thinking'
    case 'text.delta':
      return 'answering'
    case 'tool.delta':
      return `calling ${event.toolName}`
    case 'tool.started':
    case 'tool.progress':
      return `running ${event.toolName}`
    case 'run.paused':
      return 'paused'
    case 'run.retrying':
      return 'waiting for another try'
    default:
      return undefined
  }
}

function worksFor(run: string, above: string, parents: ReadonlyMap<string, string | undefined>): boolean {
  let parent = parents.get(run)
  for (let depth = 0; parent !== undefined && depth < 100; depth++) {
    if (parent === above) return true
    parent = parents.get(parent)
  }
  return false
}
