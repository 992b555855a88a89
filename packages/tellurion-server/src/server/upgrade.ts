// Upgrades: a connection that asks to speak WebSocket passes the same admission as a request, then it is a socket's.

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Admission } from './admission.ts'
import { failureOf, RequestError } from './failure.ts'
import { answerRaw } from './raw-answer.ts'
import type { ServerSetting } from './setting.ts'
import type { Sockets } from './socket.ts'

/** Takes connections that ask for an upgrade. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** Makes what takes upgrades; a refused one gets the answer that a request would get, and its connection is closed. */
export function createUpgrade(setting: ServerSetting, admission: Admission, sockets: Sockets): Upgrade {
  return (request, socket, head) => {
    const requestId = setting.ids('req')
    // A client that goes away meanwhile is no failure of the server.
    socket.on('error', () => socket.destroy())
    try {
      if (setting.closing.aborted) throw new RequestError('runtime_closed', 'The server is closing.')
      const { method = '', url = '/', socket: connection } = request
      if (request.headers.host === undefined) throw new RequestError('malformed_request', 'The Host is missing.')
      const path = pathOf(url)
      const { name, identity } = admission.admit({
        method,
        path,
        headers: headersOf(request),
        remote: connection.remoteAddress,
      })
      if (name !== 'socket') throw new RequestError('invalid_request', 'Only /ws speaks WebSocket.')
      setting.log.info('upgrade', { requestId, user: identity.user, remote: connection.remoteAddress })
      sockets.upgrade(request, socket, { head, identity })
    } catch (error) {
      const failure = failureOf(error, requestId)
      setting.log.info('upgrade.refused', { requestId, status: failure.status, code: failure.body.error.code })
      answerRaw(socket, failure)
    }
  }
}

function pathOf(url: string): string {
  try {
    return new URL(url, 'http://upgrade').pathname
  } catch {
    throw new RequestError('malformed_request', 'The address is not well-formed.')
  }
}

function headersOf({ headers }: IncomingMessage): { get(name: string): string | null } {
  return {
    get(name) {
      const value = headers[name]
      return value === undefined ? null : String(value)
    },
  }
}
