// The contract of any agent whatsoever: a key and `run(ctx)`. What a graph, a crew or a loop of one's own must offer to
// be run here, and what it is given.

import type { ErrorData } from '../error/error.ts'
import type { EventRecord } from '../event/event.ts'
import type { Message } from '../message/message.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import type { Toolbox } from '../tool/toolbox.ts'

/** An agent of any make. `run` may reject: that fails the run with what was thrown. */
export interface AgentRuntime {
  /** The name under which runs ask for it; matches `^[a-zA-Z0-9_-]{1,64}$`. */
  readonly key: string
  run(context: RunContext): Promise<RunResult>
}

/** What a running agent is given. */
export interface RunContext {
  readonly runId: string
  readonly input: Json
  /** The conversation so far, oldest first; the input is its last message where it was text. */
  readonly messages: readonly Message[]
  readonly metadata: JsonObject
  /** Its tools; `execute` goes through the one pipeline. */
  readonly tools: Toolbox
  /** Aborts when the run is cancelled. */
  readonly signal: AbortSignal
  /** Adds an event to the run's log. Plain JSON. */
  emit(event: EventRecord & Readonly<Record<string, unknown>>): void
  /** Keeps a state to go on from; the newest one counts. Resolves when it is kept. */
  checkpoint(state: Json): Promise<void>
}

/** What an agent gives back. */
export interface RunResult {
  readonly output: Json
  readonly messages?: readonly Message[]
  /** Set when the agent failed in an orderly way. */
  readonly error?: ErrorData
}
