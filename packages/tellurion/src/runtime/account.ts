// Accounts: what a user or a tenant may spend over all their runs. A run gets its allowance out of them when it is
// created and gives the rest back when it ends, in the same transactions, so that any number of runs at one time can
// never pass together what one could not.

import type { Additive, Amounts } from '../agent/budget.ts'
import { checkLimits } from '../agent/budget-limits.ts'
import type { BudgetLimits } from '../agent/component.ts'
import { TellurionError } from '../error/error.ts'
import { checkOptions } from '../error/option.ts'

/** What an account may spend. */
export type AccountLimits = Pick<BudgetLimits, Additive> & {
  /** Milliseconds after which it begins anew, counted from 1970-01-01 in UTC: 86,400,000 is a day. Never where absent. */
  readonly per?: number
}

/** An account that a run draws on. */
export interface AccountClaim {
  readonly id: string
  readonly limits: Pick<BudgetLimits, Additive>
  /** Wall time in milliseconds at which it ends. */
  readonly ends?: number
}

/** What an account has spent for good, and what it has lent to runs that have not ended. */
export interface AccountRecord {
  readonly id: string
  readonly spent: Amounts
  readonly lent: Amounts
  readonly ends?: number
}

/** Who has accounts. */
export interface Accounts {
  /** For all users alike, or by their id. */
  readonly user?: AccountLimits | ((user: string) => AccountLimits | undefined)
  readonly tenant?: AccountLimits | ((tenant: string) => AccountLimits | undefined)
}

/** A run that asks for nothing gets this part of what an account may spend. */
const defaultPart = 0.1

const names: readonly Additive[] = ['modelCalls', 'toolCalls', 'tokens', 'cost']

/** Nothing at all. */
export const noAmounts: Amounts = Object.freeze({ modelCalls: 0, toolCalls: 0, tokens: 0, cost: 0 })

/** An account nothing was drawn from yet. */
export function freshAccount({ id, ends }: AccountClaim): AccountRecord {
  return { id, spent: noAmounts, lent: noAmounts, ...(ends === undefined ? {} : { ends }) }
}

/** Throws `unknown_option` and `invalid_option`. */
export function checkAccounts(accounts: Accounts): Accounts {
  const kinds = ['user', 'tenant'] as const
  checkOptions('budgets', accounts, kinds)
  for (const kind of kinds) if (typeof accounts[kind] !== 'function') checkAccount(kind, accounts[kind])
  return accounts
}

function checkAccount(kind: string, limits: AccountLimits | undefined): void {
  checkLimits(`budgets.${kind}`, limits, [...names, 'per'])
  if (limits?.per === 0) throw new TellurionError('invalid_option', `budgets.${kind}.per must be more than 0 ms.`)
}

/** The account of a user or a tenant at an instant; undefined for one that may spend what it likes. Throws `invalid_option`. */
export function claimOf(
  kind: 'user' | 'tenant',
  id: string,
  { limits: given, now }: { limits: Accounts['user']; now: number },
): AccountClaim | undefined {
  const found = typeof given === 'function' ? given(id) : given
  if (found === undefined) return undefined
  if (typeof given === 'function') checkAccount(kind, found)
  const { per, ...limits } = found
  if (per === undefined) return { id: `${kind}.${id}`, limits }
  const begins = Math.floor(now / per) * per
  return { id: `${kind}.${id}.${begins}`, limits, ends: begins + per }
}

/** What a run gets out of its accounts, or the account that has nothing left. */
export type Grant =
  | { readonly status: 'granted'; readonly limits: BudgetLimits }
  | { readonly status: 'refused'; readonly account: string; readonly limit: Additive; readonly allowed: number }

/**
 * Shares out: what is asked, at most what every account has left; where nothing is asked, a tenth of what the smallest
 * of them may spend in all.
 */
export function grantFrom(
  claims: readonly { readonly claim: AccountClaim; readonly record: AccountRecord }[],
  asked: BudgetLimits = {},
): Grant {
  const granted: { -readonly [K in keyof BudgetLimits]: BudgetLimits[K] } = { ...asked }
  for (const { claim, record } of claims) {
    for (const name of names) {
      const limit = claim.limits[name]
      if (limit === undefined) continue
      const left = limit - record.spent[name] - record.lent[name]
      if (left <= 0) return { status: 'refused', account: claim.id, limit: name, allowed: limit }
      const part = name === 'cost' ? limit * defaultPart : Math.ceil(limit * defaultPart)
      granted[name] = Math.min(granted[name] ?? part, left)
    }
  }
  return { status: 'granted', limits: granted }
}

/** The account after an allowance was lent. */
export function lentFrom(record: AccountRecord, limits: BudgetLimits): AccountRecord {
  return { ...record, lent: combined(record.lent, limits, 1) }
}

/** The account after an allowance came back, and what of it was spent. */
export function settledWith(record: AccountRecord, limits: BudgetLimits, spent: Amounts): AccountRecord {
  return { ...record, lent: combined(record.lent, limits, -1), spent: combined(record.spent, spent, 1) }
}

/** What an allowance comes to when nobody knows what was spent of it. */
export function wholeOf(limits: BudgetLimits): Amounts {
  return combined(noAmounts, limits, 1)
}

function combined(amounts: Amounts, more: BudgetLimits | Amounts, sign: 1 | -1): Amounts {
  const sum = { ...amounts }
  for (const name of names) sum[name] = Math.max(0, sum[name] + sign * (more[name] ?? 0))
  // Fractions that were lent must come back to nothing.
  sum.cost = Math.round(sum.cost * 1e9) / 1e9
  return sum
}

/** The accounts that a run of a user draws on. */
export function claimsOf(
  accounts: Accounts,
  { user, tenant, now }: { user: string; tenant: string | undefined; now: number },
): readonly AccountClaim[] {
  const claims = [
    claimOf('user', user, { limits: accounts.user, now }),
    tenant === undefined ? undefined : claimOf('tenant', tenant, { limits: accounts.tenant, now }),
  ]
  return claims.filter((claim) => claim !== undefined)
}

/** What an account has spent, what it has lent to runs that have not ended, and what it may spend in all. */
export interface Spending {
  readonly spent: Amounts
  readonly lent: Amounts
  readonly limits: Pick<BudgetLimits, Additive>
  /** Wall time in milliseconds at which it begins anew. */
  readonly ends?: number
}

/** The error of a run that gets nothing. */
export function nothingLeft({ account, limit, allowed }: Extract<Grant, { status: 'refused' }>): TellurionError {
  return new TellurionError(
    'budget_exceeded',
    `The account ${account} has lent or spent all of its ${allowed} ${words[limit]}: wait for its runs to end, or raise its limit.`,
    { data: { account, limit, allowed } },
  )
}

const words: Readonly<Record<Additive, string>> = {
  modelCalls: 'model calls',
  toolCalls: 'tool calls',
  tokens: 'tokens',
  cost: 'cost',
}
