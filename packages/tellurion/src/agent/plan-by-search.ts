// Plan by search: the best of many plans that were tried, carried out step by step. Systems and their settings, as a list
// for `new Agent({ systems })`.

import { checkOptions } from '../error/option.ts'
import type { AnyModel } from '../model/any-model.ts'
import type { ReadOf } from '../world/component.ts'
import type { System } from '../world/world.ts'
import { plannedBy } from './plan-and-execute.ts'
import { PlanSearch } from './plan-component.ts'
import { planning } from './planning.ts'
import { checkSearch, treeSearch } from './tree-search.ts'

/** How to search, and who proposes and judges. */
export interface PlanBySearchOptions extends ReadOf<typeof PlanSearch> {
  /** The model that proposes steps and judges them. Default the agent's own. */
  readonly planner?: AnyModel
}

const known = ['depth', 'branching', 'exploration', 'calls', 'planner']

/**
 * The systems of an agent that searches for the best plan first: `new Agent({ …, systems: planBySearch({ depth: 3 }) })`.
 * A search makes at most `calls` model calls (default 60) before the first step. Throws `invalid_option` and
 * `unknown_option`.
 */
export function planBySearch(options: PlanBySearchOptions = {}): readonly System[] {
  checkOptions('planBySearch', options, known)
  const { planner, ...search } = options
  checkSearch(search, 'invalid_option')
  const { initial, resources } = plannedBy({ planner })
  return [{ ...treeSearch, initial: [...initial, PlanSearch(search)], resources }, planning]
}
