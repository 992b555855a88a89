// Two budgets as one: what both allow.

import type { BudgetLimits } from './component.ts'

/** The smaller of both for each limit. */
export function tighter(a: BudgetLimits | undefined, b: BudgetLimits | undefined): BudgetLimits {
  const both: { -readonly [K in keyof BudgetLimits]: BudgetLimits[K] } = { ...a, ...b }
  for (const name of Object.keys(both) as (keyof BudgetLimits)[]) {
    both[name] = Math.min(a?.[name] ?? Infinity, b?.[name] ?? Infinity)
  }
  return both
}
