import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TellurionError } from '../error/error.ts'
import type { Json } from '../schema/json.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { cacheSize, clearCaches, createCache } from './cache.ts'
import { memoryKeyValue } from './memory-key-value.ts'

function open() {
  const clock = virtualClock(1)
  const keyValue = memoryKeyValue({ clock })
  return { clock, keyValue, cache: createCache({ keyValue, ttl: 100 }) }
}

const refused = (code: string) => (error: unknown) => error instanceof TellurionError && error.code === code

describe('createCache', () => {
  it('keeps a value until its time is over', async () => {
    const { cache, clock } = open()
    await cache.set('a', { n: 1 })
    await cache.set('b', 'longer', { ttl: 200 })
    assert.deepEqual(await cache.get('a'), { n: 1 })
    await clock.advance(150)
    assert.deepEqual([await cache.get('a'), await cache.get('b')], [undefined, 'longer'])
    assert.deepEqual(await cache.stats(), { entries: 1, bytes: 8, hits: 2, misses: 1 })
    assert.deepEqual([await cache.delete('b'), await cache.delete('b')], [true, false])
  })

  it('makes what is missing once, and again when making failed', async () => {
    const { cache } = open()
    let made = 0
    const make = async (): Promise<Json> => ++made
    assert.deepEqual(await Promise.all([cache.take('k', make), cache.take('k', make)]), [1, 1])
    assert.equal(await cache.take('k', make), 1)
    await assert.rejects(
      cache.take('x', () => Promise.reject(new Error('no'))),
      /no/,
    )
    assert.equal(await cache.take('x', make), 2)
  })

  it('clears what is its own, or all that is cache, and nothing else', async () => {
    const { cache, keyValue } = open()
    const other = createCache({ keyValue, name: 'other' })
    const scope = { scope: 'global', owner: '' } as const
    await keyValue.set(scope, 'cached', new Uint8Array([1]))
    await keyValue.set({ scope: 'session', owner: 's' }, 'cache/main/k', new Uint8Array([1]))
    for (let index = 0; index < 1201; index++) await cache.set(`k${index}`, index)
    await other.set('k', 1)
    assert.equal((await cacheSize(keyValue)).entries, 1202)
    assert.equal(await cache.clear(), 1201)
    assert.equal(await other.get('k'), 1)
    assert.equal(await clearCaches(keyValue), 1)
    assert.ok(await keyValue.get(scope, 'cached'))
    assert.ok(await keyValue.get({ scope: 'session', owner: 's' }, 'cache/main/k'))
  })

  it('takes a record that cannot be read for none', async () => {
    const { cache, keyValue } = open()
    await keyValue.set({ scope: 'global', owner: '' }, 'cache/main/k', new Uint8Array([255]))
    assert.equal(await cache.get('k'), undefined)
  })

  it('refuses what is no JSON, no name and no time', async () => {
    const { cache, keyValue } = open()
    await assert.rejects(cache.set('k', Number.NaN), refused('invalid_value'))
    await assert.rejects(cache.set('k', 1, { ttl: 0 }), refused('invalid_option'))
    assert.throws(() => createCache({ keyValue, name: 'a/b' }), refused('invalid_option'))
  })
})
