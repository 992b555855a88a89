// Places for interpreters: as many live at one time as there are places; who comes later waits in line, up to a bound.

import { abortReason } from '../abort/abort.ts'
import { TellurionError } from '../error/error.ts'

/** Who may wait at most. */
const line = 64

/** A number of places. */
export class Places {
  #free: number
  readonly #waiting: ((granted: boolean) => void)[] = []
  /** Whoever has a place that is not needed just now, in the order of coming. */
  readonly #idle = new Set<() => boolean>()

  constructor(count: number) {
    this.#free = count
  }

  /** Whether somebody waits for one. */
  get areWanted(): boolean {
    return this.#waiting.length > 0
  }

  /** Takes note of somebody who may be asked for their place, and says whether they give it back. Returns the end of it. */
  mayAsk(giveUp: () => boolean): () => void {
    this.#idle.add(giveUp)
    return () => this.#idle.delete(giveUp)
  }

  /** A place, when there is one; what it resolves with gives it back. Rejects with `channel_full` where 64 wait already. */
  async take(signal: AbortSignal | undefined): Promise<() => void> {
    if (signal?.aborted) throw abortReason(signal)
    if (this.#free > 0) this.#free--
    else await this.#wait(signal)
    let given = false
    return () => {
      if (given) return
      given = true
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next(true)
    }
  }

  /** Sends away who waits. */
  close(): void {
    for (const each of this.#waiting.splice(0)) each(false)
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiting.length >= line) {
      throw new TellurionError('channel_full', `${line} pieces of code wait for a sandbox already; try again later.`)
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1)
        reject(abortReason(signal))
      }
      const enter = (granted: boolean): void => {
        signal?.removeEventListener('abort', leave)
        if (granted) resolve()
        else reject(new TellurionError('sandbox_closed', 'The sandbox was closed.'))
      }
      signal?.addEventListener('abort', leave, { once: true })
      this.#waiting.push(enter)
      for (const giveUp of this.#idle) if (giveUp()) break
    })
  }
}
