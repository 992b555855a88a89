// Artifacts: what is too large for a conversation, kept whole by the hash of its content in a key-value store, in the
// scope of one session and under one cap.

import { TellurionError } from '../error/error.ts'
import type { KeyScope, KeyValue } from '../port/key-value.ts'
import { sha256 } from '../schema/canonical.ts'

/** Names an artifact. Plain JSON. */
export interface ArtifactReference {
  /** SHA-256 of the bytes, hex. */
  readonly hash: string
  /** Bytes. */
  readonly size: number
}

/** The artifacts of one session. Rejects only when the store behind it fails. */
export interface Artifacts {
  /**
   * Keeps bytes, or a text as UTF-8. Undefined when the session's cap would be passed; the same content counts once. With
   * `as` it is also found under that name, until something else is kept under it.
   */
  put(content: string | Uint8Array, options?: { as?: string | undefined }): Promise<ArtifactReference | undefined>
  /** The bytes, or undefined when there are none of that hash. */
  get(hash: string): Promise<Uint8Array | undefined>
  /** The bytes that were kept last under a name, or undefined. */
  named(name: string): Promise<Uint8Array | undefined>
}

/** Bytes of all artifacts of a session, where nothing else is said. */
export const artifactBytes = 64 * 1024 * 1024
const total = 'artifacts'

/** Makes the artifacts of a session. `limit` is in bytes, default 64 MiB. */
export function createArtifacts(
  keyValue: KeyValue,
  sessionId: string,
  options: { limit?: number | undefined } = {},
): Artifacts {
  const { limit = artifactBytes } = options
  if (!(limit >= 0))
    throw new TellurionError('invalid_option', `limit of artifacts must be a number of bytes, not ${String(limit)}.`)
  const scope: KeyScope = { scope: 'session', owner: sessionId }

  /** Adds to the stored sum unless it would pass the cap; the sum is written before the bytes, so a crash never hides any. */
  const reserve = async (size: number): Promise<boolean> => {
    for (;;) {
      const entry = await keyValue.get(scope, total)
      const sum = (entry === undefined ? 0 : Number(new TextDecoder().decode(entry.value))) + size
      if (sum > limit) return false
      const written = await keyValue.set(scope, total, new TextEncoder().encode(String(sum)), {
        ifVersion: entry?.version ?? 0,
      })
      if (written !== undefined) return true
    }
  }

  const bytesOf = async (hash: string): Promise<Uint8Array | undefined> =>
    /^[0-9a-f]{64}$/.test(hash) ? (await keyValue.get(scope, `artifact/${hash}`))?.value : undefined

  const store = async (bytes: Uint8Array): Promise<ArtifactReference | undefined> => {
    const reference = { hash: await sha256(bytes), size: bytes.byteLength }
    const name = `artifact/${reference.hash}`
    if ((await keyValue.get(scope, name)) !== undefined) return reference
    if (!(await reserve(reference.size))) return undefined
    // Someone else may have kept the same bytes meanwhile; then they must not count twice.
    if ((await keyValue.set(scope, name, bytes, { ifVersion: 0 })) === undefined) await reserve(-reference.size)
    return reference
  }

  return {
    async put(content, { as } = {}) {
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
      const reference = await store(bytes)
      if (reference !== undefined && as !== undefined) {
        await keyValue.set(scope, await placeOf(as), new TextEncoder().encode(reference.hash))
      }
      return reference
    },
    get: bytesOf,
    async named(name) {
      const entry = await keyValue.get(scope, await placeOf(name))
      return entry === undefined ? undefined : bytesOf(new TextDecoder().decode(entry.value))
    },
  }
}

/** Where the hash of what a name leads to stands; names may be of any length. */
async function placeOf(name: string): Promise<string> {
  return `kept/${await sha256(name)}`
}
