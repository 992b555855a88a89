// A workspace: a folder that tools may work in, what in it they may touch, and how much at one time. Nothing outside of
// it is ever opened, read or written through it.

import { existsSync, realpathSync, statSync } from 'node:fs'
import { checkOptions, checkWhole } from '../error/option.ts'
import { messageOf, TellurionError } from '../error/error.ts'
import { createCover, type Glob } from './glob.ts'

/** How much file tools take and give at one time. */
export interface WorkspaceLimits {
  /** Bytes of a file that is read or edited. Default 200 KB. */
  readonly readBytes: number
  /** Bytes of a file that is written. Default 1 MB. */
  readonly writeBytes: number
  /** Bytes of a file that is searched; larger ones are passed over. Default 1 MB. */
  readonly searchBytes: number
  /** Milliseconds after which a search shows what it has found so far. Default 20,000. */
  readonly searchTime: number
  /** Files and folders that one call looks at. Default 20,000. */
  readonly entries: number
  /** Lines, or paths, that one call gives back. Default 200. */
  readonly results: number
}

/** What makes a workspace. */
export interface WorkspaceOptions {
  /** The folder, relative to where the process stands. It must exist. */
  readonly root: string
  /** Globs of what may be read but not changed, with what is in it; `true` for everything. `.git` never may be changed. */
  readonly readOnly?: boolean | readonly string[] | undefined
  /** Globs of what does not exist for the tools, with what is in it. Default nothing; think of `.env*`. */
  readonly hidden?: readonly string[] | undefined
  /** Globs of what listings and searches pass over unless it is named. Default `['.git', 'node_modules']`. */
  readonly ignore?: readonly string[] | undefined
  /**
   * Whether the old bytes of what is changed are kept as artifacts, so that `undoEdits` can bring them back, and nothing
   * is changed where they cannot be kept. Without it writing tools are destructive. Default true.
   */
  readonly undo?: boolean | undefined
  /** Whether the program vouches for what is written in the files; else what is read counts as untrusted. Default false. */
  readonly vouched?: boolean | undefined
  readonly limits?: Partial<WorkspaceLimits> | undefined
  /**
   * Whether to go on where the system cannot open files by verified descriptor (it needs Linux with `/proc`): paths are
   * then checked before and after each opening, which a hostile process on the same machine could outrun. Default false.
   */
  readonly allowUnverified?: boolean | undefined
}

/** A workspace, as `createWorkspace` makes it. Holds nothing open. */
export interface Workspace {
  /** The folder's real path. */
  readonly root: string
  /** Which folder that is: device and inode. */
  readonly identity: string
  readonly device: bigint
  /** Whether files are opened by verified descriptor. */
  readonly verified: boolean
  /** Whether names are those of Windows. */
  readonly windows: boolean
  readonly limits: WorkspaceLimits
  readonly undo: boolean
  readonly vouched: boolean
  /** Whether nothing at all may be changed. */
  readonly readOnly: boolean
  /** Whether a path is hidden, protected from changes, or passed over. */
  readonly isHidden: Glob
  readonly isProtected: Glob
  readonly isIgnored: Glob
}

const defaults: WorkspaceLimits = {
  readBytes: 200 * 1024,
  writeBytes: 1024 * 1024,
  searchBytes: 1024 * 1024,
  searchTime: 20_000,
  entries: 20_000,
  results: 200,
}

const known = ['root', 'readOnly', 'hidden', 'ignore', 'undo', 'vouched', 'limits', 'allowUnverified']

/** Where a process finds its own descriptors as folders, so that a name can be opened under one. */
export const descriptors = '/proc/self/fd'

/**
 * Makes a workspace. Throws `invalid_option` and `unknown_option`, and `file_access` when the root is no folder, when it
 * is the whole file system or a part of the kernel's, or where files cannot be opened by verified descriptor.
 */
export function createWorkspace(options: WorkspaceOptions): Workspace {
  checkOptions('createWorkspace', options, known)
  const { readOnly = false, hidden = [], ignore = ['.git', 'node_modules'], undo = true, vouched = false } = options
  const { limits = {}, allowUnverified = false } = options
  for (const [name, value] of Object.entries({ undo, vouched, allowUnverified })) {
    if (typeof value === 'boolean') continue
    throw new TellurionError('invalid_option', `${name} of a workspace must be true or false, not ${String(value)}.`)
  }
  checkOptions('limits of a workspace', limits, Object.keys(defaults))
  for (const [name, value] of Object.entries(limits)) checkWhole(`${name} of a workspace`, value)
  const verified = process.platform === 'linux' && existsSync(descriptors)
  if (!verified && !allowUnverified) {
    throw new TellurionError(
      'file_access',
      'Files cannot be opened by verified descriptor on this system, which needs Linux with /proc; allowUnverified: true goes on with weaker checks.',
    )
  }
  const windows = process.platform === 'win32'
  const fold = { ignoreCase: true }
  const given = Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined))
  return {
    ...folderOf(options.root),
    verified,
    windows,
    limits: { ...defaults, ...given },
    undo,
    vouched,
    readOnly: readOnly === true,
    isHidden: howeverSpelled(checkGlobs('hidden', hidden)),
    // The second is what file systems of DOS call the first.
    isProtected: howeverSpelled([
      '.git',
      'git~[0-9]*',
      ...checkGlobs('readOnly', typeof readOnly === 'boolean' ? [] : readOnly),
    ]),
    isIgnored: createCover(checkGlobs('ignore', ignore), fold),
  }
}

function folderOf(root: unknown): { root: string; identity: string; device: bigint } {
  if (typeof root !== 'string' || root === '' || root.includes('\0')) {
    throw new TellurionError(
      'invalid_option',
      "createWorkspace needs a folder: createWorkspace({ root: './project' }).",
    )
  }
  let real: string
  let stat
  try {
    real = realpathSync.native(root)
    stat = statSync(real, { bigint: true })
  } catch (error) {
    throw new TellurionError('file_access', `The root of the workspace cannot be opened: ${messageOf(error)}.`, {
      cause: error,
    })
  }
  if (!stat.isDirectory()) throw new TellurionError('file_access', `The root ${root} of the workspace is no folder.`)
  if (/^(\/|\/(proc|sys)(\/.*)?|\/dev(\/(?!shm\/).*)?|[A-Za-z]:\\?)$/.test(real)) {
    throw new TellurionError('file_access', `${real} may not be the root of a workspace: choose a folder of its own.`)
  }
  return { root: real, identity: `${stat.dev}:${stat.ino}`, device: stat.dev }
}

/** A test of paths, whatever a file system takes for the same name: letters put together, folded, blanks and dots behind. */
function howeverSpelled(globs: readonly string[]): Glob {
  const letters = globs.map((glob) => (typeof glob === 'string' ? folded(glob) : glob))
  const cover = createCover([...new Set([...globs, ...letters])], { ignoreCase: true })
  return (path) => cover(path.normalize('NFC')) || cover(folded(path).replace(/(?<=[^/. ])[. ]+(?=\/|$)/g, ''))
}

/** Letters under full case folding: one may be several. */
function folded(text: string): string {
  return text.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC')
}

function checkGlobs(name: string, globs: unknown): readonly string[] {
  if (Array.isArray(globs) && globs.length <= 100) return globs as string[]
  throw new TellurionError('invalid_option', `${name} of a workspace must be a list of at most 100 globs.`)
}
