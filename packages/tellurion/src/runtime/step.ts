// Steps: named pieces of work with their own retries, timeout and checkpoint. Declared here, carried out by a
// `StepExecutor`.

import { suggestion, TellurionError } from '../error/error.ts'
import type { Json } from '../schema/json.ts'
import type { RunContext } from './agent-runtime.ts'

/** The state that steps share: plain JSON that a step may change as it likes. */
export type StepState = Record<string, Json>

/** What a running step is given: its run's context, but with a signal of its own. */
export interface StepContext extends Pick<RunContext, 'runId' | 'input' | 'metadata' | 'tools' | 'clock'> {
  /** Name of the step. */
  readonly step: string
  /** Which try it is, from 1. */
  readonly attempt: number
  /** Aborts when the step has taken too long or the run should end. */
  readonly signal: AbortSignal
  /** The same for each try of this step in this run: hand it to whatever must not be done twice. */
  readonly idempotencyKey: string
  readonly emit: RunContext['emit']
  readonly ask: RunContext['ask']
}

/** What a step does. Its result must be plain JSON; nothing counts as null. */
export type StepFunction<Result> = (context: StepContext, state: StepState) => Result | Promise<Result>

/** How a step is carried out. Durations are milliseconds. */
export interface StepOptions {
  readonly description?: string
  /** Tries after the first. Default 0. */
  readonly retries?: number
  /** Wait before each of them. Default 1,000. */
  readonly retryDelay?: number
  /** Longest time of one try. Default none. */
  readonly timeout?: number
  /** False keeps it only with the next step that is kept: a crash before then does it again. Default true. */
  readonly checkpoint?: boolean
}

/** A step, made by `step`. */
export interface Step<Name extends string = string, Result = unknown> {
  readonly name: Name
  readonly run: StepFunction<Result>
  readonly description: string | undefined
  readonly retries: number
  readonly retryDelay: number
  readonly timeout: number | undefined
  readonly checkpoint: boolean
}

const known = ['description', 'retries', 'retryDelay', 'timeout', 'checkpoint']

/** Declares a step. Throws `invalid_name`, `unknown_option` and `invalid_option`. */
export function step<const Name extends string, Result>(
  name: Name,
  run: StepFunction<Result>,
  options: StepOptions = {},
): Step<Name, Result> {
  if (typeof name !== 'string' || !/^[a-zA-Z0-9_][a-zA-Z0-9_ .:/-]{0,63}$/.test(name) || name === '__proto__') {
    throw new TellurionError('invalid_name', "A step's name is 1 to 64 letters, digits, spaces and any of _.:/-.")
  }
  if (typeof run !== 'function') {
    throw new TellurionError(
      'invalid_option',
      `Step '${name}' needs a function: step('${name}', (context, state) => …).`,
    )
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue
    throw new TellurionError('unknown_option', `A step has no option '${key}'.${suggestion(key, known)}`)
  }
  const { description, retries = 0, retryDelay = 1000, timeout, checkpoint = true } = options
  const numbers = { retries, retryDelay, timeout: timeout ?? 0 }
  for (const [option, value] of Object.entries(numbers)) {
    if (value >= 0 && (option !== 'retries' || Number.isInteger(value))) continue
    throw new TellurionError('invalid_option', `Step '${name}': ${option} must be at least 0, not ${String(value)}.`)
  }
  return { name, run, description, retries, retryDelay, timeout, checkpoint }
}
