// What a planner is told and how its answer is read: the situation it plans in, lists of steps, and scores. What others
// have said is data to it, written as JSON.

import type { ErrorData } from '../error/error.ts'
import { textOf } from '../message/message.ts'
import type { Entity } from '../world/entity.ts'
import { Failure, Terminal } from '../world/lifecycle.ts'
import type { World } from '../world/world.ts'
import { Conversation, ToolRegistry, TurnUsage } from './component.ts'
import { configurationOf } from './configuration.ts'
import { newestWhole } from './conversation.ts'
import { findJson } from './found-json.ts'
import { beginning, longestObjective, planningError, stepLine } from './plan.ts'
import { Plan, Planner } from './plan-component.ts'

/** Most steps of a plan that a model makes, where nobody says. */
const usualSteps = 20
/** Tools that a planner is told of, and characters of each description. */
const shownTools = 50
const shownDescription = 200
/** Messages before the request that a planner is told of, and characters of each. */
const shownMessages = 6
const shownText = 500
/** Characters of a request that a planner is told of. */
const shownObjective = 10_000

/** The newest request, where a plan is due for it: nobody has answered it yet, and no plan is being carried out. */
export function requestToPlan(world: World, entity: Entity): string | undefined {
  if ((world.get(entity, TurnUsage)?.steps ?? 0) > 0) return undefined
  const newest = newestWhole(world.require(entity, Conversation))
  if (newest?.role !== 'user') return undefined
  const objective = beginning(textOf(newest), shownObjective)
  const plan = world.get(entity, Plan)
  if (plan === undefined) return objective
  // A plan without steps says that this very request needs none.
  const needsNone = plan.steps.length === 0 && plan.objective === beginning(objective, longestObjective)
  return plan.completed && !needsNone ? objective : undefined
}

/** Ends the work on an entity whose plan cannot be made: an exhausted script ends the run, all else is a failure. */
export function failPlanning(
  world: World,
  entity: Entity,
  { error, what, system, tick }: { error: ErrorData; what: string; system: string; tick: number },
): void {
  if (error.code === 'provider_exhausted') world.set(entity, Terminal, { reason: 'provider_exhausted' })
  else world.set(entity, Failure, { error: planningError(error, what), system, tick })
}

/** Most steps that a model's plan for the entity may have. */
export function mostPlanned(world: World, entity: Entity): number {
  return world.get(entity, Planner)?.maxSteps ?? usualSteps
}

/** What a planner has to know besides its task: the objective, the tools there are, and what was said before. */
export function situationOf(world: World, entity: Entity, objective: string): string {
  const lines = [`Objective: ${JSON.stringify(objective)}`]
  const names = world.get(entity, ToolRegistry)?.names
  const tools = (configurationOf(world, entity).tools?.specs() ?? []).filter(
    ({ name }) => names === undefined || names.includes(name),
  )
  if (tools.length > 0) {
    lines.push('Tools that will be there:')
    for (const { name, description } of tools.slice(0, shownTools)) {
      lines.push(`- ${name}: ${beginning(description, shownDescription)}`)
    }
  }
  const said = world.require(entity, Conversation).slice(-shownMessages - 1, -1)
  const earlier = said.filter(({ role }) => role === 'user' || role === 'assistant')
  if (earlier.length > 0) {
    lines.push('Said before:')
    for (const message of earlier) {
      lines.push(`- ${message.role}: ${JSON.stringify(beginning(textOf(message), shownText))}`)
    }
  }
  return lines.join('\n')
}

/**
 * The steps in a model's answer: a JSON list of texts, or of objects with a `description`, alone or inside prose, or an
 * object with such a list as `steps`. An empty list counts only where it is the whole answer. Undefined for anything
 * else, and for more than `most` steps.
 */
export function readSteps(text: string, most: number): readonly string[] | undefined {
  return findJson(text, (value, isWhole) => {
    const list = stepList(value)
    if (list === undefined || list.length > most || (list.length === 0 && !isWhole)) return undefined
    const steps: string[] = []
    for (const item of list) {
      const step = stepLine(typeof item === 'string' ? item : property(item, 'description'))
      if (step === undefined) return undefined
      steps.push(step)
    }
    return steps
  })
}

function stepList(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value
  const steps = property(value, 'steps')
  return Array.isArray(steps) ? steps : undefined
}

/**
 * The score in a model's answer, between 0 and 1: a number alone, the `score` of a JSON object, or the only number or
 * percentage there is. What does not parse is 0; what is below or above is brought to the nearer end.
 */
export function readScore(text: string): number {
  const bounded = text.trim().slice(0, 2_000)
  const number = scoreIn(bounded)
  return Number.isFinite(number) ? Math.min(1, Math.max(0, number)) : 0
}

function scoreIn(text: string): number {
  if (text === '') return Number.NaN
  const alone = Number(text)
  if (!Number.isNaN(alone)) return alone
  const named = findJson(text, (value) => {
    const score = property(value, 'score')
    return typeof score === 'number' || typeof score === 'string' ? Number(score) : undefined
  })
  if (named !== undefined) return named
  const [only, second] = text.matchAll(/(-?\d+(?:\.\d+)?)(\s*%)?/g)
  if (only === undefined || second !== undefined) return Number.NaN
  return Number(only[1]) / (only[2] === undefined ? 1 : 100)
}

/** A property that an object has itself. */
function property(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Record<string, unknown>)[name]
}
