// A local HTTP server that does as a script says, down to the byte: for tests of whatever talks to servers. It can
// answer slowly, in pieces of any size, cut the connection anywhere, or fall silent.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'

/** One answer. Without `ending` it is closed as HTTP wants it. */
export interface RawReply {
  /** Default 200. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** The pieces of the body. Each is written by itself, after the event loop has turned. */
  readonly pieces?: readonly (string | Uint8Array)[]
  /** `cut` breaks the connection after the pieces, `hang` leaves it open, `mute` sends not even the status. */
  readonly ending?: 'close' | 'cut' | 'hang' | 'mute'
}

/** A request as it came. */
export interface RawRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** A running server and what it has seen. */
export interface RawServer {
  /** `http://127.0.0.1:port`. */
  readonly url: string
  readonly requests: readonly RawRequest[]
  /** How many connections there have been. */
  readonly connections: number
  /** Resolves when the first request has come. */
  readonly requested: Promise<void>
  /** Resolves when a client has gone away before its answer was whole. */
  readonly disconnected: Promise<void>
  close(): Promise<void>
}

/** Starts a server on a free port of this machine that answers each request with what `reply` says. */
export async function createRawServer(reply: (request: RawRequest) => RawReply): Promise<RawServer> {
  const requests: RawRequest[] = []
  let connections = 0
  const asked = Promise.withResolvers<void>()
  const gone = Promise.withResolvers<void>()
  const server = createServer((incoming, response) => {
    response.on('close', () => response.writableFinished || gone.resolve())
    void read(incoming).then((request) => {
      requests.push(request)
      asked.resolve()
      return answer(response, reply(request))
    })
  })
  server.on('connection', (socket) => {
    connections++
    socket.setNoDelay(true)
    // A client that vanishes is what many tests want.
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    get connections() {
      return connections
    },
    requested: asked.promise,
    disconnected: gone.promise,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function read(incoming: IncomingMessage): Promise<RawRequest> {
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of incoming) chunks.push(chunk as Uint8Array)
  } catch {
    // Gone before it was done asking: there is nobody to answer.
  }
  const { method = '', url: path = '', headers } = incoming
  return { method, path, headers, body: Buffer.concat(chunks).toString('utf8') }
}

async function answer(
  response: ServerResponse,
  { status = 200, headers, pieces = [], ending }: RawReply,
): Promise<void> {
  if (ending === 'mute') return
  response.writeHead(status, headers)
  response.flushHeaders()
  for (const piece of pieces) {
    if (response.destroyed) return
    response.write(piece)
    await nextTurn()
  }
  if (ending === 'cut') response.destroy()
  else if (ending !== 'hang') response.end()
}

/** The bytes of a text one by one: the worst way a network can deliver it. */
export function byteByByte(text: string): Uint8Array[] {
  return [...new TextEncoder().encode(text)].map((byte) => Uint8Array.of(byte))
}
