// A run context for tests of agents of any make: it records what the agent emits and keeps, and can cancel it.

import { TellurionError } from '../error/error.ts'
import type { EventRecord } from '../event/event.ts'
import { user, type Message } from '../message/message.ts'
import type { RunContext } from '../runtime/agent-runtime.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { jsonProblem } from '../schema/plain-json.ts'
import { createToolbox, type Tools } from '../tool/toolbox.ts'

/** What a test gives. Everything has a default: run id `run_test`, empty input, no tools. */
export interface TestContextOptions {
  readonly runId?: string
  readonly input?: Json
  readonly messages?: readonly Message[]
  readonly metadata?: JsonObject
  readonly tools?: Tools
}

/** A `RunContext` that remembers. */
export interface TestContext extends RunContext {
  /** What was emitted, in order. */
  readonly events: readonly (EventRecord & Readonly<Record<string, unknown>>)[]
  /** The states that were kept, in order. */
  readonly checkpoints: readonly Json[]
  /** Aborts the context's signal, as cancelling the run would. */
  cancel(): void
}

/** Makes a context. Like the real one it refuses events and states that are not plain JSON, with `invalid_value`. */
export function createTestContext(options: TestContextOptions = {}): TestContext {
  const { runId = 'run_test', input = '', metadata = {}, tools } = options
  const controller = new AbortController()
  const events: (EventRecord & Readonly<Record<string, unknown>>)[] = []
  const checkpoints: Json[] = []
  const messages = options.messages ?? (typeof input === 'string' && input !== '' ? [user(input)] : [])
  return {
    runId,
    input,
    messages,
    metadata,
    tools: createToolbox(tools),
    signal: controller.signal,
    events,
    checkpoints,
    emit(event) {
      refuse(event, 'An event')
      events.push(structuredClone(event))
    },
    checkpoint(state) {
      refuse(state, 'A checkpoint')
      checkpoints.push(structuredClone(state))
      return Promise.resolve()
    },
    cancel: () => controller.abort(),
  }
}

function refuse(value: unknown, what: string): void {
  const problem = jsonProblem(value)
  if (problem !== undefined) throw new TellurionError('invalid_value', `${what} must be plain JSON: ${problem}.`)
}
