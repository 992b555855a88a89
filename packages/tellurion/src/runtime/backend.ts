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
  /** Starts a heart beside the main loop, where the material can have one. */
  startHeart?(options: HeartOptions): Heart
  close(): Promise<void>
}

/** How a heart beats. Milliseconds. */
export interface HeartOptions {
  readonly lease: number
  readonly heartbeat: number
  /** When the main loop has not said that it is alive for so long, the heart stops: it hangs, and others may take over. */
  readonly stall: number
}

/**
 * Keeps leases alive from outside the main loop, so that a busy one does not lose its runs. It only extends; what is
 * lost the worker finds out itself.
 */
export interface Heart {
  hold(run: string, epoch: number): void
  release(run: string): void
  /** The main loop says that it is alive. */
  alive(): void
  close(): Promise<void>
}

/** Opens a backend; `memory()` and `sqlite(path)` make one of these. Rejects with a typed error. */
export type BackendOpener = (options: { readonly clock: Clock }) => Promise<Backend>
