// How a SQLite file is opened, and the points that crash tests are told of. Types that programs see, so without Node's.

import type { Clock } from '../../clock/clock.ts'

/** `full`: what was acknowledged survives the loss of power. `normal`: it survives the process, not always the power. */
export type Synchronous = 'full' | 'normal'

/** The points around each durable write. */
export type WritePoint = 'begin' | 'job' | 'commit' | 'committed'

/** What a file is used for: its mark in the header, its version and the statements that make it. */
export interface Layout {
  /** SQLite's `application_id`: 32 bits. */
  readonly mark: number
  readonly version: number
  readonly create: string
  /** What brings a file of an older version to the next one. */
  readonly upgrades?: Readonly<Record<number, string>>
}

/** How a file is opened. */
export interface DatabaseOptions {
  readonly layout: Layout
  readonly clock: Clock
  readonly synchronous?: Synchronous
  /** Longest wait for other processes, in milliseconds. Default 10,000. */
  readonly lockTimeout?: number
  /** The file never grows beyond this. No limit by default. */
  readonly maxBytes?: number
}
