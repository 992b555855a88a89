// The process of a server over standard input and output: started without a shell, with the environment that the operator
// names and nothing else, and ended so that nothing of it is left.

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { systemClock, type Clock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'

/** A running process. */
export interface ServerProcess {
  readonly pid: number | null
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** How it ended, in words: `exit code 1`. */
  readonly exited: Promise<string>
  /** Ends it: its input is closed, then it is asked, then it is killed with its group. Resolves when it is gone. */
  kill(): Promise<void>
}

/** What to start. */
export interface Program {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string | undefined
}

/** Where programs are looked for when the operator gives no `PATH`. */
export const defaultPath = '/usr/local/bin:/usr/bin:/bin'
/** Milliseconds for a server to end by itself when its input is closed, and after it was asked. */
const patience = 2_000
const lastPatience = 1_000

/** Starts a program beside us: it sees the files and the network that we see. Rejects with `mcp_unavailable`. */
export function startProcess(
  { command, args, env, cwd }: Program,
  { clock = systemClock }: { readonly clock?: Clock } = {},
): Promise<ServerProcess> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { PATH: defaultPath, ...env },
      ...(cwd === undefined ? {} : { cwd }),
      stdio: ['pipe', 'pipe', 'pipe'],
      // A group of its own, so that its children can be ended with it.
      detached: true,
      shell: false,
      windowsHide: true,
    })
    child.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'ENOENT' ? 'there is no such program or folder' : (cause.code ?? cause.message)
      reject(new TellurionError('mcp_unavailable', `The program '${command}' cannot be started: ${why}.`, { cause }))
    })
    child.once('spawn', () => resolve(supervised(child, clock)))
  })
}

/** A started child with its end in hand. */
export function supervised(child: ChildProcessWithoutNullStreams, clock: Clock): ServerProcess {
  const { promise: exited, resolve: tell } = Promise.withResolvers<string>()
  child.once('exit', (code, signal) => {
    signalGroup(child, 'SIGKILL')
    const why = signal === null ? `exit code ${code}` : `signal ${signal}`
    // Its last words are read first; whoever else holds its pipes is not waited for.
    const cancel = clock.timer(500, () => tell(why))
    child.once('close', () => {
      cancel()
      tell(why)
    })
  })
  let killing: Promise<void> | undefined
  return {
    pid: child.pid ?? null,
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    exited,
    kill() {
      killing ??= (async () => {
        child.stdin.end()
        if (await endsWithin(exited, patience, clock)) return
        signalGroup(child, 'SIGTERM')
        if (await endsWithin(exited, lastPatience, clock)) return
        signalGroup(child, 'SIGKILL')
        await exited
      })()
      return killing
    },
  }
}

function endsWithin(exited: Promise<string>, ms: number, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.timer(ms, () => resolve(false))
    void exited.then(() => {
      cancel()
      resolve(true)
    })
  })
}

/** Everybody in the group of a child; who has gone already is no error. */
function signalGroup({ pid }: ChildProcessWithoutNullStreams, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // Nobody is left in it.
  }
}
