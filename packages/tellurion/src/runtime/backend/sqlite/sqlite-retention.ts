// Dropping what is past retention from the tables of durable runs, in batches: looking is a read, dropping part of a
// writer's job.

import type { Database } from '../../../store/sqlite/database.ts'
import type { JournalIndex } from '../lineage.ts'
import { cutOf } from '../retention.ts'
import { branchRow, journalIndex, type BranchRow } from './journal.ts'
import { readRow, selectRun } from './run-row.ts'

/** Branches that are looked at by one call; the next goes on behind them. */
const branchesAtOnce = 1_000

/** The highest number that a row can have. */
const lastSeq = 4_294_967_295

/** The retention of one open file. */
export class SqliteRetention {
  readonly #database: Database
  readonly #index: JournalIndex
  /** Key of the branch behind which the next call begins to look. */
  #last = 0

  constructor(database: Database) {
    this.#database = database
    this.#index = journalIndex(database)
  }

  /** The next branches of which something may go. */
  due(before: number): readonly BranchRow[] {
    const next = this.#database.prepare('SELECT * FROM branch WHERE key > ? ORDER BY key LIMIT ?')
    const branches = next.all(this.#last, branchesAtOnce).map(branchRow)
    const found = branches.filter((branch) => this.#range(branch, before) !== undefined)
    const [first] = found
    // What has something to go is looked at again, for one call may not drop it all.
    if (first !== undefined) this.#last = first.key - 1
    else this.#last = branches.length < branchesAtOnce ? 0 : branches.at(-1)!.key
    return found
  }

  /** Drops at most `limit` rows of these branches; how many went. */
  drop(branches: readonly BranchRow[], before: number, limit: number): number {
    let left = limit
    for (const branch of branches) {
      const range = left > 0 ? this.#range(branch, before) : undefined
      if (range === undefined) continue
      const { from, cut } = range
      const place = 'BETWEEN (?1 << 32) AND (?1 << 32) + ?2'
      // Nothing before the cut can be read any more, however much of it goes now.
      this.#database.prepare(`DELETE FROM snapshot WHERE id ${place}`).run(branch.key, cut - 1)
      const drop = this.#database.prepare(`DELETE FROM journal WHERE id ${place}`)
      left -= Number(drop.run(branch.key, Math.min(cut, from + left) - 1).changes)
    }
    return limit - left
  }

  /** From which row on, and up to which without it, a branch has what may go. */
  #range(branch: BranchRow, before: number): { readonly from: number; readonly cut: number } | undefined {
    const newest = this.#newestSnapshot(branch, lastSeq)
    const from = newest === undefined ? undefined : this.#first(branch)
    // Most branches have nothing to go, which these two reads say.
    if (newest === undefined || from === undefined || from >= newest) return undefined
    const standing = {
      forks: this.#forks(branch),
      liveTicks: this.#liveTicks(branch),
      newestSnapshot: (seq: number) => this.#newestSnapshot(branch, seq),
    }
    const cut = cutOf(this.#index, branch, { before, standing })
    return cut === undefined || cut <= from ? undefined : { from, cut }
  }

  #first({ key }: BranchRow): number | undefined {
    const first = this.#database.prepare(
      `SELECT id & 4294967295 AS seq FROM journal
       WHERE id BETWEEN (?1 << 32) AND (?1 << 32) + 4294967295 ORDER BY id LIMIT 1`,
    )
    return (first.get(key) as { seq: number } | undefined)?.seq
  }

  #newestSnapshot({ key }: BranchRow, seq: number): number | undefined {
    if (seq < 0) return undefined
    const newest = this.#database.prepare(
      `SELECT id & 4294967295 AS seq FROM snapshot
       WHERE id BETWEEN (?1 << 32) AND (?1 << 32) + ?2 ORDER BY id DESC LIMIT 1`,
    )
    return (newest.get(key, seq) as { seq: number } | undefined)?.seq
  }

  #forks({ id, session }: BranchRow): readonly number[] {
    const forks = this.#database.prepare('SELECT parent_seq AS seq FROM branch WHERE session = ? AND parent = ?')
    return forks.all(session, id).map(({ seq }) => seq as number)
  }

  #liveTicks({ key }: BranchRow): readonly number[] {
    const live = this.#database.prepare(`${selectRun} WHERE r.branch = ? AND r.live = 1`).all(key)
    return live.flatMap((row) => {
      const { epoch, firstTick } = readRow(this.#database, row).record
      return epoch === 0 ? [] : [firstTick]
    })
  }
}
