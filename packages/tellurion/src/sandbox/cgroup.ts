// Groups of processes whose memory and number the kernel bounds, of either version of cgroups: found where this process
// may make them, or not at all, with the reason. Each sandbox has one, removed when its processes are gone.

import { readFileSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { sleep, systemClock, type Clock } from '../clock/clock.ts'
import { systemCode } from './system-code.ts'

/** What a group may take: bytes of memory, files in memory included, and processes with their threads. */
export interface CgroupLimits {
  readonly memory: number
  readonly processes: number
}

/** Where groups can be made. One folder in version 2, one for each controller in version 1. */
export interface CgroupHome {
  readonly version: 1 | 2
  readonly memory: string
  readonly pids: string
}

/** The file operations that are used, so that a test can stand in for a kernel that this machine does not run. */
export interface CgroupFiles {
  read(path: string): string
  write(path: string, text: string): void
  writeLater(path: string, text: string): Promise<void>
  make(path: string): void
  remove(path: string): void
  list(path: string): readonly string[]
}

/** The kernel's own. */
export const kernelFiles: CgroupFiles = {
  read: (path) => readFileSync(path, 'utf8'),
  write: (path, text) => writeFileSync(path, text),
  writeLater: (path, text) => writeFile(path, text),
  make: (path) => mkdirSync(path),
  remove: (path) => rmdirSync(path),
  list: (path) => readdirSync(path),
}

const prefix = 'tellurion-sandbox-'
let made = 0

/** Where this process can make groups, tried by making one; otherwise why not. Groups of dead processes are removed. */
export function findCgroupHome(files: CgroupFiles = kernelFiles): CgroupHome | { readonly because: string } {
  const reasons: string[] = []
  for (const home of candidates(files)) {
    try {
      sweep(home, files)
      const group = createCgroup(home, { memory: 1 << 26, processes: 8 }, { files })
      group.removeNow()
      return home
    } catch (error) {
      reasons.push(`${home.memory}: ${systemCode(error)}`)
    }
  }
  return { because: reasons[0] ?? 'no cgroups with memory and pids are mounted' }
}

/** Its own group first, then the one above, then the top: the first that may hold others. */
function candidates(files: CgroupFiles): readonly CgroupHome[] {
  const mounts = read(files, '/proc/self/mountinfo').split('\n').map(mountOf)
  const places = read(files, '/proc/self/cgroup').split('\n')
  const folderOf = (controller: string): string | undefined => {
    const mount = mounts.find((each) => each?.type === 'cgroup' && each.options.includes(controller))
    const place = places.find((line) => line.split(':')[1]?.split(',').includes(controller))
    return mount === undefined || place === undefined ? undefined : placeIn(mount, place)
  }
  const [memory, pids] = [folderOf('memory'), folderOf('pids')]
  if (memory !== undefined && pids !== undefined) return [{ version: 1, memory, pids }]
  const mount = mounts.find((each) => each?.type === 'cgroup2')
  const place = places.find((line) => line.startsWith('0::'))
  if (mount === undefined || place === undefined) return []
  const own = placeIn(mount, place)
  const above = own === mount.at ? own : dirname(own)
  return [...new Set([own, above, mount.at])].map((folder) => ({ version: 2, memory: folder, pids: folder }))
}

interface Mount {
  readonly root: string
  readonly at: string
  readonly type: string
  readonly options: readonly string[]
}

function mountOf(line: string): Mount | undefined {
  const [before = '', after = ''] = line.split(' - ')
  const [, , , root, at] = before.split(' ')
  const [type, , options = ''] = after.split(' ')
  return root === undefined || at === undefined || type === undefined
    ? undefined
    : { root, at, type, options: options.split(',') }
}

function placeIn({ root, at }: Mount, line: string): string {
  const path = line.split(':').slice(2).join(':')
  if (root === '/') return join(at, path)
  return path.startsWith(root) ? join(at, path.slice(root.length)) : at
}

/** Removes what processes of this library left behind that ended without tidying up. */
function sweep(home: CgroupHome, files: CgroupFiles): void {
  for (const folder of foldersOf(home)) {
    for (const name of files.list(folder)) {
      const [, pid] = /^tellurion-sandbox-(\d+)-\d+$/.exec(name) ?? []
      if (pid === undefined || Number(pid) === process.pid || read(files, `/proc/${pid}/stat`) !== '') continue
      try {
        files.remove(join(folder, name))
      } catch {
        // Somebody else's, or at work.
      }
    }
  }
}

/** A group of processes. */
export interface Cgroup {
  /** Takes a process in; its children are born in it. Rejects with what the system says. */
  add(pid: number): Promise<void>
  /** Whether the kernel had to kill for want of memory. */
  ranOutOfMemory(): boolean
  /** Removes it when its processes are gone; waits a second for them. */
  remove(): Promise<void>
  /** Removes it at once. Throws while it holds processes. */
  removeNow(): void
}

/** Makes a group with limits that were read back. Throws what the system says, and leaves nothing behind. */
export function createCgroup(
  home: CgroupHome,
  limits: CgroupLimits,
  { files = kernelFiles, clock = systemClock }: { readonly files?: CgroupFiles; readonly clock?: Clock } = {},
): Cgroup {
  const name = `${prefix}${process.pid}-${made++}`
  const folders = foldersOf(home).map((folder) => join(folder, name))
  const [memory = '', pids = memory] = folders
  const removeNow = (): void => {
    for (const folder of folders) files.remove(folder)
  }
  try {
    if (home.version === 2) share(home.memory, files)
    for (const folder of folders) files.make(folder)
    if (home.version === 1) limitFirst(memory, pids, limits, files)
    else limitSecond(memory, limits, files)
  } catch (error) {
    for (const folder of folders) attempt(() => files.remove(folder))
    throw error
  }
  return {
    async add(pid) {
      // The kernel may take 20 ms over it, so this is not done in the main thread.
      await Promise.all(folders.map((folder) => files.writeLater(join(folder, 'cgroup.procs'), `${pid}`)))
    },
    ranOutOfMemory() {
      const text = read(files, join(memory, home.version === 1 ? 'memory.oom_control' : 'memory.events'))
      return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0) > 0
    },
    removeNow,
    async remove() {
      if (home.version === 2) attempt(() => files.write(join(memory, 'cgroup.kill'), '1'))
      const left = new Set(folders)
      for (let tries = 0; tries < 100 && left.size > 0; tries++) {
        for (const folder of left) attempt(() => (files.remove(folder), left.delete(folder)))
        if (left.size > 0) await sleep(10, { clock })
      }
    },
  }
}

function foldersOf({ version, memory, pids }: CgroupHome): readonly string[] {
  return version === 1 ? [memory, pids] : [memory]
}

function limitFirst(memory: string, pids: string, limits: CgroupLimits, files: CgroupFiles): void {
  set(files, join(memory, 'memory.limit_in_bytes'), limits.memory)
  // Only where the kernel counts swap.
  attempt(() => files.write(join(memory, 'memory.memsw.limit_in_bytes'), `${limits.memory}`))
  set(files, join(pids, 'pids.max'), limits.processes)
}

function limitSecond(folder: string, limits: CgroupLimits, files: CgroupFiles): void {
  set(files, join(folder, 'memory.max'), limits.memory)
  attempt(() => files.write(join(folder, 'memory.swap.max'), '0'))
  set(files, join(folder, 'pids.max'), limits.processes)
}

/** Hands the two controllers down to groups below, where that is not so already. */
function share(folder: string, files: CgroupFiles): void {
  const path = join(folder, 'cgroup.subtree_control')
  const shared = files.read(path).split(/\s+/)
  if (!shared.includes('memory') || !shared.includes('pids')) files.write(path, '+memory +pids')
}

/** Writes a limit and reads it back: one that was not taken bounds nothing. */
function set(files: CgroupFiles, path: string, value: number): void {
  files.write(path, `${value}`)
  const taken = Number(files.read(path).trim())
  if (!(taken > 0 && taken <= value)) throw new Error(`${path} says ${taken}, not ${value}`)
}

function attempt(act: () => void): void {
  try {
    act()
  } catch {
    // What is left is tried again, or is not there on this machine.
  }
}

function read(files: CgroupFiles, path: string): string {
  try {
    return files.read(path)
  } catch {
    return ''
  }
}
