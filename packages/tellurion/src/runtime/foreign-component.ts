// The state of agents of any make: everything such a run must not forget, as components of its one entity.

import { Conversation, LLM } from '../agent/component.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { defineComponent, defineLog } from '../world/component.ts'
import type { Entity } from '../world/entity.ts'
import type { World } from '../world/world.ts'

/** Marks the entity of an agent of any make, and holds the input of its present run. */
export const Foreign = defineComponent<{ readonly agent: string; readonly input: Json }>('Foreign')

/** The newest checkpoint of the present run, and the how-manieth it is. */
export const Kept = defineComponent<{ readonly state: Json; readonly number: number }>('Kept')

/** The steps that are done, of all lists and their executions. */
export const Steps = defineLog<{
  readonly list: string
  readonly execution: number
  readonly name: string
  readonly result: Json
}>('Steps')

/** The state that the steps of a list share, and the execution it belongs to. */
export const StepState = defineComponent<{
  readonly [list: string]: { readonly execution: number; readonly state: JsonObject }
}>('StepState')

/** The questions of the present run, in the order in which they were asked. */
export const Questions = defineComponent<readonly AskedQuestion[]>('Questions')

/** A question and, once somebody has answered or its time has come, its answer. */
export interface AskedQuestion {
  /** What makes it the same question. */
  readonly key: string
  /** Of the interaction. */
  readonly id: string
  readonly answer?: string
  /** The answer when nobody gives one. */
  readonly otherwise?: string
}

/** What the agent gave back. A failed one is called again by a retry. */
export const Outcome = defineComponent<{ readonly output: Json; readonly failed?: true }>('Outcome')

/** All of them, for `restore`. */
export const foreignComponents = [Foreign, Kept, Steps, StepState, Questions, Outcome] as const

/** The entity of an agent in the world of its runs, whatever its make. */
export function entityOf(world: World, agent: string): Entity | undefined {
  for (const [entity, [llm]] of world.query(LLM)) if ((llm.home ?? llm.agent) === agent) return entity
  for (const [entity, [foreign]] of world.query(Foreign)) if (foreign.agent === agent) return entity
  return undefined
}

/** Makes the entity of an agent of any make. */
export function spawnForeign(world: World, agent: string): Entity {
  return world.spawn(Foreign({ agent, input: null }), Conversation())
}
