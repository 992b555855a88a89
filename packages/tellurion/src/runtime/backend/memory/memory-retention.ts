// Dropping what is past retention from the tables in memory.

import { cutOf } from '../retention.ts'
import type { BranchTable, Tables } from './memory-tables.ts'

/** Drops at most `limit` rows that nothing needs and that were written before `before`; how many went. */
export function pruneMemory(tables: Tables, before: number, limit: number): number {
  let left = limit
  for (const table of tables.branches.values()) {
    const standing = {
      forks: forksOf(tables, table),
      liveTicks: Array.from(table.live).flatMap(({ record }) => begunTick(record)),
      newestSnapshot(seq: number) {
        const found = table.rows.findLastIndex(({ snapshot }, at) => table.first + at <= seq && snapshot !== undefined)
        return found < 0 ? undefined : table.first + found
      },
    }
    const cut = cutOf(tables, table.record, { before, standing })
    const count = Math.min(left, (cut ?? 0) - table.first)
    if (cut === undefined || count <= 0) continue
    // Nothing before the cut can be read any more, however much of it goes now.
    for (const [index, { snapshot: _snapshot, ...row }] of table.rows.slice(0, cut - table.first).entries()) {
      table.rows[index] = row
    }
    table.rows.splice(0, count)
    table.first += count
    left -= count
  }
  return limit - left
}

/** Forks belong to the session of their source. */
function forksOf({ own }: Tables, { record: { id, session } }: BranchTable): number[] {
  return (own.get(session) ?? []).flatMap(({ record: { parent } }) => (parent?.branch === id ? [parent.seq] : []))
}

function begunTick({ epoch, firstTick }: { readonly epoch: number; readonly firstTick: number }): number[] {
  return epoch === 0 ? [] : [firstTick]
}
