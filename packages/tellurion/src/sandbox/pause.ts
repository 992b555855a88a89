// A pause: all processes of a namespace stand still between two calls, so that what code left behind costs nothing. Whoever
// will not stand still is not waited for: the caller ends them all.

import { readdirSync, readFileSync } from 'node:fs'
import { sleep, type Clock } from '../clock/clock.ts'

/** A namespace, by its first process as this one numbers it, and by that one's folder of /proc, which nobody else can get. */
export interface Namespace {
  readonly pid: number
  readonly folder: string
}

/** Processes that were stopped. Those that the code itself had stopped are not among them. */
export type Stopped = readonly number[]

/** Milliseconds in which everybody must have come to a stop, on a busy machine too. */
const patience = 5_000

/**
 * Stops all processes of a namespace, and what they start meanwhile; those who were stopped, or undefined where they do
 * not come to a stop. They must be seen to stand still twice in a row: one that was not looked at yet may have woken another.
 */
export async function pause(namespace: Namespace, clock: Clock): Promise<Stopped | undefined> {
  const start = clock.monotonic()
  const stopped = new Set<number>()
  for (let quiet = 0, tries = 0; clock.monotonic() - start < patience; tries++) {
    const seen = processesOf(namespace)
    if (seen[0]?.state === 'gone') return []
    // Who waits in the kernel stops before it does anything else, once it has been told to.
    const moving = seen.filter(({ pid, state }) => state !== 'still' && !(state === 'waiting' && stopped.has(pid)))
    for (const { pid, state } of moving) if (state !== 'gone' && signal(pid, 'SIGSTOP')) stopped.add(pid)
    quiet = moving.length === 0 ? quiet + 1 : 0
    if (quiet === 2) return [...stopped]
    await sleep(Math.min(tries, 10), { clock })
  }
  return undefined
}

/** Lets them go on. */
export function resume(stopped: Stopped): void {
  for (const pid of stopped) signal(pid, 'SIGCONT')
}

interface Seen {
  readonly pid: number
  /**
   * Still where each of its threads has been stopped or has ended; waiting where others wait in the kernel without end, such
   * as for a child of theirs that has been stopped; who is gone may have started others at the last moment.
   */
  readonly state: 'still' | 'waiting' | 'moving' | 'gone'
}

/** Everybody in a namespace: who loses a parent there is given to another of it. */
function processesOf({ pid, folder }: Namespace): readonly Seen[] {
  const found: Seen[] = []
  const folders = new Map([[pid, folder]])
  for (const [each, place] of folders) {
    const threads = list(`${place}/task`)
    const states = threads.map((thread) => stateOf(`${place}/task/${thread}`))
    found.push({ pid: each, state: together(states) })
    for (const thread of threads) {
      const children = read(`${place}/task/${thread}/children`)
      for (const child of children.split(' ')) if (child !== '') folders.set(Number(child), `/proc/${child}`)
    }
  }
  return found
}

function together(threads: readonly string[]): Seen['state'] {
  if (threads.length === 0) return 'gone'
  if (threads.every((state) => /[TtZX]/.test(state))) return 'still'
  return threads.every((state) => /[TtZXD]/.test(state)) ? 'waiting' : 'moving'
}

/** The letter that the kernel has for what a thread does. */
function stateOf(thread: string): string {
  return /^.*\) (\w) /s.exec(read(`${thread}/stat`))?.[1] ?? ''
}

function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT'): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false // It has ended.
  }
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
