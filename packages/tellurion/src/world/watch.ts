// Watching: subscribers of a world's events. They see records in order, cannot write, and cannot hurt each other.

import { errorData } from '../error/error.ts'
import type { EventRecord } from '../event/event.ts'

/** What a subscriber does with an event. A promise it returns is not waited for. */
export type Watcher = (event: never) => unknown

/** The subscribers of one world. */
export class Watchers {
  /** True while subscribers are being called. */
  delivering = false
  readonly #byType: Map<string, Set<{ readonly fn: Watcher }>> = new Map()
  readonly #fail: (record: EventRecord) => void

  constructor(fail: (record: EventRecord) => void) {
    this.#fail = fail
  }

  /** Subscribes to one type, or to `*`; the returned function unsubscribes and may be called twice. */
  add(type: string, fn: Watcher): () => void {
    const subscription = { fn }
    let set = this.#byType.get(type)
    if (set === undefined) this.#byType.set(type, (set = new Set()))
    set.add(subscription)
    return () => {
      set.delete(subscription)
    }
  }

  /** Calls the subscribers of the record's type and those of `*`. */
  deliver(record: EventRecord): void {
    const outer = this.delivering
    this.delivering = true
    let failures: unknown[] | undefined
    try {
      failures = this.#call(this.#byType.get(record.type), record, failures)
      failures = this.#call(this.#byType.get('*'), record, failures)
    } finally {
      this.delivering = outer
    }
    if (failures !== undefined) for (const failure of failures) this.#report(record, failure)
  }

  #call(
    set: Set<{ readonly fn: Watcher }> | undefined,
    record: EventRecord,
    before: unknown[] | undefined,
  ): unknown[] | undefined {
    if (set === undefined) return before
    let failures = before
    for (const { fn } of set) {
      try {
        const result: unknown = fn(record as never)
        if (result instanceof Promise) result.catch((error: unknown) => this.#report(record, error))
      } catch (error) {
        ;(failures ??= []).push(error)
      }
    }
    return failures
  }

  #report(record: EventRecord, failure: unknown): void {
    // A subscriber of failures that itself fails is not reported: it would never end.
    if (record.type === 'subscriber.failed') return
    const error = errorData(failure, 'subscriber_failed')
    this.#fail({ type: 'subscriber.failed', event: record.type, error } as EventRecord)
  }
}
