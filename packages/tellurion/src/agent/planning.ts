// Planning: carries out a plan, one step at a time. It makes every ask for an entity whose plan is not completed, and
// the counter moves when a step's work is done, not when it begins.

import type { ErrorData } from '../error/error.ts'
import { textOf } from '../message/message.ts'
import type { Entity } from '../world/entity.ts'
import { Failure, Halted, Terminal } from '../world/lifecycle.ts'
import { defineSystem } from '../world/system.ts'
import type { World } from '../world/world.ts'
import { askForReply } from './ask.ts'
import { Conversation, LLM, PendingToolCalls } from './component.ts'
import { configurationOf } from './configuration.ts'
import { newestWhole } from './conversation.ts'
import { beginStep, checkPlan, endPlan, finishStep, planningError } from './plan.ts'
import { Plan } from './plan-component.ts'
import { shouldStop } from './stop-when.ts'

/** Asks the model for the step of each plan that is due. Priority 0. */
export const planning = defineSystem({
  name: 'planning',
  priority: 0,
  query: [Plan, LLM, Conversation],
  without: [PendingToolCalls, Halted, Terminal, Failure],
  each(entity, world, context) {
    const plan = world.require(entity, Plan)
    if (plan.completed) return undefined
    checkPlan(plan)
    const step = plan.steps[plan.current]
    if (step === undefined) return endPlan(world, entity)
    // The reply was kept by an attempt that ended before it could move on.
    if (isAnswered(world, entity)) return finish(world, entity)
    // Replanning was cut off before it could look at what is done: its turn comes first.
    const unseen = step.begun !== true && plan.current > (plan.considered ?? 0)
    if (unseen && world.systemNames().includes('replanning')) return undefined
    const configuration = configurationOf(world, entity)
    if (shouldStop(world, entity, configuration)) return world.set(entity, Terminal, { reason: 'stop_when' })
    if (step.begun !== true) beginStep(world, entity)
    const what = `Step ${plan.current + 1} of ${plan.steps.length}`
    const explain = (error: ErrorData) => planningError(error, what)
    return askForReply(world, entity, { context, configuration, system: 'planning', explain }).then(() => {
      if (world.has(entity, Plan) && isAnswered(world, entity)) finish(world, entity)
    })
  },
})

/** Whether the step that is due has its reply: the model was told of it, and has spoken last without calling a tool. */
function isAnswered(world: World, entity: Entity): boolean {
  const { steps, current, completed } = world.require(entity, Plan)
  if (completed || steps[current]?.begun !== true || world.has(entity, PendingToolCalls)) return false
  return newestWhole(world.require(entity, Conversation))?.role === 'assistant'
}

function finish(world: World, entity: Entity): void {
  const reply = newestWhole(world.require(entity, Conversation))
  finishStep(world, entity, reply === undefined ? '' : textOf(reply))
}
