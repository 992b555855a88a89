// What a file holds: read whole up to a bound, and put in place whole or not at all.

import { constants, type BigIntStats } from 'node:fs'
import { open, rename, unlink, type FileHandle } from 'node:fs/promises'
import { TellurionError } from '../error/error.ts'
import { systemIds } from '../id/id.ts'
import { failure, Folder } from './folder.ts'
import { readPlace, type Place } from './place.ts'
import type { Workspace } from './workspace.ts'

/** What a file held when it was read, and which file that was. */
export interface Content {
  readonly bytes: Uint8Array
  readonly stat: BigIntStats
}

/** How the names of files begin that are not finished yet; listings and searches do not show them. */
export const unfinished = '.tellurion-'

/** The place of a path that tools may read. Throws `file_access`; what is hidden is not there. */
export function readablePlace(workspace: Workspace, path: unknown): Place {
  const place = readPlace(path, workspace)
  if (workspace.isHidden(place.path)) throw missing(place.path)
  return place
}

/** The place of a path that tools may change. Throws `file_access`. */
export function changeablePlace(workspace: Workspace, path: unknown): Place {
  const place = readablePlace(workspace, path)
  if (place.names.length === 0) throw new TellurionError('file_access', 'Name a file: the path leads to the root.')
  if (workspace.readOnly) throw new TellurionError('file_access', 'The files of this workspace may not be changed.')
  if (workspace.isProtected(place.path) || place.names.at(-1)!.startsWith(unfinished)) {
    throw new TellurionError('file_access', `${place.path} may be read, but not changed.`)
  }
  return place
}

/** Reads a file of at most `max` bytes. Throws `file_access`. */
export async function readContent(workspace: Workspace, place: Place, max: number): Promise<Content> {
  const name = place.names.at(-1)
  if (name === undefined) throw new TellurionError('file_access', 'Name a file: the path leads to the root.')
  const folder = await Folder.at(workspace, place.names.slice(0, -1))
  try {
    return await readIn(folder, name, { max, searched: workspace.limits.searchBytes })
  } finally {
    await folder.close()
  }
}

/** Like `readContent`, but undefined where there is nothing of that name. */
export async function findContent(workspace: Workspace, place: Place, max: number): Promise<Content | undefined> {
  const folder = await deepest(workspace, place.names.slice(0, -1))
  try {
    if (folder.missing.length > 0 || (await folder.folder.look(place.names.at(-1)!)) === undefined) return undefined
    return await readIn(folder.folder, place.names.at(-1)!, { max })
  } finally {
    await folder.folder.close()
  }
}

/** The deepest folder on a way that is there, open, and the names that are missing. */
export async function deepest(
  workspace: Workspace,
  names: readonly string[],
): Promise<{ folder: Folder; missing: readonly string[] }> {
  let folder = await Folder.root(workspace)
  for (const [index, name] of names.entries()) {
    try {
      if ((await folder.look(name)) === undefined) return { folder, missing: names.slice(index) }
      const next = await folder.enter(name)
      await folder.close()
      folder = next
    } catch (error) {
      await folder.close()
      throw error
    }
  }
  return { folder, missing: [] }
}

/**
 * Reads a file in an open folder, see `Folder.open`. Throws `file_access` for one of more than `max` bytes; up to `searched`
 * bytes that says how else to look at it.
 */
export async function readIn(
  folder: Folder,
  name: string,
  {
    max,
    listed = false,
    searched = 0,
  }: { readonly max: number; readonly listed?: boolean; readonly searched?: number },
): Promise<Content> {
  const { handle, stat } = await folder.open(name, { listed })
  try {
    const path = folder.path === '' ? name : `${folder.path}/${name}`
    if (stat.size > max) throw tooLarge(path, stat.size, { max, searched })
    const bytes = await readUpTo(handle, Number(stat.size), max)
    if (bytes === undefined) throw tooLarge(path, BigInt(max) + 1n, { max, searched })
    return { bytes, stat }
  } catch (error) {
    throw failure(error, `${name} cannot be read`)
  } finally {
    await handle.close()
  }
}

/** All that an open file holds, also when it has grown since it was `expected` bytes; undefined past `max`. */
async function readUpTo(handle: FileHandle, expected: number, max: number): Promise<Uint8Array | undefined> {
  let buffer = new Uint8Array(Math.min(expected, max) + 1)
  for (let length = 0; ;) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length)
    length += bytesRead
    if (length > max) return undefined
    // A regular file gives less than it was asked for only at its end.
    if (length < buffer.length) return buffer.subarray(0, length)
    const larger = new Uint8Array(Math.min(max + 1, buffer.length * 2))
    larger.set(buffer)
    buffer = larger
  }
}

/** What is put in place of what. */
export interface Replacement {
  readonly bytes: Uint8Array
  /** What stands there now; undefined when nothing may. */
  readonly instead: BigIntStats | undefined
  /** Permissions of a file that is put where none was. Default the process's. */
  readonly mode?: number | undefined
}

/**
 * Puts a file in place: written beside it, then given its name, so that whoever reads sees the old one or the new one.
 * Mode and owner stay. Throws `file_changed` when something else stands there by now, and `file_access`.
 */
export async function putContent(folder: Folder, name: string, given: Replacement): Promise<void> {
  const { bytes, instead } = given
  const path = folder.path === '' ? name : `${folder.path}/${name}`
  const other = `${unfinished}${systemIds()}`
  await folder.verify()
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
  const flags = O_WRONLY | O_CREAT | O_EXCL | (O_NOFOLLOW ?? 0)
  const handle = await open(folder.reach(other), flags, 0o666).catch((error: unknown) => {
    throw failure(error, `${path} cannot be written`)
  })
  let done = false
  try {
    try {
      await handle.writeFile(bytes)
      if (instead !== undefined) await likeBefore(handle, instead)
      else if (given.mode !== undefined) await handle.chmod(given.mode)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await expectSame(folder, name, instead)
    await folder.verify()
    await rename(folder.reach(other), folder.reach(name))
    done = true
    await folder.sync()
  } catch (error) {
    throw failure(error, `${path} cannot be written`)
  } finally {
    if (!done) await unlink(folder.reach(other)).catch(() => undefined)
  }
}

/** Takes a file away that is still the one that was seen. Throws `file_changed` and `file_access`. */
export async function removeContent(folder: Folder, name: string, seen: BigIntStats): Promise<void> {
  try {
    await folder.verify()
    await expectSame(folder, name, seen)
    await unlink(folder.reach(name))
    await folder.sync()
  } catch (error) {
    throw failure(error, `${name} cannot be deleted`)
  }
}

/** Mode and owner of the file that is replaced. Special bits are not carried over to new content. */
async function likeBefore(handle: FileHandle, { mode, uid, gid }: BigIntStats): Promise<void> {
  const now = await handle.stat({ bigint: true })
  if (now.uid !== uid || now.gid !== gid) {
    // Only who may give files away can keep another's as his; for others the file becomes their own.
    await handle.chown(Number(uid), Number(gid)).catch(() => undefined)
  }
  await handle.chmod(Number(mode & 0o777n))
}

async function expectSame(folder: Folder, name: string, seen: BigIntStats | undefined): Promise<void> {
  const now = await folder.look(name)
  if (now === undefined && seen === undefined) return
  const same =
    now !== undefined &&
    seen !== undefined &&
    now.ino === seen.ino &&
    now.dev === seen.dev &&
    now.size === seen.size &&
    now.mtimeNs === seen.mtimeNs
  if (same) return
  const path = folder.path === '' ? name : `${folder.path}/${name}`
  throw new TellurionError('file_changed', `${path} was changed meanwhile by somebody else; read it again.`)
}

export function missing(path: string): TellurionError {
  return new TellurionError('file_access', `There is no file ${path}.`)
}

function tooLarge(
  path: string,
  size: bigint,
  { max, searched }: { readonly max: number; readonly searched: number },
): TellurionError {
  const kilobytes = (bytes: number): string => `${Math.round(bytes / 1024)} KB`
  const hint = size <= searched ? '; grepFiles finds lines in it' : ''
  return new TellurionError(
    'file_access',
    `${path} has ${kilobytes(Number(size))}, more than the ${kilobytes(max)} that are read at one time${hint}.`,
    { data: { size: Number(size) } },
  )
}
