// The users of the configuration as a server knows them: by the hashes of their tokens. No token leaves this file.

import { createHash } from 'node:crypto'
import { TellurionError } from 'tellurion'
import type { LoadedConfig } from './load.ts'
import type { Secret } from 'tellurion/secret'

/** A user, known by a token whose SHA-256 is this. */
export interface ConfiguredUser {
  readonly user: string
  readonly tenant?: string
  readonly scopes: readonly ('read' | 'write' | 'admin')[]
  readonly tokenHash: string
}

/** The name of the user whose token the server makes. */
export const localUser = 'local'

/** The local user and those of the configuration. Throws `invalid_configuration` for a token that is missing or too short. */
export function usersOf({ settings, env }: Pick<LoadedConfig, 'settings' | 'env'>, local: Secret): ConfiguredUser[] {
  const others = settings.users.map(({ name, tenant, scopes, token, tokenHash, tokenVariable }) => ({
    user: name,
    ...(tenant === undefined ? {} : { tenant }),
    scopes,
    tokenHash: tokenHash ?? hashOf(token?.reveal() ?? variableOf(name, tokenVariable ?? '', env)),
  }))
  return [{ user: localUser, scopes: ['read', 'write', 'admin'], tokenHash: hashOf(local.reveal()) }, ...others]
}

function variableOf(name: string, variable: string, env: LoadedConfig['env']): string {
  const token = env[variable]?.trim()
  if (token === undefined || token === '') {
    throw wrong(
      `The user ${name} is known by the variable ${variable}, and it is not set: set it, or take the user out.`,
    )
  }
  if (/^[\x21-\x7e]{16,}$/.test(token)) return token
  throw wrong(`The token of ${name} in ${variable} must have at least 16 visible characters without blanks.`)
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

function wrong(text: string): TellurionError {
  return new TellurionError('invalid_configuration', text)
}
