// Rates: token buckets by key, filled over time. What is full is forgotten, so that only who asks now takes room.

import type { Clock } from 'tellurion/world'

/** How much is let through. */
export interface RateOptions {
  /** Takings a minute. */
  readonly perMinute: number
  /** Takings at one time. */
  readonly burst: number
  readonly clock: Clock
}

/** Buckets by key. */
export interface Rate {
  /** Takes one; 0 when there was one, else the seconds until there is. */
  take(key: string): number
}

/** Most keys that are remembered; past it those go that are fullest. */
const most = 10_000

/** Makes buckets that are full at first. */
export function createRate({ perMinute, burst, clock }: RateOptions): Rate {
  const perMillisecond = perMinute / 60_000
  const buckets = new Map<string, { level: number; at: number }>()
  const filled = (bucket: { level: number; at: number }, now: number): number =>
    Math.min(burst, bucket.level + (now - bucket.at) * perMillisecond)

  const forget = (now: number): void => {
    for (const [key, bucket] of buckets) if (filled(bucket, now) >= burst) buckets.delete(key)
    for (const key of buckets.keys()) {
      if (buckets.size < most) break
      buckets.delete(key)
    }
  }
  return {
    take(key) {
      const now = clock.monotonic()
      let bucket = buckets.get(key)
      if (bucket === undefined) {
        if (buckets.size >= most) forget(now)
        buckets.set(key, (bucket = { level: burst, at: now }))
      }
      bucket.level = filled(bucket, now)
      bucket.at = now
      if (bucket.level < 1) return Math.ceil((1 - bucket.level) / perMillisecond / 1000)
      bucket.level--
      return 0
    },
  }
}
