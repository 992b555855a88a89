// A queue over a store that can say what is claimable: the run's row is its place in the queue, so nothing is enqueued
// twice and nothing can be lost between the two. Every queued run is delivered, whoever created it.

import type { Clock } from '../../clock/clock.ts'
import type { Hints } from '../hints.ts'
import type { Consumer, RunQueue } from '../run-queue.ts'

/** Without a hint it is looked for work this often, in milliseconds. */
const pollEvery = 1_000
/** A run that was handed out and not begun is handed out again after this many milliseconds. */
const declinedFor = 1_000

/** What can be claimed. */
export interface Claimable {
  readonly run: string
  readonly epoch: number
}

/** The rows of the queue, read at once and without waiting. */
export interface ClaimTable {
  /** Runs that an attempt could begin, highest priority first, oldest first inside a priority. */
  claimable(filter: {
    readonly agents?: readonly string[]
    readonly now: number
    readonly limit: number
  }): readonly Claimable[]
  /** The instant at which the next queued run that has to wait may be claimed. */
  nextAvailable(now: number): number | undefined
}

/** Makes a queue. What several consumers of a process take is never handed out twice at a time. */
export function createTableQueue(table: ClaimTable, { hints, clock }: { hints: Hints; clock: Clock }): RunQueue {
  const handedOut = new Set<string>()
  const declined = new Map<string, { readonly epoch: number; readonly until: number }>()

  /** Items to hand out, at most `room`, and whether others might be once something of what is handed out is over. */
  const take = (
    { agents }: Consumer,
    room: number,
  ): { readonly items: readonly Claimable[]; readonly rest: boolean } => {
    if (room <= 0) return { items: [], rest: true }
    const now = clock.now()
    const passed = clock.monotonic()
    // The oldest come first.
    for (const [run, { until }] of declined) {
      if (until > passed) break
      declined.delete(run)
    }
    const limit = room + handedOut.size + declined.size
    const found = table.claimable({ ...(agents === undefined ? {} : { agents }), now, limit })
    const free = found.filter(({ run, epoch }) => !handedOut.has(run) && declined.get(run)?.epoch !== epoch)
    const items = free.slice(0, room)
    return { items, rest: found.length > items.length || found.length >= limit }
  }
  const deliver = async (consumer: Consumer, { run, epoch }: Claimable): Promise<void> => {
    handedOut.add(run)
    try {
      await consumer.deliver(run)
    } finally {
      handedOut.delete(run)
      declined.delete(run)
      declined.set(run, { epoch, until: clock.monotonic() + declinedFor })
    }
  }
  /** Milliseconds until it is worth looking again by itself. */
  const pause = (): number => {
    const now = clock.now()
    const next = Math.min(now + pollEvery, table.nextAvailable(now) ?? Infinity)
    return Math.max(1, next - now)
  }

  return {
    // Its row is there already, and the store that wrote it has said so.
    async enqueue() {},
    async consume(consumer, { signal }) {
      const open = new Set<Promise<void>>()
      let isLeft = false
      const bell = createBell(clock)
      const deaf = hints.listen((hint) => hint.type === 'queue' && bell.ring())
      signal.addEventListener('abort', bell.ring)
      /** Hands out what there is, and says how long to wait for more. */
      const look = (): number => {
        const { items, rest } = take(consumer, Math.floor(consumer.capacity()) - open.size)
        isLeft = rest
        for (const item of items) {
          const work = deliver(consumer, item).catch(() => {})
          open.add(work)
          void work.then(() => {
            open.delete(work)
            // What is new rings by itself.
            if (isLeft) bell.ring()
          })
        }
        return pause()
      }
      try {
        while (!signal.aborted) await bell.wait(unlessBroken(look))
      } finally {
        signal.removeEventListener('abort', bell.ring)
        deaf()
        await Promise.all(open)
      }
    },
    async remove(run) {
      declined.delete(run)
    },
  }
}

/** What a look says. A table that cannot be read now is looked at again later: who works with the store hears why. */
function unlessBroken(look: () => number): number {
  try {
    return look()
  } catch {
    return pollEvery
  }
}

/** Wakes one waiter; a ring that nobody waits for is kept. */
function createBell(clock: Clock): { ring: () => void; wait(ms: number): Promise<void> } {
  let rung = false
  let wake: (() => void) | undefined
  const ring = (): void => {
    rung = true
    wake?.()
  }
  return {
    ring,
    async wait(ms) {
      if (!rung) {
        const woken = Promise.withResolvers<void>()
        wake = woken.resolve
        const cancel = clock.timer(ms, woken.resolve)
        await woken.promise
        cancel()
        wake = undefined
      }
      rung = false
    },
  }
}
