// The first half of the pipeline: whether a call may run. Pure; its answer is plain JSON that the world keeps, so an
// approval may take days. What is decided here is carried out by `perform` and by nothing else.

import { messageOf } from '../error/error.ts'
import type { ToolCallPart } from '../message/message.ts'
import type { TaintSource } from '../message/trust.ts'
import { canonicalJson, sha256 } from '../schema/canonical.ts'
import type { Approval, Authorisation } from './approval.ts'
import type { Grant } from './grant.ts'
import { isRejection, prepare, type Prepared, type Rejection } from './prepare.ts'
import { doubtsOf, doubtText, levelOf } from './taint.ts'
import type { ToolSource } from './tool.ts'

/** The call may run. `by` says who allowed it: `default`, `rule 2`, or a person. */
export interface Allowed {
  readonly verdict: 'allow'
  readonly by: string
  /** The id of the permission that said so. */
  readonly permission?: string
  /** What a person's answer grants for later calls; written down before this one runs. */
  readonly grant?: Grant
}

/** The call must not run. */
export interface Denied {
  readonly verdict: 'deny'
  readonly reason: string
  readonly by: string
  readonly permission?: string
  readonly grant?: Grant
}

/** A person is to be asked first; their answer turns this into `Allowed` or `Denied`. */
export interface Asked {
  readonly verdict: 'ask'
  readonly prompt: string
  /** SHA-256 of the exact arguments: the answer is good for these alone. */
  readonly inputHash: string
  readonly by: string
  /** The strangers' words after which the call was made, where it risks something. */
  readonly taint?: readonly TaintSource[]
}

/** What was decided about a call. Plain JSON. */
export type Decision = Allowed | Denied | Asked | Rejection

/** A decision, and the live tool with its checked input where there is one. */
export interface Decided {
  readonly decision: Decision
  readonly prepared?: Prepared
}

/** A call that would ask a person. */
export interface PermissionRequest {
  readonly toolCallId: string
  readonly toolName: string
  /** The input as the tool will get it. */
  readonly input: unknown
  /** The hash of the arguments as the model gave them. */
  readonly inputHash: string
  /** The call comes after strangers' words: only what was granted for its arguments is meant. */
  readonly tainted?: true
}

/** Whoever knows what has been granted. Undefined, or a rejection: a person is asked. */
export interface PermissionSource {
  authorise(request: PermissionRequest): Promise<Allowed | Denied | undefined>
}

/** What decides. */
export interface DecideOptions {
  readonly toolbox: ToolSource
  /** Rules. Without them `needsApproval` asks and the rest is allowed. */
  readonly approval?: Approval | undefined
  /** Everything but tools with the effect `read` asks, also what rules allow. Default false. */
  readonly safeMode?: boolean | undefined
  /** What has been granted: asked before a person is, and about nothing else. */
  readonly permissions?: PermissionSource | undefined
  /** Where the words came from that nobody vouches for, of those the model had read. Calls that risk something ask. */
  readonly taint?: readonly TaintSource[] | undefined
}

const allowedByDefault: Allowed = { verdict: 'allow', by: 'default' }

/**
 * Finds the tool, checks the arguments and authorises the call. A promise only where a schema or a rule's function is
 * asynchronous, or where a person is to be asked. Never throws: what fails on the way denies, or asks.
 */
export function decide(call: ToolCallPart, options: DecideOptions): Decided | Promise<Decided> {
  const prepared = prepare(call, options.toolbox)
  return prepared instanceof Promise
    ? prepared.then((each) => authorise(call, each, options))
    : authorise(call, prepared, options)
}

function authorise(
  call: ToolCallPart,
  prepared: Prepared | Rejection,
  options: DecideOptions,
): Decided | Promise<Decided> {
  if (isRejection(prepared)) return { decision: prepared }
  const authorisation = options.approval
    ? options.approval.authorise({ toolCallId: call.toolCallId, toolName: call.toolName, input: prepared.input })
    : byNeed(call, prepared)
  return authorisation instanceof Promise
    ? authorisation.then((each) => conclude(call, prepared, { ...options, authorisation: each }))
    : conclude(call, prepared, { ...options, authorisation })
}

/** Without rules: what the tool itself says. A question that fails is answered by a person. */
function byNeed(call: ToolCallPart, { tool, input }: Prepared): Authorisation | Promise<Authorisation> {
  try {
    const need = tool.needsApproval(input, call)
    if (need === false) return allowedByDefault
    if (need === true) return { verdict: 'ask', by: 'needsApproval' }
    return Promise.resolve(need).then(
      (needed): Authorisation => (needed === false ? allowedByDefault : { verdict: 'ask', by: 'needsApproval' }),
      unclear,
    )
  } catch (error) {
    return unclear(error)
  }
}

function unclear(error: unknown): Authorisation {
  return {
    verdict: 'ask',
    by: 'needsApproval',
    prompt: `needsApproval failed (${messageOf(error).slice(0, 200)}). Run it?`,
  }
}

function guarded(
  { tool }: Prepared,
  { authorisation, safeMode }: Concluding,
  doubts: readonly TaintSource[] | undefined,
): Authorisation {
  if (authorisation.verdict !== 'allow') return authorisation
  if (tool.asksEachTime === true) return { verdict: 'ask', by: 'needsApproval' }
  if (safeMode === true && tool.effects.mode !== 'read') return { verdict: 'ask', by: 'safe mode' }
  if (authorisation.tainted === true) return { verdict: 'allow', by: authorisation.by }
  return doubts === undefined ? authorisation : { verdict: 'ask', by: `${levelOf(doubts)} content` }
}

interface Concluding extends DecideOptions {
  readonly authorisation: Authorisation
}

/** What rules, safe mode and taint leave open is asked of the permissions, and then of a person. */
function conclude(call: ToolCallPart, prepared: Prepared, options: Concluding): Decided | Promise<Decided> {
  const doubts = doubtsOf(prepared, options.taint)
  const said = guarded(prepared, options, doubts)
  if (said.verdict !== 'ask') return { decision: said, prepared }
  const text = canonicalJson(call.input)
  return sha256(text).then(async (inputHash): Promise<Decided> => {
    const { toolCallId, toolName } = call
    const request: PermissionRequest = {
      toolCallId,
      toolName,
      input: prepared.input,
      inputHash,
      ...(doubts && { tainted: true }),
    }
    const granted = await options.permissions?.authorise(request).catch(() => undefined)
    const counts = granted?.verdict === 'deny' || prepared.tool.asksEachTime !== true
    if (granted !== undefined && counts) return { decision: granted, prepared }
    const question = said.prompt ?? promptFor(toolName, text)
    const prompt = doubts && said.by.endsWith(' content') ? `${doubtText(doubts)}: ${question}` : question
    return { decision: { verdict: 'ask', prompt, inputHash, by: said.by, ...(doubts && { taint: doubts }) }, prepared }
  })
}

function promptFor(toolName: string, text: string): string {
  const shown = text.length > 500 ? `${text.slice(0, 500).toWellFormed()}…` : text
  return `Allow ${toolName} with ${shown}?`
}

/** The hash that binds an approval to a call's exact arguments. */
export function hashInput(call: ToolCallPart): Promise<string> {
  return sha256(canonicalJson(call.input))
}
