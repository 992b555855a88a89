// A model server whose replies never end, in this process: it tells when a reply has begun and when its reader has gone.

import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const chunk = (delta: object): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'bench', choices: [{ index: 0, delta, finish_reason: null }] })}\n\n`

/** A server of chat completions, a chunk every few milliseconds. */
export class EndlessServer {
  readonly #server = createServer((request, response) => {
    request.resume()
    request.once('end', () => this.#stream(response))
  })
  readonly #open = new Set<ServerResponse>()
  #begun: (() => void) | undefined
  #gone: (() => void) | undefined

  /** Replies that somebody still reads. */
  get open(): number {
    return this.#open.size
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`
  }

  /** The next reply: when some of it is out, and when nobody reads it any more. */
  next(): { readonly begun: Promise<void>; readonly gone: Promise<void> } {
    const begun = new Promise<void>((resolve) => (this.#begun = resolve))
    const gone = new Promise<void>((resolve) => (this.#gone = resolve))
    return { begun, gone }
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  #stream(response: ServerResponse): void {
    this.#open.add(response)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(chunk({ role: 'assistant', content: '' }))
    let count = 0
    const timer = setInterval(() => {
      response.write(chunk({ content: 'word ' }))
      if (++count === 3) this.#begun?.()
    }, 4)
    response.once('close', () => {
      clearInterval(timer)
      this.#open.delete(response)
      this.#gone?.()
    })
  }
}
