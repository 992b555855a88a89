// Places: the paths that models and people write, taken apart before anything is opened. What could mean more than one
// thing, or another thing elsewhere, is refused here with what to write instead; nothing is resolved.

import { TellurionError } from '../error/error.ts'

/** A place under a root: names from the root down. No name is empty, `.`, `..`, or has a separator in it. */
export interface Place {
  /** The names with `/` between them; empty for the root itself. */
  readonly path: string
  readonly names: readonly string[]
}

const maxPath = 1_024
const maxNameBytes = 255
const maxDepth = 64
const bytes = new TextEncoder()

/** Names that Windows keeps for devices, with whatever extension. */
const device = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)\s*(\.|$)/i

/**
 * Reads a path under a root: relative, with `/`, without `..`. `windows` (default false) adds the rules of that system.
 * Throws `file_access`, saying what to write instead.
 */
export function readPlace(path: unknown, { windows = false }: { readonly windows?: boolean } = {}): Place {
  if (typeof path !== 'string') throw refused('A path is a text such as src/main.ts.')
  if (path.length > maxPath) throw refused(`The path is longer than ${maxPath} characters: ${shown(path)}…`)
  if (/\p{Cc}/u.test(path)) throw refused(`${shown(path)} has control characters in it; write the path without them.`)
  if (/[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(path)) {
    throw refused(`${shown(path)} has characters in it that cannot be seen; write the path without them.`)
  }
  if (path.includes('\\')) throw refused(`${shown(path)}: write the path with / between the names.`)
  if (path.startsWith('/')) throw refused(`${shown(path)} is absolute; write it from the root of the workspace on.`)
  if (/^[a-z]:/i.test(path)) throw refused(`${shown(path)} names a drive; write it from the root of the workspace on.`)
  const names = path.split('/').filter((name) => name !== '' && name !== '.')
  if (names.length > maxDepth) throw refused(`The path has more than ${maxDepth} names: ${shown(path)}…`)
  for (const name of names) checkName(name, path, windows)
  return { path: names.join('/'), names }
}

/** Why a name that a folder lists cannot be asked for, or undefined. */
export function isPlaceName(name: string, { windows = false }: { readonly windows?: boolean } = {}): boolean {
  try {
    return readPlace(name, { windows }).names.length === 1
  } catch {
    return false
  }
}

function checkName(name: string, path: string, windows: boolean): void {
  if (name === '..') throw refused(`${shown(path)}: write the path without '..', from the root of the workspace on.`)
  if (bytes.encode(name).length > maxNameBytes) throw refused(`A name in ${shown(path)} is longer than 255 bytes.`)
  if (name.includes('\ufffd')) throw refused(`${shown(path)} has a character that stands for bytes which are no text.`)
  if (!windows) return
  if (/[<>:"|?*]/.test(name)) throw refused(`${shown(path)} has one of the characters < > : " | ? * in it.`)
  if (/[. ]$/.test(name)) throw refused(`A name in ${shown(path)} ends with a dot or a space.`)
  if (/~\d/.test(name)) throw refused(`${shown(path)} may be the short name of another; write it in full.`)
  if (device.test(name)) throw refused(`${shown(path)} names a device.`)
}

function refused(message: string): TellurionError {
  return new TellurionError('file_access', message)
}

/** The beginning of a path, made visible. */
function shown(path: string): string {
  return JSON.stringify(path.slice(0, 80).toWellFormed()).replaceAll(/[\p{Cf}\p{Zl}\p{Zp}]/gu, '·')
}
