// Hints inside one process: equal ones that come in one macrotask's jobs are told once.

import type { Hint, Hints } from '../hints.ts'

/** Makes the hints of a process. A listener that throws hurts nobody. */
export function createHintHub(): Hints {
  /** Who hears of everything, under `undefined`, and of one run. */
  const listeners = new Map<string | undefined, Set<(hint: Hint) => void>>()
  /** Of which runs there are news, and whether of no more than their log. */
  let runs = new Map<string, boolean>()
  let mail = new Set<string>()
  let queue = false
  let due = false

  const tell = (hint: Hint): void => {
    tellThose(undefined, hint)
    if (hint.type !== 'queue') tellThose(hint.run, hint)
  }
  const tellThose = (run: string | undefined, hint: Hint): void => {
    for (const listener of listeners.get(run) ?? []) {
      try {
        listener(hint)
      } catch {
        // A hint may be lost.
      }
    }
  }
  const flush = (): void => {
    const [changed, mailed, work] = [runs, mail, queue]
    if (changed.size > 0) runs = new Map()
    if (mailed.size > 0) mail = new Set()
    queue = due = false
    for (const run of mailed) tell({ type: 'mail', run })
    for (const [run, log] of changed) tell(log ? { type: 'run', run, log } : { type: 'run', run })
    if (work) tell({ type: 'queue' })
  }

  return {
    send(hint) {
      if (listeners.size === 0) return
      if (hint.type === 'queue') queue = true
      else if (hint.type === 'mail') mail.add(hint.run)
      else runs.set(hint.run, hint.log === true && runs.get(hint.run) !== false)
      if (due) return
      due = true
      queueMicrotask(flush)
    },
    listen(fn, run) {
      const listener = (hint: Hint): void => fn(hint)
      const those = listeners.get(run) ?? new Set()
      listeners.set(run, those.add(listener))
      return () => {
        those.delete(listener)
        if (those.size === 0 && listeners.get(run) === those) listeners.delete(run)
      }
    },
    close() {
      listeners.clear()
    },
  }
}
