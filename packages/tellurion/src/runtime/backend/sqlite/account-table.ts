// Accounts in SQLite: one row each, written inside the writer's jobs.

import type { Database } from '../../../store/sqlite/database.ts'
import type { AccountRecord } from '../../account.ts'
import type { AccountTable } from '../account-book.ts'

interface Row {
  readonly id: string
  readonly spent: string
  readonly lent: string
  readonly ends: number | null
}

/** The accounts of a file. */
export function accountTable(database: Database): AccountTable {
  return {
    get(id) {
      const row = database.prepare('SELECT * FROM account WHERE id = ?').get(id) as Row | undefined
      if (row === undefined) return undefined
      const [spent, lent] = [JSON.parse(row.spent), JSON.parse(row.lent)] as [
        AccountRecord['spent'],
        AccountRecord['lent'],
      ]
      return { id, spent, lent, ...(row.ends === null ? {} : { ends: row.ends }) }
    },
    put({ id, spent, lent, ends }) {
      database
        .prepare('INSERT OR REPLACE INTO account (id, spent, lent, ends) VALUES (?, ?, ?, ?)')
        .run(id, JSON.stringify(spent), JSON.stringify(lent), ends ?? null)
    },
  }
}

/** Forgets accounts that ended before an instant. */
export function dropAccounts(database: Database, before: number): void {
  database.prepare('DELETE FROM account WHERE ends < ?').run(before)
}
