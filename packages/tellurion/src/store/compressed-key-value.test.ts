import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { TellurionError } from '../error/error.ts'
import type { KeyScope } from '../port/key-value.ts'
import { memoryKeyValue } from '../port/memory-key-value.ts'
import { keyValueBehaviour } from '../testing/key-value-behaviour.ts'
import { longDialogue } from '../testing/long-dialogue.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { compressedKeyValue, zstd, type Codec } from './compressed-key-value.ts'

/** Another codec, as LZ4 would be one. */
const gzip: Codec = {
  name: 'gzip',
  magic: [0x1f, 0x8b],
  compress: (b) => gzipSync(b),
  decompress: (b) => gunzipSync(b),
}
const scope: KeyScope = { scope: 'session', owner: 's' }

for (const codec of [zstd, gzip]) {
  describe(`compressedKeyValue with ${codec.name}`, () => {
    for (const { name, run } of keyValueBehaviour) {
      it(name, async () => {
        const clock = virtualClock(1_000_000)
        const keyValue = compressedKeyValue(memoryKeyValue({ clock }), { codec })
        await run({ keyValue, advance: (ms) => clock.advance(ms) })
      })
    }

    it('gives back every byte of every value, frames of its own among them', async () => {
      const keyValue = compressedKeyValue(memoryKeyValue(), { codec })
      const frame = await codec.compress(new Uint8Array(500))
      const value = fc.oneof(
        fc.uint8Array({ maxLength: 2_000 }),
        fc.tuple(fc.nat(255), fc.nat(5_000)).map(([byte, length]) => new Uint8Array(length).fill(byte)),
        fc.uint8Array({ maxLength: 20 }).map((rest) => Uint8Array.from([...codec.magic, ...rest])),
        fc.constant(Uint8Array.from(frame)),
      )
      await fc.assert(
        fc.asyncProperty(value, async (bytes) => {
          await keyValue.set(scope, 'x', bytes)
          assert.deepEqual((await keyValue.get(scope, 'x'))?.value, bytes)
          assert.deepEqual((await keyValue.list(scope))[0]?.value, bytes)
        }),
      )
    })

    it('reads what was stored before it', async () => {
      const plain = memoryKeyValue()
      await plain.set(scope, 'old', new Uint8Array(1_000).fill(7))
      assert.deepEqual(
        (await compressedKeyValue(plain, { codec }).get(scope, 'old'))?.value,
        new Uint8Array(1_000).fill(7),
      )
    })

    it('says so when a value is torn', async () => {
      const plain = memoryKeyValue()
      const keyValue = compressedKeyValue(plain, { codec })
      await keyValue.set(scope, 'x', new Uint8Array(1_000))
      const stored = (await plain.get(scope, 'x'))!.value
      await plain.set(scope, 'x', stored.slice(0, -3))
      await assert.rejects(
        keyValue.get(scope, 'x'),
        (error: unknown) => error instanceof TellurionError && error.code === 'store_corrupt',
      )
    })
  })
}

test('a codec that does not know its own frames is refused', async () => {
  const codec: Codec = { ...gzip, magic: [1, 2, 3] }
  await assert.rejects(
    compressedKeyValue(memoryKeyValue(), { codec }).set(scope, 'x', new Uint8Array(300)),
    /magic bytes/,
  )
})

test('an archived dialogue takes less than a fifth of its room', async (context) => {
  const plain = memoryKeyValue()
  const bytes = new TextEncoder().encode(JSON.stringify(longDialogue({ exchanges: 200 }).messages))
  await compressedKeyValue(plain).set(scope, 'archive', bytes)
  const stored = (await plain.get(scope, 'archive'))!.value
  context.diagnostic(`${bytes.length} bytes of archive kept in ${stored.length}`)
  assert.ok(stored.length < bytes.length / 5)
})
