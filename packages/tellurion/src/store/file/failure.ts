// What goes wrong with a file of records, as one of our errors.

import type { ErrorCode } from '../../error/catalogue.ts'
import { messageOf, TellurionError } from '../../error/error.ts'

const codes: Readonly<Record<string, ErrorCode>> = {
  EACCES: 'store_read_only',
  EPERM: 'store_read_only',
  EROFS: 'store_read_only',
  ENOSPC: 'store_full',
  EDQUOT: 'store_full',
  EFBIG: 'store_full',
}

const advice: Readonly<Partial<Record<ErrorCode, string>>> = {
  store_read_only: 'give the process the right to read and write the file and its folder',
  store_full: 'make room on the disk or raise `maxBytes`; what was acknowledged is kept',
  store_unavailable: 'check the path and the rights of its folder',
  store_corrupt: 'restore it from a copy or choose another path; it was not changed',
  store_newer: 'open it with the newer version; it was not changed',
  store_locked: 'let one process use the file at one time, or use sqliteKeyValueFile',
}

/** A store error about a file. */
export function fileError(code: ErrorCode, path: string, problem: string, cause?: unknown): TellurionError {
  const mend = advice[code]
  const text = `The store ${path}: ${problem}${mend === undefined ? '' : `; ${mend}`}.`
  return new TellurionError(code, text, cause === undefined ? {} : { cause })
}

/** Any error of the file system as ours. An error of ours stays what it is. */
export function fileFailure(error: unknown, path: string): TellurionError {
  if (error instanceof TellurionError) return error
  return fileError(codes[codeOf(error) ?? ''] ?? 'store_unavailable', path, messageOf(error), error)
}

/** The file system's own code of an error, such as `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : undefined
}
