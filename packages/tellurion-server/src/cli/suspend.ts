// Being sent to the background by a key: a terminal that is read key by key does not do it by itself.

import { sleep } from 'tellurion/world'
import type { Host } from './setting.ts'

/** Milliseconds in which a process stops that was told to. */
const soon = 50

/**
 * What stops the process and all of its job, as Ctrl-Z does at a shell, and resolves when the job goes on; at once where no
 * shell looks after it. Undefined where there are no jobs.
 */
export function suspending(host: Host): (() => Promise<void>) | undefined {
  if (host.kill === undefined || process.platform === 'win32') return undefined
  return async () => {
    host.kill?.(0, 'SIGTSTP')
    await sleep(soon)
  }
}
