// Budgets: what a turn may spend, reserved before each model call and lent to whoever works for it, so that many who
// spend at one time can never pass together what one could not. Loaded only by worlds in which an entity has one.

import type { ErrorData } from '../error/error.ts'
import { estimateRequestTokens } from '../model/token-estimate.ts'
import type { ModelRequest, PriceFunction, Usage } from '../port/model.ts'
import type { Entity } from '../world/entity.ts'
import type { World } from '../world/world.ts'
import { Budget, TurnUsage, type BudgetLimits } from './component.ts'
import { clockOf } from './configuration.ts'
import { addUsage, noUsage } from './usage.ts'

/** What a reply may take when nobody says how long it may be. */
const assumedOutput = 4096

/** Levels of sub-agents below an agent whose budget does not say. */
const defaultDepth = 3

/** What is about to be asked. */
export interface Spending {
  readonly request: ModelRequest
  readonly model: string
  readonly price: PriceFunction | undefined
}

/** What adds up over many spenders: calls, tokens, and money in the unit of the price function. */
export type Amounts = { [K in Additive]: number }
/** Limits of what adds up. */
export type Additive = 'modelCalls' | 'toolCalls' | 'tokens' | 'cost'

const additive: readonly Additive[] = ['modelCalls', 'toolCalls', 'tokens', 'cost']
const nothing: Amounts = { modelCalls: 0, toolCalls: 0, tokens: 0, cost: 0 }

/** A place in the budget for one call. `release` gives it back once what the call took has been counted. */
export type Reservation =
  | { readonly status: 'reserved'; release(): void }
  | { readonly status: 'refused'; readonly error: ErrorData }

/** What a call may take: the estimate of its input and the most it may answer. */
export function estimateCall({ request, model, price }: Spending): Amounts {
  const inputTokens = estimateRequestTokens(request)
  const outputTokens = request.maxOutputTokens ?? assumedOutput
  const tokens = inputTokens + outputTokens
  const cost = price?.({ inputTokens, outputTokens, totalTokens: tokens }, model) ?? 0
  return { modelCalls: 1, toolCalls: 0, tokens, cost }
}

/**
 * Reserves what is about to be spent: with what has been spent, lent and reserved by others, against each limit.
 * Refused, it is not to be spent. An entity without a budget has no limits.
 */
export function reserve(world: World, entity: Entity, asked: Amounts): Reservation {
  const budget = world.get(entity, Budget)
  if (budget === undefined) return { status: 'reserved', release() {} }
  const { limits, since } = budget
  const now = clockOf(world).now()
  if (since === undefined) world.set(entity, Budget, { ...budget, since: now })
  const held = heldBy(world)
  const wanted: Required<BudgetLimits> = {
    ...sum(taking(world, entity), asked),
    wallTime: now - (since ?? now),
    ticks: world.header.runTicks,
    depth: 0,
  }
  for (const name of Object.keys(limits) as (keyof BudgetLimits)[]) {
    const limit = limits[name]
    const passed = limit !== undefined && (name === 'ticks' ? wanted.ticks >= limit : wanted[name] > limit)
    if (passed) return { status: 'refused', error: exceeded(name, { limit, wanted: wanted[name] }) }
  }
  held.set(entity, sum(held.get(entity) ?? nothing, asked))
  return {
    status: 'reserved',
    release: () => void held.set(entity, sum(held.get(entity) ?? nothing, asked, -1)),
  }
}

/**
 * Sets an allowance aside for somebody who works for the entity: what is asked for, at most what is left; where nothing
 * is asked, an equal part of what is left (`parts`, default 2). An entity without a budget lends what is asked. The
 * borrower may have one level of sub-agents less. An error when nothing is left.
 */
export function lend(
  world: World,
  entity: Entity,
  { borrower, asked = {}, parts = 2 }: { borrower: string; asked?: BudgetLimits; parts?: number },
): { readonly limits: BudgetLimits } | { readonly error: ErrorData } {
  const budget = world.get(entity, Budget)
  const { limits: { depth: below = defaultDepth, ...limits } = {}, since, lent } = budget ?? {}
  if (below < 1) return { error: exceeded('depth', { limit: below, wanted: below + 1 }) }
  const depth = Math.min(asked.depth ?? below - 1, below - 1)
  const known = lent?.[borrower]
  if (known !== undefined) return { limits: known }
  const granted: { -readonly [K in keyof BudgetLimits]: BudgetLimits[K] } = { ...asked, depth }
  const taken = taking(world, entity)
  for (const name of additive) {
    const limit = limits[name]
    if (limit === undefined) continue
    const left = limit - taken[name]
    if (left <= 0) return { error: exceeded(name, { limit, wanted: taken[name] + 1 }) }
    const part = name === 'cost' ? left / parts : Math.ceil(left / parts)
    granted[name] = Math.min(asked[name] ?? part, left)
  }
  if (limits.wallTime !== undefined) {
    const now = clockOf(world).now()
    const left = limits.wallTime - (now - (since ?? now))
    if (left <= 0) return { error: exceeded('wallTime', { limit: limits.wallTime, wanted: limits.wallTime - left }) }
    granted.wallTime = Math.min(asked.wallTime ?? left, left)
  }
  if (budget !== undefined) world.set(entity, Budget, { ...budget, lent: { ...lent, [borrower]: granted } })
  return { limits: granted }
}

/** What a borrower has spent. */
export interface Spent {
  readonly usage?: Usage
  readonly modelCalls?: number
  readonly toolCalls?: number
  /** What it has lent to others that have not said what they spent. */
  readonly unsettled?: BudgetLimits
}

/** Takes an allowance back, but for what is lent on, and counts what was spent of it. */
export function settle(world: World, entity: Entity, { borrower, spent }: { borrower: string; spent: Spent }): void {
  const { usage = noUsage, modelCalls = 0, toolCalls = 0, unsettled } = spent
  const budget = world.get(entity, Budget)
  if (budget?.lent?.[borrower] !== undefined) {
    const { [borrower]: _settled, ...lent } = budget.lent
    world.set(entity, Budget, { ...budget, lent: unsettled === undefined ? lent : { ...lent, [borrower]: unsettled } })
  }
  const turn = world.get(entity, TurnUsage) ?? { steps: 0, usage: noUsage }
  world.set(entity, TurnUsage, {
    ...turn,
    usage: addUsage(turn.usage, usage),
    asides: (turn.asides ?? 0) + modelCalls,
    ...(turn.toolCalls === undefined && toolCalls === 0 ? {} : { toolCalls: (turn.toolCalls ?? 0) + toolCalls }),
  })
}

/** What an entity's turn has spent, in the terms of budgets. */
export function spentOf(world: World, entity: Entity): Amounts {
  const { steps, asides = 0, usage, toolCalls = 0 } = world.get(entity, TurnUsage) ?? { steps: 0, usage: noUsage }
  return { modelCalls: steps + asides, toolCalls, tokens: usage.totalTokens, cost: usage.cost ?? 0 }
}

/** What a turn that ends here has spent at most: what is lent to others and not settled counts as spent. */
export function spentAtMost(world: World, entity: Entity): Amounts {
  let spent = spentOf(world, entity)
  for (const limits of Object.values(world.get(entity, Budget)?.lent ?? {}))
    spent = sum(spent, { ...nothing, ...limits })
  return spent
}

/** What an entity says, besides its usage, to whoever lent it an allowance. */
export function statementOf(world: World, entity: Entity): Omit<Spent, 'usage'> {
  const spent = spentOf(world, entity)
  const unsettled = sum(spentAtMost(world, entity), spent, -1)
  const { modelCalls, toolCalls } = spent
  return { modelCalls, toolCalls, ...(additive.some((name) => unsettled[name] > 0) ? { unsettled } : {}) }
}

/** What is spent, lent or about to be spent. */
function taking(world: World, entity: Entity): Amounts {
  return sum(spentAtMost(world, entity), heldBy(world).get(entity) ?? nothing)
}

/** What calls in flight may take, by entity. It is as live as they are, and goes with the process like them. */
function heldBy(world: World): Map<Entity, Amounts> {
  const bound = world.findResource<Map<Entity, Amounts>>('reservations')
  if (bound !== undefined) return bound
  const held = new Map<Entity, Amounts>()
  world.bind('reservations', held)
  return held
}

function sum(a: Amounts, b: Amounts, sign: 1 | -1 = 1): Amounts {
  return {
    modelCalls: a.modelCalls + sign * b.modelCalls,
    toolCalls: a.toolCalls + sign * b.toolCalls,
    tokens: a.tokens + sign * b.tokens,
    cost: a.cost + sign * b.cost,
  }
}

function exceeded(name: keyof BudgetLimits, { limit, wanted }: { limit: number; wanted: number }): ErrorData {
  return {
    code: 'budget_exceeded',
    message: `The budget of ${round(limit)} ${words[name]} does not allow the next step, which may take it to ${round(wanted)}.`,
    retryable: false,
    data: { limit: name, allowed: round(limit), wanted: round(wanted) },
  }
}

const words: Readonly<Record<keyof BudgetLimits, string>> = {
  modelCalls: 'model calls',
  toolCalls: 'tool calls',
  tokens: 'tokens',
  cost: 'cost',
  wallTime: 'milliseconds',
  ticks: 'ticks',
  depth: 'levels of sub-agents',
}

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6
}
