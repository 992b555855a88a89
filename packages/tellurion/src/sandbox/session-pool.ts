// Interpreters by run and language: made when first asked for, lent to one call at a time, closed when they are idle,
// when others need the room, and with the sandbox.

import { isAbort, throwIfAborted } from '../abort/abort.ts'
import type { Clock } from '../clock/clock.ts'
import type { Language } from './limit.ts'
import type { Sandbox, SandboxSession } from './sandbox.ts'

/** A session that a call has for itself. */
export interface Lent {
  readonly session: SandboxSession
  /** Whether nothing has run in it yet. */
  readonly isNew: boolean
  giveBack(): Promise<void>
}

interface Kept {
  readonly opening: Promise<SandboxSession>
  isUsed: boolean
  /** Calls that have it or wait for it. */
  users: number
  /** Settles when the call that came last gives it back. */
  turn: Promise<void>
  /** Takes back the timer of its idleness. */
  cancel: () => void
}

/** Sessions of one sandbox. */
export class SessionPool {
  readonly #sandbox: Sandbox
  readonly #most: number
  readonly #idle: number
  readonly #clock: Clock
  /** By key, the one unused for longest first. */
  readonly #kept = new Map<string, Kept>()

  constructor(
    sandbox: Sandbox,
    { most, idle, clock }: { readonly most: number; readonly idle: number; readonly clock: Clock },
  ) {
    this.#sandbox = sandbox
    this.#most = most
    this.#idle = idle
    this.#clock = clock
  }

  /** The run's session of a language, when no other call has it. A run without an id gets one that is closed after use. */
  async borrow(runId: string, language: Language, signal: AbortSignal): Promise<Lent> {
    if (runId === '') {
      const session = await this.#sandbox.session(language, { signal })
      return { session, isNew: true, giveBack: () => session.close() }
    }
    const key = `${language} ${runId}`
    for (;;) {
      const lent = await this.#lend(key, this.#kept.get(key) ?? this.#open(key, language, signal), signal)
      if (lent !== undefined) return lent
    }
  }

  #open(key: string, language: Language, signal: AbortSignal): Kept {
    const opening = this.#makeRoom().then(() => this.#sandbox.session(language, { signal }))
    const kept: Kept = { opening, isUsed: false, users: 0, turn: Promise.resolve(), cancel: () => {} }
    this.#kept.set(key, kept)
    return kept
  }

  /** Undefined where the session ended while it was waited for. */
  async #lend(key: string, kept: Kept, signal: AbortSignal): Promise<Lent | undefined> {
    kept.cancel()
    kept.users++
    const before = kept.turn
    const { promise, resolve } = Promise.withResolvers<void>()
    kept.turn = promise
    const giveBack = async (): Promise<void> => {
      kept.users--
      const isLive = await kept.opening.then(
        (session) => session.isLive,
        () => false,
      )
      if (!isLive || (kept.users === 0 && this.#kept.size > this.#most)) await this.#drop(key, kept)
      else if (kept.users === 0) this.#rest(key, kept)
      resolve()
    }
    try {
      await before
      const session = await kept.opening
      throwIfAborted(signal)
      if (session.isLive) {
        const isNew = !kept.isUsed
        kept.isUsed = true
        return { session, isNew, giveBack }
      }
    } catch (error) {
      await giveBack()
      // Who opened it may have been cancelled; that is not why another call fails.
      if (signal.aborted || !isAbort(error)) throw error
      return undefined
    }
    await giveBack()
    return undefined
  }

  /** Puts it behind all others, and closes it should nobody come. */
  #rest(key: string, kept: Kept): void {
    if (this.#kept.get(key) !== kept) return
    this.#kept.delete(key)
    this.#kept.set(key, kept)
    kept.cancel = this.#clock.timer(this.#idle, () => void this.#drop(key, kept))
  }

  async #makeRoom(): Promise<void> {
    for (const [key, kept] of this.#kept) {
      if (this.#kept.size < this.#most) return
      if (kept.users === 0) await this.#drop(key, kept)
    }
  }

  async #drop(key: string, kept: Kept): Promise<void> {
    kept.cancel()
    if (this.#kept.get(key) === kept) this.#kept.delete(key)
    await kept.opening.then(
      (session) => session.close(),
      () => {},
    )
  }
}
