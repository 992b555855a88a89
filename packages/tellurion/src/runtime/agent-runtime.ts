// The contract of any agent whatsoever: a key and `run(ctx)`. What a graph, a crew or a loop of one's own must offer to
// be run here, and what it is given.

import type { TaintSource } from '../message/trust.ts'
import type { Clock } from '../clock/clock.ts'
import type { ErrorData } from '../error/error.ts'
import type { EventRecord } from '../event/event.ts'
import type { Message } from '../message/message.ts'
import type { Usage } from '../port/model.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import type { Toolbox, Tools } from '../tool/toolbox.ts'

/**
 * An agent of any make. `run` may be called several times for one run: after a crash, a pause, a question or a retry it
 * is called again from its beginning, with what it has kept. It may reject: that fails the run with what was thrown.
 */
export interface AgentRuntime {
  /** The name under which runs ask for it; matches `^[a-zA-Z0-9_-]{1,64}$`. */
  readonly key: string
  /** What it finds in `context.tools`. */
  readonly tools?: Tools
  run(context: RunContext): Promise<RunResult>
}

/**
 * What a running agent is given. What is written through it is in the run's journal once the promise resolves; when the
 * signal has aborted, promises reject with its reason. Events may still be emitted while it cleans up.
 */
export interface RunContext {
  readonly runId: string
  readonly input: Json
  /** The conversation so far, oldest first; the input is its last message where it was text. */
  readonly messages: readonly Message[]
  readonly metadata: JsonObject
  /** Its tools; `execute` goes through the one pipeline and ends with the run's signal. */
  readonly tools: Toolbox
  /** Where the words came from that nobody vouches for, of all that its tools gave; after them calls that risk something ask. */
  readonly taint: readonly TaintSource[]
  readonly clock: Clock
  /** Aborts when this call of `run` should end: cancelled, timed out, paused, waiting for an answer, or given back. */
  readonly signal: AbortSignal
  /** The newest checkpoint of this run; undefined before the first. */
  readonly state: Json | undefined
  /** Keeps a state to go on from; the newest one counts. Resolves when it is kept. Here a pause takes effect. */
  checkpoint(state: Json): Promise<void>
  /** Adds messages to the conversation. Resolves when they are kept. */
  say(...messages: readonly Message[]): Promise<void>
  /**
   * Adds an event to the run's log, with the next commit or soon after. Plain JSON with a name of your own, or an event
   * of the catalogue that does not begin with `run.` or `interaction.`; the usage of a `model.replied` counts.
   */
  emit(event: EventRecord & Readonly<Record<string, unknown>>): void
  /**
   * Takes a place in the run's budget for what is about to be spent, such as a model call with its longest answer;
   * without one there is no limit. Give it back when what was spent has been told by `model.replied`. Throws
   * `budget_exceeded`. Calls of `tools` take their own.
   */
  reserve(amounts: { readonly modelCalls?: number; readonly tokens?: number; readonly cost?: number }): () => void
  /**
   * Asks a person. Where there is no answer yet this call of `run` ends, the run waits without a worker, and `run` is
   * called again when all its questions are answered; then the same question resolves at once, with a choice or a text.
   */
  ask(question: Question): Promise<string>
  /** Where a `StepExecutor` keeps what is done. */
  readonly steps: StepLog
}

/** A question to a person. */
export interface Question {
  /** What makes it the same question when it is asked again. Default: its prompt. */
  readonly id?: string
  readonly prompt: string
  readonly choices?: readonly string[]
  /** When nobody answers within so many milliseconds, this is the answer. Without it the question waits for ever. */
  readonly expires?: { readonly after: number; readonly answer: string }
}

/** A step that is done. */
export interface StepDone {
  readonly name: string
  readonly result: Json
}

/** What step executors keep, by the name of their list. A list may be executed again and again; each time is its own. */
export interface StepLog {
  /** Which execution is the present one, from 1, what it has done, oldest first, and the state that its steps share. */
  read(list: string): {
    readonly execution: number
    readonly done: readonly StepDone[]
    readonly state: JsonObject | undefined
  }
  /** Resolves when it is kept. Here a pause takes effect. */
  keep(list: string, done: readonly StepDone[], state: JsonObject): Promise<void>
  /** The present execution is over; from now on this call of `run` is in the next one. */
  finish(list: string): void
}

/** What an agent gives back. */
export interface RunResult {
  readonly output: Json
  /** What it adds to the conversation, oldest first. Default: an output that is text, where nothing was said. */
  readonly messages?: readonly Message[]
  /** What its models have spent, where no `model.replied` said so. */
  readonly usage?: Usage
  /** Set when the agent failed in an orderly way. */
  readonly error?: ErrorData
}
