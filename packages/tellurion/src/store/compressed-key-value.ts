// Records kept compressed, without loss: any key-value store behind a codec. It makes files smaller, never a context.

import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import { TellurionError } from '../error/error.ts'
import type { KeyValue, KeyValueEntry } from '../port/key-value.ts'

/** Makes bytes smaller and gives them back. What it makes always begins with `magic`. */
export interface Codec {
  readonly name: string
  /** The bytes by which its frames are known: zstd 28 b5 2f fd, LZ4 04 22 4d 18. */
  readonly magic: readonly number[]
  compress(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>
  decompress(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** Longest record that is made of a compressed one: what is larger has not been written here. */
const maxLength = 1 << 30

/** Shorter records are kept as they are. */
const leastLength = 256

const compressZstd = promisify(zstdCompress)
const decompressZstd = promisify(zstdDecompress)

/** Zstandard (RFC 8878), as Node brings it. */
export const zstd: Codec = {
  name: 'zstd',
  magic: [0x28, 0xb5, 0x2f, 0xfd],
  compress: (bytes) => compressZstd(bytes),
  decompress: (bytes) => decompressZstd(bytes, { maxOutputLength: maxLength }),
}

/**
 * The same store, its values compressed: those from 256 bytes that get smaller by it. Values from before are read as they
 * are, so a store can be wrapped at any time, unless they begin like a frame of the codec themselves. LZ4, for one, is a
 * `codec` around a package of your choice; default `zstd`. Rejects as the store does, and with `store_corrupt` for a
 * value that is no whole frame.
 */
export function compressedKeyValue(keyValue: KeyValue, { codec = zstd }: { codec?: Codec } = {}): KeyValue {
  return {
    async get(scope, name) {
      const entry = await keyValue.get(scope, name)
      return entry && unpacked(entry, codec)
    },
    async set(scope, name, value, options) {
      return keyValue.set(scope, name, await packed(value, codec), options)
    },
    delete: (scope, name) => keyValue.delete(scope, name),
    async list(scope, options) {
      const entries = await keyValue.list(scope, options)
      return Promise.all(entries.map((entry) => unpacked(entry, codec)))
    },
  }
}

/** A value as it is stored; one that looks like a frame must become one, or it would be taken for one. */
async function packed(value: Uint8Array, codec: Codec): Promise<Uint8Array> {
  const must = isFrame(value, codec)
  if (value.length < leastLength && !must) return value
  const frame = await codec.compress(value)
  if (!isFrame(frame, codec)) {
    throw new TellurionError(
      'invalid_option',
      `What the codec ${codec.name} makes does not begin with its magic bytes.`,
    )
  }
  return must || frame.length < value.length ? Uint8Array.from(frame) : value
}

async function unpacked(entry: KeyValueEntry, codec: Codec): Promise<KeyValueEntry> {
  if (!isFrame(entry.value, codec)) return entry
  try {
    return { ...entry, value: Uint8Array.from(await codec.decompress(entry.value)) }
  } catch (error) {
    const message = `The record '${entry.name}' cannot be decompressed with ${codec.name}.`
    throw new TellurionError('store_corrupt', message, { cause: error })
  }
}

function isFrame(bytes: Uint8Array, { magic }: Codec): boolean {
  return magic.every((byte, index) => bytes[index] === byte)
}
