// Listening: the handler behind a socket, with its caps on headers, time and connections, and an end that waits.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { TellurionError } from 'tellurion'
import type { Listener } from './address.ts'
import { readFrom } from './body.ts'
import { failureOf, RequestError, type Failure } from './failure.ts'
import type { Handler } from './handler.ts'
import { serveJson } from './json-answer.ts'
import { answerRaw } from './raw-answer.ts'
import type { ServerSetting } from './setting.ts'
import { serveStream } from './stream.ts'

/** What answers on the socket. */
export interface ListenOptions {
  readonly host: string
  readonly port: number
  readonly handle: Handler
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

/**
 * Connections that wait to be taken in. Node takes one in each turn of its loop, so when many come at one time, as after a
 * restart, most wait; those that find no place are lost and come again after seconds. The system may allow fewer.
 */
const mostComing = 4096

/** Opens a socket. Rejects with `invalid_option` when it cannot be had. */
export async function listen(setting: ServerSetting, options: ListenOptions): Promise<Listener> {
  const { limits, connections, clock } = setting
  const { host, port, handle, upgrade } = options
  const answer = getRequestListener(
    async (request, env) => {
      const { incoming, outgoing } = env as { incoming: IncomingMessage; outgoing: ServerResponse }
      readFrom(request, incoming)
      const response = await handle(request, remoteOf(incoming))
      const isServed = serveJson(response, outgoing) || serveStream(response, outgoing)
      return isServed ? RESPONSE_ALREADY_SENT : response
    },
    {
      overrideGlobalObjects: false,
      // What makes no address; nothing else comes here, as the handler never throws.
      errorHandler: () => {
        const error = new RequestError('malformed_request', 'The Host is missing, or it and the path are no address.')
        const { status, body } = failureOf(error, setting.ids('req'))
        return Response.json(body, { status, headers: { 'x-request-id': body.error.requestId, connection: 'close' } })
      },
    },
  )
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headerTime,
      requestTimeout: limits.requestTime,
      keepAliveTimeout: 5000,
      connectionsCheckingInterval: Math.min(1000, limits.headerTime, limits.requestTime),
      // Without one there is no address, which is answered like every other mistake.
      requireHostHeader: false,
      // Whoever offers another protocol, such as HTTP/2, goes on in this one. Older versions of Node ask nobody.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
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
  server.on('checkExpectation', ({ socket }) => answerRaw(socket, unexpected(setting)))
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET') return void socket.destroy()
    answerRaw(socket, unreadable(error, setting))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(error, host, port)))
    server.listen({ port, host, backlog: mostComing }, resolve)
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

/** What came was no request: what the client is told. */
function unreadable({ code }: NodeJS.ErrnoException, { ids, log }: ServerSetting): Failure {
  const requestId = ids('req')
  log.info('request.unreadable', { requestId, code: code ?? '' })
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return failureOf(new RequestError('request_timeout', 'The request did not arrive in time.'), requestId)
    case 'HPE_HEADER_OVERFLOW': {
      const error = new RequestError('request_too_large', 'The headers are too large.')
      return { ...failureOf(error, requestId), status: 431 }
    }
    default:
      return failureOf(new RequestError('malformed_request', 'This is no HTTP request.'), requestId)
  }
}

/** The client waits for something before its body that this server does not know. */
function unexpected({ ids }: ServerSetting): Failure {
  const error = new RequestError('malformed_request', 'Expect says something other than 100-continue.')
  return { ...failureOf(error, ids('req')), status: 417 }
}

function remoteOf({ socket }: IncomingMessage): { remote?: string } {
  return socket.remoteAddress === undefined ? {} : { remote: socket.remoteAddress }
}

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): TellurionError {
  const why = error.code === 'EADDRINUSE' ? 'something listens there already' : error.message
  return new TellurionError('invalid_option', `Cannot listen on ${host}:${port}: ${why}.`, { cause: error })
}
