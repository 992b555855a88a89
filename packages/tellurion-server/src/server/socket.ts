// The WebSocket at `/ws`: what upgrades a connection, takes its frames one after another, and ends all of them.

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { closeCodes, jsonProblem, routes, socketProtocol, type ClientFrameType } from 'tellurion/protocol'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'
import type { Admission } from './admission.ts'
import { checked } from './body.ts'
import { failureOf, RequestError, type Failure } from './failure.ts'
import { may, type Identity } from './identity.ts'
import { NewsCircle } from './news-circle.ts'
import { answerRaw } from './raw-answer.ts'
import { createNewsDesk } from './run-news.ts'
import { clientFrames, frameId } from './schema-frame.ts'
import type { ServerSetting } from './setting.ts'
import { SocketClient } from './socket-client.ts'
import { deeds, type Deed } from './socket-deed.ts'

/** The open sockets of a server. */
export interface Sockets {
  /** Takes over a connection that may be upgraded; `identity` is who asks. Throws `invalid_request`. */
  upgrade(request: IncomingMessage, socket: Duplex, options: { head: Buffer; identity: Identity }): void
  /** Closes all, with 1001; resolves when they are gone or the grace is over. */
  close(grace: number): Promise<void>
}

/** Frames of one client that wait to be taken; past it nothing more is read from it. */
const mostPending = 16

/** Makes the sockets of a server. */
export function createSockets(setting: ServerSetting, admission: Admission): Sockets {
  const { limits, connections, streams, clock, log } = setting
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: limits.frame,
    handleProtocols: (offered) => offered.has(socketProtocol) && socketProtocol,
  })
  server.on('wsClientError', (error, connection) => answerRaw(connection, unopened(error, setting)))
  const clients = new Map<SocketClient, WebSocket>()
  const circle = new NewsCircle({ desk: createNewsDesk(setting), runtime: setting.runtime })

  const open = (socket: WebSocket, connection: Duplex, identity: Identity): void => {
    const client = new SocketClient({ setting, identity, socket, connection, circle })
    const give = seatOf(identity)
    // What `ws` finds wrong with frames it answers with a close code by itself.
    socket.on('error', (error) => log.debug('socket.failed', { user: identity.user, error: error.message }))
    if (give === undefined)
      return client.close(closeCodes.tooMany, `You have ${limits.streams} streams and sockets open.`)
    connections.sockets++
    clients.set(client, socket)
    const stopBeat = streams.pulse.join(() => client.beat())
    socket.on('message', reader(client, socket, admission))
    socket.once('close', (code) => {
      stopBeat()
      client.end()
      give()
      clients.delete(client)
      connections.sockets--
      log.info('socket.closed', { user: identity.user, code })
    })
    client.send({ type: 'connection_established', heartbeat: limits.silence, version: setting.version })
  }
  const seatOf = ({ user }: Identity): (() => void) | undefined => {
    try {
      return streams.seats.take(user)
    } catch {
      return undefined
    }
  }
  return {
    upgrade(request, connection, { head, identity }) {
      checkProtocols(request)
      server.handleUpgrade(request, connection, head, (socket) => open(socket, connection, identity))
    },
    async close(grace) {
      const gone = [...clients].map(
        ([client, socket]) =>
          new Promise<void>((resolve) => {
            socket.once('close', () => resolve())
            client.close(1001, 'The server is closing.')
          }),
      )
      const over = Promise.withResolvers<void>()
      const stop = clock.timer(grace, () => over.resolve())
      await Promise.race([Promise.all(gone), over.promise])
      stop()
      for (const socket of clients.values()) socket.terminate()
    },
  }
}

/** A browser fails a connection for which it offered subprotocols and got none: that is better said. */
function checkProtocols({ headers }: IncomingMessage): void {
  const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim())
  if (offered === undefined || offered.includes(socketProtocol)) return
  throw new RequestError('invalid_request', `Offer the subprotocol '${socketProtocol}' too; it is the one spoken here.`)
}

/** The request for an upgrade is none: what the client is told. */
function unopened({ message }: Error, { ids }: ServerSetting): Failure {
  const version = { 'sec-websocket-version': '13' }
  return failureOf(new RequestError('malformed_request', `This opens no WebSocket: ${message}.`, version), ids('req'))
}

/** Takes the frames of a client, one after another; one that sends faster than they are done is made to wait. */
function reader(
  client: SocketClient,
  socket: WebSocket,
  admission: Admission,
): (data: RawData, isBinary: boolean) => void {
  let pending = 0
  let last = Promise.resolve()
  return (data, isBinary) => {
    client.heard()
    if (++pending === mostPending) socket.pause()
    last = last.then(async () => {
      if (!client.gone.aborted) await take(client, isBinary ? undefined : String(data as Buffer), admission)
      if (pending-- === mostPending) socket.resume()
    })
  }
}

/** Does what a frame asks for, or says why not. */
async function take(client: SocketClient, text: string | undefined, admission: Admission): Promise<void> {
  const { identity } = client
  let id: string | undefined
  try {
    // A frame counts like a request, whatever is in it.
    admission.pass(identity, 'socket')
    const frame = parsed(text)
    if (frameId.safeParse(frame.id).success) id = frame.id as string
    const type = typeOf(frame)
    const deed = deeds[type] as Deed<ClientFrameType>
    const { scope } = routes[deed.route]
    if (!may(identity, scope)) throw new RequestError('forbidden', `This needs the scope '${scope}'.`)
    await deed.do(client, checked(clientFrames[type], frame, 'frame') as never)
  } catch (error) {
    client.refuse(error, id)
  }
}

function parsed(text: string | undefined): { readonly type?: unknown; readonly id?: unknown } {
  if (text === undefined) throw new RequestError('malformed_request', 'Frames are text, each one JSON object.')
  let frame: unknown
  try {
    frame = JSON.parse(text)
  } catch {
    throw new RequestError('malformed_request', 'The frame is not JSON.')
  }
  const problem = jsonProblem(frame)
  if (problem !== undefined) throw new RequestError('malformed_request', `The frame cannot be taken: ${problem}.`)
  if (typeof frame === 'object' && frame !== null && !Array.isArray(frame)) return frame
  throw new RequestError('malformed_request', 'A frame is one JSON object with a type.')
}

function typeOf({ type }: { readonly type?: unknown }): ClientFrameType {
  if (typeof type === 'string' && Object.hasOwn(deeds, type)) return type as ClientFrameType
  const known = Object.keys(deeds).join(', ')
  throw new RequestError('invalid_request', `The type of a frame is one of ${known}.`)
}
