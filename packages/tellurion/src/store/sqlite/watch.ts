// Noticing what other processes write to a SQLite file: whoever has news for them touches the file, and the system tells
// them at once where it can; besides, the file's data version is looked at often, which costs microseconds.

import { utimesSync, watch } from 'node:fs'
import { setInterval, setTimeout } from 'node:timers'
import { systemClock } from '../../clock/clock.ts'
import type { Database } from './database.ts'

/** Milliseconds between two looks. Other processes live in real time, so this does too, and keeps no process alive. */
const interval = 25
/** A busy neighbour is heeded no more often than this, in milliseconds. */
const rest = 4

/** Calls `changed` after another connection has written. The returned function ends that. */
export function watchDatabase(database: Database, changed: () => void): () => void {
  const read = database.prepare('PRAGMA data_version')
  const version = (): number => (read.get() as { data_version: number }).data_version
  let seen: number | undefined
  let lastChange = Number.NEGATIVE_INFINITY
  let next: NodeJS.Timeout | undefined
  const look = (): void => {
    next = undefined
    try {
      const now = version()
      if (now === seen) return
      seen = now
      lastChange = systemClock.monotonic()
      changed()
    } catch {
      // A hint may be lost, and whoever works with the file hears of its errors.
    }
  }
  try {
    seen = version()
  } catch {
    // The first look that can be taken is news.
  }
  const timer = setInterval(look, interval).unref()
  const stopTold = onTouch(database.path, () => {
    if (next !== undefined) return
    const wait = rest - (systemClock.monotonic() - lastChange)
    if (wait <= 0) look()
    else next = setTimeout(look, Math.ceil(wait)).unref()
  })
  return () => {
    timer.close()
    next?.close()
    stopTold()
  }
}

/** Tells other processes that there are news in the file. */
export function touchDatabase({ path }: Database): void {
  const now = systemClock.now() / 1000
  try {
    utimesSync(path, now, now)
  } catch {
    // They look by themselves.
  }
}

/** Calls `fn` when a file was touched. Only where watching opens no file: closing it would end SQLite's locks. */
function onTouch(path: string, fn: () => void): () => void {
  if (process.platform !== 'linux') return () => {}
  try {
    const watcher = watch(path, { persistent: false }, fn)
    watcher.on('error', () => {})
    return () => watcher.close()
  } catch {
    return () => {}
  }
}
