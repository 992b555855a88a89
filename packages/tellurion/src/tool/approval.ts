// Approval rules: who may run what. The first rule that matches decides; a list in which none matches denies.

import { messageOf, TellurionError } from '../error/error.ts'
import { checkOptions } from '../error/option.ts'
import { createPattern, type ArgumentPattern } from './argument-pattern.ts'
import { createWildcard } from './wildcard.ts'

/** What a rule is asked about: a call whose input has passed its schema. */
export interface ApprovalRequest {
  readonly toolCallId: string
  readonly toolName: string
  /** The input as the tool will get it. */
  readonly input: unknown
}

interface RuleOptions {
  readonly where?: ArgumentPattern | ((request: ApprovalRequest) => boolean | Promise<boolean>) | undefined
}

/** One rule. The name may hold `*`: `{ allow: 'read_*' }`, `{ ask: 'shell', where: { command: 'git *' } }`. */
export type ApprovalRule = RuleOptions &
  (
    | {
        readonly allow: string
        /** Also after strangers' words, where every call that risks something asks otherwise. Default false. */
        readonly tainted?: boolean | undefined
      }
    | { readonly deny: string; readonly reason?: string | undefined }
    | { readonly ask: string; readonly prompt?: string | undefined }
  )

/** What rules say about a call. `by` names the rule, as `rule 2`. */
export type Authorisation =
  | { readonly verdict: 'allow'; readonly by: string; readonly tainted?: true }
  | { readonly verdict: 'deny'; readonly by: string; readonly reason: string }
  | { readonly verdict: 'ask'; readonly by: string; readonly prompt?: string }

/** A rule list made ready. A promise only where a rule's function gave one; a function that throws denies. */
export interface Approval {
  authorise(request: ApprovalRequest): Authorisation | Promise<Authorisation>
}

/** Every call runs. The reference's "always approve". */
export const approveAlways: readonly ApprovalRule[] = [{ allow: '*' }]
/** No call runs. The reference's "always deny". */
export const approveNever: readonly ApprovalRule[] = [{ deny: '*' }]
/** Every call asks a person. The reference's "require approval". */
export const approveByPerson: readonly ApprovalRule[] = [{ ask: '*' }]

interface ReadyRule {
  readonly names: (toolName: string) => boolean
  readonly where: ((request: ApprovalRequest) => boolean | Promise<boolean>) | undefined
  readonly authorisation: Authorisation
}

const noMatch: Authorisation = {
  verdict: 'deny',
  by: 'rules',
  reason: 'no approval rule allows this tool with these arguments',
}
const verdicts = ['allow', 'deny', 'ask'] as const
const known = [...verdicts, 'where', 'reason', 'prompt', 'tainted']

/** Makes a rule list ready. Throws `invalid_option` or `unknown_option` naming the rule by its number from 1. */
export function createApproval(rules: readonly ApprovalRule[]): Approval {
  if (!Array.isArray(rules)) {
    throw new TellurionError(
      'invalid_option',
      "approval must be a list of rules such as [{ allow: 'read_*' }, { ask: '*' }].",
    )
  }
  const ready = rules.map((rule: ApprovalRule, index) => readyRule(rule, `rule ${index + 1}`))
  const from = (start: number, request: ApprovalRequest): Authorisation | Promise<Authorisation> => {
    for (let index = start; index < ready.length; index++) {
      const { names, where, authorisation } = ready[index] as ReadyRule
      if (!names(request.toolName)) continue
      if (where === undefined) return authorisation
      try {
        const matches = where(request)
        if (matches === true) return authorisation
        if (matches === false) continue
        return Promise.resolve(matches)
          .then((matched) => (isMatch(matched) ? authorisation : from(index + 1, request)))
          .catch((error: unknown) => failed(authorisation.by, error))
      } catch (error) {
        return failed(authorisation.by, error)
      }
    }
    return noMatch
  }
  return { authorise: (request) => from(0, request) }
}

/** Anything but true and false is a mistake, and must not let a rule that denies pass by. */
function isMatch(matched: unknown): boolean {
  if (typeof matched === 'boolean') return matched
  throw new TellurionError('invalid_option', `its where gave ${String(matched)} instead of true or false`)
}

function failed(by: string, error: unknown): Authorisation {
  return { verdict: 'deny', by, reason: `the approval rule failed: ${messageOf(error)}` }
}

function readyRule(rule: ApprovalRule, by: string): ReadyRule {
  if (typeof rule !== 'object' || rule === null) {
    throw new TellurionError('invalid_option', `approval ${by} must be an object such as { allow: 'read_*' }.`)
  }
  checkOptions(`approval ${by}`, rule, known)
  const named = rule as { readonly [verdict in (typeof verdicts)[number]]?: unknown } & {
    reason?: string
    prompt?: string
    tainted?: boolean
  }
  const [verdict, ...more] = verdicts.filter((each) => named[each] !== undefined)
  const name = verdict === undefined ? undefined : named[verdict]
  if (verdict === undefined || more.length > 0 || typeof name !== 'string' || name === '') {
    throw new TellurionError(
      'invalid_option',
      `approval ${by} must have one of allow, deny and ask, with a tool's name or a pattern such as 'read_*'.`,
    )
  }
  const { tainted = false } = named
  if (typeof tainted !== 'boolean' || (tainted && verdict !== 'allow')) {
    throw new TellurionError('invalid_option', `approval ${by}: tainted is true or false, for an allow.`)
  }
  return {
    names: createWildcard(name),
    where: readyWhere(rule.where, by),
    authorisation: authorisationOf(verdict, by, named),
  }
}

function authorisationOf(
  verdict: 'allow' | 'deny' | 'ask',
  by: string,
  { reason, prompt, tainted }: { reason?: string; prompt?: string; tainted?: boolean },
): Authorisation {
  switch (verdict) {
    case 'allow':
      return tainted ? { verdict, by, tainted } : { verdict, by }
    case 'deny':
      return { verdict, by, reason: reason ?? 'an approval rule denies it' }
    case 'ask':
      return prompt === undefined ? { verdict, by } : { verdict, by, prompt }
    default:
      return verdict satisfies never
  }
}

function readyWhere(where: ApprovalRule['where'], by: string): ReadyRule['where'] {
  if (where === undefined || typeof where === 'function') return where
  const isPattern = typeof where === 'object' && where !== null && !Array.isArray(where)
  // A form such as $host would match nothing here, and a rule that denies would let everything pass.
  if (!isPattern || /[{,]"\$/.test(JSON.stringify(where))) {
    throw new TellurionError(
      'invalid_option',
      `where of approval ${by} must be an object such as { command: 'git *' }, or a function such as matching({ … }).`,
    )
  }
  const matches = createPattern(where)
  return ({ input }) => matches(input)
}
