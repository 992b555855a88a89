// Budgets: what a turn may spend, reserved before each model call. Loaded only by worlds in which an entity has one.

import type { ErrorData } from '../error/error.ts'
import { estimateRequestTokens } from '../model/token-estimate.ts'
import type { ModelRequest, PriceFunction, Usage } from '../port/model.ts'
import type { Entity } from '../world/entity.ts'
import type { World } from '../world/world.ts'
import { Budget, TurnUsage, type BudgetLimits } from './component.ts'
import { noUsage } from './usage.ts'
import { clockOf } from './configuration.ts'

/** What a reply may take when nobody says how long it may be. */
const assumedOutput = 4096

/** What is about to be asked. */
export interface Spending {
  readonly request: ModelRequest
  readonly model: string
  readonly price: PriceFunction | undefined
}

/**
 * Whether one more model call fits: what has been spent, the estimate of its input and the most it may answer, against
 * each limit. Undefined when it does; otherwise the error that ends the run, and nothing is asked.
 */
export function reserve(world: World, entity: Entity, spending: Spending): ErrorData | undefined {
  const { limits, since } = world.require(entity, Budget)
  const { steps, usage, toolCalls = 0 } = world.get(entity, TurnUsage) ?? { steps: 0, usage: noUsage }
  const now = clockOf(world).now()
  if (since === undefined) world.set(entity, Budget, { limits, since: now })
  const next = estimate(spending.request)
  const cost = spending.price?.(next, spending.model) ?? 0
  const wanted: Required<BudgetLimits> = {
    modelCalls: steps + 1,
    toolCalls,
    tokens: usage.totalTokens + next.totalTokens,
    cost: (usage.cost ?? 0) + cost,
    wallTime: now - (since ?? now),
  }
  for (const name of Object.keys(limits) as (keyof BudgetLimits)[]) {
    const limit = limits[name]
    if (limit !== undefined && wanted[name] > limit) return exceeded(name, { limit, wanted: wanted[name] })
  }
  return undefined
}

function estimate(request: ModelRequest): Usage {
  const inputTokens = estimateRequestTokens(request)
  const outputTokens = request.maxOutputTokens ?? assumedOutput
  return { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens }
}

function exceeded(name: keyof BudgetLimits, { limit, wanted }: { limit: number; wanted: number }): ErrorData {
  return {
    code: 'budget_exceeded',
    message: `The budget of ${limit} ${words[name]} does not allow the next step, which may take it to ${round(wanted)}.`,
    retryable: false,
    data: { limit: name, allowed: limit, wanted: round(wanted) },
  }
}

const words: Readonly<Record<keyof BudgetLimits, string>> = {
  modelCalls: 'model calls',
  toolCalls: 'tool calls',
  tokens: 'tokens',
  cost: 'cost',
  wallTime: 'milliseconds',
}

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6
}
