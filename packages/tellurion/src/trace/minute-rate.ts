// Rates: how much there was in the last minute, second by second.

/** Seconds that are looked back on. */
const seconds = 60

/** What happens, by second. Instants are milliseconds. */
export interface MinuteRate {
  /** Counts what happened at an instant; what is older than a minute before the newest does not count any more. */
  add(at: number, amount?: number): void
  /** How much there was in the 60 seconds before an instant. */
  total(now: number): number
}

/** Makes a rate. */
export function createMinuteRate(): MinuteRate {
  const amounts = new Float64Array(seconds)
  let newest = -Infinity

  const moveTo = (second: number): void => {
    if (second <= newest) return
    const gap = Math.min(seconds, second - newest)
    for (let step = 1; step <= gap; step++) amounts[slot(second - gap + step)] = 0
    newest = second
  }
  return {
    add(at, amount = 1) {
      const second = Math.floor(at / 1000)
      if (second <= newest - seconds) return
      moveTo(second)
      amounts[slot(second)]! += amount
    },
    total(now) {
      moveTo(Math.floor(now / 1000))
      return amounts.reduce((sum, amount) => sum + amount, 0)
    },
  }
}

function slot(second: number): number {
  return ((second % seconds) + seconds) % seconds
}
