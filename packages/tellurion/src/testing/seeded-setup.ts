// Time, chance and names under control: with the same seed everything takes the same course again.

import { countedIds, type Ids } from '../id/id.ts'
import { seededRandom, type Random } from '../id/random.ts'
import { virtualClock, type VirtualClock } from './virtual-clock.ts'

/** The three ports through which the outside gets into a run. */
export interface SeededSetup {
  readonly clock: VirtualClock
  readonly random: Random
  readonly ids: Ids
}

/** A virtual clock at `start` (default 0) milliseconds, a generator with `seed` (default 1), and ids that count from 1. */
export function seededSetup(seed = 1, options: { readonly start?: number } = {}): SeededSetup {
  return { clock: virtualClock(options.start), random: seededRandom(seed), ids: countedIds() }
}
