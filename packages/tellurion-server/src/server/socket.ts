// The WebSocket at `/ws`: what upgrades a connection, and ends all of them.

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Identity } from './identity.ts'
import type { ServerSetting } from './setting.ts'

/** The open sockets of a server. */
export interface Sockets {
  /** Takes over a connection that may be upgraded; `identity` is who asks. */
  upgrade(request: IncomingMessage, socket: Duplex, options: { head: Buffer; identity: Identity }): void
  /** Closes all, with 1001; resolves when they are gone or the grace is over. */
  close(grace: number): Promise<void>
}

/** Makes the sockets of a server. */
export function createSockets(_setting: ServerSetting): Sockets {
  return {
    upgrade(_request, socket) {
      socket.end('HTTP/1.1 501 Not Implemented\r\nConnection: close\r\n\r\n')
    },
    close: () => Promise.resolve(),
  }
}
