// bubblewrap's arguments: a root of its own with the system's programs read-only, and nothing else of the host that was
// not named. What is always unshared, dropped and tied is said in one place, here.

import { accessSync, constants, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { TellurionError } from '../error/error.ts'

/** A path of the host and where it is seen; the same path where `to` is left out. */
export interface Bind {
  readonly from: string
  readonly to?: string
}

/** The root that a program sees. */
export interface RootOptions {
  /** Folders and files of the host, in the order of mounting. */
  readonly readOnly?: readonly Bind[]
  readonly readWrite?: readonly Bind[]
  /** Folders in memory, by path, with the bytes they hold at most. */
  readonly memory: Readonly<Record<string, number>>
  /** Keeps the host's network. Default false: a loopback of its own, and nothing else. */
  readonly network?: boolean
  readonly folder: string
}

/** Where programs of the system are looked for; never along `PATH`, which others may have set. */
const programFolders = ['/usr/bin', '/bin', '/usr/local/bin', '/usr/sbin', '/sbin', '/run/current-system/sw/bin']

/** The path of a program of the system; undefined where it is not installed. */
export function findProgram(name: string): string | undefined {
  return programFolders.map((folder) => `${folder}/${name}`).find(isProgram)
}

/** Whether something can be run. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** How to get what sandboxes need. */
export const installLine = 'apt-get install bubblewrap'

/** Where bubblewrap is. Throws `sandbox_unavailable` with how to install it. */
export function findBubblewrap(): string {
  const path = process.platform === 'linux' ? findProgram('bwrap') : undefined
  if (path !== undefined) return path
  throw new TellurionError('sandbox_unavailable', `bubblewrap is not installed (Linux only): ${installLine}`)
}

/** Bytes of /dev/shm. */
const sharedMemory = 64 * 1024 * 1024

/** What programs need of /etc. */
const system = ['/etc/ld.so.cache', '/etc/alternatives', '/etc/localtime']
const networking = [
  '/etc/resolv.conf',
  '/etc/hosts',
  '/etc/nsswitch.conf',
  '/etc/ssl',
  '/etc/ca-certificates',
  '/etc/pki',
]

/** Unshared, without rights, dying with whoever started it; the same for every program. */
const always = ['user', 'pid', 'ipc', 'uts'].map((each) => `--unshare-${each}`)
always.push('--unshare-cgroup-try', '--die-with-parent', '--new-session', '--cap-drop', 'ALL')
always.push('--uid', '65534', '--gid', '65534', '--hostname', 'sandbox')

/** The arguments up to the command. The filter and the descriptors are the caller's. */
export function bubblewrapArguments(options: RootOptions): string[] {
  const { readOnly = [], readWrite = [], memory, network = false, folder } = options
  const etc = network ? [...system, ...networking] : system
  return [
    ...always,
    ...(network ? [] : ['--unshare-net']),
    ...systemArguments(),
    ...etc.flatMap((path) => ['--ro-bind-try', path, path]),
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    ...memoryArguments('/dev/shm', sharedMemory),
    '--remount-ro',
    '/dev',
    ...Object.entries(memory).flatMap(([path, size]) => memoryArguments(path, size)),
    ...readOnly.flatMap(({ from, to = from }) => ['--ro-bind', from, to]),
    ...readWrite.flatMap(({ from, to = from }) => ['--bind', from, to]),
    '--remount-ro',
    '/',
    '--chdir',
    folder,
  ]
}

function memoryArguments(path: string, size: number): string[] {
  return ['--size', `${size}`, '--perms', '0700', '--tmpfs', path]
}

/** /usr, and what stands beside it: links on most systems, folders on older ones. */
function systemArguments(): string[] {
  const beside = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'].flatMap((path) => {
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat === undefined) return []
    return stat.isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path]
  })
  return ['--ro-bind', '/usr', '/usr', ...beside]
}

/**
 * Descriptors above 2 that this process would pass on to its children: what it was itself started with. Node closes its
 * own; these it does not know.
 */
export function inheritedDescriptors(): readonly number[] {
  const closesOnExec = 0o2000000
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((descriptor) => {
      if (descriptor <= 2) return false
      try {
        const [, flags = ''] = /flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8')) ?? []
        return (Number.parseInt(flags, 8) & closesOnExec) === 0
      } catch {
        return false // It was the listing's own.
      }
    })
}

/** A shell for scripts of ours. bash reads profiles when its stdin is a socket, and functions from its environment, unless told not to. */
export function shellWithoutProfile(): readonly string[] {
  const bash = findProgram('bash')
  if (bash !== undefined) return [bash, '--norc', '--noprofile', '-p']
  if (inheritedDescriptors().every((descriptor) => descriptor < 10)) return ['/bin/sh']
  throw new TellurionError(
    'sandbox_unavailable',
    'This process inherited descriptors that only bash can close: install it.',
  )
}
