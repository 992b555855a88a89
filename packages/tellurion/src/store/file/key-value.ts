// The key-value port on one file that a person can read: for memory tiers and small programs without a database. It is
// held in memory and written as a whole, so it is for some thousand records, and for one process at one time.

import { resolve } from 'node:path'
import { systemClock, type Clock } from '../../clock/clock.ts'
import { TellurionError } from '../../error/error.ts'
import type { KeyScope, KeyValue, KeyValueEntry } from '../../port/key-value.ts'
import { fileError } from './failure.ts'
import { encode, scopeKey, type Contents, type Records } from './format.ts'
import { RotatingFile, type SavePoint } from './rotating-file.ts'

/** How a file is opened. */
export interface FileKeyValueOptions {
  readonly clock?: Clock
  /** The file never grows beyond this. Default 16 MiB. */
  readonly maxBytes?: number
  /** For crash tests: told of each step of a save before it is done. */
  readonly onPoint?: (point: SavePoint) => void
}

/** An open file of records. */
export interface FileKeyValue extends KeyValue {
  /** The backup that the records come from, when the file itself was torn or missing. */
  readonly recoveredFrom: string | undefined
  /** Removes what was deleted, has lapsed or was overwritten from the disk, the backups included. */
  purge(): Promise<void>
  /** Writes what waits; every later call rejects with `store_closed`. */
  close(): Promise<void>
}

/** Most writes that wait for the file; more are refused. */
const maxWaiting = 100_000
/** What versions go on from after a recovery: higher than any that may have been given since the backup. */
const leap = 2 ** 20

/** A write: what it makes of the records. */
interface Job {
  run(draft: Draft): unknown
  readonly purges?: true
  resolve(value: unknown): void
  reject(error: unknown): void
}

/**
 * Opens the file `path` for key-value records; it and its folders are made when they are missing. Each write is on the
 * disk when it is acknowledged; writes that come together share one save. Five predecessors are kept beside the file, and
 * the newest whole one takes its place when it is torn or missing. Rejects with `store_corrupt`, `store_newer`,
 * `store_read_only`, `store_full`, `store_unavailable`, or with `store_locked` when another process has written it.
 */
export async function fileKeyValue(path: string, options: FileKeyValueOptions = {}): Promise<FileKeyValue> {
  const { clock = systemClock, maxBytes = 16 * 1024 * 1024, onPoint = () => {} } = options
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw new TellurionError('invalid_option', "fileKeyValue needs the path of a file, such as 'data/memory.jsonl'.")
  }
  const place = resolve(path)
  const file = new RotatingFile(place, onPoint)
  const { contents = { records: new Map(), lastVersion: 0, saves: 0 }, recoveredFrom } = await file.read()
  const start = recoveredFrom === undefined ? contents : { ...contents, lastVersion: contents.lastVersion + leap }
  const store = new FileStore(file, { contents: start, path: place, clock, maxBytes })
  return {
    recoveredFrom,
    get: (scope, name) => store.get(scope, name),
    set: (scope, name, value, options) => store.set(scope, name, { value, ...options }),
    delete: (scope, name) => store.delete(scope, name),
    list: (scope, options) => store.list(scope, options),
    purge: () => store.purge(),
    close: () => store.close(),
  }
}

/** The records in memory, as they are on the disk, and the writes that wait for it. */
class FileStore {
  readonly #file: RotatingFile
  readonly #path: string
  readonly #clock: Clock
  readonly #maxBytes: number
  #contents: Contents
  #waiting: Job[] = []
  #working: Promise<void> | undefined
  #closed = false

  constructor(
    file: RotatingFile,
    { contents, path, clock, maxBytes }: { contents: Contents; path: string; clock: Clock; maxBytes: number },
  ) {
    this.#file = file
    this.#contents = contents
    this.#path = path
    this.#clock = clock
    this.#maxBytes = maxBytes
  }

  async get(scope: KeyScope, name: string): Promise<KeyValueEntry | undefined> {
    this.#refuseWhenClosed()
    const entry = this.#contents.records.get(scopeKey(scope))?.get(name)
    return entry === undefined || !isLive(entry, this.#clock.now())
      ? undefined
      : { ...entry, value: entry.value.slice() }
  }

  set(
    scope: KeyScope,
    name: string,
    { value, ttl, ifVersion }: { value: Uint8Array; ttl?: number; ifVersion?: number },
  ): Promise<number | undefined> {
    const bytes = value.slice()
    return this.#write((draft) => {
      const now = this.#clock.now()
      const known = draft.get(scope, name)
      const version = known !== undefined && isLive(known, now) ? known.version : 0
      if (ifVersion !== undefined && ifVersion !== version) return undefined
      return draft.set(scope, { name, value: bytes, ...(ttl === undefined ? {} : { expires: now + ttl }) })
    })
  }

  delete(scope: KeyScope, name: string): Promise<boolean> {
    return this.#write((draft) => {
      const known = draft.get(scope, name)
      return known !== undefined && draft.delete(scope, name) && isLive(known, this.#clock.now())
    })
  }

  async list(
    scope: KeyScope,
    { prefix = '', after, limit = 1_000 }: { prefix?: string; after?: string; limit?: number } = {},
  ): Promise<readonly KeyValueEntry[]> {
    this.#refuseWhenClosed()
    const now = this.#clock.now()
    const found: KeyValueEntry[] = []
    for (const entry of this.#contents.records.get(scopeKey(scope))?.values() ?? []) {
      const { name } = entry
      if (name.startsWith(prefix) && (after === undefined || name > after) && isLive(entry, now)) found.push(entry)
    }
    found.sort((a, b) => (a.name < b.name ? -1 : 1))
    return found.slice(0, limit).map((entry) => ({ ...entry, value: entry.value.slice() }))
  }

  purge(): Promise<void> {
    return this.#write((draft) => draft.touch(), true)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#working
  }

  #refuseWhenClosed(): void {
    if (this.#closed) throw fileError('store_closed', this.#path, 'it has been closed')
  }

  async #write<T>(run: (draft: Draft) => T, purges = false): Promise<T> {
    this.#refuseWhenClosed()
    if (this.#waiting.length >= maxWaiting) {
      throw new TellurionError('channel_full', `The store ${this.#path} has ${maxWaiting} writes waiting.`)
    }
    return new Promise<T>((resolve, reject) => {
      const job: Job = { run, resolve: resolve as (value: unknown) => void, reject, ...(purges ? { purges } : {}) }
      this.#waiting.push(job)
      this.#working ??= this.#work()
    })
  }

  /** Saves what waits, together, until nothing does. */
  async #work(): Promise<void> {
    // Whatever is asked for in the same breath shares the first save.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const jobs = this.#waiting
      this.#waiting = []
      await this.#save(jobs)
    }
    this.#working = undefined
  }

  /** What readers see changes only once it is on the disk. */
  async #save(jobs: readonly Job[]): Promise<void> {
    const draft = new Draft(this.#contents)
    const results = jobs.map((job) => job.run(draft))
    try {
      if (draft.isChanged) {
        const contents = draft.contents(this.#clock.now())
        const bytes = encode(contents)
        if (bytes.length > this.#maxBytes) {
          throw fileError(
            'store_full',
            this.#path,
            `it would grow to ${bytes.length} of at most ${this.#maxBytes} bytes`,
          )
        }
        await this.#file.replace(bytes)
        this.#contents = contents
      }
      if (jobs.some(({ purges }) => purges)) await this.#file.forgetPredecessors()
      jobs.forEach(({ resolve }, index) => resolve(results[index]))
    } catch (error) {
      const isFull = error instanceof TellurionError && error.code === 'store_full'
      // What cannot be written together may be, but for one.
      if (isFull && jobs.length > 1) for (const job of jobs) await this.#save([job])
      else for (const { reject } of jobs) reject(error)
    }
  }
}

/** Records as they are to become. What is not touched is shared. */
class Draft {
  readonly #from: Contents
  readonly #records: Map<string, Map<string, KeyValueEntry>>
  readonly #own = new Set<string>()
  #lastVersion: number
  isChanged = false

  constructor(from: Contents) {
    this.#from = from
    this.#records = new Map(from.records as ReadonlyMap<string, Map<string, KeyValueEntry>>)
    this.#lastVersion = from.lastVersion
  }

  get(scope: KeyScope, name: string): KeyValueEntry | undefined {
    return this.#records.get(scopeKey(scope))?.get(name)
  }

  set(scope: KeyScope, entry: Omit<KeyValueEntry, 'version'>): number {
    const version = ++this.#lastVersion
    this.#entries(scope).set(entry.name, { ...entry, version })
    return version
  }

  delete(scope: KeyScope, name: string): boolean {
    return this.#entries(scope).delete(name)
  }

  /** Has it written anew although nothing is different. */
  touch(): void {
    this.isChanged = true
  }

  /** What is to be saved: without what has lapsed. */
  contents(now: number): Contents {
    const records: [string, ReadonlyMap<string, KeyValueEntry>][] = []
    for (const [key, entries] of this.#records) {
      const live = [...entries.values()].every((entry) => isLive(entry, now))
        ? entries
        : new Map([...entries].filter(([, entry]) => isLive(entry, now)))
      if (live.size > 0) records.push([key, live])
    }
    return { records: new Map(records) satisfies Records, lastVersion: this.#lastVersion, saves: this.#from.saves + 1 }
  }

  #entries(scope: KeyScope): Map<string, KeyValueEntry> {
    const key = scopeKey(scope)
    let entries = this.#records.get(key)
    if (entries === undefined || !this.#own.has(key)) {
      entries = new Map(entries)
      this.#own.add(key)
      this.#records.set(key, entries)
    }
    this.isChanged = true
    return entries
  }
}

function isLive({ expires }: KeyValueEntry, now: number): boolean {
  return expires === undefined || expires > now
}
