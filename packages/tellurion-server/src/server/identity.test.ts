import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { TellurionError } from 'tellurion'
import { createIdentities, may, type KnownIdentity } from './identity.ts'

const token = 'a-token-of-some-length'
const ada: KnownIdentity = { user: 'ada', scopes: ['write'], token }
const refused = (words: RegExp) => (error: unknown) =>
  error instanceof TellurionError && error.code === 'invalid_option' && words.test(error.message)

describe('createIdentities', () => {
  it('finds whose token it is, and only by the whole of it', () => {
    const identities = createIdentities([{ user: 'bob', tenant: 'acme', scopes: ['read'], token: `${token}!` }, ada])
    assert.deepEqual(identities.find(token), { user: 'ada', scopes: ['write'] })
    assert.deepEqual(identities.find(`${token}!`), { user: 'bob', tenant: 'acme', scopes: ['read'] })
    for (const other of ['', token.slice(1), `${token} `, token.toUpperCase()]) {
      assert.equal(identities.find(other), undefined)
    }
  })

  it('takes a hash in place of a token', () => {
    const tokenHash = createHash('sha256').update(token).digest('hex').toUpperCase()
    assert.equal(createIdentities([{ user: 'ada', scopes: ['read'], tokenHash }]).find(token)?.user, 'ada')
  })

  it('refuses what would be no protection', () => {
    const bad: readonly [KnownIdentity[], RegExp][] = [
      [[{ ...ada, token: 'short' }], /16 to 512/],
      [[{ ...ada, token: 'x'.repeat(513) }], /16 to 512/],
      [[{ ...ada, token: 'a token with some spaces' }], /without spaces/],
      [[{ ...ada, token: '' }], /16 to 512/],
      [[{ ...ada, user: '../x' }], /user of an identity/],
      [[{ ...ada, tenant: '' }], /tenant of an identity/],
      [[{ ...ada, scopes: [] }], /needs scopes/],
      [[{ ...ada, scopes: ['root' as 'admin'] }], /read, write, admin/],
      [[{ user: 'ada', scopes: ['read'], tokenHash: 'abc' }], /no SHA-256/],
      [[ada, { ...ada, user: 'bob' }], /same token/],
    ]
    for (const [known, words] of bad) assert.throws(() => createIdentities(known), refused(words))
  })
})

describe('may', () => {
  it('holds each scope to include those before it', () => {
    const all = ['public', 'read', 'write', 'admin'] as const
    const allowed = (scope: 'read' | 'write' | 'admin') =>
      all.filter((each) => may({ user: 'a', scopes: [scope] }, each))
    assert.deepEqual(allowed('read'), ['public', 'read'])
    assert.deepEqual(allowed('write'), ['public', 'read', 'write'])
    assert.deepEqual(allowed('admin'), [...all])
    assert.deepEqual(
      all.filter((each) => may({ user: 'a', scopes: [] }, each)),
      ['public'],
    )
  })
})
