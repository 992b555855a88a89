// Plan and execute: a plan before the work, its steps one by one, a look at the rest after each. Three systems and their
// settings, as a list for `new Agent({ systems })`.

import { checkOptions, checkWhole } from '../error/option.ts'
import { asModel, type AnyModel } from '../model/any-model.ts'
import type { ComponentInit } from '../world/component.ts'
import type { System } from '../world/world.ts'
import { mostSteps } from './plan.ts'
import { Planner } from './plan-component.ts'
import { planMaking } from './plan-making.ts'
import { planning } from './planning.ts'
import { replanning } from './replanning.ts'

/** Who plans, and how. */
export interface PlanAndExecuteOptions {
  /** The model that makes and revises plans. Default the agent's own. */
  readonly planner?: AnyModel
  /** Most steps of a plan that it makes. Default 20. */
  readonly maxSteps?: number
  /** Whether the steps that remain are looked at after each that is done. Default true. */
  readonly replan?: boolean
}

const known = ['planner', 'maxSteps', 'replan']

/**
 * The systems of an agent that plans first: `new Agent({ …, systems: planAndExecute() })`. Each new request gets a plan,
 * unless the planner says that it takes none; the reply to the last step is the answer. Throws `invalid_option` and
 * `unknown_option`. The pattern is that of Plan-and-Solve (Wang et al., 2023).
 */
export function planAndExecute(options: PlanAndExecuteOptions = {}): readonly System[] {
  checkOptions('planAndExecute', options, known)
  const { planner, maxSteps, replan = true } = options
  const { initial, resources } = plannedBy({ planner, maxSteps })
  const making: System = { ...planMaking, initial, resources }
  return replan ? [making, planning, replanning] : [making, planning]
}

/** The component `Planner` with these settings, and the model that it names. Throws `invalid_option`. */
export function plannedBy({
  planner,
  maxSteps,
}: {
  planner: AnyModel | undefined
  maxSteps?: number | undefined
}): Required<Pick<System, 'initial' | 'resources'>> {
  checkWhole('maxSteps', maxSteps, { most: mostSteps })
  const model = planner === undefined ? undefined : asModel(planner)
  // The names of agents have no slash, so no agent's own model is bound under this one.
  const name = model === undefined ? undefined : `planner/${model.name}`
  const settings = { ...(name === undefined ? {} : { model: name }), ...(maxSteps === undefined ? {} : { maxSteps }) }
  const initial: readonly ComponentInit[] = [Planner(settings)]
  return { initial, resources: name === undefined ? {} : { models: { [name]: model } } }
}
