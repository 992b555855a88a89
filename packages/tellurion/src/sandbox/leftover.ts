// What code left in its folder, read back from outside: every name by a descriptor that follows no link and waits for
// nobody, looked at before it is believed to be a file. Nothing that lies elsewhere can be reached, raced or not.

import { constants } from 'node:fs'
import { open, opendir, type FileHandle } from 'node:fs/promises'
import { isUtf8 } from 'node:buffer'
import type { SandboxFile } from './execution.ts'
import { isFitName, shownName } from './file-name.ts'
import { systemCode } from './system-code.ts'

/** What was read back, and what was not. */
export interface Collected {
  readonly artifacts: readonly SandboxFile[]
  readonly refused: readonly { readonly name: string; readonly reason: string }[]
}

const most = { files: 100, refused: 20, entries: 2_000, depth: 8 }

/** One look at the folder. */
interface Look {
  readonly artifacts: SandboxFile[]
  readonly refused: { readonly name: string; readonly reason: string }[]
  readonly given: ReadonlyMap<string, Uint8Array>
  room: number
  entries: number
}

/** The files of a folder that is open, by what has become new since the last look. */
export class Leftovers {
  readonly #folder: number
  #seen = new Map<string, string>()

  constructor(folder: number) {
    this.#folder = folder
  }

  /** Files that are new or changed, but for the given ones as they were given. At most `limit` bytes; never rejects. */
  async collect(given: readonly SandboxFile[], limit: number): Promise<Collected> {
    const inputs = new Map(given.map(({ name, bytes }) => [name, bytes]))
    const look: Look = { artifacts: [], refused: [], given: inputs, room: limit, entries: 0 }
    await this.#walk(`/proc/self/fd/${this.#folder}`, '', look)
    return { artifacts: look.artifacts, refused: look.refused }
  }

  async #walk(folder: string, above: string, look: Look): Promise<void> {
    const names = await namesIn(folder, most.entries - look.entries)
    look.entries += names.length
    if (names.length > 0 && look.entries >= most.entries) this.#refuse(look, above || '.', 'too many files')
    for (const raw of names) {
      const name = raw.toString('utf8')
      const path = `${above}${name}`
      if (name.startsWith('.')) continue
      if (!isUtf8(raw) || !isFitName(path)) this.#refuse(look, path, 'its name is not fit to be shown')
      else await this.#take(`${folder}/${name}`, path, look)
    }
  }

  /** Says once of each name why it is not read back. */
  #refuse(look: Look, path: string, reason: string): void {
    if (this.#seen.get(path) === reason || look.refused.length >= most.refused) return
    this.#seen.set(path, reason)
    look.refused.push({ name: shownName(path), reason })
  }

  async #take(place: string, path: string, look: Look): Promise<void> {
    let file: FileHandle
    try {
      // Not waiting for a writer, should it be a pipe, nor taking over a terminal.
      file = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY)
    } catch (error) {
      return this.#refuse(look, path, systemCode(error) === 'ELOOP' ? 'it is a link' : systemCode(error))
    }
    try {
      const stat = await file.stat({ bigint: true })
      if (stat.isDirectory()) {
        if (path.split('/').length >= most.depth) return this.#refuse(look, path, 'it lies too deep')
        return await this.#walk(`/proc/self/fd/${file.fd}`, `${path}/`, look)
      }
      if (!stat.isFile()) return this.#refuse(look, path, 'it is no regular file')
      if (stat.nlink !== 1n) return this.#refuse(look, path, 'it has several names')
      const version = `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`
      if (this.#seen.get(path) === version) return
      if (look.artifacts.length >= most.files) return this.#refuse(look, path, 'there are too many files')
      if (stat.size > look.room) return this.#refuse(look, path, `${stat.size} bytes are too many`)
      const bytes = await readAll(file, Number(stat.size))
      this.#seen.set(path, version)
      look.room -= bytes.length
      const input = look.given.get(path)
      if (input === undefined || Buffer.compare(input, bytes) !== 0) look.artifacts.push({ name: path, bytes })
    } catch (error) {
      this.#refuse(look, path, systemCode(error))
    } finally {
      await file.close()
    }
  }
}

/** At most so many names; none of what cannot be listed. */
async function namesIn(folder: string, limit: number): Promise<Buffer[]> {
  const names: Buffer[] = []
  try {
    const entries = await opendir(folder, { encoding: 'buffer' as BufferEncoding, bufferSize: 128 })
    for await (const { name } of entries) {
      if (names.length >= limit) break
      // The types of Node do not know that names are bytes with this encoding.
      names.push(name as unknown as Buffer)
    }
  } catch {
    // Its owner has shut it, or it is gone.
  }
  return names.toSorted(Buffer.compare)
}

/** No more than what was there when it was looked at, however fast it grows. */
async function readAll(file: FileHandle, size: number): Promise<Buffer> {
  const bytes = Buffer.alloc(size)
  let filled = 0
  while (filled < size) {
    const { bytesRead } = await file.read(bytes, filled, size - filled, filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}
