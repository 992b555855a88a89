// A local HTTP server that does as a script says, down to the byte: for tests of whatever talks to servers. It can
// answer slowly, in pieces of any size, cut the connection anywhere, or fall silent.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
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
  /** `http://127.0.0.1:port`, with the address that it listens at. */
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

/** Where a server listens. */
export interface RawServerOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string
  /** Default: a free one. */
  readonly port?: number
  /** Key and certificate in PEM; it speaks HTTPS then. */
  readonly tls?: { readonly key: string; readonly cert: string }
}

/** Starts a server on a port of this machine that answers each request with what `reply` says. Rejects where it cannot listen. */
export async function createRawServer(
  reply: (request: RawRequest) => RawReply,
  { host = '127.0.0.1', port = 0, tls }: RawServerOptions = {},
): Promise<RawServer> {
  const requests: RawRequest[] = []
  let connections = 0
  const asked = Promise.withResolvers<void>()
  const gone = Promise.withResolvers<void>()
  const listener = (incoming: IncomingMessage, response: ServerResponse): void => {
    response.on('close', () => response.writableFinished || gone.resolve())
    void read(incoming).then((request) => {
      requests.push(request)
      asked.resolve()
      return answer(response, reply(request))
    })
  }
  const server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener)
  server.on('connection', (socket) => {
    connections++
    socket.setNoDelay(true)
    // A client that vanishes is what many tests want.
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  const { port: actual } = server.address() as AddressInfo
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${actual}`,
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
