// Interpreters by run and language: made when first asked for, lent to one call at a time, closed when they are idle,
// when others need the room, and with the sandbox.

import { isAbort, throwIfAborted } from '../abort/abort.ts'
import type { Clock } from '../clock/clock.ts'
import type { Language, SandboxLimits } from './limit.ts'
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

/** Whose session is wanted, and what it may take should it be a new one. */
export interface Borrowing {
  readonly runId: string
  readonly language: Language
  readonly signal: AbortSignal
  readonly limits?: SandboxLimits | undefined
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
    sandbox.closed.addEventListener('abort', () => {
      for (const { cancel } of this.#kept.values()) cancel()
      this.#kept.clear()
    })
  }

  /** The run's session of a language, when no other call has it. A run without an id gets one that is closed after use. */
  async borrow(given: Borrowing): Promise<Lent> {
    const { runId, language, signal, limits } = given
    if (runId === '') {
      const session = await this.#sandbox.session(language, { signal, limits })
      return { session, isNew: true, giveBack: () => session.close() }
    }
    const key = `${language} ${runId}`
    for (;;) {
      const lent = await this.#lend(key, this.#kept.get(key) ?? this.#open(key, given), signal)
      if (lent !== undefined) return lent
    }
  }

  #open(key: string, { language, signal, limits }: Borrowing): Kept {
    const onWanted = (): boolean => {
      if (kept.users > 0) return false
      void this.#drop(key, kept)
      return true
    }
    // By the time room is made this one has its user.
    const opening = Promise.resolve()
      .then(() => this.#makeRoom())
      .then(() => this.#sandbox.session(language, { signal, limits, onWanted }))
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
      const session = await kept.opening.catch(() => undefined)
      const isSpare = kept.users === 0 && (this.#kept.size > this.#most || session?.isWanted === true)
      if (session?.isLive !== true || isSpare) await this.#drop(key, kept)
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
      if (this.#kept.size <= this.#most) return
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
