// Folders of what a server writes: made when something is written there, with an error that says for what.

import { mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { TellurionError } from 'tellurion'

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'the system does not allow it',
  EPERM: 'the system does not allow it',
  EROFS: 'the file system can only be read',
  ENOTDIR: 'a part of its path is no folder',
  EEXIST: 'a part of its path is no folder',
  ENOSPC: 'there is no room left',
  EISDIR: 'it is a folder',
  ELOOP: 'its links lead round in a circle',
}

/** Makes the folder that a file lies in. Throws `invalid_configuration`, naming `setting`. */
export function makeFolderOf(file: string, setting: string): void {
  const folder = dirname(resolve(file))
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    const text = `${setting}: the folder ${folder} cannot be made: ${messageOfSystem(error)}.`
    throw new TellurionError('invalid_configuration', text, { cause: error })
  }
}

/** What the file system says, in words. */
export function messageOfSystem(error: unknown): string {
  const { code = 'unknown error' } = error as NodeJS.ErrnoException
  return reasons[code] ?? code
}
