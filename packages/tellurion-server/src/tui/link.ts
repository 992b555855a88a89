// The connection as a person sees it: whether the server answers, since when it does not, and when it is asked again.

import { TellurionError } from 'tellurion'
import { sleep, type Clock } from 'tellurion/world'

/** How things stand with the server. */
export type LinkState =
  | { readonly kind: 'connecting' | 'online' }
  | { readonly kind: 'lost'; readonly since: number; readonly retryAt: number; readonly problem: string }

/** What a link needs. */
export interface LinkOptions {
  readonly clock: Clock
  /** Told of each change. */
  readonly onChange: () => void
}

/** Milliseconds before a server that is gone is asked again: at first, and at most. */
const wait = { first: 250, most: 3000 }

/** The state of one connection. Whoever asks the server says here how it went. */
export class Link {
  readonly #clock: Clock
  readonly #onChange: () => void
  #state: LinkState = { kind: 'connecting' }
  #wait = wait.first

  constructor({ clock, onChange }: LinkOptions) {
    this.#clock = clock
    this.#onChange = onChange
  }

  get state(): LinkState {
    return this.#state
  }

  /** The server answered. */
  good(): void {
    if (this.#state.kind === 'online') return
    this.#state = { kind: 'online' }
    this.#wait = wait.first
    this.#onChange()
  }

  /**
   * Does what asks the server, again and again while it is gone. Rejects with what the server refuses, and with the
   * signal's reason.
   */
  async persist<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    for (;;) {
      try {
        const result = await work()
        this.good()
        return result
      } catch (error) {
        await this.outlast(error, signal)
      }
    }
  }

  /** Waits before another try. Rejects with the error when the server is there and says no, and when the signal aborts. */
  async outlast(error: unknown, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw error
    if (!isOutage(error)) {
      this.good()
      throw error
    }
    const now = this.#clock.now()
    const since = this.#state.kind === 'lost' ? this.#state.since : now
    // Several may wait at one time: the longer waits are counted once.
    const fresh = this.#state.kind !== 'lost' || now >= this.#state.retryAt
    if (fresh && this.#state.kind === 'lost') this.#wait = Math.min(wait.most, this.#wait * 2)
    this.#state = { kind: 'lost', since, retryAt: now + this.#wait, problem: error.message }
    this.#onChange()
    await sleep(this.#wait, { clock: this.#clock, signal })
  }
}

/** Whether an error says that nobody is there, or not yet: it passes when the server comes back. */
export function isOutage(error: unknown): error is TellurionError {
  if (!(error instanceof TellurionError)) return false
  const status = error.data?.['status']
  return (
    error.code === 'server_unreachable' || (error.retryable && (status === 502 || status === 503 || status === 504))
  )
}
