// Plans as values: how one is made, how it moves on, and how it ends. What is due is read from the plan alone, so a run
// goes on with it wherever it was cut off.

import type { ErrorData } from '../error/error.ts'
import { TellurionError } from '../error/error.ts'
import { textOf, type Message, type Messages } from '../message/message.ts'
import type { Entity } from '../world/entity.ts'
import type { LogView } from '../world/log.ts'
import type { World } from '../world/world.ts'
import { Conversation, Output } from './component.ts'
import { say } from './conversation.ts'
import { oneLine } from './one-line.ts'
import { Plan, type PlanStep, type PlanValue } from './plan-component.ts'

/** Most steps of any plan. */
export const mostSteps = 1_000
/** Most characters of a step's description. */
export const longestStep = 2_000
/** Characters of the objective that a plan keeps. */
export const longestObjective = 2_000
/** Characters that the results of all steps take together, about; the conversation holds them whole. */
const resultRoom = 10_000

/**
 * A plan that has not begun, for `world.set(entity, Plan, makePlan(['look', 'leap']))`. A plan without steps is completed.
 * Throws `invalid_option` for anything but a list of at most 1,000 texts of 1 to 2,000 characters.
 */
export function makePlan(steps: readonly string[], options: { readonly objective?: string } = {}): PlanValue {
  if (!Array.isArray(steps)) {
    throw new TellurionError('invalid_option', "makePlan takes a list of texts, such as ['look', 'leap'].")
  }
  if (steps.length > mostSteps) {
    throw new TellurionError(
      'invalid_option',
      `A plan may have ${mostSteps} steps, not ${steps.length}: let one step stand for many, or plan in parts.`,
    )
  }
  const { objective } = options
  return {
    ...(objective === undefined ? {} : { objective: beginning(objective, longestObjective) }),
    steps: Array.from(steps, (description, index) => ({ description: checkStep(description, index) })),
    current: 0,
    completed: steps.length === 0,
  }
}

function checkStep(description: unknown, index: number): string {
  const length = typeof description === 'string' ? description.trim().length : 0
  if (length > 0 && length <= longestStep) return (description as string).toWellFormed()
  const got = typeof description === 'string' ? `a text of ${length} characters` : typeof description
  throw new TellurionError(
    'invalid_option',
    `Step ${index + 1} of a plan must be a text of 1 to ${longestStep} characters; it is ${got}.`,
  )
}

/** Throws `planning_error` for a plan that nobody can carry out. */
export function checkPlan({ steps, current }: PlanValue): void {
  if (!Array.isArray(steps))
    throw new TellurionError('planning_error', 'The steps of a plan must be a list: makePlan().')
  if (steps.length > mostSteps) {
    const message = `A plan may have ${mostSteps} steps, and this one has ${steps.length}: let one step stand for many.`
    throw new TellurionError('planning_error', message)
  }
  if (!Number.isInteger(current) || current < 0) {
    throw new TellurionError('planning_error', `The current step of a plan is a number from 0, not ${current}.`)
  }
  const due = steps[current] as PlanStep | null | undefined
  if (due === undefined || typeof due?.description === 'string') return
  throw new TellurionError(
    'planning_error',
    `Step ${current + 1} of a plan must have a description, a text: makePlan().`,
  )
}

/** What the steps say, in order. */
export function descriptionsOf({ steps }: Pick<PlanValue, 'steps'>): string[] {
  return steps.map(({ description }) => description)
}

/** What a plan is for: what it says itself, or the first message of the user. */
export function objectiveOf({ objective }: PlanValue, conversation: LogView<Message>): string {
  if (objective !== undefined) return objective
  for (const message of conversation) {
    if (message.role === 'user') return beginning(textOf(message), longestObjective)
  }
  return ''
}

/** How a step is told to the model. */
export function stepText({ steps, current }: PlanValue): string {
  return `Step ${current + 1}/${steps.length}: ${steps[current]?.description ?? ''}`
}

/**
 * Tells the model of the step that is due, as a message, and takes note that it was told. What the plan is for is said
 * again where the conversation does not hold it any more.
 */
export function beginStep(world: World, entity: Entity): void {
  const plan = world.require(entity, Plan)
  const conversation = world.require(entity, Conversation)
  const objective = objectiveOf(plan, conversation)
  const reminder = objective === '' || holds(conversation, objective) ? '' : `\nThe request was: ${objective}`
  say(world, entity, { role: 'user', content: `${stepText(plan)}${reminder}`.toWellFormed() })
  const steps = replaced(plan.steps, plan.current, { begun: true })
  world.set(entity, Plan, { ...plan, ...(objective === '' ? {} : { objective }), steps })
}

/** Whether the request that a plan is for is still there to be read. It is looked for from the end, where it is near. */
export function holds(conversation: Messages, objective: string): boolean {
  for (let index = conversation.length - 1; index >= 0; index--) {
    const message = conversation.at(index)
    if (message?.role === 'user' && beginning(textOf(message), longestObjective) === objective) return true
  }
  return false
}

/** Moves on from the step that is due: `result` is the reply that finished it. */
export function finishStep(world: World, entity: Entity, result: string): void {
  const plan = world.require(entity, Plan)
  const { current } = plan
  const room = Math.min(1_000, Math.max(100, Math.floor(resultRoom / plan.steps.length)))
  const steps = replaced(plan.steps, current, { result: beginning(result, room) })
  world.set(entity, Plan, { ...plan, steps, current: current + 1 })
  const stepDescription = plan.steps[current]?.description ?? ''
  world.emit({ type: 'plan.step_completed', entity, stepIndex: current, stepDescription })
  if (current + 1 >= steps.length) endPlan(world, entity)
}

/** Ends a plan. Where the turn has an output of a certain shape, the model is asked for it now. */
export function endPlan(world: World, entity: Entity): void {
  const plan = world.require(entity, Plan)
  world.set(entity, Plan, { ...plan, completed: true })
  if (plan.steps.length > 0 && world.has(entity, Output)) {
    say(world, entity, { role: 'user', content: 'The plan is done. Give the final answer.' })
  }
}

/** Puts other steps behind those that are done, or begun, and says so; no further step ends the plan. */
export function replaceSteps(world: World, entity: Entity, coming: readonly string[]): void {
  const plan = world.require(entity, Plan)
  const kept = keptSteps(plan)
  const steps = [...plan.steps.slice(0, kept), ...coming.map((description) => ({ description }))]
  const [oldSteps, newSteps] = [descriptionsOf(plan), descriptionsOf({ steps })]
  if (oldSteps.length === newSteps.length && newSteps.every((step, index) => step === oldSteps[index])) return
  world.set(entity, Plan, { ...plan, steps })
  world.emit({ type: 'plan.revised', entity, oldSteps, newSteps })
  if (plan.current >= steps.length) endPlan(world, entity)
}

/** How many steps of a plan are done or begun: these stay as they are. */
export function keptSteps({ steps, current }: PlanValue): number {
  return steps[current]?.begun === true ? current + 1 : current
}

function replaced(steps: readonly PlanStep[], index: number, fields: Partial<PlanStep>): readonly PlanStep[] {
  return steps.map((step, place) => (place === index ? { ...step, ...fields } : step))
}

/** A step that a model wrote, as one line, so that it cannot pass for more than itself; undefined where it is none. */
export function stepLine(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined
  const line = oneLine(text.slice(0, longestStep))
  return line === '' ? undefined : line
}

/** The first characters of a text. */
export function beginning(text: string, length: number): string {
  return (text.length <= length ? text : `${text.slice(0, length - 1)}…`).toWellFormed()
}

/** A failure as one of planning: what was being done, and why it came to nothing. Budgets keep their own code. */
export function planningError(error: ErrorData, what: string): ErrorData {
  const { code, message, retryable, data } = error
  if (code === 'planning_error' || code === 'budget_exceeded') return error
  return {
    code: 'planning_error',
    message: `${what} failed: ${message}`,
    retryable,
    data: { ...data, cause: code },
  }
}
