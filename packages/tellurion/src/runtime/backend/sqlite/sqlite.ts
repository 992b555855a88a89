// The SQLite backend: durable runs in one file. Several processes may share it; one is advised.

import type { WritePoint } from '../../../store/sqlite/open-options.ts'
import { openDatabase, type Database } from '../../../store/sqlite/database.ts'
import type { Synchronous } from '../../../store/sqlite/open-options.ts'
import { sqliteKeyValue } from '../../../store/sqlite/key-value.ts'
import { touchDatabase, watchDatabase } from '../../../store/sqlite/watch.ts'
import { createWriter } from '../../../store/sqlite/writer.ts'
import { systemClock } from '../../../clock/clock.ts'
import type { BackendOpener, HeartOptions } from '../../backend.ts'
import { createHintHub } from '../hint-hub.ts'
import type { Hints } from '../../hints.ts'
import { createTableQueue } from '../table-queue.ts'
import { startHeart } from './heart.ts'
import { runLayout } from './schema.ts'
import { createSqliteStore, sqliteClaimTable } from './sqlite-store.ts'

/** How the file is used. */
export interface SqliteOptions {
  /** Default `full`: what was acknowledged survives even the loss of power. */
  readonly synchronous?: Synchronous
  /** The file never grows beyond this many bytes; a write that would is refused with `store_full`. No limit by default. */
  readonly maxBytes?: number
  /** Longest wait for other processes, in milliseconds, until `store_locked`. Default 10,000. */
  readonly lockTimeout?: number
  /** Told of the points around each durable write. For crash tests. */
  readonly onPoint?: (point: WritePoint) => void
}

/**
 * A backend in the SQLite file `path`; the file and its folders are made when they are missing. Opening rejects with
 * `store_unavailable`, `store_read_only`, `store_corrupt`, `store_newer`, `store_full` or `store_locked`.
 */
export function sqlite(path: string, options: SqliteOptions = {}): BackendOpener {
  return async ({ clock }) => {
    const { onPoint, ...rest } = options
    const database = await openDatabase(path, { layout: runLayout, clock, ...rest })
    const writer = createWriter(database, { clock, ...(onPoint === undefined ? {} : { onPoint }) })
    const hints = sharedHints(database)
    return {
      name: 'sqlite',
      durable: true,
      store: createSqliteStore(database, { writer, hints }),
      queue: createTableQueue(sqliteClaimTable(database), { hints, clock }),
      hints,
      keyValue: sqliteKeyValue(database, { writer, clock }),
      // A simulated clock has no thread that could follow it.
      ...(clock === systemClock ? { startHeart: (beat: HeartOptions) => startHeart(database.path, beat) } : {}),
      async close() {
        hints.close()
        await writer.close()
        database.close()
      },
    }
  }
}

/** Hints of this process, and of what others wrote; the file is watched only while somebody listens. */
function sharedHints(database: Database): Hints {
  const hub = createHintHub()
  let listeners = 0
  let unwatch: (() => void) | undefined
  const read = database.prepare(
    `SELECT id, stamp FROM run WHERE stamp > ?1 UNION ALL SELECT id, 0 FROM run WHERE status = 'running' LIMIT 1000`,
  )
  const newest = database.prepare('SELECT ifnull(max(stamp), 0) AS stamp FROM run')
  /** A file that cannot be read now has all its news later. */
  const newestStamp = (): number => {
    try {
      return (newest.get() as { stamp: number }).stamp
    } catch {
      return 0
    }
  }
  const watch = (): (() => void) => {
    let stamp = newestStamp()
    return watchDatabase(database, () => {
      for (const run of read.all(stamp) as unknown as readonly { id: string; stamp: number }[]) {
        hub.send({ type: 'run', run: run.id })
        // Mail changes the row of its run; a commit that is no more than its journal row does not.
        if (run.stamp > 0) hub.send({ type: 'mail', run: run.id })
        stamp = Math.max(stamp, run.stamp)
      }
      hub.send({ type: 'queue' })
    })
  }
  const deaf = (): void => {
    if (--listeners > 0) return
    unwatch?.()
    unwatch = undefined
  }
  let ringing = false
  let closed = false
  /** Other processes are told of news for who works; what only changes a log they see soon enough. */
  const ring = (): void => {
    if (ringing || closed) return
    ringing = true
    queueMicrotask(() => {
      ringing = false
      touchDatabase(database)
    })
  }
  return {
    send(hint) {
      hub.send(hint)
      if (hint.type !== 'run') ring()
    },
    listen(fn, run) {
      if (closed) return () => {}
      const stop = hub.listen(fn, run)
      if (listeners++ === 0) unwatch = watch()
      let listening = true
      return () => {
        stop()
        if (listening) deaf()
        listening = false
      }
    },
    close() {
      closed = true
      hub.close()
      unwatch?.()
      unwatch = undefined
    },
  }
}
