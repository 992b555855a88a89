// What the file system says when it refuses, in words for a person.

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'the system does not allow it',
  EPERM: 'the system does not allow it',
  EROFS: 'the file system can only be read',
  ENOTDIR: 'a part of its path is no folder',
  EEXIST: 'a part of its path is no folder',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'there is no room left',
  EISDIR: 'it is a folder',
  ELOOP: 'its links lead round in a circle',
}

/** Why a file could not be had. */
export function systemMessage(error: unknown): string {
  const { code = 'unknown error' } = error as NodeJS.ErrnoException
  return reasons[code] ?? code
}
