// Artifacts of a world that nobody keeps: in memory, and loaded with the first one.

import type { Clock } from '../clock/clock.ts'
import { memoryKeyValue } from '../port/memory-key-value.ts'
import { createArtifacts, type Artifacts } from '../tool/artifact.ts'

/** Empty artifacts that go with the process. */
export function memoryArtifacts(clock: Clock): Artifacts {
  return createArtifacts(memoryKeyValue({ clock }), 'memory')
}
