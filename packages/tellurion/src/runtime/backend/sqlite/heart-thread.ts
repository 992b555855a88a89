// The thread of the heart. It holds no state but which runs are held, and does nothing but extend their leases while the
// main loop is alive.

import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../../clock/clock.ts'
import { presenceOf } from '../../../store/sqlite/presence.ts'
import type { HeartOptions } from '../../backend.ts'

/** What the thread is started with. `alive` grows whenever the main loop says that it is alive. */
export interface HeartData extends HeartOptions {
  readonly path: string
  readonly alive: Int32Array
}

/** What the main loop tells it: the epochs of runs that it holds, null for those that it holds no longer. */
export type HeartMessage = ReadonlyMap<string, number | null>

/** Beats until the process or the thread ends. */
function beat({ path, alive, lease, heartbeat, stall }: HeartData): void {
  const held = new Map<string, number>()
  parentPort?.on('message', (message: HeartMessage) => {
    for (const [run, epoch] of message) {
      if (epoch === null) held.delete(run)
      else held.set(run, epoch)
    }
  })
  // Opening would make it anew.
  if (!existsSync(path)) return
  const present = presenceOf(path)
  const database = new DatabaseSync(path)
  // A lease need not survive the loss of power, and writing the log back is the main loop's business.
  database.exec('PRAGMA busy_timeout = 1000; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0')
  const extend = database.prepare(
    `UPDATE run SET lease_until = ?1 WHERE id = ?2 AND epoch = ?3 AND status = 'running' AND lease_until < ?1`,
  )
  const look = database.prepare("SELECT lease_until FROM run WHERE id = ? AND epoch = ? AND status = 'running'")
  /** Whether a lease should be extended: one that was given or extended since the last beat takes no write lock. */
  const isStale = (run: string, epoch: number, now: number): boolean => {
    const row = look.get(run, epoch) as { lease_until: number } | undefined
    return row !== undefined && row.lease_until < now + lease - heartbeat
  }
  let seen = Atomics.load(alive, 0)
  let since = systemClock.monotonic()
  const next = (): void => {
    const count = Atomics.load(alive, 0)
    const now = systemClock.monotonic()
    if (count !== seen) [seen, since] = [count, now]
    if (now - since < stall) {
      for (const [run, epoch] of held) {
        try {
          const wall = systemClock.now()
          if (!isStale(run, epoch, wall)) continue
          present()
          extend.run(Math.round(wall + lease), run, epoch)
        } catch {
          // The file is busy, or worse; the main loop will say so. The next beat tries again.
        }
      }
    }
    systemClock.timer(heartbeat, next)
  }
  systemClock.timer(heartbeat, next)
}

if (parentPort !== null) beat(workerData as HeartData)
