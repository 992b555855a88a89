// The part of the data dictionary that is about thinking ahead: plans, the search for one, and second thoughts.

import { defineComponent } from '../world/component.ts'

/** Steps towards an objective, worked off one at a time. */
export const Plan = defineComponent<PlanValue>('Plan')

/** A plan; `makePlan` makes one. */
export interface PlanValue {
  /** What it is for; where it is absent, the first message of the user when its first step begins. */
  readonly objective?: string
  readonly steps: readonly PlanStep[]
  /** The step that is due: all before it are done. */
  readonly current: number
  readonly completed: boolean
  /** Replanning's marker: how many finished steps it has looked at. */
  readonly considered?: number
}

/** One step of a plan. */
export interface PlanStep {
  readonly description: string
  /** Set when the model has been told of it. */
  readonly begun?: true
  /** The beginning of the reply that finished it, which the conversation holds whole; there once it is done. */
  readonly result?: string
}

/** How plans are made and revised. */
export const Planner = defineComponent<{
  /** The name of a bound model; default the entity's own. */
  readonly model?: string
  /** Most steps of a plan that a model makes; a revision may have as many, or as many as remain. Default 20. */
  readonly maxSteps?: number
}>('Planner')

/** How a tree search looks for a plan. */
export const PlanSearch = defineComponent<{
  /** Most steps of a plan. Default 5. */
  readonly depth?: number
  /** Most next steps that are tried from one place. Default 3. */
  readonly branching?: number
  /** Weight of what is little known against what looks good. Default the root of 2, 1.414. */
  readonly exploration?: number
  /** Most model calls of a search, rollouts included. Default 60. */
  readonly calls?: number
}>('PlanSearch')

/** A search that goes on or has ended. Its nodes are entities, and stay until the next search. */
export const SearchTree = defineComponent<{
  readonly root: number
  readonly objective: string
  /** Where its choices by chance come from: the same seed and the same replies give the same tree. */
  readonly seed: number
  readonly iterations: number
  /** Model calls so far. */
  readonly calls: number
  readonly ended?: true
}>('SearchTree')

/** One node of a search: the step that leads to it, and what is known of it. */
export const SearchNode = defineComponent<{
  readonly owner: number
  readonly parent?: number
  /** Empty at the root. */
  readonly step: string
  readonly depth: number
  readonly visits: number
  /** The sum of all scores at and below it. */
  readonly total: number
  readonly score?: number
  /** What a rollout of its step found. */
  readonly observation?: string
  /** The next steps from here, once they have been asked for. */
  readonly children?: readonly number[]
}>('SearchNode')

/** How replies are reviewed before a turn ends. */
export const Reflection = defineComponent<{
  /** Most revisions of one reply. Default 2. */
  readonly rounds?: number
  /** What a good reply is, for the critic. */
  readonly criteria?: string
  /** The critic, by the name of a bound model; default the entity's own. */
  readonly model?: string
  /** Revisions that have been asked for since the user spoke. */
  readonly made?: number
  /** The newest critique, and the reply that needs no further review, as the conversation has them. */
  readonly critique?: string
  readonly reviewed?: string
}>('Reflection')
