// A tool with which a model plans its own work: what it lists becomes the plan of its entity, and planning carries it out.

import { checkOptions, checkWhole } from '../error/option.ts'
import { textOf } from '../message/message.ts'
import type { AnyTool } from '../tool/tool.ts'
import type { Entity } from '../world/entity.ts'
import type { World } from '../world/world.ts'
import { Conversation } from './component.ts'
import { keptSteps, longestStep, makePlan, mostSteps, replaceSteps, stepLine } from './plan.ts'
import { Plan } from './plan-component.ts'
import { planning } from './planning.ts'
import { worldTool } from './world-tool.ts'

/** How the tool works. */
export interface PlanToolOptions {
  /** Whether a person sees the steps and allows them before they count. Default false. */
  readonly needsApproval?: boolean
  /** Most steps of one call. Default 50. */
  readonly maxSteps?: number
}

/**
 * A tool for plans: `tools: { plan: planTool() }`. Its call with `steps` makes a plan of the agent, which is carried out
 * step by step from then on; called in the middle of a plan it replaces the steps behind the present one. Throws
 * `invalid_option` and `unknown_option`.
 */
export function planTool(options: PlanToolOptions = {}): AnyTool {
  checkOptions('planTool', options, ['needsApproval', 'maxSteps'])
  const { needsApproval = false, maxSteps = 50 } = options
  checkWhole('maxSteps', maxSteps, { most: mostSteps })
  return worldTool({
    trust: 'trusted',
    description:
      'Makes a plan for work of several steps; you are then given one step at a time. Called in the middle of a plan, ' +
      'it replaces the steps that come after the present one. Not for what takes one step.',
    inputSchema: {
      type: 'object',
      properties: {
        steps: {
          type: 'array',
          items: { type: 'string', minLength: 1, maxLength: longestStep },
          maxItems: maxSteps,
          description: 'The steps in order: each one piece of work, with all that is needed to do it.',
        },
      },
      required: ['steps'],
      additionalProperties: false,
    } as const,
    needsApproval,
    systems: [planning],
    change(world, entity, { steps }) {
      const lines = steps.flatMap((step) => stepLine(step) ?? [])
      return (goesOn(world, entity) ? revise : begin)(world, entity, lines)
    },
  })
}

function goesOn(world: World, entity: Entity): boolean {
  return world.get(entity, Plan)?.completed === false
}

function begin(world: World, entity: Entity, steps: readonly string[]): string {
  if (steps.length === 0) return 'There is no plan to change, and none was made.'
  world.set(entity, Plan, makePlan(steps, { objective: newestRequest(world, entity) }))
  world.emit({ type: 'plan.revised', entity, oldSteps: [], newSteps: steps })
  return `The plan has ${steps.length} steps. You will be told which one is due; do not begin before.`
}

function revise(world: World, entity: Entity, steps: readonly string[]): string {
  if (keptSteps(world.require(entity, Plan)) + steps.length > mostSteps) {
    return `The plan stays as it is: ${mostSteps} steps are the end.`
  }
  replaceSteps(world, entity, steps)
  const { steps: all, current } = world.require(entity, Plan)
  return `The plan has ${all.length} steps now, and ${current} of them are done.`
}

/** What the user asked for last. */
function newestRequest(world: World, entity: Entity): string {
  const conversation = world.require(entity, Conversation)
  for (let index = conversation.length - 1; index >= 0; index--) {
    const message = conversation.at(index)
    if (message?.role === 'user') return textOf(message)
  }
  return ''
}
