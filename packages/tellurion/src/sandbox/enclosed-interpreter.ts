// An interpreter in its enclosure: calls go in one after another, what they print and leave behind comes out. Whatever
// is said inside is taken for what a stranger says: lines are bounded, numbers are checked, files are read from outside.

import type { Clock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { Leftovers } from './leftover.ts'
import type { Enclosure } from './enclosure.ts'
import type { Call, End, Execution, Interpreter } from './execution.ts'
import { Output } from './output.ts'

/** How a call ended, before anything is read back. */
interface Ending {
  readonly end: End
  readonly exitCode: number | null
}

/** A program in an enclosure as an interpreter. */
export class EnclosedInterpreter implements Interpreter {
  readonly #enclosure: Enclosure
  readonly #clock: Clock
  readonly #leftovers: Leftovers
  #live = true
  #busy = false

  constructor(enclosure: Enclosure, clock: Clock) {
    this.#enclosure = enclosure
    this.#clock = clock
    this.#leftovers = new Leftovers(enclosure.work)
    void enclosure.ended.then(() => {
      this.#live = false
    })
  }

  get isLive(): boolean {
    return this.#live
  }

  async execute(call: Call): Promise<Execution> {
    if (this.#busy || !this.#live) {
      throw new TellurionError('sandbox_closed', 'This interpreter is at work or has ended; start another one.')
    }
    this.#busy = true
    const start = this.#clock.monotonic()
    const output = new Output(call.limits.maxOutput, call.onOutput)
    try {
      this.#enclosure.resume()
      const { end, exitCode } = await this.#run(call, output)
      // Nothing runs any more when its files are read back.
      if (!call.isKept || (this.#live && !(await this.#enclosure.pause()))) this.#live = false
      if (!this.#live) await this.#enclosure.end()
      const { artifacts, refused } = await this.#leftovers.collect(call.files, call.limits.artifacts)
      const printed = output.end()
      const duration = this.#clock.monotonic() - start
      return { end, exitCode, ...printed, truncated: output.isTruncated, artifacts, refused, duration }
    } finally {
      this.#busy = false
      if (!this.#live) await this.#enclosure.close()
    }
  }

  async close(): Promise<void> {
    this.#live = false
    await this.#enclosure.close()
  }

  /** The first end counts; any but the interpreter's own word that it is done also ends the interpreter. */
  #run(call: Call, output: Output): Promise<Ending> {
    const { stdout, stderr, replies } = this.#enclosure
    const { signal, limits } = call
    return new Promise((resolve) => {
      let reply = ''
      let over = false
      const settle = (ending: Ending): void => {
        over = true
        for (const detach of detaching) detach()
        resolve(ending)
      }
      const stop = (end: End): void => {
        if (over) return
        this.#live = false
        this.#enclosure.kill()
        settle({ end, exitCode: null })
      }
      const print = (name: 'stdout' | 'stderr') => (bytes: Buffer) => {
        quiet = false
        if (!output.take(name, bytes)) stop('output')
      }
      // What was printed before the reply is in the pipes already: a turn of the loop that brings nothing has seen it all.
      let quiet = false
      const drain = (ending: Ending): void => {
        quiet = true
        this.#clock.timer(0, () => (over ? undefined : quiet ? settle(ending) : drain(ending)))
      }
      const answer = (bytes: Buffer): void => {
        reply = (reply + bytes.toString('latin1')).slice(-64)
        const [, status] = /^done (\d{1,3})\n/m.exec(reply) ?? []
        if (status !== undefined) drain({ end: 'finished', exitCode: Number(status) & 255 })
      }
      const [onStdout, onStderr, cancel] = [print('stdout'), print('stderr'), () => stop('cancelled')]
      stdout.on('data', onStdout)
      stderr.on('data', onStderr)
      replies.on('data', answer)
      signal?.addEventListener('abort', cancel, { once: true })
      const detaching = [
        () => stdout.off('data', onStdout),
        () => stderr.off('data', onStderr),
        () => replies.off('data', answer),
        () => signal?.removeEventListener('abort', cancel),
        this.#clock.timer(limits.timeout, () => stop('timeout')),
      ]
      void this.#enclosure.ended.then((ended) => {
        this.#live = false
        if (!over) drain(this.#endingOf(ended))
      })
      if (signal?.aborted) return cancel()
      this.#request(call)
    })
  }

  /** bubblewrap ends as the program did; with 128 and the number of its signal where one ended it. */
  #endingOf({ code }: { readonly code: number | null }): Ending {
    if (code !== null && (code <= 128 || code > 192)) return { end: 'finished', exitCode: code }
    return { end: code === 128 + 9 && this.#enclosure.ranOutOfMemory ? 'memory' : 'killed', exitCode: null }
  }

  #request({ code, files, patience }: Call): void {
    const { requests } = this.#enclosure
    for (const { name, bytes } of files) {
      requests.write(`file ${bytes.length} ${name}\n`)
      requests.write(bytes)
    }
    const bytes = Buffer.from(code)
    requests.write(`run ${bytes.length} ${patience}\n`)
    requests.write(bytes)
  }
}
