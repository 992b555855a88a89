// A backend whose small records, archives and other artifacts among them, are kept compressed.

import { compressedKeyValue, type Codec } from '../../store/compressed-key-value.ts'
import type { BackendOpener } from '../backend.ts'

/**
 * The same backend with its records compressed, without loss: `createRuntime({ store: compressed(sqlite('runs.db')) })`.
 * Journals and events stay as they are. Default codec `zstd`; what was stored before is read as it is.
 */
export function compressed(opener: BackendOpener, options: { readonly codec?: Codec } = {}): BackendOpener {
  return async (given) => {
    const backend = await opener(given)
    return { ...backend, keyValue: compressedKeyValue(backend.keyValue, options) }
  }
}
