// Revival: stored states brought back to life, from a snapshot and the rows behind it, with migration.

import type { Component } from '../world/component.ts'
import type { Delta } from '../world/delta.ts'
import { restore, snapshot } from '../world/snapshot.ts'
import { World } from '../world/world.ts'
import type { JournalRow, StoredState } from './run-store.ts'

/** What stored worlds may hold: components, and names of those that were removed. */
export interface Vocabulary {
  readonly components: readonly Component[]
  readonly retired: readonly string[]
}

/** A world from what a store gave, without any agent bound to it. Throws what `restore` throws. */
export function revive({ snapshot: stored, rows }: StoredState, { components, retired }: Vocabulary): World {
  return restore(stored ?? snapshot(new World()), { components, retired, deltas: rows.map(deltaOf) })
}

/** What a row of the journal changed. */
export function deltaOf({ operations, versions }: JournalRow): Delta {
  return { operations, records: [], ...(versions === undefined ? {} : { versions }) }
}

/** Whether something of a state is in an older version than the code's, so that bringing it to life migrates. */
export function isOlder({ snapshot: stored, rows }: StoredState, components: readonly Component[]): boolean {
  const present = new Map(components.filter(({ version }) => version > 1).map(({ name, version }) => [name, version]))
  if (present.size === 0) return false
  const behind = (name: unknown, version = 1): boolean => version < (present.get(name as string) ?? 1)
  return (
    Object.entries(stored?.components ?? {}).some(([name, { version }]) => behind(name, version)) ||
    rows.some(({ operations, versions }) => operations.some(([, , name]) => behind(name, versions?.[name as string])))
  )
}
