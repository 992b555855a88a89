// Submissions: how a request becomes a run of the one who asks, in a session that is theirs.

import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { Agent, type UserInput } from 'tellurion'
import type { BudgetLimits } from 'tellurion/agent'
import type { AnyAgent, RunHandle, RunRecord, Runtime, SubmitOptions } from 'tellurion/runtime'
import { RequestError } from './failure.ts'
import type { Identity } from './identity.ts'
import { cleaned } from './json-answer.ts'
import { owns } from './own.ts'
import type { Call, ServerSetting } from './setting.ts'

/** What is asked for. */
export interface Submission {
  readonly agent?: string | undefined
  readonly input: UserInput
  readonly session?: string | undefined
  readonly options?: Pick<SubmitOptions, 'priority' | 'delay' | 'metadata' | 'budget' | 'output'>
}

/**
 * Makes a run; the same `Idempotency-Key` of a user gives the run that is there. Throws `unknown_agent` for one that is
 * not offered, `unknown_session` for one of another user, `invalid_request` for a key that was used for something else.
 */
export async function submit(call: Call, submission: Submission): Promise<RunHandle> {
  const { setting, identity } = call
  const { input, session, options = {} } = submission
  const agent = offered(call, submission.agent)
  const idempotencyKey = keyOf(call.request)
  const user = session === undefined ? identity.user : await ownerOfSession(setting.runtime, identity, session)
  const { budget, ...others } = options
  const run = await setting.runtime.submit(agent, input, {
    ...others,
    ...(budget === undefined ? {} : { budget: tightened(setting.runtime.agents.find(agent), budget) }),
    // The schema is the client's: no check of it may hold up the server, or whichever process checks.
    ...(options.output === undefined ? {} : { outputCheck: 'bounded' as const }),
    user,
    ...(session === undefined ? {} : { session }),
    ...(identity.tenant === undefined ? {} : { tenant: identity.tenant }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  })
  if (idempotencyKey !== undefined) await checkSame(run, { ...submission, agent }, setting)
  return run
}

/** What a run has where nobody says more. */
const usual = { ticks: 100, depth: 3 } as const

/** A client's budget takes away; more of these than is usual is the agent's alone to allow. */
function tightened(agent: AnyAgent | undefined, budget: BudgetLimits): BudgetLimits {
  const own = agent instanceof Agent ? agent.limits : undefined
  const most = (name: keyof typeof usual): BudgetLimits => {
    const asked = budget[name]
    return asked === undefined || own?.[name] !== undefined ? {} : { [name]: Math.min(asked, usual[name]) }
  }
  return { ...budget, ...most('ticks'), ...most('depth') }
}

/** The name of an agent that is offered; the first where none is named. Throws `unknown_agent`. */
export function offered({ setting }: Call, agent: string | undefined): string {
  const { agents } = setting
  const name = agent ?? agents[0]
  if (name !== undefined && agents.includes(name)) return name
  // What the runtime has and the server does not offer is answered like what is not there.
  const known = agents.length === 0 ? 'none are offered' : `there are ${agents.slice(0, 20).join(', ')}`
  throw new RequestError('unknown_agent', `No agent is named '${name ?? ''}': ${known}.`)
}

/** Whose a session is, which is made when it is not there. Throws `unknown_session` for one of another user. */
export async function ownerOfSession(runtime: Runtime, identity: Identity, id: string): Promise<string> {
  const session = await runtime.createSession({ id, user: identity.user })
  if (owns(identity, session)) return session.user
  throw new RequestError('unknown_session', `There is no session '${id}'.`)
}

/** The id of a new session: the same for the same request, so that asking twice makes one. Throws `invalid_request`. */
export function newSession({ setting, identity, request }: Pick<Call, 'setting' | 'identity' | 'request'>): string {
  const key = keyOf(request)
  if (key === undefined) return setting.ids('session')
  return `session_${createHash('sha256').update(`${identity.user} ${key}`).digest('hex').slice(0, 32)}`
}

/** The `Idempotency-Key` of a request. Throws `invalid_request` for what is none. */
export function keyOf({ headers }: Request): string | undefined {
  const key = headers.get('idempotency-key')
  if (key === null || /^[\x20-\x7e]{1,256}$/.test(key)) return key ?? undefined
  throw new RequestError('invalid_request', 'An Idempotency-Key is 1 to 256 printable characters.')
}

/** What is kept of a run may have lost its secrets, so what is asked is compared as it would be kept, too. */
async function checkSame(run: RunHandle, asked: Submission, setting: ServerSetting): Promise<void> {
  const known = await run.record()
  if ([asked, cleaned(asked, setting)].some((each) => isSame(known, each))) return
  throw new RequestError('invalid_request', 'This Idempotency-Key was used for another request; make a new one.')
}

function isSame(known: RunRecord, { agent, input, session = known.id, options = {} }: Submission): boolean {
  const { input: said, output } = known.input as { readonly input?: unknown; readonly output?: unknown }
  const { priority = 0, metadata = {} } = options
  return (
    known.agent === agent &&
    known.session === session &&
    known.priority === priority &&
    isDeepStrictEqual(known.metadata, metadata) &&
    isDeepStrictEqual(output, options.output) &&
    // An agent hears parts as a message of them.
    [input, { role: 'user', content: input }].some((each) => isDeepStrictEqual(said, each))
  )
}
