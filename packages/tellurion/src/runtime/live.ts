// Live events of the runs of this process: heard by whoever watches now, and remembered for a moment, so that who begins to
// watch a run just after it was submitted has missed nothing.

import type { Event } from '../event/event.ts'

/** A live event, and how many kept ones had gone to the store before it; undefined for what is no part of the work. */
export interface LiveEvent {
  readonly event: Event
  readonly since: number | undefined
}

/** Live events of runs of this process. */
export interface Live {
  send(run: string, event: Event, since?: number): void
  /** Hears what comes; with `recent` first what is remembered. Gives what ends that. */
  listen(run: string, fn: (news: LiveEvent) => void, options?: { readonly recent?: boolean }): () => void
}

/** Events of one run that are remembered at most, the newest, and runs, those that began last. */
const mostEvents = 256
const mostRuns = 64

/** Makes the live events of a process. */
export function createLive(): Live {
  const listeners = new Map<string, Set<(news: LiveEvent) => void>>()
  const recent = new Map<string, LiveEvent[]>()

  const remember = (run: string, news: LiveEvent): void => {
    let events = recent.get(run)
    if (events === undefined) {
      for (const oldest of recent.keys()) {
        if (recent.size < mostRuns) break
        recent.delete(oldest)
      }
      recent.set(run, (events = []))
    }
    events.push(news)
    // Now and then many at once, which costs less than one each time.
    if (events.length >= 2 * mostEvents) events.splice(0, events.length - mostEvents)
  }

  return {
    send(run, event, since) {
      const news = { event, since }
      if (since !== undefined) remember(run, news)
      for (const fn of listeners.get(run) ?? []) fn(news)
    },
    listen(run, fn, options) {
      if (options?.recent === true) for (const news of recent.get(run)?.slice(-mostEvents) ?? []) fn(news)
      let set = listeners.get(run)
      if (set === undefined) listeners.set(run, (set = new Set()))
      set.add(fn)
      return () => {
        set.delete(fn)
        if (set.size === 0 && listeners.get(run) === set) listeners.delete(run)
      }
    },
  }
}
