// Permissions: what people have granted for calls to come, by tool and argument pattern, until it is revoked or lapses.
// They stand in a key-value store, so a grant outlives the process, and a revocation counts from the next call on.

import type { ArgumentPattern } from './argument-pattern.ts'
import { TellurionError } from '../error/error.ts'
import { systemClock, type Clock } from '../clock/clock.ts'
import { systemIds, type Ids } from '../id/id.ts'
import type { KeyScope, KeyValue, KeyValueEntry } from '../port/key-value.ts'
import { createSpelledPattern } from './spelling.ts'
import type { Allowed, Denied, PermissionRequest } from './decide.ts'
import { checkGrant, permissionOf, refused, type Grant, type Permission } from './grant.ts'
import { createWildcard } from './wildcard.ts'

/** The permissions of one scope. Methods reject when the store behind them fails. */
export interface Permissions {
  /** Throws `invalid_option`, `unknown_option`, and `store_full` past the limit. */
  grant(grant: Grant): Promise<Permission>
  /** Throws what `grant` would reject with, and does nothing. */
  check(grant: Grant): void
  /** False when there is none of that id (any more). */
  revoke(id: string): Promise<boolean>
  /** All that stand, by id. Rejects with `store_corrupt`, naming it, where one cannot be read. */
  list(): Promise<readonly Permission[]>
  /**
   * What they say about a call: one that denies goes before all that allow, the newest before the others. Rejects as
   * `list` does; then a person is asked.
   */
  authorise(request: PermissionRequest): Promise<Allowed | Denied | undefined>
}

/** Where permissions are kept. */
export interface PermissionOptions {
  readonly keyValue: KeyValue
  /** Whose they are. Default everybody's: `{ scope: 'global', owner: '' }`. */
  readonly scope?: KeyScope
  /** Most permissions that stand at one time. Default 1,000. */
  readonly limit?: number
  readonly clock?: Clock
  readonly ids?: Ids
}

const prefix = 'permission/'

/** Makes the permissions of a scope, on any key-value store. */
export function createPermissions(options: PermissionOptions): Permissions {
  const { keyValue, scope = { scope: 'global', owner: '' }, limit = 1_000 } = options
  const { clock = systemClock, ids = systemIds } = options

  const entries = async (): Promise<readonly KeyValueEntry[]> => {
    const found: KeyValueEntry[] = []
    for (let after: string | undefined; ;) {
      const page = await keyValue.list(scope, { prefix, limit: 500, ...(after === undefined ? {} : { after }) })
      found.push(...page)
      after = page.at(-1)?.name
      if (page.length < 500) return found
    }
  }

  return {
    list: async () => (await entries()).map(readPermission),
    async grant(grant) {
      const { ttl, ...permission } = permissionOf(grant, { id: ids('permission'), at: clock.now() })
      const name = prefix + permission.id
      const stands = (await keyValue.get(scope, name)) !== undefined
      if (!stands && (await entries()).length >= limit) {
        throw new TellurionError('store_full', `There are ${limit} permissions already; revoke some of them first.`)
      }
      const value = new TextEncoder().encode(JSON.stringify(permission))
      await keyValue.set(scope, name, value, ttl === undefined ? {} : { ttl })
      return ttl === undefined ? permission : { ...permission, expires: Math.ceil(permission.at + ttl) }
    },
    check: checkGrant,
    revoke: (id) => keyValue.delete(scope, prefix + id),
    async authorise(request) {
      let newest: Permission | undefined
      for (const permission of (await entries()).map(readPermission)) {
        if (!isAbout(permission, request)) continue
        const first = newest === undefined || (permission.verdict === 'deny' && newest.verdict === 'allow')
        if (first || (permission.verdict === newest?.verdict && permission.at > newest.at)) newest = permission
      }
      return newest && decisionOf(newest)
    },
  }
}

function isAbout({ verdict, tool, where, inputHash }: Permission, request: PermissionRequest): boolean {
  if (!createWildcard(tool)(request.toolName)) return false
  if (inputHash !== undefined && inputHash !== request.inputHash) return false
  // What was granted for whatever arguments was not granted to strangers, and neither is an argument that nobody named.
  const isLoose = inputHash === undefined && !binds(where, request.input)
  if (request.tainted === true && verdict === 'allow' && isLoose) return false
  return where === undefined || createSpelledPattern(where)(request.input)
}

/** Whether a pattern says something of every argument, and of one at least more than that it may be anything. */
function binds(where: ArgumentPattern | undefined, input: unknown): boolean {
  if (where === undefined || typeof input !== 'object' || input === null) return false
  return Object.keys(input).every((name) => Object.hasOwn(where, name)) && Object.values(where).some(isNarrow)
}

function isNarrow(pattern: unknown): boolean {
  if (typeof pattern === 'string') return !/^[*/]*$/.test(pattern)
  return typeof pattern !== 'object' || pattern === null || Object.values(pattern).some(isNarrow)
}

function decisionOf({ id, verdict, by, reason }: Permission): Allowed | Denied {
  if (verdict === 'allow') return { verdict, by, permission: id }
  return { verdict, by, permission: id, reason: reason ?? `${by} has denied this tool` }
}

/** A stored permission. Throws `store_corrupt` for what is none: it could be one that denies, so a person is asked. */
function readPermission({ name, value, expires }: KeyValueEntry): Permission {
  const id = name.slice(prefix.length)
  try {
    const { verdict, tool, at, ...rest } = JSON.parse(new TextDecoder().decode(value)) as Permission
    if ((verdict !== 'allow' && verdict !== 'deny') || !Number.isFinite(at)) throw refused('has a verdict and a time')
    const { ttl: _, ...read } = permissionOf({ ...rest, id, [verdict]: tool } as Grant, { id, at })
    return expires === undefined ? read : { ...read, expires }
  } catch (error) {
    throw new TellurionError('store_corrupt', `The permission '${id}' cannot be read; revoke it.`, { cause: error })
  }
}
