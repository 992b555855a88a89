// One piece of code and what became of it, whatever ran it. What code does is never an error of ours: it is data.

import type { FullLimits, Language } from './limit.ts'

/** A file that goes in or comes out: a relative path with `/`, and its bytes. */
export interface SandboxFile {
  readonly name: string
  readonly bytes: Uint8Array
}

/** A piece of what the code printed, in order within its stream. */
export interface OutputChunk {
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
}

/** How code ended: by itself, or stopped because of a limit, by its caller, or by a signal that it brought upon itself. */
export type End = 'finished' | 'timeout' | 'cancelled' | 'memory' | 'output' | 'killed'

/** What became of a piece of code. */
export interface Execution {
  readonly end: End
  /** What it ended with, 0 for well; null where it was stopped. */
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
  /** Whether more was printed than is kept. */
  readonly truncated: boolean
  /** Files that are new or changed. Their names are checked; they are relative and hold no control characters. */
  readonly artifacts: readonly SandboxFile[]
  /** Files that were not read back, by a name that may be shown, and why. */
  readonly refused: readonly { readonly name: string; readonly reason: string }[]
  /** Milliseconds. */
  readonly duration: number
}

/** What an interpreter is to run. */
export interface Call {
  readonly code: string
  readonly files: readonly SandboxFile[]
  readonly limits: FullLimits
  /** Milliseconds that are waited for what the code left to be done after its last line. */
  readonly patience: number
  /** Whether another call may follow; what the code left running then stands still until it does. Otherwise it is ended. */
  readonly isKept: boolean
  readonly signal?: AbortSignal | undefined
  readonly onOutput?: ((chunk: OutputChunk) => void) | undefined
}

/** A language at work, with its state. One call at a time. */
export interface Interpreter {
  /** Runs a piece of code. Never rejects for what the code does; after any end but `finished`, and after a call that keeps nothing, the interpreter is gone. */
  execute(call: Call): Promise<Execution>
  /** Whether it can take another call. */
  readonly isLive: boolean
  /** Kills it with everything that it has started, and waits for their end. Harmless twice. */
  close(): Promise<void>
}

/** A way to run code: namespaces, or an engine of its own. Rejects with `sandbox_unavailable` where it cannot. */
export interface Backend {
  readonly name: 'bubblewrap' | 'quickjs' | 'process'
  readonly languages: readonly Language[]
  start(language: Language, limits: FullLimits, options: { signal?: AbortSignal | undefined }): Promise<Interpreter>
}
