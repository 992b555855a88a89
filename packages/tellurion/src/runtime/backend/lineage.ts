// The past of a branch: which rows of which branches it is made of, and where in it a tick ended. Rows of a branch are
// numbered without gaps and their ticks never fall, so places are found by halving.

import type { BranchRecord } from '../run.ts'

/** What a store says about its journal, at once and without waiting. */
export interface JournalIndex {
  branch(id: string): BranchRecord | undefined
  /** Number of the last row of a branch itself; its first number minus one when it has none. */
  head(branch: BranchRecord): number
  /**
   * Number of the first row of a branch itself from which on everything is kept: its first, or one with a snapshot when
   * older ones were dropped. Its first number when it has none.
   */
  oldest(branch: BranchRecord): number
  /** A row of the branch itself. */
  mark(branch: BranchRecord, seq: number): Mark | undefined
}

/** What is asked of a row without reading it. `event` is the number of the run's last event after it. */
export interface Mark {
  readonly run: string
  readonly tick: number
  readonly finished: boolean
  readonly event: number
  /** Wall time in milliseconds at which it was written. */
  readonly at: number
}

/** A row's place. `seq` -1 of a branch without parent is the empty beginning. */
export interface Place {
  readonly branch: BranchRecord
  readonly seq: number
}

/**
 * The number of the one row that a branch begins with when it begins with a state: row 0, and all that went before it,
 * are as good as dropped.
 */
export const stateSeq = 1

/** The number that the first row of a branch itself has. */
export function firstSeq({ parent }: BranchRecord): number {
  return parent === undefined ? 0 : parent.seq + 1
}

/** The branch and its ancestors, newest first, each with the last of its rows that belongs to the past of `place`. */
export function* pastOf(index: JournalIndex, place: Place): Generator<Place> {
  let here: Place | undefined = place
  while (here !== undefined) {
    yield here
    const parent: BranchRecord['parent'] = here.branch.parent
    const branch: BranchRecord | undefined = parent === undefined ? undefined : index.branch(parent.branch)
    here = branch === undefined || parent === undefined ? undefined : { branch, seq: Math.min(parent.seq, here.seq) }
  }
}

/** The branch's own place: its last row. */
export function headOf(index: JournalIndex, branch: BranchRecord): Place {
  return { branch, seq: index.head(branch) }
}

/**
 * Where tick `tick` ended in the past of a branch, if that is kept. Tick 0 is the empty beginning unless a row ended it.
 */
export function placeOfTick(index: JournalIndex, branch: BranchRecord, tick: number): Place | undefined {
  if (!Number.isSafeInteger(tick) || tick < 0) return undefined
  let root: Place | undefined
  for (const part of pastOf(index, headOf(index, branch))) {
    const first = index.oldest(part.branch)
    const isWhole = first === firstSeq(part.branch) || part.seq < firstSeq(part.branch)
    root = part.branch.parent === undefined && isWhole ? part : undefined
    const tickOf = (seq: number): number => index.mark(part.branch, seq)?.tick ?? Infinity
    for (let seq = firstWhere(first, part.seq + 1, (at) => tickOf(at) > tick) - 1; seq >= first; seq--) {
      const mark = index.mark(part.branch, seq)
      if (mark === undefined || mark.tick < tick) return undefined
      if (mark.finished) return { branch: part.branch, seq }
    }
  }
  return tick === 0 && root !== undefined ? { ...root, seq: -1 } : undefined
}

/** The tick after a branch's last row; 0 for an empty one. */
export function headTick(index: JournalIndex, branch: BranchRecord): number {
  for (const { branch: part, seq } of pastOf(index, headOf(index, branch))) {
    const mark = seq < firstSeq(part) ? undefined : index.mark(part, seq)
    if (mark !== undefined) return mark.tick
  }
  return 0
}

/** Events of a run that are looked for: after a number. `firstTick` is the first that the run worked on. */
export interface EventSearch {
  readonly run: string
  readonly firstTick: number
  readonly after: number
}

/**
 * The first row of a branch itself behind which the run has more than `after` events; past the head when there is none.
 * What it takes depends on the length of the run, and hardly on what was said before and after it.
 */
export function rowOfEvent(index: JournalIndex, place: Place, { run, firstTick, after }: EventSearch): number {
  const { branch, seq: head } = place
  const tickOf = (seq: number): number => index.mark(branch, seq)?.tick ?? Infinity
  const oldest = index.oldest(branch)
  // Who reads a run mostly reads the newest of its session, so the search begins at the head.
  let back = 1
  while (head - back >= oldest && tickOf(head - back) >= firstTick - 1) back *= 2
  // A run begins in the tick that the one before it left.
  const low = firstWhere(Math.max(oldest, head - back), head + 1, (seq) => tickOf(seq) >= firstTick - 1)
  /** Events of the run up to a row. Rows of other runs lie between only where a dead letter was given another try. */
  const eventsUpTo = (seq: number): number => {
    for (let at = seq; at >= low; at--) {
      const mark = index.mark(branch, at)
      if (mark?.run === run) return mark.event
    }
    return 0
  }
  let reach = 1
  while (low + reach <= head && eventsUpTo(low + reach) <= after) reach *= 2
  return firstWhere(low, Math.min(low + reach, head + 1), (seq) => eventsUpTo(seq) > after)
}

/**
 * The places in which the events of a run lie, oldest first, each with the last of its rows that counts: its branch, and
 * before it the one that it stood on until it was put aside.
 */
export function placesOfRun(index: JournalIndex, branch: BranchRecord, run: string): readonly Place[] {
  const { parent } = branch
  const before = parent === undefined ? undefined : index.branch(parent.branch)
  const isMoved = before !== undefined && index.mark(before, parent!.seq)?.run === run
  return [...(isMoved ? [{ branch: before, seq: parent!.seq }] : []), headOf(index, branch)]
}

/** The last row of a run that has written some; undefined when it is not kept. */
export function lastPlaceOf(
  index: JournalIndex,
  branch: BranchRecord,
  { id: run, firstTick, events }: { readonly id: string; readonly firstTick: number; readonly events: number },
): Place | undefined {
  if (events === 0) return undefined
  const head = headOf(index, branch)
  let seq = rowOfEvent(index, head, { run, firstTick, after: events - 1 })
  if (index.mark(branch, seq)?.run !== run) return undefined
  while (seq < head.seq && index.mark(branch, seq + 1)?.run === run) seq++
  return { branch, seq }
}

/** The least number in [low, high) for which `holds`, which stays true once it is; `high` when there is none. */
export function firstWhere(low: number, high: number, holds: (at: number) => boolean): number {
  let [from, to] = [low, high]
  while (from < to) {
    const middle = Math.floor((from + to) / 2)
    if (holds(middle)) to = middle
    else from = middle + 1
  }
  return from
}
