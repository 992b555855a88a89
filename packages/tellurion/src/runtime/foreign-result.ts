// What an agent of any make gave back or threw, as plain data: whatever it is, reading it throws nothing but what says
// what was wrong with it.

import { noUsage } from '../agent/usage.ts'
import { errorData, TellurionError, type ErrorData } from '../error/error.ts'
import type { Message } from '../message/message.ts'
import { messagesProblem } from '../message/message-check.ts'
import { failureFromError } from '../model/failure.ts'
import type { Usage } from '../port/model.ts'
import type { Json } from '../schema/json.ts'
import { jsonProblem } from '../schema/plain-json.ts'

/** What a call of `run` came to. */
export interface GivenBack {
  readonly output: Json
  readonly messages: readonly Message[] | undefined
  readonly usage: Usage | undefined
  readonly error: ErrorData | undefined
}

/** Longest text of an error that is kept, in characters. */
const mostText = 10_000

/** Reads what `run` resolved with; nothing at all is an output of null. Throws `invalid_value` for what cannot be kept. */
export function givenBack(key: string, given: unknown): GivenBack {
  const refuse = (problem: string): TellurionError =>
    new TellurionError('invalid_value', `What the agent '${key}' gave back ${problem}.`)
  if (given === undefined || given === null)
    return { output: null, messages: undefined, usage: undefined, error: undefined }
  if (typeof given !== 'object' || Array.isArray(given)) {
    throw refuse(`is ${Array.isArray(given) ? 'a list' : `a ${typeof given}`}: give back { output }`)
  }
  const { output = null, messages, usage, error } = given as Partial<Record<keyof GivenBack, unknown>>
  const problem = jsonProblem(output) ?? jsonProblem(messages ?? null) ?? jsonProblem(usage ?? null)
  if (problem !== undefined) throw refuse(`is not plain JSON: ${problem}`)
  const said = messages === undefined ? undefined : messagesProblem(messages)
  if (said !== undefined) throw refuse(`has messages that are none: ${said}`)
  if (usage !== undefined && !isUsage(usage)) throw refuse('has a usage that is none: its tokens are numbers from 0')
  return {
    output: output as Json,
    messages: messages as readonly Message[] | undefined,
    usage: usage === undefined ? undefined : { ...noUsage, ...usage },
    error: error === undefined || error === null ? undefined : givenError(error),
  }
}

/** Whether a value can be counted as usage: whatever of it is there is an amount. */
export function isUsage(value: unknown): value is Partial<Usage> {
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).every((amount) => typeof amount === 'number' && amount >= 0 && amount < Infinity)
}

/** An error that an agent gave back in an orderly way, or nearly so. */
function givenError(error: unknown): ErrorData {
  const { code, message, retryable, data } = (typeof error === 'object' ? error : { message: error }) as ErrorData
  const whole = {
    code: typeof code === 'string' ? code : 'run_failed',
    message: (typeof message === 'string' ? message : 'The agent failed.').slice(0, mostText).toWellFormed(),
    retryable: retryable === true,
  } as ErrorData
  return data === undefined || jsonProblem(data) !== undefined ? whole : { ...whole, data }
}

/** What an agent threw. Of what is not ours only a lost connection or a timeout is worth another try. */
export function thrown(error: unknown): ErrorData {
  try {
    if (error instanceof TellurionError) return givenError(error.toJSON())
    const { retryable } = failureFromError(error)
    return givenError({ ...errorData(error, 'run_failed'), retryable })
  } catch {
    // It throws when it is looked at.
    return { code: 'run_failed', message: 'The agent threw something that cannot be read.', retryable: false }
  }
}
