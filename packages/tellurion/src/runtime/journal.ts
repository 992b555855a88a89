// The journal of one attempt: numbers its commits, writes snapshots when the tail outweighs them, and knows what the
// last commit left behind. The first refused commit ends the attempt.

import type { Clock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import type { EventRecord, Interaction } from '../event/event.ts'
import type { Delta } from '../world/delta.ts'
import { snapshot } from '../world/snapshot.ts'
import type { World } from '../world/world.ts'
import type { Inbox } from './inbox.ts'
import type { RunRecord } from './run.ts'
import type { Commit, CommitResult, NewMail, NewRun, RunEnd, RunStore } from './run-store.ts'
import type { Standing } from './shelf.ts'

/** A snapshot is written when the tail is larger than this many bytes, and than a quarter of the last snapshot. */
const minTail = 65_536

/** What a commit says besides its delta. */
export interface Entry {
  readonly end?: RunEnd
  readonly events?: readonly EventRecord[]
  readonly interactions?: readonly Interaction[]
  /** Runs that begin with this row, and mail that goes out with it. */
  readonly children?: readonly NewRun[]
  readonly sends?: readonly NewMail[]
  /** What was taken in since the last commit is void: that mail stays unread. */
  readonly undone?: boolean
  /** The run ends whatever else has come: that mail stays unread too. */
  readonly cut?: boolean
}

/** The journal of an attempt. */
export class Journal {
  readonly #store: RunStore
  readonly #clock: Clock
  readonly #run: RunRecord
  #seq: number
  #events: number
  #sent: number
  #tick: number
  #tailBytes: number
  #snapshotBytes: number
  #since: number
  #read: number
  #whole = false
  readonly #inbox: Inbox
  #last: Promise<unknown> = Promise.resolve()

  constructor(
    run: RunRecord,
    state: Standing,
    { store, clock, inbox }: { store: RunStore; clock: Clock; inbox: Inbox },
  ) {
    this.#store = store
    this.#inbox = inbox
    this.#clock = clock
    this.#run = run
    this.#seq = state.seq + 1
    this.#events = run.events
    this.#sent = run.events
    this.#tick = state.tick
    this.#tailBytes = state.tailBytes
    this.#snapshotBytes = state.snapshotBytes
    this.#since = clock.monotonic()
    this.#read = run.read
  }

  /** The next commit of a world keeps the whole state: rows in new shapes must not stand behind rows in old ones. */
  beginAnew(): void {
    this.#whole = true
  }

  /** The number that the next row will have: part of every key that is made now. */
  get next(): number {
    return this.#seq
  }

  /** The number of the last event that has gone to the store: kept, or just about to be. */
  get events(): number {
    return this.#sent
  }

  /** How much of the inbox commits have taken in. */
  get read(): number {
    return this.#read
  }

  /** Milliseconds since the attempt began or last ended a stretch. */
  get running(): number {
    return this.#clock.monotonic() - this.#since
  }

  /**
   * Commits a delta of `world`; without one, a row that changes no state. Resolves with `mail` only where the entry ends
   * the run and newer mail is there; rejects with `run_fenced` when the attempt has lost its run.
   */
  async commit(delta: Delta, world: World | undefined, entry: Entry = {}): Promise<'committed' | 'mail'> {
    const tick = world?.header.tick ?? this.#tick
    const events = entry.events === undefined ? delta.records : [...delta.records, ...entry.events]
    const outweighs = this.#tailBytes > Math.max(minTail, this.#snapshotBytes / 4)
    const whole = world !== undefined && (this.#whole || outweighs)
    const seq = this.#seq++
    const commit: Commit = {
      run: this.#run.id,
      branch: this.#run.branch,
      seq,
      epoch: this.#run.epoch,
      tick,
      finished: delta.operations.some(
        ([name, header]) => name === 'header' && typeof header === 'object' && 'tick' in header,
      ),
      operations: delta.operations,
      ...(delta.versions === undefined ? {} : { versions: delta.versions }),
      events,
      firstEvent: this.#events + 1,
      read: entry.undone === true ? this.#read : this.#inbox.read,
      now: this.#clock.now(),
      ...(whole ? { snapshot: snapshot(world) } : {}),
      ...(entry.interactions === undefined ? {} : { interactions: entry.interactions }),
      ...(entry.children === undefined ? {} : { children: entry.children }),
      ...(entry.sends === undefined ? {} : { sends: entry.sends }),
      ...(entry.end === undefined ? {} : { end: entry.end, ranFor: this.running }),
      ...(entry.cut === true ? { cut: true } : {}),
    }
    let result: CommitResult
    this.#sent = this.#events + events.length
    try {
      result = await (this.#last = this.#store.commit(commit))
    } catch (error) {
      // Whether it was written may not be known: if it was, the next row is refused.
      this.#seq = seq
      this.#sent = this.#events
      throw error
    }
    if (result.status === 'committed') {
      this.#events += events.length
      this.#tick = tick
      this.#read = commit.read
      this.#tailBytes = whole ? 0 : this.#tailBytes + result.bytes
      if (whole) this.#whole = false
      if (result.snapshotBytes !== undefined) this.#snapshotBytes = result.snapshotBytes
      return 'committed'
    }
    this.#seq = seq
    this.#sent = this.#events
    if (result.status === 'mail') return 'mail'
    throw this.#lost(result)
  }

  /** Resolves when no commit is in flight. */
  async settled(): Promise<void> {
    await this.#last.catch(() => {})
  }

  #lost({ status }: CommitResult): TellurionError {
    const why = status === 'conflict' ? 'its branch has gone on without it' : 'another worker holds it, or it has ended'
    return new TellurionError('run_fenced', `Run ${this.#run.id}, attempt ${this.#run.epoch}: ${why}.`)
  }
}
