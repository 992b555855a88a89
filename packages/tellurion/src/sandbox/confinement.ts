// A program under bubblewrap, from its first breath to the end of its last child. Nothing in it runs before its group
// has limits; whatever it does, killing bubblewrap ends its namespace and everybody in it.

import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, constants, openSync, readFileSync } from 'node:fs'
import type { Duplex, Readable } from 'node:stream'
import { throwIfAborted } from '../abort/abort.ts'
import { sleep, type Clock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import {
  bubblewrapArguments,
  findBubblewrap,
  inheritedDescriptors,
  shellWithoutProfile,
  type Bind,
} from './bubblewrap.ts'
import { createCgroup, type Cgroup, type CgroupHome } from './cgroup.ts'
import type { Enclosure } from './enclosure.ts'
import { temporaryFolder, workFolder } from './interpreter-source.ts'
import type { FullLimits } from './limit.ts'
import { pause, resume, type Stopped } from './pause.ts'
import { sandboxUser } from './sandbox-user.ts'
import { firstMatch, ownLimits, streamOf } from './spawned.ts'
import { systemCallFilter } from './system-call-filter.ts'
import { systemCode } from './system-code.ts'

/** What is to be confined, and how. */
export interface ConfinementOptions {
  /** Speaks the protocol of interpreters: says `ready` on descriptor 3 and then takes requests from 4. */
  readonly command: readonly string[]
  readonly readOnly: readonly Bind[]
  readonly limits: FullLimits
  /** Where its group is made; without one the kernel bounds single processes only. */
  readonly home: CgroupHome | undefined
  /** Whether a bound on its address space is in order where there is no group. Node cannot start under one. */
  readonly boundAddresses: boolean
  readonly clock: Clock
  /** Ends the start; it then rejects like any that failed. */
  readonly signal?: AbortSignal | undefined
}

/** All that programs inside find in their environment, but for what they set themselves. */
const environment = {
  PATH: '/opt/bin:/usr/local/bin:/usr/bin:/bin',
  HOME: temporaryFolder,
  TMPDIR: temporaryFolder,
  LANG: 'C.UTF-8',
  MPLBACKEND: 'Agg',
}

/** Milliseconds in which a program must be ready. */
const startTime = 10_000

/** A confined program that is ready. */
export class Confinement implements Enclosure {
  readonly stdout: Readable
  readonly stderr: Readable
  readonly requests: Duplex
  readonly replies: Readable
  /** The first process inside, as this process numbers it. */
  readonly pid: number
  /** bubblewrap ends as the program did; with 128 and the number of its signal where one ended it. */
  readonly ended: Enclosure['ended']
  readonly work: number
  /** The first process's own folder under /proc: never another's, even if its number is given out again. */
  readonly #process: number
  readonly #child: ChildProcess
  readonly #group: Cgroup | undefined
  readonly #clock: Clock
  #stopped: Stopped = []
  #closing: Promise<void> | undefined

  constructor(
    child: ChildProcess,
    parts: { readonly pid: number; readonly process: number; readonly work: number },
    owned: Owned,
  ) {
    this.stdout = child.stdout!
    this.stderr = child.stderr!
    this.replies = streamOf(child, 3)
    this.requests = streamOf(child, 4)
    this.pid = parts.pid
    this.#process = parts.process
    this.work = parts.work
    this.#child = child
    this.#group = owned.group
    this.#clock = owned.clock
    this.ended = owned.ended
  }

  get ranOutOfMemory(): boolean {
    return this.#group?.ranOutOfMemory() ?? false
  }

  async pause(): Promise<boolean> {
    const stopped = await pause({ pid: this.pid, folder: `/proc/self/fd/${this.#process}` }, this.#clock)
    this.#stopped = stopped ?? []
    return stopped !== undefined
  }

  resume(): void {
    resume(this.#stopped)
    this.#stopped = []
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  async end(): Promise<void> {
    this.kill()
    await this.ended
    await gone(this.pid, this.#process, this.#clock)
  }

  close(): Promise<void> {
    this.#closing ??= this.end().then(async () => {
      closeSync(this.work)
      closeSync(this.#process)
      await this.#group?.remove()
    })
    return this.#closing
  }
}

interface Owned {
  readonly group: Cgroup | undefined
  readonly clock: Clock
  readonly ended: Enclosure['ended']
}

/**
 * Starts a program and waits until it is ready. Rejects with `sandbox_unavailable` where any layer fails, and then
 * nothing runs any more.
 */
export async function confine(options: ConfinementOptions): Promise<Confinement> {
  const { home, limits, clock, signal } = options
  throwIfAborted(signal)
  const program = findBubblewrap()
  const group = home === undefined ? undefined : makeGroup(home, limits, clock)
  let child: ChildProcess
  try {
    child = start(program, options)
  } catch (error) {
    await group?.remove()
    throw unavailable(systemCode(error))
  }
  const ended = new Promise<Awaited<Enclosure['ended']>>((resolve) => {
    child.once('exit', (code) => resolve({ code }))
    child.once('error', () => resolve({ code: null }))
  })
  const words = heard(child)
  const failed = ended.then(() => Promise.reject(unavailable(words() || 'bubblewrap could not be started')))
  failed.catch(() => {})
  // Before it has said who its first process is, killing bubblewrap could leave that one behind, waiting for it.
  const stop = (): void => void (pid === undefined || child.kill('SIGKILL'))
  const cancel = clock.timer(startTime, () => child.kill('SIGKILL'))
  signal?.addEventListener('abort', stop, { once: true })
  let opened: number | undefined
  let pid: number | undefined
  try {
    const first = await Promise.race([firstMatch(streamOf(child, 5), /"child-pid": (\d+)/), failed]).then(Number)
    pid = first
    opened = openSync(`/proc/${first}`, constants.O_RDONLY | constants.O_DIRECTORY)
    throwIfAborted(signal)
    await group?.add(first)
    const ready = firstMatch(streamOf(child, 3), /^(ready)\n/)
    streamOf(child, 6).end('.')
    await Promise.race([ready, failed])
    words()
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
    const work = openSync(`/proc/self/fd/${opened}/root${workFolder}`, flags)
    return new Confinement(child, { pid: first, process: opened, work }, { group, clock, ended })
  } catch (error) {
    child.kill('SIGKILL')
    await ended
    if (opened !== undefined && pid !== undefined) {
      await gone(pid, opened, clock)
      closeSync(opened)
    }
    await group?.remove()
    throwIfAborted(signal)
    throw error instanceof TellurionError ? error : unavailable(systemCode(error))
  } finally {
    cancel()
    signal?.removeEventListener('abort', stop)
  }
}

function makeGroup(home: CgroupHome, limits: FullLimits, clock: Clock): Cgroup {
  try {
    return createCgroup(home, limits, { clock })
  } catch (error) {
    throw unavailable(`no cgroup can be made any more (${systemCode(error)})`)
  }
}

/** Descriptors from 5 on are bubblewrap's own: status, start signal, filter and arguments. It closes all of them. */
function start(
  bubblewrap: string,
  { command, readOnly, limits, home, boundAddresses }: ConfinementOptions,
): ChildProcess {
  const user = sandboxUser()
  const root = bubblewrapArguments({
    readOnly,
    memory: { [workFolder]: limits.disk, [temporaryFolder]: limits.disk },
    folder: workFolder,
  })
  const own = ['--json-status-fd', '5', '--block-fd', '6', '--seccomp', '7']
  const bounded = home === undefined ? ownLimits(limits, boundAddresses) : 'ulimit -c 0 && ulimit -n 512'
  const inside = ['/bin/sh', '-c', `${bounded} && exec "$@"`, 'sh', ...command]
  const [program = '', ...args] = [...closingInherited(), bubblewrap, '--args', '8', '--', ...inside]
  const child = spawn(program, args, {
    env: environment,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    ...(user === undefined ? {} : { uid: user, gid: user }),
  })
  // A program that ends early does not read on; its end is heard of elsewhere.
  for (const each of child.stdio) each?.on('error', () => {})
  streamOf(child, 7).end(systemCallFilter())
  streamOf(child, 8).end([...own, ...root].map((each) => `${each}\0`).join(''))
  return child
}

/** A shell before bubblewrap, where there is something to close that Node does not know of. */
function closingInherited(): string[] {
  const strangers = inheritedDescriptors().filter((descriptor) => descriptor > 8)
  if (strangers.length === 0) return []
  const script = [...strangers.map((descriptor) => `exec ${descriptor}>&-`), 'exec "$@"'].join('\n')
  return [...shellWithoutProfile(), '-c', script, 'sh']
}

/** What bubblewrap says on stderr before anything else runs, in a line. */
function heard(child: ChildProcess): () => string {
  let words = ''
  const listen = (bytes: Buffer): void => {
    words = (words + bytes.toString()).slice(0, 500)
  }
  child.stderr?.on('data', listen)
  return () => {
    child.stderr?.off('data', listen)
    return words.trim().replaceAll(/\s+/g, ' ')
  }
}

/**
 * Waits until the first process of a namespace is no more, by its folder of /proc. The kernel ends it only after all others
 * of its namespace; it dies with bubblewrap, unless that died before it could be told to.
 */
async function gone(pid: number, folder: number, clock: Clock): Promise<void> {
  for (let tries = 0; isAlive(folder); tries++) {
    if (tries === 20) process.kill(pid, 'SIGKILL')
    await sleep(1, { clock })
  }
}

/** Whether the process behind a folder of /proc is there and no zombie. */
function isAlive(folder: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/self/fd/${folder}/stat`, 'utf8'))
  } catch {
    return false
  }
}

function unavailable(why: string): TellurionError {
  return new TellurionError('sandbox_unavailable', `No sandbox could be started: ${why}`)
}
