// Artifacts in memory do what those on a store do.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { memoryKeyValue } from '../port/memory-key-value.ts'
import { createArtifacts } from './artifact.ts'
import { memoryArtifacts } from './memory-artifacts.ts'

describe('artifacts in memory', () => {
  test('answer each put and get as those on a store', async () => {
    const content = fc.oneof(fc.string({ maxLength: 6 }), fc.uint8Array({ maxLength: 6 }))
    const put = fc.record({ content, as: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }) })
    await fc.assert(
      fc.asyncProperty(fc.array(put, { maxLength: 12 }), async (puts) => {
        const stored = createArtifacts(memoryKeyValue(), 's', { limit: 20 })
        const inMemory = memoryArtifacts(20)
        for (const { content: each, as } of puts) {
          const reference = await stored.put(each, { as })
          assert.deepEqual(await inMemory.put(each, { as }), reference)
          const hash = reference?.hash ?? 'none'
          assert.deepEqual(await inMemory.get(hash), await stored.get(hash))
          for (const name of ['a', 'b', 'c']) assert.deepEqual(await inMemory.named(name), await stored.named(name))
        }
      }),
      { numRuns: 40 },
    )
  })

  test('hand out copies, and count the same content once, together too', async () => {
    const artifacts = memoryArtifacts(5)
    const given = new TextEncoder().encode('12345')
    const all = await Promise.all([artifacts.put(given), artifacts.put('12345'), artifacts.put(given)])
    given.fill(0)
    const bytes = await artifacts.get(all[0]!.hash)
    bytes?.fill(0)
    assert.deepEqual(await artifacts.get(all[2]!.hash), new TextEncoder().encode('12345'))
    assert.equal(await artifacts.put('6'), undefined)
  })
})
