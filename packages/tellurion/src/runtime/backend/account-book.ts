// The book of accounts that every store keeps in its own tables: lending when a run is created or tried again, settling
// when it ends. Part of the store's own transactions.

import type { Amounts } from '../../agent/budget.ts'
import {
  freshAccount,
  grantFrom,
  lentFrom,
  settledWith,
  wholeOf,
  type AccountClaim,
  type AccountRecord,
  type Grant,
} from '../account.ts'
import { hasEnded, type RunRecord } from '../run.ts'
import type { Commit, NewRun } from '../run-store.ts'

/** What asks. */
type Asking = Pick<NewRun, 'accounts' | 'limits'>

/** Where accounts stand. */
export interface AccountTable {
  get(id: string): AccountRecord | undefined
  put(record: AccountRecord): void
}

/** What a run may have of what it asks for. Changes nothing. */
export function grantTo({ accounts = [], limits }: Asking, table: AccountTable): Grant {
  return grantFrom(
    accounts.map((claim) => ({ claim, record: recordOf(claim, table) })),
    limits,
  )
}

/** Lends a run what was granted; gives back what its record has to say of it. */
export function lendTo({ accounts = [], limits }: Asking, grant: Grant, table: AccountTable): Pick<NewRun, 'limits'> {
  if (grant.status === 'refused' || (limits === undefined && accounts.length === 0)) return {}
  for (const claim of accounts) table.put(lentFrom(recordOf(claim, table), grant.limits))
  return { limits: grant.limits }
}

/** Settles with a run that ends by this commit. */
export function settleEnd({ accounts = [], limits = {} }: RunRecord, { end }: Commit, table: AccountTable): void {
  if (accounts.length === 0 || end === undefined || !hasEnded(end.to)) return
  const spent: Amounts = 'spent' in end && end.spent !== undefined ? end.spent : wholeOf(limits)
  for (const claim of accounts) table.put(settledWith(recordOf(claim, table), limits, spent))
}

function recordOf(claim: AccountClaim, table: AccountTable): AccountRecord {
  return table.get(claim.id) ?? freshAccount(claim)
}
