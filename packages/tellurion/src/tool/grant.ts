// Grants: what a person lets happen, or not, without being asked again. Checked where they are made.

import { suggestion, TellurionError } from '../error/error.ts'
import { jsonProblem } from '../schema/plain-json.ts'
import type { ArgumentPattern } from './argument-pattern.ts'
import { createSpelledPattern } from './spelling.ts'

interface GrantOptions {
  /** Only calls whose arguments look like this; as in approval rules. */
  readonly where?: ArgumentPattern
  /** Only calls with exactly these arguments: the `inputHash` of an interaction. */
  readonly inputHash?: string
  /** Who grants it. */
  readonly by: string
  /** Milliseconds until it lapses. None: never. */
  readonly ttl?: number
  /** Default a new one; a grant of the same id takes the place of the old one. */
  readonly id?: string
}

/** What is granted. The tool's name may hold `*`: `{ allow: 'git_*', where: { branch: 'feature/*' }, by: 'ada' }`. */
export type Grant = GrantOptions &
  ({ readonly allow: string } | { readonly deny: string; readonly reason?: string | undefined })

/** A grant that stands. Plain JSON. */
export interface Permission {
  readonly id: string
  readonly verdict: 'allow' | 'deny'
  /** The tool's name, or a pattern of names. */
  readonly tool: string
  readonly where?: ArgumentPattern
  readonly inputHash?: string
  readonly reason?: string
  readonly by: string
  /** Wall time in milliseconds at which it was granted. */
  readonly at: number
  /** Wall time in milliseconds at which it lapses. */
  readonly expires?: number
}

const known = ['allow', 'deny', 'where', 'inputHash', 'by', 'ttl', 'id', 'reason']

/** Throws `invalid_option` and `unknown_option` for what is no grant. */
export function checkGrant(grant: Grant): void {
  permissionOf(grant, { id: 'new', at: 0 })
}

/** A grant as it is kept. Throws `invalid_option` and `unknown_option`. */
export function permissionOf(grant: Grant, fresh: { id: string; at: number }): Permission & { readonly ttl?: number } {
  if (typeof grant !== 'object' || grant === null)
    throw refused("takes an object such as { allow: 'git_*', by: 'ada' }")
  for (const key of Object.keys(grant)) {
    if (known.includes(key)) continue
    throw new TellurionError('unknown_option', `A permission has no '${key}'.${suggestion(key, known)}`)
  }
  const given: Partial<Record<'allow' | 'deny' | 'reason', unknown>> = grant
  const { where, inputHash, by, ttl, id = fresh.id } = grant
  const verdict = given.allow === undefined ? 'deny' : 'allow'
  const tool = given[verdict]
  if ((given.allow !== undefined && given.deny !== undefined) || !isText(tool)) {
    throw refused('must have one of allow and deny, with a name of a tool or a pattern')
  }
  if (!isText(by)) throw refused('must say by whom it is')
  if (!/^[a-zA-Z0-9_-]{1,128}$/.test(id)) throw refused("has an id of letters, digits, '_' and '-', or none")
  if (ttl !== undefined && !(Number.isFinite(ttl) && ttl > 0)) throw refused('must have a ttl of milliseconds above 0')
  if (inputHash !== undefined && !/^[0-9a-f]{64}$/.test(inputHash)) throw refused('has an inputHash that is no SHA-256')
  if (where !== undefined) checkWhere(where)
  if (given.reason !== undefined && !isText(given.reason)) throw refused('must have a text as its reason')
  return {
    id,
    verdict,
    tool,
    ...(where === undefined ? {} : { where }),
    ...(inputHash === undefined ? {} : { inputHash }),
    ...(given.reason === undefined ? {} : { reason: given.reason }),
    by,
    at: fresh.at,
    ...(ttl === undefined ? {} : { ttl }),
  }
}

/** Throws `invalid_option` unless `where` is an argument pattern. */
function checkWhere(where: unknown): void {
  if (typeof where !== 'object' || where === null || Array.isArray(where)) {
    throw refused("has a where that is no object such as { command: 'git *' }")
  }
  const problem = jsonProblem(where)
  if (problem !== undefined) throw refused(`has a where that is not plain JSON: ${problem}`)
  createSpelledPattern(where as ArgumentPattern)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 1_000 && value.isWellFormed()
}

export function refused(problem: string): TellurionError {
  return new TellurionError('invalid_option', `A permission ${problem}.`)
}
