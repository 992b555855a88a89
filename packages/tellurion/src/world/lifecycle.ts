// The four components that the runner itself reads: what failed, what is stopped, what has ended, what waits.

import type { ErrorData } from '../error/error.ts'
import { defineComponent } from './component.ts'

/** What a system threw while it worked on this entity. Error handling turns it into `Halted`. */
export const Failure = defineComponent<{ readonly error: ErrorData; readonly system: string; readonly tick: number }>(
  'Failure',
)

/**
 * The entity does no built-in work until new input arrives. With `retryAt` (wall time in milliseconds) it is lifted by
 * itself. A run whose main entity is halted for good has failed.
 */
export const Halted = defineComponent<{ readonly error: ErrorData; readonly retryAt?: number }>('Halted')

/** The entity's work has ended; on the main entity this ends the run. */
export const Terminal = defineComponent<{ readonly reason: string }>('Terminal')

/** One thing an entity waits for from outside. `due` (wall time in milliseconds) is when waiting is over by itself. */
export interface OpenWait {
  readonly id: string
  readonly kind: string
  readonly due?: number
}

/** What the entity waits for. A world in which nothing changes and something waits is waiting, not idle. */
export const Wait = defineComponent<readonly OpenWait[]>('Wait')
