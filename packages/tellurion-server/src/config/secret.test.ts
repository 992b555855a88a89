import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { format, inspect } from 'node:util'
import { Secret } from './secret.ts'

const hush = 'key-hush-0123456789'
const held = { list: [new Secret(hush)] }

describe('a secret', () => {
  const ways: Readonly<Record<string, () => string>> = {
    'String()': () => String(new Secret(hush)),
    'a template': () => `${String(held.list[0])}`,
    concatenation: () => String(new Secret(hush)).concat(''),
    'JSON.stringify': () => JSON.stringify(held),
    'util.inspect': () => inspect(held, { depth: 9, showHidden: true }),
    'util.format': () => format('%s %o %j', held.list[0], held, held),
    'structured keys': () => Object.keys(new Secret(hush)).join() + JSON.stringify(Object.entries(new Secret(hush))),
    'an error': () => inspect(new Error('x', { cause: held })),
  }
  for (const [way, show] of Object.entries(ways))
    test(`does not show by ${way}`, () => assert.doesNotMatch(show(), /hush/))

  test('is given by reveal alone', () => assert.equal(new Secret(hush).reveal(), hush))
})
