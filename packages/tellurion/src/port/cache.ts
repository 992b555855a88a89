// A cache: JSON values that may go at any time, as records with a time to live in a key-value store. Clearing it takes
// what is cache, and nothing else.

import { TellurionError } from '../error/error.ts'
import type { Json } from '../schema/json.ts'
import { jsonProblem } from '../schema/plain-json.ts'
import type { KeyScope, KeyValue } from './key-value.ts'

/** How a cache keeps. */
export interface CacheOptions {
  readonly keyValue: KeyValue
  /** What sets it apart from other caches of the store. Default `main`. */
  readonly name?: string
  /** Milliseconds that a value is kept when `set` does not say. Default an hour. */
  readonly ttl?: number
}

/** What a cache holds, and how often it was of use to this process. */
export interface CacheStats {
  readonly entries: number
  readonly bytes: number
  readonly hits: number
  readonly misses: number
}

/** Values by key. */
export interface Cache {
  /** The value; undefined when there is none, or not any more. A record that cannot be read is none. */
  get(key: string): Promise<Json | undefined>
  /** Keeps a value. Rejects with `invalid_value` for what is not JSON. */
  set(key: string, value: Json, options?: { readonly ttl?: number }): Promise<void>
  /** What is kept, or else what `make` gives, kept from then on; callers of one process at one time make it once. */
  take(key: string, make: () => Promise<Json>, options?: { readonly ttl?: number }): Promise<Json>
  delete(key: string): Promise<boolean>
  stats(): Promise<CacheStats>
  /** Takes everything out, and says how much it was. */
  clear(): Promise<number>
}

const scope: KeyScope = { scope: 'global', owner: '' }
const root = 'cache/'
const page = 500
const hour = 3_600_000

/** Makes a cache; caches of one store and name are one, also in several processes. Throws `invalid_option`. */
export function createCache({ keyValue, name = 'main', ttl = hour }: CacheOptions): Cache {
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
    throw new TellurionError('invalid_option', "The name of a cache is 1 to 64 letters, digits, '_' and '-'.")
  }
  checkTtl(ttl)
  const prefix = `${root}${name}/`
  const making = new Map<string, Promise<Json>>()
  let [hits, misses] = [0, 0]

  const cache: Cache = {
    async get(key) {
      const value = decoded((await keyValue.get(scope, prefix + key))?.value)
      if (value === undefined) misses++
      else hits++
      return value
    },
    async set(key, value, options = {}) {
      const problem = jsonProblem(value)
      if (problem !== undefined) throw new TellurionError('invalid_value', `This cannot be cached: ${problem}.`)
      const lasts = options.ttl ?? ttl
      checkTtl(lasts)
      await keyValue.set(scope, prefix + key, new TextEncoder().encode(JSON.stringify(value)), { ttl: lasts })
    },
    take(key, make, options) {
      let made = making.get(key)
      if (made === undefined) {
        made = (async () => {
          const known = await cache.get(key)
          if (known !== undefined) return known
          const value = await make()
          await cache.set(key, value, options)
          return value
        })().finally(() => making.delete(key))
        making.set(key, made)
      }
      return made
    },
    delete: (key) => keyValue.delete(scope, prefix + key),
    async stats() {
      return { ...(await cacheSize(keyValue, prefix)), hits, misses }
    },
    clear: () => clearCaches(keyValue, prefix),
  }
  return cache
}

/** How much the caches of a store hold: all of them, or those whose records begin with `prefix`. */
export async function cacheSize(keyValue: KeyValue, prefix = root): Promise<{ entries: number; bytes: number }> {
  let [entries, bytes] = [0, 0]
  for (let after: string | undefined; ;) {
    const found = await keyValue.list(scope, { prefix, limit: page, ...(after === undefined ? {} : { after }) })
    for (const { value } of found) bytes += value.length
    entries += found.length
    after = found.at(-1)?.name
    if (found.length < page) return { entries, bytes }
  }
}

/** Empties all caches of a store, or those whose records begin with `prefix`, and says how many values went. */
export async function clearCaches(keyValue: KeyValue, prefix = root): Promise<number> {
  let cleared = 0
  for (;;) {
    const found = await keyValue.list(scope, { prefix, limit: page })
    for (const { name } of found) if (await keyValue.delete(scope, name)) cleared++
    if (found.length < page) return cleared
  }
}

function decoded(bytes: Uint8Array | undefined): Json | undefined {
  if (bytes === undefined) return undefined
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Json
  } catch {
    return undefined
  }
}

function checkTtl(ttl: number): void {
  if (ttl > 0) return
  throw new TellurionError('invalid_option', `The ttl of a cache is milliseconds above 0, got ${String(ttl)}.`)
}
