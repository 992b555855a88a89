// What one turn may bring besides its input, and its check: misuse is told before anything has changed.

import { isAbortSignal } from '../abort/abort.ts'
import { TellurionError } from '../error/error.ts'
import { checkOptions } from '../error/option.ts'
import type { InferSchema, Schema } from '../schema/infer.ts'
import { jsonProblem } from '../schema/plain-json.ts'
import { checkRunOptions } from '../world/runner.ts'
import type { ModelSettings } from './component.ts'

/** What one turn may bring besides its input. */
export interface TurnOptions<S extends Schema | undefined = undefined> {
  readonly abortSignal?: AbortSignal | undefined
  /** The shape of the final answer: any Standard Schema, or JSON Schema. */
  readonly output?: S
  /** Most ticks of the turn. Default 100; null for no limit. */
  readonly maxTicks?: number | null
  /** How the model is asked in this turn and after it. */
  readonly settings?: ModelSettings
  /** Live things bound to the world: `clock`, `ids`, `log`, `runId`, `user`, `artifacts`, or what the agent's own systems need. */
  readonly resources?: Readonly<Record<string, unknown>>
}

/** The output type that goes with a schema. */
export type OutputOf<S> = S extends Schema ? InferSchema<S> : undefined

const known = ['abortSignal', 'output', 'maxTicks', 'settings', 'resources'] satisfies (keyof TurnOptions)[]
const knownSettings = [
  'temperature',
  'topP',
  'maxOutputTokens',
  'stopSequences',
  'seed',
  'toolChoice',
  'parallelToolCalls',
  'providerOptions',
] satisfies (keyof ModelSettings)[]

/** Throws `unknown_option` and `invalid_option`. */
export function checkTurnOptions(options: TurnOptions<Schema | undefined>): void {
  checkOptions('A turn', options, known)
  const { abortSignal, maxTicks, settings } = options
  if (abortSignal !== undefined && !isAbortSignal(abortSignal)) {
    throw new TellurionError('invalid_option', "abortSignal must be an AbortSignal, such as a controller's signal.")
  }
  if (maxTicks !== undefined) checkRunOptions({ maxTicks })
  if (settings === undefined) return
  checkOptions('settings', settings, knownSettings)
  const problem = jsonProblem(settings)
  if (problem !== undefined) throw new TellurionError('invalid_option', `settings must be plain JSON: ${problem}.`)
}
