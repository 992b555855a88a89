import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { memoryKeyValue } from '../port/memory-key-value.ts'
import { sha256 } from '../schema/canonical.ts'
import { createArtifacts } from './artifact.ts'

const text = (bytes: Uint8Array | undefined): string | undefined => bytes && new TextDecoder().decode(bytes)

describe('artifacts', () => {
  it('give back what was put, by the hash of its content', async () => {
    const artifacts = createArtifacts(memoryKeyValue(), 's1')
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 50 }), async (bytes) => {
        const reference = await artifacts.put(bytes)
        assert.deepEqual(reference, { hash: await sha256(bytes), size: bytes.length })
        assert.deepEqual(await artifacts.get(reference?.hash ?? ''), bytes)
      }),
    )
    const reference = await artifacts.put('grüße 🌍')
    assert.equal(reference?.size, 12)
    assert.equal(text(await artifacts.get(reference.hash)), 'grüße 🌍')
  })

  it('belong to one session', async () => {
    const keyValue = memoryKeyValue()
    const reference = await createArtifacts(keyValue, 's1').put('secret')
    assert.equal(await createArtifacts(keyValue, 's2').get(reference?.hash ?? ''), undefined)
    assert.equal(text(await createArtifacts(keyValue, 's1').get(reference?.hash ?? '')), 'secret')
  })

  it('refuse what passes the cap, keep what is there, and count the same content once', async () => {
    const keyValue = memoryKeyValue()
    const artifacts = createArtifacts(keyValue, 's', { limit: 10 })
    const first = await artifacts.put('12345')
    assert.deepEqual(await artifacts.put('12345'), first)
    assert.equal(await artifacts.put('123456'), undefined)
    assert.notEqual(await artifacts.put('abcde'), undefined)
    assert.equal(await artifacts.put('x'), undefined)
    assert.deepEqual(await artifacts.put('12345'), first)
    assert.equal(await createArtifacts(keyValue, 's', { limit: 10 }).put('x'), undefined)
    assert.notEqual(await createArtifacts(keyValue, 'other', { limit: 10 }).put('x'), undefined)
  })

  it('never pass the cap together, whoever writes', async () => {
    const keyValue = memoryKeyValue()
    const writers = [createArtifacts(keyValue, 's', { limit: 50 }), createArtifacts(keyValue, 's', { limit: 50 })]
    const contents = Array.from({ length: 30 }, (_, index) => `${String(index % 20).padStart(2, '0')}345`)
    const kept = await Promise.all(contents.map((content, index) => writers[index % 2]?.put(content)))
    const hashes = new Set(kept.flatMap((each) => (each ? [each.hash] : [])))
    assert.equal(hashes.size, 10)
    // What was counted twice on the way was given back: the sum is exact.
    const [sum] = await keyValue.list({ scope: 'session', owner: 's' }, { prefix: 'artifacts' })
    assert.equal(text(sum?.value), '50')
  })

  it('have nothing under a hash that is none', async () => {
    const artifacts = createArtifacts(memoryKeyValue(), 's')
    await artifacts.put('x')
    for (const hash of ['', 'artifacts', '../x', 'A'.repeat(64), 'a'.repeat(64)])
      assert.equal(await artifacts.get(hash), undefined)
  })

  it('refuse a limit that is none', () => {
    for (const limit of [-1, Number.NaN])
      assert.throws(() => createArtifacts(memoryKeyValue(), 's', { limit }), { code: 'invalid_option' })
  })
})
