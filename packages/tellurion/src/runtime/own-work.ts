// Working on one run, and on what works for it, in this process and without a queue.

import { TellurionError } from '../error/error.ts'
import type { RunReads } from './run-store.ts'
import { hasEnded, liveStatuses, type RunRecord } from './run.ts'
import type { Setting } from './setting.ts'

/** How long one goes without looking by itself, in milliseconds. */
const lookAgain = 1000

/** What is worked on, and with what. */
export interface OwnWork {
  readonly setting: Setting
  /** Works on a run at once; resolves when the attempt is over. Never rejects. */
  readonly take: (run: string) => Promise<void>
  readonly signal: AbortSignal | undefined
}

/** Works on a run until it has ended or the signal aborts. Throws `unknown_run`, and what the store throws. */
export async function workOn(id: string, { setting, take, signal }: OwnWork): Promise<void> {
  const { backend, clock } = setting
  const { store } = backend
  const below = new Map<string, Promise<void>>()
  let wake = (): void => {}
  const takeBelow = async (run: RunRecord): Promise<void> => {
    await take(run.id)
    below.delete(run.id)
    // One that could not be had is tried again with the next news; a store that fails fails the next look as well.
    const now = await store.getRun(run.id).catch(() => undefined)
    if (now?.epoch !== run.epoch) wake()
  }
  while (!signal?.aborted) {
    const news = Promise.withResolvers<void>()
    wake = (): void => news.resolve()
    const stops = [
      backend.hints.listen((hint) => {
        if (hint.type === 'queue' || hint.run === id) wake()
      }),
      clock.timer(lookAgain, wake),
    ]
    signal?.addEventListener('abort', wake)
    try {
      await store.sweep(clock.now())
      const record = await store.getRun(id)
      if (record === undefined) throw new TellurionError('unknown_run', `There is no run '${id}'.`)
      if (hasEnded(record.status)) break
      if (record.status === 'queued') await take(id)
      else {
        for (const run of await queuedBelow(store, record)) {
          if (!below.has(run.id)) below.set(run.id, takeBelow(run))
        }
      }
      if (signal?.aborted) break
      if ((await store.getRun(id))?.epoch === record.epoch) await news.promise
    } finally {
      signal?.removeEventListener('abort', wake)
      for (const stop of stops) stop()
    }
  }
  await Promise.all(below.values())
}

/** The runs that work for a run, however far below, and wait for a worker. */
async function queuedBelow(store: RunReads, { id: parent }: RunRecord): Promise<readonly RunRecord[]> {
  const children = await store.listRuns({ parent, status: liveStatuses, limit: 1000 })
  const found = children.map((child) => (child.status === 'queued' ? [child] : queuedBelow(store, child)))
  return (await Promise.all(found)).flat()
}
