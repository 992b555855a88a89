// Finding the events of one run among the rows of a long session: the right row, and few of them looked at.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { BranchRecord } from '../run.ts'
import { rowOfEvent, type JournalIndex, type Mark } from './lineage.ts'

const branch: BranchRecord = { id: 'b', session: 's', createdAt: 0 }

/** A branch of these rows, and how many of them were looked at. */
function indexOf(rows: readonly Mark[]) {
  const seen = { marks: 0 }
  const index: JournalIndex = {
    branch: () => branch,
    head: () => rows.length - 1,
    oldest: () => 0,
    mark: (_branch, seq) => {
      seen.marks++
      return rows[seq]
    },
  }
  return { index, seen, place: { branch, seq: rows.length - 1 } }
}

/** Rows of runs one after another; each run ends a tick with each of its rows, and a row brings so many events. */
function rowsOf(runs: readonly (readonly number[])[]): { rows: Mark[]; firstTicks: number[] } {
  const rows: Mark[] = []
  const firstTicks: number[] = []
  let tick = 0
  for (const [number, counts] of runs.entries()) {
    firstTicks.push(tick + 1)
    let event = 0
    for (const count of counts) {
      event += count
      // The first of two rows is written in the middle of its tick.
      const finished = rows.length % 2 === 1
      if (finished) tick++
      rows.push({ run: `run_${number}`, tick, finished, event, at: 0 })
    }
  }
  return { rows, firstTicks }
}

describe('the row of an event', () => {
  test('is the first behind which the run has more, whatever lies around the run', () => {
    const run = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 0, maxLength: 9 })
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 12 }), fc.nat(), fc.nat(12), (runs, chosen, after) => {
        const number = chosen % runs.length
        const { rows, firstTicks } = rowsOf(runs)
        const { index, place } = indexOf(rows)
        const found = rowOfEvent(index, place, { run: `run_${number}`, firstTick: firstTicks[number]!, after })
        const wanted = rows.findIndex((row) => row.run === `run_${number}` && row.event > after)
        assert.equal(found, wanted === -1 ? rows.length : wanted)
      }),
    )
  })

  test('is found where a run was given another try after others', () => {
    const { rows, firstTicks } = rowsOf([[1, 1], [2, 2], [3, 3, 3], [1]])
    rows.push({ run: 'run_0', tick: rows.at(-1)!.tick, finished: false, event: 5, at: 0 })
    const { index, place } = indexOf(rows)
    for (const [after, row] of [1, 1, 8, 8, 8].entries()) {
      if (after === 0) continue
      assert.equal(rowOfEvent(index, place, { run: 'run_0', firstTick: firstTicks[0]!, after }), row)
    }
  })

  test('is found among 4,000 runs of a session without looking at most of it', () => {
    const { rows, firstTicks } = rowsOf(Array.from({ length: 4000 }, () => [1, 2, 0, 3]))
    for (const number of [0, 1, 1999, 3998, 3999]) {
      const { index, place, seen } = indexOf(rows)
      const found = rowOfEvent(index, place, { run: `run_${number}`, firstTick: firstTicks[number]!, after: 3 })
      assert.equal(found, number * 4 + 3)
      assert.ok(seen.marks < 60, `${seen.marks} of ${rows.length} rows`)
    }
  })
})
