// Upgrades: a connection that asks to speak WebSocket passes the same admission as a request, then it is a socket's.

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { failureOf, RequestError } from './failure.ts'
import { answerRaw } from './raw-answer.ts'
import type { Arrival, Routes } from './routing.ts'
import type { ServerSetting } from './setting.ts'
import type { Sockets } from './socket.ts'

/** Takes connections that ask for an upgrade. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** Makes what takes upgrades; a refused one gets the answer that a request would get, and its connection is closed. */
export function createUpgrade(setting: ServerSetting, routes: Routes, sockets: Sockets): Upgrade {
  return (request, socket, head) => {
    const requestId = setting.ids('req')
    const remote = request.socket.remoteAddress
    // A client that goes away meanwhile is no failure of the server.
    socket.on('error', () => socket.destroy())
    const arrive = ({ route, identity }: Arrival): Promise<Response> => {
      if (route !== 'socket') throw new RequestError('invalid_request', 'Only /ws speaks WebSocket.')
      setting.log.info('upgrade', { requestId, user: identity.user, remote })
      sockets.upgrade(request, socket, { head, identity })
      return Promise.resolve(new Response())
    }
    const route = async (): Promise<void> => {
      try {
        if (setting.closing.aborted) throw new RequestError('runtime_closed', 'The server is closing.')
        await routes.fetch(asRequest(request), { remote, identity: undefined, arrive })
      } catch (error) {
        const failure = failureOf(error, requestId)
        setting.log.info('upgrade.refused', { requestId, status: failure.status, code: failure.body.error.code })
        answerRaw(socket, failure)
      }
    }
    void route()
  }
}

/** What was asked, for the routes to look at. */
function asRequest({ headers, method = '', url = '/' }: IncomingMessage): Request {
  if (headers.host === undefined) throw new RequestError('malformed_request', 'The Host is missing.')
  const pairs = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)])
  try {
    return new Request(new URL(url, 'http://upgrade'), { method, headers: pairs })
  } catch {
    throw new RequestError('malformed_request', 'The address or the method is none that a request can have.')
  }
}
