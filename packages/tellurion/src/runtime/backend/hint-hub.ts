// Hints inside one process: equal ones that come in one macrotask's jobs are told once.

import type { Hint, Hints } from '../hints.ts'

/** Makes the hints of a process. A listener that throws hurts nobody. */
export function createHintHub(): Hints {
  const listeners = new Set<(hint: Hint) => void>()
  let runs = new Set<string>()
  let queue = false
  let due = false

  const tell = (hint: Hint): void => {
    for (const listener of listeners) {
      try {
        listener(hint)
      } catch {
        // A hint may be lost.
      }
    }
  }
  const flush = (): void => {
    const told = runs
    const work = queue
    runs = new Set()
    queue = due = false
    for (const run of told) tell({ type: 'run', run })
    if (work) tell({ type: 'queue' })
  }

  return {
    send(hint) {
      if (listeners.size === 0) return
      if (hint.type === 'run') runs.add(hint.run)
      else queue = true
      if (due) return
      due = true
      queueMicrotask(flush)
    },
    listen(fn) {
      const listener = (hint: Hint): void => fn(hint)
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    close() {
      listeners.clear()
    },
  }
}
