// The pulse: one timer that beats for all open streams and sockets, as long as there is one.

import type { Clock } from 'tellurion/world'

/** Beats at equal times. */
export interface Pulse {
  /** Calls `beat` from now on; gives what ends that. */
  join(beat: () => void): () => void
}

/** Makes a pulse that beats every so many milliseconds. */
export function createPulse(clock: Clock, every: number): Pulse {
  const members = new Set<() => void>()
  let stopTimer: (() => void) | undefined

  const later = (): void => {
    stopTimer = clock.timer(every, () => {
      later()
      for (const beat of members) beat()
    })
  }
  return {
    join(beat) {
      // The same function may come twice.
      const member = (): void => beat()
      members.add(member)
      if (stopTimer === undefined) later()
      return () => {
        members.delete(member)
        if (members.size > 0) return
        stopTimer?.()
        stopTimer = undefined
      }
    },
  }
}
