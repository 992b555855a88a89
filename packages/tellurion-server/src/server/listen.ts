// Listening: the handler behind a socket, with its caps on headers, time and connections, and an end that waits.

import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import { TellurionError } from 'tellurion'
import type { Handler } from './handler.ts'
import type { ServerSetting } from './setting.ts'

/** Where a server listens. */
export interface Address {
  /** `http://127.0.0.1:8000`. */
  readonly url: string
  readonly port: number
}

/** A listening socket. */
export interface Listener extends Address {
  /** Takes no more connections and waits for the open ones at most `grace` milliseconds, then cuts them. */
  close(grace: number): Promise<void>
}

/** What answers on the socket. */
export interface ListenOptions {
  readonly host: string
  readonly port: number
  readonly handle: Handler
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

/** Opens a socket. Rejects with `invalid_option` when it cannot be had. */
export async function listen(setting: ServerSetting, options: ListenOptions): Promise<Listener> {
  const { limits, connections, clock } = setting
  const { host, port, handle, upgrade } = options
  const answer = getRequestListener(
    (request, env) => {
      const { incoming } = env as { incoming: IncomingMessage }
      return handle(request, { ...remoteOf(incoming), cut: () => incoming.destroy() })
    },
    { overrideGlobalObjects: false },
  )
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headerTime,
      requestTimeout: limits.requestTime,
      keepAliveTimeout: 5000,
      connectionsCheckingInterval: Math.min(1000, limits.headerTime, limits.requestTime),
    },
    (incoming, outgoing) => void answer(incoming, outgoing),
  )
  server.maxConnections = limits.connections
  server.maxHeadersCount = limits.headerCount
  server.on('connection', (socket) => {
    connections.http++
    socket.once('close', () => connections.http--)
  })
  server.on('upgrade', upgrade)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(error, host, port)))
    server.listen(port, host, resolve)
  })
  const address = server.address() as AddressInfo
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return {
    url: `http://${name}:${address.port}`,
    port: address.port,
    close: async (grace) => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const stop = clock.timer(grace, () => server.closeAllConnections())
      await closed
      stop()
    },
  }
}

function remoteOf({ socket }: IncomingMessage): { remote?: string } {
  return socket.remoteAddress === undefined ? {} : { remote: socket.remoteAddress }
}

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): TellurionError {
  const why = error.code === 'EADDRINUSE' ? 'something listens there already' : error.message
  return new TellurionError('invalid_option', `Cannot listen on ${host}:${port}: ${why}.`, { cause: error })
}
