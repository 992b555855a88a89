// What a backend is tested on: fresh openings, and where the material allows it, opening again and sharing.

import type { Backend } from '../runtime/backend.ts'
import { macrotask, type VirtualClock } from './virtual-clock.ts'

/** Opens backends of one material. */
export interface BackendBench {
  /** The clock of what is opened here. */
  readonly clock: VirtualClock
  /** A fresh, empty backend. */
  open(): Promise<Backend>
  /** Closes a backend and opens what it holds again. Absent where that is nothing. */
  reopen?(backend: Backend): Promise<Backend>
  /** Another handle on the same contents, as another process has one. Absent where there is one process. */
  join?(backend: Backend): Promise<Backend>
}

/** One behaviour. `run` rejects with what is wrong; `needs` names what a bench must have for it. */
export interface BackendCase {
  readonly name: string
  readonly needs?: 'reopen' | 'join'
  run(bench: BackendBench): Promise<void>
}

/** Waits, without a clock, until something holds. Rejects when it does not within many macrotasks. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < 20_000; turn++) {
    if (holds()) return
    await macrotask()
  }
  throw new Error(`${what}: waited in vain`)
}
