// Opening a file that must lie under a folder, whatever links stand in the way or are put there meanwhile: the file is
// opened first, and what was opened is then looked at, never what the path may lead to next.

import { constants } from 'node:fs'
import { open, readlink, realpath, stat, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

/** Opens without following a last link and without waiting for the other end of a pipe. */
const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** What was opened, to be closed by whoever asked for it. */
export interface OpenFile {
  readonly handle: FileHandle
  /** Bytes. */
  readonly size: number
}

/**
 * Opens the regular file at `steps` under `root`, which is a real path. Undefined when there is none, when a link leads
 * to it, when it has other names (hard links), and when what was opened lies elsewhere.
 */
export async function openUnder(root: string, steps: readonly string[]): Promise<OpenFile | undefined> {
  const path = join(root, ...steps)
  let handle: FileHandle | undefined
  try {
    handle = await open(path, flags)
    const { size, nlink, dev, ino, isFile } = await identityOf(handle)
    if (isFile && nlink === 1 && (await placeOf(handle, path, { dev, ino })) === path) return { handle, size }
  } catch {
    // It is not there, may not be read, or its last step is a link: there is no such file for anybody who asks here.
  }
  await handle?.close()
  return undefined
}

async function identityOf(handle: FileHandle) {
  const found = await handle.stat()
  return { size: found.size, nlink: found.nlink, dev: found.dev, ino: found.ino, isFile: found.isFile() }
}

/** The real path of what is open. Linux says it of the descriptor itself; elsewhere the path must still lead to it. */
async function placeOf(
  handle: FileHandle,
  path: string,
  { dev, ino }: { dev: number; ino: number },
): Promise<string | undefined> {
  if (process.platform === 'linux') return readlink(`/proc/self/fd/${handle.fd}`)
  const real = await realpath(path)
  const found = await stat(real)
  return found.dev === dev && found.ino === ino ? real : undefined
}

/** The first `length` bytes of an open file, fewer where it ends before. */
export async function readHead({ handle }: OpenFile, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}
