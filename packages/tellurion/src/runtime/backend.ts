// A backend: one material's store, queue and hints, together. `createRuntime` takes one and closes it at its end.

import type { Clock } from '../clock/clock.ts'
import type { KeyValue } from '../port/key-value.ts'
import type { Hints } from './hints.ts'
import type { RunQueue } from './run-queue.ts'
import type { RunStore } from './run-store.ts'

/** What a runtime stands on. */
export interface Backend {
  /** The material, for messages: `memory`, `sqlite`. */
  readonly name: string
  /** Whether what was acknowledged survives the process. */
  readonly durable: boolean
  readonly store: RunStore
  readonly queue: RunQueue
  readonly hints: Hints
  /** Artifacts and other small records. */
  readonly keyValue: KeyValue
  close(): Promise<void>
}

/** Opens a backend; `memory()` and `sqlite(path)` make one of these. Rejects with a typed error. */
export type BackendOpener = (options: { readonly clock: Clock }) => Promise<Backend>
