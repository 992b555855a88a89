// The heart of the SQLite backend: a thread with a connection of its own that extends the leases of this process.

import { Worker } from 'node:worker_threads'
import type { Heart, HeartOptions } from '../../backend.ts'
import type { HeartData, HeartMessage } from './heart-thread.ts'

/** Where the thread's module lies: beside this one in source, at its place below the package's folder when joined. */
function threadModule(): URL {
  const source = import.meta.url.endsWith('.ts')
  return new URL(source ? './heart-thread.ts' : '../runtime/backend/sqlite/heart-thread.js', import.meta.url)
}

/** Starts the thread. Should it fail, the main loop's own heartbeat remains. */
export function startHeart(path: string, options: HeartOptions): Heart {
  const alive = new Int32Array(new SharedArrayBuffer(4))
  const workerData: HeartData = { path, alive, ...options }
  let thread: Worker | undefined = new Worker(threadModule(), { workerData, stdout: false, stderr: false })
  thread.unref()
  thread.on('error', () => {
    thread = undefined
  })
  /** What the thread does not know yet; null for what is not held any more. */
  let changes = new Map<string, number | null>()
  let due = false
  const tell = (): void => {
    due = false
    if (changes.size === 0) return
    const message: HeartMessage = changes
    changes = new Map()
    thread?.postMessage(message)
  }
  return {
    hold(run, epoch) {
      changes.set(run, epoch)
      // Before anything can be busy with the run; those that begin together wake the thread once.
      if (!due) queueMicrotask(tell)
      due = true
    },
    // That need not be known at once: who has let go of a run has no lease that could be extended.
    release: (run) => void changes.set(run, null),
    alive() {
      tell()
      Atomics.add(alive, 0, 1)
    },
    async close() {
      await thread?.terminate()
    },
  }
}
