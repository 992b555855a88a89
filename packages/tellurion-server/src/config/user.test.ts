import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { loadConfig } from './load.ts'
import type { ConfigurationInput } from './schema.ts'
import { Secret } from 'tellurion/secret'
import { usersOf, type ConfiguredUser } from './user.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const local = new Secret('local-0123456789')

async function users(given: ConfigurationInput['users'], env = {}): Promise<ConfiguredUser[]> {
  return usersOf(await loadConfig({ given: { users: given ?? [] }, env, dotEnv: false, file: false }), local)
}

describe('users of a configuration', () => {
  test('begin with the local one, who may do everything', async () =>
    assert.deepEqual(await users([]), [
      { user: 'local', scopes: ['read', 'write', 'admin'], tokenHash: sha256('local-0123456789') },
    ]))

  test('are known by a token, its hash, or the variable that holds it', async () => {
    const tokens = ['ada-token-0123456', 'bob-token-0123456', 'eve-token-0123456'] as const
    const found = await users(
      [
        { name: 'ada', token: tokens[0], scopes: ['read'] },
        { name: 'bob', tokenHash: sha256(tokens[1]), scopes: ['READ', 'write'], tenant: 'acme' },
        { name: 'eve', tokenVariable: 'EVE', scopes: ['admin'] },
      ],
      { EVE: ` ${tokens[2]} ` },
    )
    assert.deepEqual(found.slice(1), [
      { user: 'ada', scopes: ['read'], tokenHash: sha256(tokens[0]) },
      { user: 'bob', scopes: ['read', 'write'], tenant: 'acme', tokenHash: sha256(tokens[1]) },
      { user: 'eve', scopes: ['admin'], tokenHash: sha256(tokens[2]) },
    ])
    assert.doesNotMatch(JSON.stringify(found), /-token-/)
  })

  for (const [env, message] of [
    [{}, /^The user eve is known by the variable EVE, and it is not set/],
    [{ EVE: ' ' }, /it is not set/],
    [{ EVE: 'short-hush' }, /^The token of eve in EVE must have at least 16 visible characters/],
  ] as const)
    test(`refuse ${JSON.stringify(env)}`, () =>
      assert.rejects(users([{ name: 'eve', tokenVariable: 'EVE', scopes: ['read'] }], env), (error: Error) => {
        assert.match(error.message, message)
        return !error.message.includes('hush')
      }))
})
