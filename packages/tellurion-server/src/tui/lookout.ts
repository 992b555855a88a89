// A look at the list of runs, again and again: how far they are, what works for the chat's run, and whether the server is
// there at all.

import type { RunResource } from 'tellurion/protocol'
import { sleep, type Clock } from 'tellurion/world'
import type { Chat } from './chat.ts'
import type { ChatClient } from './chat-client.ts'
import { isLive } from './watch.ts'

/** What a lookout stands on. */
export interface LookoutOptions {
  readonly client: ChatClient
  readonly chat: Chat
  readonly clock: Clock
  readonly onChange: () => void
  /** Told of runs of the chat's session, oldest first. */
  readonly onRuns: (runs: readonly RunResource[]) => void
  /** Told of what the server refuses, once for each reason. */
  readonly onFailure: (error: unknown) => void
}

/** Milliseconds between two looks: while something happens, and else. */
const every = { often: 2000, seldom: 10_000 }
/** Runs of the list, and of how many of them the ticks are asked at one look. */
const most = { runs: 50, ticks: 12 }

/** Looks at the runs. */
export class Lookout {
  readonly #options: LookoutOptions
  #wake: (() => void) | undefined
  #again = false
  #problem: string | undefined
  /** Whether the list is on the screen: then it is wanted in full, and often. */
  listing = false

  constructor(options: LookoutOptions) {
    this.#options = options
  }

  /** Looks now. */
  look(): void {
    this.#again = true
    this.#wake?.()
  }

  /** Looks until the signal aborts. */
  async work(signal: AbortSignal): Promise<void> {
    const { link } = this.#options.chat
    while (!signal.aborted) {
      this.#again = false
      try {
        await this.#list(signal)
        link.good()
        await this.#pause(signal)
      } catch (error) {
        await link.outlast(error, signal).catch(() => this.#refused(error, signal))
      }
    }
  }

  async #refused(error: unknown, signal: AbortSignal): Promise<void> {
    const problem = error instanceof Error ? error.message : String(error)
    if (!signal.aborted && problem !== this.#problem) this.#options.onFailure(error)
    this.#problem = problem
    await this.#pause(signal)
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, chat, clock, onChange, onRuns } = this.#options
    const { items } = await client.runs.list({ limit: most.runs }, { signal }).page()
    const ticks = new Map<string, number>()
    await Promise.all(
      items
        .filter((run) => this.#isWanted(run))
        .slice(0, most.ticks)
        .map(async ({ id, firstTick }) => {
          // The past of a run may be gone; that it cannot be counted is no failure.
          const last = await client.runs.ticks(id, { signal }).then(
            (given) => given.last,
            () => undefined,
          )
          if (last !== undefined) ticks.set(id, Math.max(0, last - firstTick + 1))
        }),
    )
    chat.list(items, ticks, clock.now())
    onRuns(items.filter(({ session }) => session === chat.session).reverse())
    onChange()
  }

  /** Whether it is worth asking how many ticks a run has. */
  #isWanted(run: RunResource): boolean {
    const { board, live } = this.#options.chat
    return run.id === live?.run || (this.listing && (isLive(run) || board.ticksOf(run.id) === undefined))
  }

  /** Until it is time for another look, or somebody wants one. */
  async #pause(signal: AbortSignal): Promise<void> {
    if (this.#again || signal.aborted) return
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    const often = this.listing || this.#options.chat.live !== undefined
    const stop = AbortSignal.any([signal, woken.signal])
    await sleep(often ? every.often : every.seldom, { clock: this.#options.clock, signal: stop }).catch(() => {})
    this.#wake = undefined
  }
}
