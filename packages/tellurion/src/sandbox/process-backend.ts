// Code in a process of its own and nothing around it: what an operator may ask for who knows better. It sees the host's
// files and network; only its environment, its user where this process is root, and a few limits are its own.

import { spawn, type ChildProcess } from 'node:child_process'
import { chownSync, closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex, Readable } from 'node:stream'
import { throwIfAborted } from '../abort/abort.ts'
import type { Clock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { EnclosedInterpreter } from './enclosed-interpreter.ts'
import type { Enclosure } from './enclosure.ts'
import type { Backend } from './execution.ts'
import { interpreterCommand } from './interpreter-source.ts'
import { languages, type FullLimits, type Language, type Interpreters } from './limit.ts'
import { sandboxUser } from './sandbox-user.ts'
import { firstMatch, ownLimits, streamOf } from './spawned.ts'

/** Languages in processes that are not isolated. */
export function unisolated(programs: Interpreters, clock: Clock): Backend {
  return {
    name: 'process',
    languages: languages.filter((language) => programs[language] !== undefined),
    start: async (language, limits, { signal }) =>
      new EnclosedInterpreter(await begin(programs, { language, limits, signal }), clock),
  }
}

interface Beginning {
  readonly language: Language
  readonly limits: FullLimits
  readonly signal: AbortSignal | undefined
}

async function begin(programs: Interpreters, { language, limits, signal }: Beginning): Promise<Enclosure> {
  throwIfAborted(signal)
  const program = programs[language]
  if (program === undefined) throw new TellurionError('sandbox_unavailable', `There is no interpreter for ${language}.`)
  const folder = mkdtempSync(join(tmpdir(), 'tellurion-code-'))
  const user = sandboxUser()
  if (user !== undefined) chownSync(folder, user, user)
  const bounds = `${ownLimits(limits, language !== 'javascript')} && exec "$@"`
  const command = interpreterCommand(language, program, limits.memory)
  const child = spawn('/bin/sh', ['-c', bounds, 'sh', ...command], {
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: folder, TMPDIR: folder, LANG: 'C.UTF-8', MPLBACKEND: 'Agg' },
    cwd: folder,
    // A group of its own, so that one signal reaches it and those of its children that stay in it.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
    ...(user === undefined ? {} : { uid: user, gid: user }),
  })
  for (const each of child.stdio) each?.on('error', () => {})
  const enclosure = new Unisolated(child, folder)
  const early = enclosure.ended.then(() => undefined)
  const stop = (): void => enclosure.kill()
  signal?.addEventListener('abort', stop, { once: true })
  const ready = await Promise.race([firstMatch(streamOf(child, 3), /^(ready)\n/), early])
  signal?.removeEventListener('abort', stop)
  if (ready !== undefined) return enclosure
  await enclosure.close()
  throw new TellurionError('sandbox_unavailable', `The interpreter for ${language} could not be started: ${program}`)
}

class Unisolated implements Enclosure {
  readonly stdout: Readable
  readonly stderr: Readable
  readonly requests: Duplex
  readonly replies: Readable
  readonly ended: Enclosure['ended']
  readonly work: number
  readonly ranOutOfMemory = false
  readonly #child: ChildProcess
  readonly #folder: string
  #isOver = false
  #closing: Promise<void> | undefined

  constructor(child: ChildProcess, folder: string) {
    this.#child = child
    this.#folder = folder
    this.stdout = child.stdout!
    this.stderr = child.stderr!
    this.replies = streamOf(child, 3)
    this.requests = streamOf(child, 4)
    this.work = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
    this.ended = new Promise((resolve) => {
      const over = (code: number | null): void => {
        this.#isOver = true
        resolve({ code })
      }
      child.once('exit', over)
      child.once('error', () => over(null))
    })
  }

  /** Its group, as far as that goes: who has left it goes on. */
  pause(): Promise<boolean> {
    this.#signal('SIGSTOP')
    return Promise.resolve(true)
  }

  resume(): void {
    this.#signal('SIGCONT')
  }

  kill(): void {
    this.#signal('SIGKILL')
  }

  #signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
    const { pid } = this.#child
    if (pid === undefined || this.#isOver) return
    try {
      process.kill(-pid, name)
    } catch {
      this.#child.kill(name)
    }
  }

  async end(): Promise<void> {
    this.kill()
    await this.ended
  }

  close(): Promise<void> {
    this.#closing ??= this.end().then(() => {
      closeSync(this.work)
      rmSync(this.#folder, { recursive: true, force: true })
    })
    return this.#closing
  }
}
