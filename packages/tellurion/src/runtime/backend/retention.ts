// How much of a branch's past may go, as one pure question that every store asks before it drops rows. What is kept
// begins with a snapshot, so that everything after it can still be read; what other branches stand on is kept.

import type { BranchRecord } from '../run.ts'
import { firstSeq, firstWhere, headOf, type JournalIndex } from './lineage.ts'

/** What a store says of a branch whose past is to be cut. */
export interface Standing {
  /** Rows that other branches begin behind. */
  readonly forks: readonly number[]
  /** The first tick of each run of it that has begun and not ended. */
  readonly liveTicks: readonly number[]
  /** The newest row up to `seq` that has a snapshot. */
  newestSnapshot(seq: number): number | undefined
}

/**
 * The first row to be kept of a branch: the newest that has a snapshot and behind which nothing is younger than `before`,
 * belongs to a live run, or is the past of another branch. Undefined when nothing goes.
 */
export function cutOf(
  index: JournalIndex,
  branch: BranchRecord,
  { before, standing }: { readonly before: number; readonly standing: Standing },
): number | undefined {
  const first = firstSeq(branch)
  const head = headOf(index, branch)
  const oldest = index.oldest(branch)
  const firstTick = Math.min(...standing.liveTicks)
  const isNeeded = (seq: number): boolean => {
    const mark = index.mark(branch, seq)
    // The row that ended the tick before a run's first is not the run's, but its own may bear that number too.
    return mark === undefined || mark.at >= before || mark.tick >= firstTick - 1
  }
  const needed = firstWhere(oldest, head.seq + 1, isNeeded)
  const last = Math.min(needed, head.seq, ...standing.forks.filter((seq) => seq >= first))
  const cut = standing.newestSnapshot(last)
  return cut === undefined || cut <= first ? undefined : cut
}
