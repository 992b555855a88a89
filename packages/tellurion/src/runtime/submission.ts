// What is submitted, checked before anything is stored: misuse is told to whoever submits, not to whoever reads why the
// run has failed.

import { Agent } from '../agent/agent.ts'
import { checkLimits } from '../agent/budget-limits.ts'
import { tighter } from '../agent/tighter.ts'
import { userMessage } from '../agent/conversation.ts'
import { TellurionError } from '../error/error.ts'
import { checkOptions } from '../error/option.ts'
import type { UserInput } from '../message/message.ts'
import type { Json } from '../schema/json.ts'
import { jsonProblem } from '../schema/plain-json.ts'
import { compileSchema } from '../schema/schema.ts'
import { strangerSchema } from '../schema/stranger-schema.ts'
import { checkId } from './backend/request.ts'
import type { InputPayload } from './inbox.ts'
import type { AnyAgent } from './registry.ts'
import type { NewRun } from './run-store.ts'
import type { SubmitOptions } from './runtime-options.ts'

/** A run that is asked for, before it has an id and a place. `delay` is milliseconds. */
export type Submission = Pick<NewRun, 'agent' | 'user' | 'priority' | 'metadata' | 'ownSession'> &
  Partial<Pick<NewRun, 'session' | 'idempotencyKey' | 'tenant' | 'limits'>> & {
    readonly input: InputPayload
    readonly delay: number
  }

const known = [
  'session',
  'priority',
  'idempotencyKey',
  'delay',
  'user',
  'tenant',
  'budget',
  'metadata',
  'output',
  'outputCheck',
]

/** Throws `unknown_option`, `invalid_option` and the errors of an output schema. An agent may be one of other processes. */
export function submission(
  { name, agent }: { readonly name: string; readonly agent: AnyAgent | undefined },
  input: UserInput | Json,
  options: SubmitOptions,
): Submission {
  check(name, options)
  const { session, priority = 0, delay = 0, user = 'local', metadata = {}, idempotencyKey, tenant, budget } = options
  const own = agent instanceof Agent ? agent.limits : undefined
  const limits = own === undefined && budget === undefined ? undefined : tighter(own, budget)
  return {
    agent: name,
    input: { input: inputFor(agent, input), ...askedOutput(options) },
    ...(session === undefined ? {} : { session }),
    ownSession: session === undefined,
    user,
    priority,
    metadata,
    delay: Math.ceil(delay),
    ...(tenant === undefined ? {} : { tenant }),
    ...(limits === undefined ? {} : { limits }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  }
}

/** The shape that is asked for, as it is stored: whoever checks replies may be another process. */
function askedOutput({ output, outputCheck }: SubmitOptions): Pick<InputPayload, 'output' | 'bounded'> {
  if (output === undefined) return {}
  if (outputCheck !== 'bounded') return { output: compileSchema(output, 'the output schema').jsonSchema }
  return { output: strangerSchema(output, 'the output schema'), bounded: true }
}

function check(name: string, options: SubmitOptions): void {
  checkOptions('submit', options, known)
  const { delay = 0, budget, outputCheck = 'whole' } = options
  checkPlace(options)
  checkId('agent', name)
  checkLimits('budget', budget)
  if (outputCheck !== 'whole' && outputCheck !== 'bounded') {
    throw invalid(`outputCheck is 'whole' or 'bounded', not ${JSON.stringify(outputCheck)}.`)
  }
  if (!(Number.isFinite(delay) && delay >= 0)) {
    throw invalid(`delay must be a number of milliseconds from 0, not ${String(delay)}.`)
  }
}

/** Throws `invalid_option` for where a run is to be, or whose, that cannot be meant. */
export function checkPlace({
  session,
  user,
  tenant,
  priority = 0,
  metadata = {},
}: Pick<SubmitOptions, 'session' | 'user' | 'tenant' | 'priority' | 'metadata'>): void {
  if (session !== undefined) checkId('session', session)
  if (user !== undefined) checkId('user', user)
  if (tenant !== undefined) checkId('tenant', tenant)
  if (!Number.isSafeInteger(priority)) throw invalid(`priority must be a whole number, not ${String(priority)}.`)
  const problem = jsonProblem(metadata)
  const isObject = typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata)
  if (problem !== undefined || !isObject) {
    throw invalid(`metadata must be an object of plain JSON: ${problem ?? `it is ${JSON.stringify(metadata)}`}.`)
  }
}

/** What an agent is told. One of this library hears a person, one of any make takes any JSON. */
export function inputFor(agent: AnyAgent | undefined, given: UserInput | Json): UserInput {
  if (typeof given === 'string') return given.toWellFormed()
  if (agent instanceof Agent) return userMessage(given as UserInput)
  const problem = jsonProblem(given)
  if (problem !== undefined) throw invalid(`The input must be a text, a message, or plain JSON: ${problem}.`)
  return given as UserInput
}

function invalid(message: string): TellurionError {
  return new TellurionError('invalid_option', message)
}
