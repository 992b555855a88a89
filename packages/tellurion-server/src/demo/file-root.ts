// Files under one folder and nowhere else. Permission is given to what has been opened, never to a path: between a check
// of a path and its opening links may change. Only reading; links are not followed.

import { constants, type Stats } from 'node:fs'
import { lstat, open, opendir, readlink, realpath, stat, type FileHandle } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { TellurionError } from 'tellurion'

/** An opened file: its descriptor has been verified. Close it. */
export interface OpenFile {
  readonly handle: FileHandle
  readonly stats: Stats
}

/** One entry of a folder. */
export interface Entry {
  readonly name: string
  readonly kind: 'file' | 'folder' | 'link' | 'other'
}

const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_DIRECTORY = 0 } = constants
/** Without O_NONBLOCK, opening a pipe would wait for somebody to write into it. */
const flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK
const maxPathLength = 1_024

/** A folder, and what may be read under it. Made by `openFileRoot`. */
export class FileRoot {
  /** The real path of the folder. */
  readonly path: string
  readonly #byDescriptor: boolean

  constructor(path: string, byDescriptor: boolean) {
    this.path = path
    this.#byDescriptor = byDescriptor
  }

  /**
   * Opens a regular file that has one name. The path is relative to the root, or absolute and under it. On Linux each
   * folder on the way is opened from the one before it; elsewhere what was opened is compared with what stands at the
   * real path under the root. Throws `file_access`.
   */
  async openFile(path: string): Promise<OpenFile> {
    const parts = this.#partsOf(path)
    const handle = this.#byDescriptor ? await this.#walk(parts, path, flags) : await this.#openVerified(parts, path)
    try {
      const stats = await handle.stat()
      if (stats.isDirectory()) throw refused(path, 'it is a folder; list it instead')
      if (!stats.isFile()) throw refused(path, 'it is no regular file')
      if (stats.nlink !== 1) throw refused(path, 'it has several names (hard links), so it may belong elsewhere')
      return { handle, stats }
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** The entries of a folder, by name, at most `limit` of them. Throws `file_access`. */
  async list(path: string, limit: number): Promise<{ readonly entries: readonly Entry[]; readonly more: boolean }> {
    const parts = this.#partsOf(path)
    if (!this.#byDescriptor) return entriesOf(await this.#realFolder(parts, path), path, limit)
    const handle = await this.#walk(parts, path, flags | O_DIRECTORY)
    try {
      return await entriesOf(descriptorPath(handle), path, limit)
    } finally {
      await handle.close()
    }
  }

  /** Names from the root to the path; what leads out of it is refused before anything is opened. */
  #partsOf(path: string): readonly string[] {
    if (path.length > maxPathLength) throw refused(path.slice(0, 60), 'the path is too long')
    if (path.includes('\0')) throw refused(path.replaceAll('\0', ''), 'the path holds the character NUL')
    const inside = relative(this.path, resolve(this.path, path))
    if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
      throw refused(path, `it is outside ${this.path}; only what is under it can be read`)
    }
    return inside === '' ? [] : inside.split(sep)
  }

  /** Opens name after name, each from the descriptor of its folder, which `/proc/self/fd` makes a path of. */
  async #walk(parts: readonly string[], path: string, last: number): Promise<FileHandle> {
    let handle = await opened(this.path, path, parts.length === 0 ? last : flags | O_DIRECTORY)
    for (const [index, name] of parts.entries()) {
      const folder = handle
      const wanted = index === parts.length - 1 ? last : flags | O_DIRECTORY
      try {
        handle = await opened(join(descriptorPath(folder), name), path, wanted)
      } finally {
        await folder.close()
      }
    }
    // A folder on the way may have been moved out meanwhile.
    const place = await readlink(descriptorPath(handle)).catch(() => '')
    if (this.#holds(place)) return handle
    await handle.close()
    throw refused(path, `it is outside ${this.path}; only what is under it can be read`)
  }

  /** Opens the path as a whole, and accepts it if the very same thing stands at a real path under the root. */
  async #openVerified(parts: readonly string[], path: string): Promise<FileHandle> {
    const whole = join(this.path, ...parts)
    const handle = await opened(whole, path, flags)
    try {
      const real = await realpath(whole)
      const [there, here] = await Promise.all([stat(real, { bigint: true }), handle.stat({ bigint: true })])
      if (real === whole && this.#holds(real) && there.dev === here.dev && there.ino === here.ino) return handle
    } catch (error) {
      await handle.close()
      throw failed(path, error)
    }
    await handle.close()
    throw refused(path, 'it is a link, or leads through one; links are not followed')
  }

  async #realFolder(parts: readonly string[], path: string): Promise<string> {
    const whole = join(this.path, ...parts)
    try {
      if ((await realpath(whole)) === whole && (await lstat(whole)).isDirectory()) return whole
    } catch (error) {
      throw failed(path, error)
    }
    throw refused(path, 'it is no folder, or a link; links are not followed')
  }

  #holds(place: string): boolean {
    return place === this.path || place.startsWith(this.path.endsWith(sep) ? this.path : this.path + sep)
  }
}

/**
 * The root at a folder. `byDescriptor` says whether the system makes paths of descriptors; default: on Linux. Throws
 * `file_access` when there is no such folder.
 */
export async function openFileRoot(
  folder: string,
  { byDescriptor = process.platform === 'linux' }: { readonly byDescriptor?: boolean } = {},
): Promise<FileRoot> {
  let real: string
  try {
    real = await realpath(resolve(folder))
    if (!(await stat(real)).isDirectory()) throw refused(folder, 'it is no folder')
  } catch (error) {
    throw error instanceof TellurionError ? error : failed(folder, error)
  }
  return new FileRoot(real, byDescriptor)
}

async function entriesOf(
  folder: string,
  path: string,
  limit: number,
): Promise<{ entries: readonly Entry[]; more: boolean }> {
  const entries: Entry[] = []
  let more = false
  try {
    for await (const found of await opendir(folder)) {
      if (entries.length === limit) {
        more = true
        break
      }
      const kind = found.isFile() ? 'file' : found.isDirectory() ? 'folder' : found.isSymbolicLink() ? 'link' : 'other'
      entries.push({ name: found.name, kind })
    }
  } catch (error) {
    throw failed(path, error)
  }
  return { entries: entries.toSorted((a, b) => (a.name < b.name ? -1 : 1)), more }
}

const descriptorPath = (handle: FileHandle): string => `/proc/self/fd/${handle.fd}`

async function opened(place: string, path: string, how: number): Promise<FileHandle> {
  try {
    return await open(place, how)
  } catch (error) {
    throw failed(path, error)
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'the system does not allow it',
  EPERM: 'the system does not allow it',
  ELOOP: 'it is a link, or leads through one; links are not followed',
  ENOTDIR: 'it leads through something that is no folder, or is none itself',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many files are open',
  ENXIO: 'it is no regular file',
}

function failed(path: string, error: unknown): TellurionError {
  const { code = '' } = error as NodeJS.ErrnoException
  return refused(path, reasons[code] ?? `it cannot be opened (${code})`, error)
}

/** The one error of this file. */
export function refused(path: string, why: string, cause?: unknown): TellurionError {
  return new TellurionError('file_access', `'${path}': ${why}.`, cause === undefined ? {} : { cause })
}
