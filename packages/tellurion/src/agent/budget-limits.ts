// Limits of a budget: which there are, and how two of them come together.

import { suggestion, TellurionError } from '../error/error.ts'
import type { PriceFunction } from '../port/model.ts'
import type { BudgetLimits } from './component.ts'

const budgetKeys = ['modelCalls', 'toolCalls', 'tokens', 'cost', 'wallTime', 'ticks', 'depth', 'price']

/** Throws `unknown_option` and `invalid_option`. */
export function checkBudget(budget: (BudgetLimits & { readonly price?: PriceFunction }) | undefined): void {
  for (const [key, value] of Object.entries(budget ?? {})) {
    if (!budgetKeys.includes(key)) {
      throw new TellurionError('unknown_option', `A budget has no '${key}'.${suggestion(key, budgetKeys)}`)
    }
    const fits = key === 'price' ? typeof value === 'function' : typeof value === 'number' && value >= 0
    if (!fits)
      throw new TellurionError(
        'invalid_option',
        `budget.${key} must be ${key === 'price' ? 'a function' : 'a number from 0'}.`,
      )
  }
  if (budget?.cost !== undefined && budget.price === undefined) {
    throw new TellurionError('invalid_option', 'A budget with a cost needs a price function: budget: { cost, price }.')
  }
}

/** The smaller of both for each limit. */
export function tighter(a: BudgetLimits | undefined, b: BudgetLimits | undefined): BudgetLimits {
  const both: { -readonly [K in keyof BudgetLimits]: BudgetLimits[K] } = { ...a, ...b }
  for (const name of Object.keys(both) as (keyof BudgetLimits)[]) {
    both[name] = Math.min(a?.[name] ?? Infinity, b?.[name] ?? Infinity)
  }
  return both
}
