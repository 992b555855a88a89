// One spelling for every spelling of a path, read from the file system: relative, `..`, symbolic links, letter case.

import { lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

/** Links that are followed one after another before a path is taken as it is. */
const maxLinks = 40

/**
 * The real path of `path` under `root` (both may be relative to where the process stands); `..` is read as
 * `path.resolve` does, before links are followed. What does not exist yet is
 * put behind the real path of what does, also behind a dangling link. Where the file system does not tell cases apart
 * the answer is in lower case. For locks, not for permission: between this answer and the opening of a file links may
 * change. Never throws.
 */
export function canonicalPath(path: string, root: string): string {
  const found = real(resolve(root, path), maxLinks)
  return ignoresCase(found) ? found.normalize('NFC').toLowerCase() : found
}

function real(path: string, links: number): string {
  try {
    return realpathSync.native(path)
  } catch {
    // It does not exist, or a part of it cannot be entered: go up.
  }
  const parent = dirname(path)
  if (parent === path) return path
  const target = links > 0 ? linkTarget(path) : undefined
  return target === undefined ? join(real(parent, links), basename(path)) : real(resolve(parent, target), links - 1)
}

function linkTarget(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined
  } catch {
    return undefined
  }
}

/** Whether the nearest thing that exists and has letters in its name is also found under other letters. */
function ignoresCase(path: string): boolean {
  for (let place = path; dirname(place) !== place; place = dirname(place)) {
    const name = basename(place)
    const other = name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase()
    const found = other === name ? undefined : identity(place)
    if (found !== undefined) return identity(join(dirname(place), other)) === found
  }
  return false
}

/** Which thing a path leads to, or undefined when it leads nowhere. */
function identity(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path)
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}
