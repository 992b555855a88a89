// Artifacts in memory, for worlds that nobody keeps: they go with the process.

import { sha256 } from '../schema/canonical.ts'
import { artifactBytes, type Artifacts } from './artifact.ts'

/** Empty artifacts under a cap in bytes, default 64 MiB. Bytes are copied on the way in and out. */
export function memoryArtifacts(limit: number = artifactBytes): Artifacts {
  const byHash = new Map<string, Uint8Array>()
  const hashes = new Map<string, string>()
  let left = limit
  const get = async (hash = ''): Promise<Uint8Array | undefined> => byHash.get(hash)?.slice()
  return {
    async put(content, { as } = {}) {
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content.slice()
      const [hash, size] = [await sha256(bytes), bytes.byteLength]
      if (!byHash.has(hash)) {
        if (size > left) return undefined
        left -= size
        byHash.set(hash, bytes)
      }
      if (as !== undefined) hashes.set(as, hash)
      return { hash, size }
    },
    get,
    named: (name) => get(hashes.get(name)),
  }
}
