// Seats: how many streams and sockets a user has open, and that there are no more than may be.

import { RequestError } from './failure.ts'

/** The seats of a server. */
export interface Seats {
  /** Takes one for a user; gives what gives it back. Throws `rate_limited` when all are taken. */
  take(user: string): () => void
}

/** Makes so many seats a user; `what` says what takes them. */
export function createSeats(most: number, what = 'streams and sockets open; close some first'): Seats {
  const taken = new Map<string, number>()
  return {
    take(user) {
      const count = taken.get(user) ?? 0
      if (count >= most) {
        throw new RequestError('rate_limited', `You have ${most} ${what}.`)
      }
      taken.set(user, count + 1)
      let given = false
      return () => {
        if (given) return
        given = true
        const left = (taken.get(user) ?? 1) - 1
        if (left > 0) taken.set(user, left)
        else taken.delete(user)
      }
    },
  }
}
