// The key-value port in memory: for tests, for one process, and for agents without a runtime. It is gone at exit.

import { systemClock, type Clock } from '../clock/clock.ts'
import type { KeyScope, KeyValue, KeyValueEntry } from './key-value.ts'

/**
 * Makes an empty store. Entries that have lapsed are dropped when they are met. Versions of a name go on rising after
 * it was deleted, so an old version never matches a new record. Bytes are copied on the way in and out.
 */
export function memoryKeyValue({ clock = systemClock }: { clock?: Clock } = {}): KeyValue {
  const scopes = new Map<string, Map<string, KeyValueEntry>>()
  let lastVersion = 0

  const live = ({ scope, owner }: KeyScope, name: string): KeyValueEntry | undefined => {
    const records = scopes.get(`${scope}:${owner}`)
    const entry = records?.get(name)
    if (entry?.expires === undefined || entry.expires > clock.now()) return entry
    records?.delete(name)
    return undefined
  }
  const recordsOf = ({ scope, owner }: KeyScope): Map<string, KeyValueEntry> => {
    const key = `${scope}:${owner}`
    let records = scopes.get(key)
    if (!records) scopes.set(key, (records = new Map()))
    return records
  }

  return {
    async get(scope, name) {
      const entry = live(scope, name)
      return entry && { ...entry, value: entry.value.slice() }
    },
    async set(scope, name, value, { ttl, ifVersion } = {}) {
      if (ifVersion !== undefined && (live(scope, name)?.version ?? 0) !== ifVersion) return undefined
      const version = ++lastVersion
      const expires = ttl === undefined ? {} : { expires: clock.now() + ttl }
      recordsOf(scope).set(name, { name, value: value.slice(), version, ...expires })
      return version
    },
    async delete(scope, name) {
      return live(scope, name) !== undefined && recordsOf(scope).delete(name)
    },
    async list(scope, { prefix = '', after, limit = 1_000 } = {}) {
      const names = [...recordsOf(scope).keys()]
        .filter((name) => name.startsWith(prefix) && (after === undefined || name > after))
        .sort()
      const entries: KeyValueEntry[] = []
      for (const name of names) {
        if (entries.length >= limit) break
        const entry = live(scope, name)
        if (entry) entries.push({ ...entry, value: entry.value.slice() })
      }
      return entries
    },
  }
}
