// One file that is replaced as a whole and never in place, with its five predecessors beside it: whatever happens while it
// is written, there is a whole one.

import { constants } from 'node:fs'
import { copyFile, link, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeFolder } from '../../port/folder.node.ts'
import { codeOf, fileError, fileFailure } from './failure.ts'
import { decode, type Contents } from './format.ts'

/** Predecessors that are kept, as `path.1` (the newest) to `path.5`. */
const backups = 5

/** The points of a save, for crash tests: each is told of before it is done. */
export type SavePoint = 'write' | 'sync' | 'backup' | 'replace' | 'settle'

/** What was found when a file was opened. */
export interface Found {
  /** Undefined where there is nothing yet. */
  readonly contents: Contents | undefined
  /** The backup that the contents come from, when the file itself was torn or missing. */
  readonly recoveredFrom?: string
}

/** A file and its backups. One process uses it at one time. */
export class RotatingFile {
  readonly #path: string
  readonly #onPoint: (point: SavePoint) => void
  /** What the file looked like when it was last read or written; undefined where there was none. */
  #identity: string | undefined
  #isDamaged = false

  constructor(path: string, onPoint: (point: SavePoint) => void) {
    this.#path = path
    this.#onPoint = onPoint
  }

  /** Reads the file or, when it is torn or missing, the newest backup that is whole. Changes nothing. */
  async read(): Promise<Found> {
    try {
      makeFolder(dirname(this.#path))
    } catch (error) {
      throw fileFailure(error, this.#path)
    }
    this.#identity = await this.#look()
    const own = await this.#decoded(this.#path)
    if (own?.status === 'whole') return { contents: own.contents }
    if (own?.status === 'newer') {
      throw fileError('store_newer', this.#path, `it has format ${own.format}, which this code does not read`)
    }
    let newest: { readonly contents: Contents; readonly recoveredFrom: string } | undefined
    for (let number = 1; number <= backups; number++) {
      const recoveredFrom = this.#backup(number)
      const found = await this.#decoded(recoveredFrom)
      if (found?.status !== 'whole') continue
      if (newest === undefined || found.contents.saves > newest.contents.saves) {
        newest = { contents: found.contents, recoveredFrom }
      }
    }
    this.#isDamaged = own !== undefined
    if (newest !== undefined) return newest
    if (own !== undefined) {
      throw fileError(
        'store_corrupt',
        this.#path,
        'it is torn, changed or of another program, and there is no whole backup',
      )
    }
    return { contents: undefined }
  }

  /**
   * Puts new bytes in the place of the file, durably; the old ones become the newest backup. Throws a store error; then
   * the file holds the old bytes or, when only the last sync failed, the new ones.
   */
  async replace(bytes: Uint8Array): Promise<void> {
    const next = `${this.#path}.next`
    try {
      if ((await this.#look()) !== this.#identity) {
        throw fileError('store_locked', this.#path, 'another process has written it meanwhile')
      }
      this.#onPoint('write')
      // Facts about people may be in it: it is for its owner alone.
      const handle = await open(next, 'w', 0o600)
      try {
        await handle.writeFile(bytes)
        this.#onPoint('sync')
        await handle.sync()
      } finally {
        await handle.close()
      }
      if (this.#isDamaged) await this.#move(this.#path, `${this.#path}.damaged`)
      else if (this.#identity !== undefined) await this.#rotate()
      this.#onPoint('replace')
      await rename(next, this.#path)
      this.#isDamaged = false
      this.#identity = await this.#look()
      this.#onPoint('settle')
      await syncFolder(dirname(this.#path))
    } catch (error) {
      throw fileFailure(error, this.#path)
    }
  }

  /** Removes every predecessor and puts a copy of the file in their place: what is gone from it is gone from the disk. */
  async forgetPredecessors(): Promise<void> {
    try {
      const old = Array.from({ length: backups }, (_, index) => this.#backup(index + 1))
      for (const path of [...old, `${this.#path}.damaged`, `${this.#path}.next`]) await rm(path, { force: true })
      if (this.#identity !== undefined) await copyFile(this.#path, this.#backup(1), constants.COPYFILE_FICLONE)
      await syncFolder(dirname(this.#path))
    } catch (error) {
      throw fileFailure(error, this.#path)
    }
  }

  async #rotate(): Promise<void> {
    for (let number = backups - 1; number >= 1; number--) {
      await this.#move(this.#backup(number), this.#backup(number + 1))
    }
    this.#onPoint('backup')
    try {
      await link(this.#path, this.#backup(1))
    } catch {
      // Not every file system has links.
      await copyFile(this.#path, this.#backup(1))
    }
  }

  async #move(from: string, to: string): Promise<void> {
    this.#onPoint('backup')
    await rename(from, to).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error
    })
  }

  #backup(number: number): string {
    return `${this.#path}.${number}`
  }

  async #decoded(path: string): Promise<ReturnType<typeof decode> | undefined> {
    try {
      return decode(await readFile(path))
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw fileFailure(error, path)
    }
  }

  /** Tells one state of the file from another. */
  async #look(): Promise<string | undefined> {
    try {
      const { dev, ino, size, mtimeMs } = await stat(this.#path)
      return `${dev}:${ino}:${size}:${mtimeMs}`
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw fileFailure(error, this.#path)
    }
  }
}

/** A rename is durable when its folder is. Windows does not open folders, and does not need it. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => undefined)
  try {
    await handle?.sync()
  } catch (error) {
    if (codeOf(error) !== 'EPERM' && codeOf(error) !== 'EINVAL') throw error
  } finally {
    await handle?.close()
  }
}
