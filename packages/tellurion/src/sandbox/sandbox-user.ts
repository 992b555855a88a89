// Who sandboxed programs are outside: never root. Where this process is root each start gets a user of its own that
// nobody else is; any other process starts them as itself, and namespaces keep them apart.

import { readFileSync } from 'node:fs'
import { TellurionError } from '../error/error.ts'

/** Below what distributions, containers and directories give out, and in no password file. */
const firstUser = 0x70000000
const nobody = 65534
let starts = 0

/** A user id for one start; undefined where this process is not root. Throws `sandbox_unavailable` where root is alone. */
export function sandboxUser(): number | undefined {
  if (process.getuid?.() !== 0) return undefined
  const own = firstUser + ((process.pid & 0xffff) << 8) + (starts++ & 0xff)
  const user = [own, nobody].find((each) => isMapped('uid_map', each) && isMapped('gid_map', each))
  if (user !== undefined) return user
  throw new TellurionError('sandbox_unavailable', 'This process is root and knows no other user to start programs as.')
}

/** Whether an id exists in this process's user namespace. */
function isMapped(map: 'uid_map' | 'gid_map', id: number): boolean {
  if (process.platform !== 'linux') return true
  return readFileSync(`/proc/self/${map}`, 'utf8')
    .split('\n')
    .some((line) => {
      const [from = Number.NaN, , length = 0] = line.trim().split(/\s+/).map(Number)
      return id >= from && id < from + length
    })
}
