// What SQLite says went wrong, as one of our errors.

import { accessSync, constants } from 'node:fs'
import { dirname } from 'node:path'
import type { ErrorCode } from '../../error/catalogue.ts'
import { messageOf, TellurionError } from '../../error/error.ts'

/** SQLite's primary result codes (sqlite.org/rescode.html) that a caller can do something about. */
const codes: Readonly<Record<number, ErrorCode>> = {
  5: 'store_locked',
  6: 'store_locked',
  8: 'store_read_only',
  10: 'store_unavailable',
  11: 'store_corrupt',
  13: 'store_full',
  14: 'store_unavailable',
  26: 'store_corrupt',
}

const advice: Readonly<Partial<Record<ErrorCode, string>>> = {
  store_locked: 'another process holds it; end what keeps a transaction open and try again',
  store_read_only: 'give the process write access to the file and its folder',
  store_unavailable: 'check the path and the rights of its folder',
  store_corrupt: 'restore a backup or choose another path; it was not changed',
  store_gone: 'put it back, or restart to go on with what is there now; nothing more is written',
  store_full: 'make room on the disk or raise `maxBytes`; what was acknowledged is kept',
}

/** The primary result code of an error of `node:sqlite`; undefined for any other error. */
export function sqliteCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | undefined)?.errcode
  return typeof code === 'number' ? code & 0xff : undefined
}

/** Whether another connection stood in the way, for now. */
export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error)
  return code === 5 || code === 6
}

/** A store error about a file. */
export function storeError(code: ErrorCode, path: string, problem: string, cause?: unknown): TellurionError {
  const mend = advice[code]
  const text = `The store ${path}: ${problem}${mend === undefined ? '' : `; ${mend}`}.`
  return new TellurionError(code, text, cause === undefined ? {} : { cause })
}

/** Any error of the material as ours. An error of ours stays what it is. */
export function storeFailure(error: unknown, path: string): TellurionError {
  if (error instanceof TellurionError) return error
  // What we wrote as JSON no longer is.
  if (error instanceof SyntaxError) return storeError('store_corrupt', path, 'a record in it is damaged', error)
  if ((error as { code?: unknown } | undefined)?.code === 'ERR_INVALID_STATE') {
    return storeError('store_closed', path, 'it has been closed', error)
  }
  const number = sqliteCode(error)
  const known = number === undefined ? undefined : codes[number]
  const code = known === 'store_unavailable' && !isWritable(path) ? 'store_read_only' : known
  return storeError(code ?? 'store_unavailable', path, messageOf(error), error)
}

/** Whether the folder of a file may be written, as far as one can say beforehand. */
function isWritable(path: string): boolean {
  try {
    accessSync(dirname(path), constants.W_OK)
    return true
  } catch (error) {
    return (error as { code?: string }).code !== 'EACCES' && (error as { code?: string }).code !== 'EROFS'
  }
}
