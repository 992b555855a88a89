// Deltas: what changed, as data. Applying all deltas of a world to an empty one gives the same world.

import type { EventRecord } from '../event/event.ts'
import type { Json } from '../schema/json.ts'

/**
 * One operation. Compact on purpose: a journal is made of these.
 * - `['spawn', entity]`, `['destroy', entity]`
 * - `['set', entity, component, value]`, `['remove', entity, component]`
 * - `['append', entity, log, items]`, `['splice', entity, log, start, deleteCount, items]`
 * - `['header', { tick?, runTicks?, paused? }]`
 */
export type Operation =
  | readonly ['spawn', number]
  | readonly ['destroy', number]
  | readonly ['set', number, string, Json]
  | readonly ['remove', number, string]
  | readonly ['append', number, string, readonly Json[]]
  | readonly ['splice', number, string, number, number, readonly Json[]]
  | readonly ['header', Partial<Header>]

/** What a world knows of its own running. `tick` counts finished ticks, `runTicks` those of the present run. */
export interface Header {
  readonly tick: number
  readonly runTicks: number
  readonly paused: boolean
}

/** Everything since the last `takeDelta`: operations in order, and the events that were emitted meanwhile. */
export interface Delta {
  readonly operations: readonly Operation[]
  readonly records: readonly EventRecord[]
  /** The versions of the components that were written, by name, where they are not 1. */
  readonly versions?: Readonly<Record<string, number>>
}
