// Who asks: users known by bearer tokens. Tokens are kept as hashes alone and compared without telling how much of one
// was right.

import { hash, timingSafeEqual } from 'node:crypto'
import { TellurionError } from 'tellurion'
import type { Scope } from 'tellurion/protocol'

/** What an identity may do; routes that are `public` need none. */
export type GrantedScope = Exclude<Scope, 'public'>

/** Somebody who asks. Runs, sessions and answers are theirs under `user`. */
export interface Identity {
  readonly user: string
  readonly tenant?: string
  readonly scopes: readonly GrantedScope[]
}

/** An identity and how it is known: by a token, or by the SHA-256 of one in hex. */
export type KnownIdentity = Identity & ({ readonly token: string } | { readonly tokenHash: string })

/** Finds whose token it is. */
export interface Identities {
  find(token: string): Identity | undefined
}

/** Shortest and longest token that is taken. */
const shortest = 16
const longest = 512
const id = /^[a-zA-Z0-9_-]{1,64}$/
const scopes: readonly string[] = ['read', 'write', 'admin'] satisfies GrantedScope[]

/** Checks identities. Throws `invalid_option` for a short token, an ill-formed id or scope, and a token that two have. */
export function createIdentities(known: readonly KnownIdentity[]): Identities {
  const rows = known.map((each) => ({ hash: hashOf(each), identity: checked(each) }))
  const seen = new Set(rows.map(({ hash }) => hash.toString('hex')))
  if (seen.size < rows.length) throw invalid('Two identities have the same token; give each its own.')
  return {
    find(token) {
      const asked = sha256(token)
      let found: Identity | undefined
      // All are compared, so that the time says nothing about which.
      for (const { hash, identity } of rows) if (timingSafeEqual(hash, asked)) found = identity
      return found
    },
  }
}

/** Whether a scope is among what an identity has: admin includes write, and write includes read. */
export function may(identity: Identity, scope: Scope): boolean {
  if (scope === 'public') return true
  const [needed, most] = [scopes.indexOf(scope), Math.max(...identity.scopes.map((each) => scopes.indexOf(each)))]
  return most >= needed
}

function checked({ user, tenant, scopes: given }: KnownIdentity): Identity {
  for (const [what, value] of [
    ['user', user],
    ['tenant', tenant],
  ] as const) {
    if (value !== undefined && !id.test(value)) {
      throw invalid(`The ${what} of an identity is 1 to 64 letters, digits, '_' and '-'.`)
    }
  }
  if (!Array.isArray(given) || given.length === 0 || given.some((scope) => !scopes.includes(scope))) {
    throw invalid(`Identity ${user} needs scopes out of ${scopes.join(', ')}.`)
  }
  return { user, ...(tenant === undefined ? {} : { tenant }), scopes: [...given] }
}

function hashOf(known: KnownIdentity): Buffer {
  if ('tokenHash' in known) {
    if (/^[0-9a-f]{64}$/i.test(known.tokenHash)) return Buffer.from(known.tokenHash, 'hex')
    throw invalid(`The tokenHash of ${known.user} is no SHA-256 in hex.`)
  }
  const { length } = known.token
  if (/^[\x21-\x7e]+$/.test(known.token) && length >= shortest && length <= longest) return sha256(known.token)
  throw invalid(`The token of ${known.user} needs ${shortest} to ${longest} printable characters without spaces.`)
}

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

function invalid(message: string): TellurionError {
  return new TellurionError('invalid_option', message)
}
