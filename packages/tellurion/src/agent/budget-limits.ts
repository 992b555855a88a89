// Limits of a budget: which there are, and what they may be.

import { suggestion, TellurionError } from '../error/error.ts'
import type { PriceFunction } from '../port/model.ts'
import type { BudgetLimits } from './component.ts'

const names = ['modelCalls', 'toolCalls', 'tokens', 'cost', 'wallTime', 'ticks', 'depth'] as const

/**
 * Most ticks of a run that has these limits, for the runner: at least its usual 100, and so many more than the budget's
 * that it is the budget which says that they are spent. Undefined where the budget says nothing of ticks.
 */
export function ticksUnder({ ticks }: BudgetLimits = {}): number | undefined {
  return ticks === undefined ? ticks : Math.max(100, Math.ceil(ticks) + 2)
}

/** Throws `unknown_option` and `invalid_option` for a budget of an agent. */
export function checkBudget(budget: (BudgetLimits & { readonly price?: PriceFunction }) | undefined): void {
  const { price, ...limits } = limitsOf('budget', budget)
  checkLimits('budget', limits, [...names, 'price'])
  if (price !== undefined && typeof price !== 'function') {
    throw new TellurionError('invalid_option', 'budget.price must be a function.')
  }
  if (limits.cost !== undefined && price === undefined) {
    throw new TellurionError('invalid_option', 'A budget with a cost needs a price function: budget: { cost, price }.')
  }
}

/** Throws `unknown_option` and `invalid_option` for limits that are said for an agent; `what` is where. */
export function checkLimits(what: string, limits: BudgetLimits | undefined, allowed: readonly string[] = names): void {
  for (const [name, value] of Object.entries(limitsOf(what, limits))) {
    if (!allowed.includes(name)) {
      throw new TellurionError('unknown_option', `${what} has no '${name}'.${suggestion(name, allowed)}`)
    }
    if (value === undefined || (Number.isFinite(value) && value >= 0)) continue
    const text = `${what}.${name} must be a number from 0, not ${String(value)}; leave it out for no limit.`
    throw new TellurionError('invalid_option', text)
  }
}

function limitsOf<T extends object>(what: string, limits: T | undefined): Partial<T> {
  if (limits === undefined) return {}
  if (typeof limits === 'object' && limits !== null && !Array.isArray(limits)) return limits
  throw new TellurionError('invalid_option', `${what} must be an object such as { modelCalls: 20 }.`)
}
