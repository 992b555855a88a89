// One open SQLite file: made when it is missing, looked at before it is trusted, and set to the modes we rely on.
// A file that is not ours, newer or damaged is left as it was.

import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { sleep } from '../../clock/clock.ts'
import { TellurionError } from '../../error/error.ts'
import { systemRandom } from '../../id/random.ts'
import { makeFolder } from '../../port/folder.node.ts'
import { isBusy, storeError, storeFailure } from './failure.ts'
import { presenceOf } from './presence.ts'
import { checkOpen, type DatabaseOptions, type Layout } from './open-options.ts'

/** An open file. Statements are prepared once. */
export interface Database {
  readonly path: string
  readonly sqlite: DatabaseSync
  readonly lockTimeout: number
  /** Throws `store_gone` when the file is not the one at its path any more. */
  present(): void
  prepare(sql: string): StatementSync
  /** Whether the next transactions need not survive the loss of power before a later one does. Default that they must. */
  relax(relaxed: boolean): void
  /** Reads at once; what goes wrong is a store error. */
  read<T>(fn: () => T): Promise<T>
  close(): void
}

const pageSize = 4_096
/** Pages of log (16 MB) after which they are moved into the file: the fewer times, the less each commit costs. */
const logPages = 4_096
/** SQLite's own waiting blocks the event loop, so it is kept short; longer waits are ours. */
const busyTimeout = 10
/** Up to this size a file is looked through when it is opened; a larger one is judged by its header and its rows. */
const checkedBytes = 4 * 1024 * 1024

/**
 * Opens a file and makes it, and its folders, when it is missing. Rejects with `store_unavailable`, `store_read_only`,
 * `store_corrupt`, `store_newer`, `store_locked`, `store_full` or `invalid_option`.
 */
export async function openDatabase(path: string, options: DatabaseOptions): Promise<Database> {
  const file = checkPath(path)
  checkOpen(options)
  const { clock, lockTimeout = 10_000 } = options
  const deadline = clock.monotonic() + lockTimeout
  for (;;) {
    try {
      return openOnce(file, options)
    } catch (error) {
      if (!isBusy(error) || clock.monotonic() >= deadline) throw storeFailure(error, file)
    }
    await sleep(5 + systemRandom() * 20, { clock })
  }
}

function checkPath(path: string): string {
  const named = typeof path === 'string' && path !== '' && path !== ':memory:' && !path.includes('\0')
  if (!named || path.startsWith('file:')) {
    throw new TellurionError('invalid_option', 'SQLite needs the path of a file; use memory() for a store in memory.')
  }
  return resolve(path)
}

function openOnce(path: string, options: DatabaseOptions): Database {
  makeHome(path)
  const size = inspect(path)
  const sqlite = new DatabaseSync(path)
  try {
    sqlite.exec(`PRAGMA busy_timeout = ${busyTimeout}`)
    const old = checkLayout(sqlite, path, options.layout)
    if (size > 0 && size <= checkedBytes) checkPages(sqlite, path)
    sqlite.exec(
      `PRAGMA page_size = ${pageSize}; PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = ${logPages * pageSize}`,
    )
    sqlite.exec(`PRAGMA wal_autocheckpoint = ${logPages}`)
    sqlite.exec(
      `PRAGMA synchronous = ${options.synchronous === 'normal' ? 'NORMAL' : 'FULL'}; PRAGMA temp_store = MEMORY`,
    )
    if (options.maxBytes !== undefined) {
      sqlite.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(options.maxBytes / pageSize))}`)
    }
    if (old) bringUp(sqlite, options.layout)
    return handle(sqlite, path, options)
  } catch (error) {
    sqlite.close()
    throw error
  }
}

function handle(sqlite: DatabaseSync, path: string, options: DatabaseOptions): Database {
  const { lockTimeout = 10_000, synchronous = 'full' } = options
  const prepared = new Map<string, StatementSync>()
  let isRelaxed = false
  const look = presenceOf(path)
  // Who closes it last takes its log away.
  const present = (): void => {
    if (sqlite.isOpen) look()
  }
  return {
    path,
    sqlite,
    lockTimeout,
    present,
    prepare(sql) {
      let statement = prepared.get(sql)
      if (statement === undefined) prepared.set(sql, (statement = sqlite.prepare(sql)))
      return statement
    },
    relax(relaxed) {
      if (relaxed === isRelaxed || synchronous === 'normal') return
      // The log is one file: the next transaction that is synchronised takes all before it along.
      sqlite.exec(`PRAGMA synchronous = ${relaxed ? 'NORMAL' : 'FULL'}`)
      isRelaxed = relaxed
    },
    async read(fn) {
      try {
        present()
        return fn()
      } catch (error) {
        throw storeFailure(error, path)
      }
    },
    close() {
      prepared.clear()
      if (sqlite.isOpen) sqlite.close()
    },
  }
}

function makeHome(path: string): void {
  try {
    makeFolder(dirname(path))
  } catch (error) {
    const { code } = error as { code?: string }
    const denied = code === 'EACCES' || code === 'EROFS' || code === 'EPERM'
    throw storeError(
      denied ? 'store_read_only' : 'store_unavailable',
      path,
      `its folder cannot be made (${code})`,
      error,
    )
  }
}

/** Looks at the file without SQLite, which would write beside it: its size, 0 for none. Throws for what is no whole store. */
function inspect(path: string): number {
  const header = Buffer.alloc(100)
  let size: number
  try {
    const descriptor = openSync(path, 'r')
    try {
      const stat = fstatSync(descriptor)
      if (!stat.isFile()) throw storeError('store_unavailable', path, 'it is not a file')
      size = stat.size
      readSync(descriptor, header, 0, 100, 0)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === 'ENOENT') return 0
    if (code === 'EACCES') throw storeError('store_read_only', path, 'it may not be read', error)
    throw error
  }
  if (size === 0) return 0
  if (size < 100 || header.toString('latin1', 0, 16) !== 'SQLite format 3\0') {
    throw storeError('store_corrupt', path, 'it is not a SQLite file')
  }
  const pages = header.readUInt32BE(28)
  const bytes = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16)
  // While a log waits beside the file, the file may be behind its header.
  if (pages * bytes > size && sizeOf(`${path}-wal`) === 0) {
    throw storeError('store_corrupt', path, `it was cut off: ${size} of ${pages * bytes} bytes are there`)
  }
  return size
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/** Whether tables have to be made or changed. Throws for a file of somebody else, or of a newer version. */
function checkLayout(sqlite: DatabaseSync, path: string, { mark, version }: Layout): boolean {
  const number = (name: string): number => Object.values(sqlite.prepare(`PRAGMA ${name}`).get() ?? {})[0] as number
  const found = number('application_id')
  if (found === mark) {
    const stored = number('user_version')
    if (stored > version) {
      throw new TellurionError(
        'store_newer',
        `The store ${path} has format ${stored}; this code reads up to ${version}: open it with the newer version.`,
      )
    }
    return stored < version
  }
  const tables = sqlite.prepare('SELECT count(*) AS n FROM sqlite_schema').get() as { n: number }
  if (found !== 0 || tables.n > 0) throw storeError('store_corrupt', path, 'it is the database of another program')
  return true
}

function checkPages(sqlite: DatabaseSync, path: string): void {
  const [problem] = Object.values(sqlite.prepare('PRAGMA quick_check(1)').get() ?? {})
  if (problem !== 'ok') throw storeError('store_corrupt', path, `it is damaged (${String(problem)})`)
}

/** Makes the tables of a new file, and brings those of an older version up step by step; all of it or nothing. */
function bringUp(sqlite: DatabaseSync, { mark, version, create, upgrades = {} }: Layout): void {
  const number = (name: string): number => Object.values(sqlite.prepare(`PRAGMA ${name}`).get() ?? {})[0] as number
  sqlite.exec('BEGIN IMMEDIATE')
  try {
    // Another process may have been faster.
    if (number('application_id') !== mark) sqlite.exec(`${create}; PRAGMA application_id = ${mark}`)
    else for (let step = number('user_version'); step < version; step++) sqlite.exec(upgrades[step] ?? '')
    sqlite.exec(`PRAGMA user_version = ${version}`)
    sqlite.exec('COMMIT')
  } catch (error) {
    if (sqlite.isTransaction) sqlite.exec('ROLLBACK')
    throw error
  }
}
