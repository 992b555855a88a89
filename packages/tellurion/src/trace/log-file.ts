// A log file that rotates. Lines are whole, in the order in which they were written, also when several processes write to
// one file; when it is full it becomes `.1` and the oldest goes. Holds on a local file system, not on a network's.

import {
  closeSync,
  fstatSync,
  linkSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
  type Stats,
} from 'node:fs'
import { dirname, resolve } from 'node:path'
import { systemClock, type Clock } from '../clock/clock.ts'
import { suggestion, TellurionError } from '../error/error.ts'
import { makeFolder } from '../port/folder.node.ts'

/** How a log file is made. */
export interface LogFileOptions {
  /** Bytes after which a new file begins. Default 100,000,000. A longer line has a file of its own. */
  readonly maxSize?: number
  /** Older files that are kept: `agent.log.1` is the newest of them. Default 5. */
  readonly maxFiles?: number
  /** Takes a line that cannot be written, for a full disk must not swallow it. Default: standard error. */
  readonly fallback?: (line: string) => void
  readonly clock?: Clock
}

/** An open log file. */
export interface LogFile {
  /** Writes a line; it must not hold a line break of its own. Never throws. */
  write(line: string): void
  /** Closes it; what is written afterwards goes to the fallback. */
  close(): void
}

const known = ['maxSize', 'maxFiles', 'fallback', 'clock']
/** Milliseconds after which whoever holds the lock must have died with it: turning files takes less than one. */
const staleAfter = 10_000

/**
 * Opens a log file, making its folder: `createLog({ write: createLogFile('data/logs/agent.log').write })`. Throws
 * `unknown_option`, `invalid_option`, and `file_access` when it cannot be opened.
 */
export function createLogFile(path: string, options: LogFileOptions = {}): LogFile {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue
    throw new TellurionError('unknown_option', `There is no option of a log file '${key}'.${suggestion(key, known)}`)
  }
  const { maxSize = 100_000_000, maxFiles = 5, fallback = toStandardError, clock = systemClock } = options
  if (!(maxSize > 0) || !Number.isInteger(maxFiles) || maxFiles < 0) {
    throw new TellurionError(
      'invalid_option',
      'maxSize must be a number of bytes above 0, maxFiles a whole number from 0.',
    )
  }
  const whole = resolve(path)
  let file: OpenFile | undefined
  try {
    makeFolder(dirname(whole))
    file = openFile(whole)
  } catch (error) {
    throw new TellurionError('file_access', `The log file ${path} cannot be opened: ${String(error)}.`, {
      cause: error,
    })
  }
  return {
    write(line) {
      try {
        if (file === undefined) return fallback(line)
        const bytes = Buffer.from(`${line}\n`)
        let stats = statOf(whole)
        if (stats !== undefined && stats.size > 0 && stats.size + bytes.length > maxSize) {
          rotate(whole, { maxFiles, now: clock.now(), isFull: ({ size }) => size + bytes.length > maxSize })
          stats = statOf(whole)
        }
        if (!isSame(file, stats)) file = reopened(whole, file)
        append(file, bytes)
      } catch {
        fallback(line)
      }
    },
    close() {
      if (file !== undefined) closeSync(file.descriptor)
      file = undefined
    },
  }
}

/** The file that lines go to: it may have another name by now. */
interface OpenFile {
  readonly descriptor: number
  readonly device: number
  readonly inode: number
  /** Bytes it had once this process wrote last: where there are others, somebody else wrote. */
  size: number
}

function openFile(path: string): OpenFile {
  const descriptor = openSync(path, 'a+', 0o640)
  try {
    const { dev, ino } = fstatSync(descriptor)
    return { descriptor, device: dev, inode: ino, size: 0 }
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

/** The file that has the name now; the old one where it cannot be opened, for its lines are not lost. */
function reopened(path: string, old: OpenFile): OpenFile {
  try {
    const file = openFile(path)
    closeSync(old.descriptor)
    return file
  } catch {
    return old
  }
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false })
}

function isSame({ device, inode }: OpenFile, stats: Stats | undefined): boolean {
  return stats?.ino === inode && stats.dev === device
}

/**
 * One write a line: the system puts it behind the end as a whole, whoever else is writing. Only where somebody died in the
 * middle of a line, it is ended first.
 */
function append(file: OpenFile, bytes: Buffer): void {
  let { size } = fstatSync(file.descriptor)
  if (size !== file.size && endsTorn(file.descriptor)) size += writeSync(file.descriptor, '\n')
  let written = writeSync(file.descriptor, bytes)
  while (written < bytes.length) written += writeSync(file.descriptor, bytes, written)
  file.size = size + written
}

/** Whether the last line has no end, and gets none while whoever is at it could still be writing. */
function endsTorn(descriptor: number): boolean {
  const last = Buffer.alloc(1)
  for (let tries = 0; tries < 10; tries++) {
    const { size } = fstatSync(descriptor)
    if (size === 0 || readSync(descriptor, last, 0, 1, size - 1) === 0 || last[0] === 0x0a) return false
    Atomics.wait(pause, 0, 0, 2)
  }
  return true
}

const pause = new Int32Array(new SharedArrayBuffer(4))

/**
 * Turns the files by one. One process does it; the others go on writing where they are and see the new file at their
 * next line. Does nothing when somebody else was quicker.
 */
function rotate(
  path: string,
  options: { readonly maxFiles: number; readonly now: number; readonly isFull: (stats: Stats) => boolean },
): void {
  const lock = `${path}.lock`
  if (!takeLock(lock, options.now)) return
  try {
    const stats = statOf(path)
    if (stats === undefined || !options.isFull(stats)) return
    if (options.maxFiles === 0) rmSync(path, { force: true })
    else shift((number) => (number === 0 ? path : `${path}.${number}`), options.maxFiles)
  } finally {
    rmSync(lock, { force: true })
  }
}

/** Gives every file the next number, up to the first that is free; where none is, the oldest goes. */
function shift(name: (number: number) => string, maxFiles: number): void {
  let free = 1
  for (let before = statOf(name(0)); ; free++) {
    const here = statOf(name(free))
    if (here === undefined) break
    if (here.ino === before?.ino && here.dev === before.dev) {
      // Whoever moved it died in between, and left it both names.
      unlinkSync(name(--free))
      break
    }
    if (free === maxFiles) {
      rmSync(name(free), { force: true })
      break
    }
    before = here
  }
  for (; free > 0; free--) move(name(free - 1), name(free))
}

function takeLock(lock: string, now: number): boolean {
  try {
    closeSync(openSync(lock, 'wx'))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const age = now - (statOf(lock)?.mtimeMs ?? now)
    if (age > staleAfter) rmSync(lock, { force: true })
    return false
  }
}

/** Gives a file another name, but never that of a file that is there: a full log would be gone. */
function move(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'EEXIST') return
    // No links on this file system.
    renameSync(from, to)
    return
  }
  unlinkSync(from)
}

function toStandardError(line: string): void {
  process.stderr.write(`${line}\n`)
}
