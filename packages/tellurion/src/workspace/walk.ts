// Walking through folders: by open folder, never through a link, in the order of names, under one bound of entries.

import type { Dirent } from 'node:fs'
import { opendir } from 'node:fs/promises'
import { throwIfAborted } from '../abort/abort.ts'
import { unfinished } from './content.ts'
import { failure, type Folder } from './folder.ts'
import { isPlaceName } from './place.ts'
import type { Workspace } from './workspace.ts'

/** What stands in a folder. */
export interface Entry {
  readonly name: string
  /** From the root on. */
  readonly path: string
  readonly kind: 'file' | 'folder' | 'link' | 'other'
}

/** A folder on the way, open until the next is asked for, and what is in it. */
export interface Stop {
  readonly folder: Folder
  readonly entries: readonly Entry[]
}

/** How far a walk goes. */
export interface WalkOptions {
  readonly signal?: AbortSignal | undefined
  /** Whether to go into folders. Default true. */
  readonly deep?: boolean
  /** Whether what the workspace ignores is shown and entered. Default false. */
  readonly all?: boolean
}

/** How a walk went. */
export interface Tally {
  /** Entries that were looked at. */
  seen: number
  /** Whether the bound of entries ended it. */
  cut: boolean
  /** Folders that could not be entered, and names that cannot be written as a path. */
  passed: number
}

const maxDepth = 64

/** A fresh tally. */
export function newTally(): Tally {
  return { seen: 0, cut: false, passed: 0 }
}

/**
 * Goes through a folder, which the caller has opened and closes, and all in it; tells how it went in `tally`. Throws
 * `file_access` when the folder itself cannot be read; one in it that cannot be, or goes away meanwhile, is passed over.
 */
export async function* walk(
  workspace: Workspace,
  folder: Folder,
  tally: Tally,
  options: WalkOptions = {},
): AsyncGenerator<Stop, void, undefined> {
  throwIfAborted(options.signal)
  yield* within(
    { folder, entries: await entriesOf(workspace, folder, { tally, ...options }) },
    workspace,
    tally,
    options,
  )
}

async function* within(
  stop: Stop,
  workspace: Workspace,
  tally: Tally,
  options: WalkOptions,
): AsyncGenerator<Stop, void, undefined> {
  yield stop
  const { folder, entries } = stop
  if (options.deep === false || folder.path.split('/').length >= maxDepth) return
  for (const { name, kind } of entries) {
    if (kind !== 'folder' || tally.cut) continue
    throwIfAborted(options.signal)
    let inner: Folder | undefined
    try {
      let found: readonly Entry[]
      try {
        inner = await folder.enter(name)
        found = await entriesOf(workspace, inner, { tally, ...options })
      } catch {
        tally.passed++
        continue
      }
      yield* within({ folder: inner, entries: found }, workspace, tally, options)
    } finally {
      await inner?.close()
    }
  }
}

/** What stands in a folder that lies where it belongs, in the order of names, without what is hidden or ignored. */
async function entriesOf(
  workspace: Workspace,
  folder: Folder,
  { tally, all = false }: WalkOptions & { readonly tally: Tally },
): Promise<readonly Entry[]> {
  await folder.verify()
  const entries: Entry[] = []
  try {
    for await (const each of await opendir(folder.reach('.'), { bufferSize: 256 })) {
      if (++tally.seen > workspace.limits.entries) {
        tally.cut = true
        break
      }
      const { name } = each
      const path = folder.path === '' ? name : `${folder.path}/${name}`
      if (name.startsWith(unfinished) || workspace.isHidden(path) || (!all && workspace.isIgnored(path))) continue
      if (isPlaceName(name, workspace)) entries.push({ name, path, kind: await kindOf(folder, each) })
      else tally.passed++
    }
  } catch (error) {
    throw failure(error, `The folder ${folder.path || 'of the workspace'} cannot be read`)
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function kindOf(folder: Folder, entry: Dirent): Promise<Entry['kind']> {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'folder'
  if (entry.isSymbolicLink()) return 'link'
  if (entry.isFIFO() || entry.isSocket() || entry.isBlockDevice() || entry.isCharacterDevice()) return 'other'
  // Some file systems do not tell in the listing.
  const there = await folder.look(entry.name)
  if (there === undefined) return 'other'
  if (there.isFile()) return 'file'
  if (there.isDirectory()) return 'folder'
  return there.isSymbolicLink() ? 'link' : 'other'
}
