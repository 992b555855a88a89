// What code prints: told as it comes, kept up to a bound, counted beyond it. Text in UTF-8; a character that was cut in
// two between chunks stays whole.

import { StringDecoder } from 'node:string_decoder'
import type { OutputChunk } from './execution.ts'

/** Output of both streams together past which code is ended, as a multiple of what is kept of one. */
const flood = 64

/** Collects what one piece of code prints. */
export class Output {
  readonly #limit: number
  readonly #tell: ((chunk: OutputChunk) => void) | undefined
  readonly #streams = { stdout: new Stream(), stderr: new Stream() }
  #total = 0

  constructor(limit: number, tell?: (chunk: OutputChunk) => void) {
    this.#limit = limit
    this.#tell = tell
  }

  /** Takes in bytes. False when the code prints so much that it is to be ended. */
  take(name: OutputChunk['stream'], bytes: Uint8Array): boolean {
    const stream = this.#streams[name]
    this.#total += bytes.length
    const room = this.#limit - stream.size
    stream.size += bytes.length
    if (room > 0)
      this.#add(name, stream.decoder.write(Buffer.from(room < bytes.length ? bytes.subarray(0, room) : bytes)))
    return this.#total <= this.#limit * flood
  }

  /** Whether more came than is kept. */
  get isTruncated(): boolean {
    return Object.values(this.#streams).some(({ size }) => size > this.#limit)
  }

  /** All that is kept, well-formed. */
  end(): { readonly stdout: string; readonly stderr: string } {
    for (const name of ['stdout', 'stderr'] as const) this.#add(name, this.#streams[name].decoder.end())
    const { stdout, stderr } = this.#streams
    return { stdout: stdout.text, stderr: stderr.text }
  }

  #add(stream: OutputChunk['stream'], decoded: string): void {
    const text = decoded.toWellFormed()
    if (text === '') return
    this.#streams[stream].text += text
    this.#tell?.({ stream, text })
  }
}

class Stream {
  readonly decoder = new StringDecoder('utf8')
  text = ''
  size = 0
}
