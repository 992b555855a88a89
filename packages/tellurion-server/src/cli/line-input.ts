// Lines from a person or a pipe, one at a time. At a terminal the line is edited and remembered, typing ahead is kept
// back until it is asked for, and Ctrl-C is told to whoever listens.

import { createInterface, type Interface } from 'node:readline'
import { Writable } from 'node:stream'
import { UsageError } from './fault.ts'

/** The streams of a process. */
export interface Streams {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }
}

/** A source of lines. */
export interface LineInput {
  /** Whether a person sits at it. */
  readonly interactive: boolean
  /**
   * The next line, or undefined when there is none any more. `fresh` wants one that was typed after the prompt showed;
   * a pipe has no such notion and gives its next line. Rejects with a `UsageError` for a pipe that cannot be read.
   */
  next(prompt: string, options?: { readonly fresh?: boolean }): Promise<string | undefined>
  /** Whether the line that is being typed has something in it. */
  readonly typing: boolean
  /** Gives up the line that is being asked for: `next` resolves with undefined. */
  cancel(): void
  /** Forgets what has been typed into the current line, and shows `hint` and the prompt again. */
  discard(hint: string): void
  /** Ends the input, with whatever of it was not asked for yet. */
  close(): void
}

/** Opens the input. `onInterrupt` is told of each Ctrl-C of a terminal. Close it, or the process stays. */
export function openLineInput({ stdin, stdout }: Streams, onInterrupt: () => void): LineInput {
  const interactive = stdin.isTTY === true && stdout.isTTY === true
  const gate = new Gate(stdout)
  const reader = createInterface(
    interactive
      ? { input: stdin, output: gate, terminal: true, historySize: 200 }
      : { input: stdin, crlfDelay: Infinity, terminal: false },
  )
  const lines = new Lines(reader, gate, { interactive, onInterrupt })
  reader.on('error', (error: Error) => lines.fail(`Standard input cannot be read: ${error.message}.`))
  if (!interactive) boundLines(stdin, (problem) => lines.fail(problem))
  return lines
}

/** The longest line of a pipe, in bytes. */
const maxLine = 1_048_576

/** A line without an end would be gathered until no memory is left: this tells of it in time. */
function boundLines(stdin: Streams['stdin'], onProblem: (problem: string) => void): void {
  let open = 0
  stdin.on('data', (chunk: string | Buffer) => {
    const end = Math.max(chunk.lastIndexOf('\n'), chunk.lastIndexOf('\r'))
    open = end === -1 ? open + chunk.length : chunk.length - end - 1
    if (open > maxLine) onProblem(`A line of standard input is longer than ${maxLine} bytes.`)
  })
}

/** Lines that nobody has asked for yet. When there are so many, a pipe is made to wait; what is typed ahead is ignored. */
const maxWaiting = 100

class Lines implements LineInput {
  readonly interactive: boolean
  readonly #reader: Interface
  readonly #gate: Gate
  readonly #waiting: string[] = []
  #ended = false
  #failure: UsageError | undefined
  #asked: ((line: string | undefined) => void) | undefined

  constructor(reader: Interface, gate: Gate, options: { interactive: boolean; onInterrupt: () => void }) {
    this.interactive = options.interactive
    this.#reader = reader
    this.#gate = gate
    reader.on('line', (line) => this.#take(line))
    reader.on('close', () => {
      this.#ended = true
      this.#answer(undefined)
      gate.release()
    })
    reader.on('SIGINT', options.onInterrupt)
  }

  next(prompt: string, { fresh = false }: { readonly fresh?: boolean } = {}): Promise<string | undefined> {
    const ready = fresh && this.interactive ? undefined : this.#waiting.shift()
    if (ready !== undefined) {
      if (this.#waiting.length === 0 && !this.#ended) this.#reader.resume()
      if (this.interactive) this.#gate.show(`${prompt}${ready}\n`)
      return Promise.resolve(ready)
    }
    if (this.#ended) return this.#failure === undefined ? Promise.resolve(undefined) : Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#asked = (line) => (this.#failure === undefined ? resolve(line) : reject(this.#failure))
      if (!this.interactive) return
      this.#gate.open = true
      this.#reader.setPrompt(prompt)
      this.#reader.prompt(true)
    })
  }

  get typing(): boolean {
    return this.interactive && this.#reader.line !== ''
  }

  cancel(): void {
    this.#clear()
    this.#answer(undefined)
  }

  discard(hint: string): void {
    if (!this.interactive || this.#asked === undefined) return
    this.#clear()
    this.#gate.write(`\n${hint}\n`)
    this.#reader.prompt()
  }

  close(): void {
    this.#ended = true
    this.#waiting.length = 0
    this.#reader.close()
  }

  /** Ends the input because of a problem: lines that came before it are still given. */
  fail(problem: string): void {
    if (this.#ended) return
    this.#failure = new UsageError(problem)
    this.#reader.close()
  }

  #clear(): void {
    if (!this.interactive || this.#asked === undefined) return
    this.#reader.write(null, { ctrl: true, name: 'e' })
    this.#reader.write(null, { ctrl: true, name: 'u' })
  }

  #take(line: string): void {
    if (this.#ended) return
    if (this.#asked !== undefined) this.#answer(line)
    else if (!this.interactive) {
      if (this.#waiting.push(line) >= maxWaiting) this.#reader.pause()
    } else if (this.#waiting.length < maxWaiting) this.#waiting.push(line)
  }

  #answer(line: string | undefined): void {
    const asked = this.#asked
    this.#asked = undefined
    if (line === undefined && asked !== undefined && this.interactive) this.#gate.write('\n')
    this.#gate.open = false
    asked?.(line)
  }
}

/** The terminal as the line editor sees it: shut while an answer is being written. */
class Gate extends Writable {
  open = false
  readonly #target: Streams['stdout']
  readonly #onResize = (): void => void this.emit('resize')

  constructor(target: Streams['stdout']) {
    super({ decodeStrings: false })
    this.#target = target
    target.on('resize', this.#onResize)
  }

  /** Leaves the terminal alone from now on. */
  release(): void {
    this.#target.off('resize', this.#onResize)
  }

  get columns(): number {
    return this.#target.columns || 80
  }

  /** Writes to the terminal although the gate is shut. */
  show(text: string): void {
    this.#target.write(text)
  }

  override _write(chunk: string | Uint8Array, _encoding: string, done: () => void): void {
    if (this.open) this.#target.write(chunk)
    done()
  }
}
