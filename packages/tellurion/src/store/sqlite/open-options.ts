// How a SQLite file is opened, and the points that crash tests are told of. Types that programs see, so without Node's.

import type { Clock } from '../../clock/clock.ts'
import { TellurionError } from '../../error/error.ts'
import { checkOptions, checkWhole } from '../../error/option.ts'

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

/** Throws `unknown_option` and `invalid_option`. */
export function checkOpen(options: DatabaseOptions): void {
  checkOptions('A SQLite file', options, ['layout', 'clock', 'synchronous', 'lockTimeout', 'maxBytes'])
  const { synchronous = 'full', lockTimeout = 0, maxBytes } = options
  if (synchronous !== 'full' && synchronous !== 'normal') {
    throw new TellurionError('invalid_option', `synchronous must be 'full' or 'normal', not ${String(synchronous)}.`)
  }
  if (!(Number.isFinite(lockTimeout) && lockTimeout >= 0)) {
    throw new TellurionError('invalid_option', `lockTimeout must be a number of milliseconds, not ${lockTimeout}.`)
  }
  checkWhole('maxBytes', maxBytes)
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
