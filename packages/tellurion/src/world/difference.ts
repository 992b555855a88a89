// The difference of two states of a world: what came, what went, what changed. For people and for tests.

import type { Json } from '../schema/json.ts'
import type { Snapshot } from './snapshot.ts'
import { snapshot } from './snapshot.ts'
import { equal } from './value.ts'
import type { World } from './world.ts'

/** One component of one entity that is not the same in both states. Absent sides are absent. */
export interface ComponentChange {
  readonly entity: number
  readonly component: string
  readonly before?: Json
  readonly after?: Json
  /** For a log that only grew: the items that joined it; `before` and `after` are left out. */
  readonly appended?: readonly Json[]
}

/** What is different. Entities ascend; components stand in the order of their names. */
export interface Difference {
  readonly spawned: readonly number[]
  readonly destroyed: readonly number[]
  readonly changes: readonly ComponentChange[]
}

/** What leads from `before` to `after`: both are read, neither is changed. */
export function difference(before: World, after: World): Difference {
  const [old, now] = [snapshot(before), snapshot(after)]
  const names = [...new Set([...Object.keys(old.components), ...Object.keys(now.components)])].sort()
  const changes = names.flatMap((name) => changesOf(name, old, now))
  return {
    spawned: now.entities.filter((entity) => !old.entities.includes(entity)),
    destroyed: old.entities.filter((entity) => !now.entities.includes(entity)),
    changes: changes.sort((a, b) => a.entity - b.entity),
  }
}

function changesOf(component: string, old: Snapshot, now: Snapshot): ComponentChange[] {
  const before = new Map(old.components[component]?.values)
  const after = new Map(now.components[component]?.values)
  const isLog = (now.components[component] ?? old.components[component])?.kind === 'log'
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((entity): ComponentChange[] => {
    const [was, is] = [before.get(entity), after.get(entity)]
    if (equal(was, is)) return []
    const appended = isLog ? grown(was, is) : undefined
    if (appended !== undefined) return [{ entity, component, appended }]
    return [
      { entity, component, ...(was === undefined ? {} : { before: was }), ...(is === undefined ? {} : { after: is }) },
    ]
  })
}

/** Whether a log only got longer. */
function grown(was: Json | undefined, is: Json | undefined): readonly Json[] | undefined {
  if (!Array.isArray(was) || !Array.isArray(is) || is.length < was.length) return undefined
  const same = was.every((item: Json, index: number) => equal(item, is[index]))
  return same ? (is.slice(was.length) as readonly Json[]) : undefined
}
