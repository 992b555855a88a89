// Whether an open SQLite file is still the one at its path. One that was deleted or replaced takes writes as before, and
// keeps them for nobody: so it is looked at often enough to say so, and seldom enough to cost nothing.

import { statSync } from 'node:fs'
import { systemClock } from '../../clock/clock.ts'
import { storeError } from './failure.ts'

/** Milliseconds between two looks, of some microseconds each. Files live in real time, so this does too. */
const interval = 10

/** Throws `store_gone` when the file, or its log or index, was deleted, moved or replaced since this was made. */
export function presenceOf(path: string): () => void {
  // The log may hold what was acknowledged, and the index is how processes agree about it.
  const open = [
    { file: path, name: 'the file' },
    { file: `${path}-wal`, name: `its log, ${path}-wal,` },
    { file: `${path}-shm`, name: `its index, ${path}-shm,` },
  ].flatMap(({ file, name }) => {
    const identity = identityOf(file)
    return identity === 'none' || identity === 'hidden' ? [] : [{ file, name, identity }]
  })
  let next = Number.NEGATIVE_INFINITY
  return () => {
    const now = systemClock.monotonic()
    if (now < next) return
    next = Number.NEGATIVE_INFINITY
    for (const { file, name, identity } of open) {
      const found = identityOf(file)
      if (found === identity || found === 'hidden') continue
      const fate = found === 'none' ? 'is not there any more' : 'has been replaced'
      throw storeError('store_gone', path, `${name} ${fate} while it is open`)
    }
    next = now + interval
  }
}

/** Which file is at a path. Behind a folder that may not be looked into any more that cannot be said. */
function identityOf(file: string): string {
  try {
    const found = statSync(file, { throwIfNoEntry: false })
    return found === undefined ? 'none' : `${found.dev}:${found.ino}`
  } catch {
    return 'hidden'
  }
}
