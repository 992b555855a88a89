// What an interpreter stands in: its streams, its end, and how it is killed, wherever it runs.

import type { Duplex, Readable } from 'node:stream'

/** A program that speaks the protocol of interpreters, wherever it runs. What it says is a stranger's word. */
export interface Enclosure {
  readonly stdout: Readable
  readonly stderr: Readable
  /** Where requests are written. */
  readonly requests: Duplex
  readonly replies: Readable
  /** Resolves when the program has ended, with its exit code; null where it did not get to give one. */
  readonly ended: Promise<{ readonly code: number | null }>
  /** The folder that it works in, by a descriptor that outlives it. */
  readonly work: number
  /** Whether something was killed for want of memory. */
  readonly ranOutOfMemory: boolean
  /** Stops everything in it until `resume`. False where somebody does not stop, and it is to be ended. */
  pause(): Promise<boolean>
  /** Lets go on what `pause` has stopped. */
  resume(): void
  /** Kills everything in it. */
  kill(): void
  /** Kills everything in it and waits until nothing is left. What it worked on can still be read, until `close`. */
  end(): Promise<void>
  /** Ends it, and lets go of what it worked on. Harmless twice. */
  close(): Promise<void>
}
