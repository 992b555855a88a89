// Answers on a bare connection: where there is no request that could be answered, or where it is no request any more.

import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Failure } from './failure.ts'

/** Writes a failure as a whole HTTP answer, and closes the connection. */
export function answerRaw(socket: Duplex, { status, body, headers }: Failure): void {
  if (!socket.writable) return void socket.destroy()
  const text = JSON.stringify(body)
  const lines = Object.entries({
    ...headers,
    'x-request-id': body.error.requestId,
    connection: 'close',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${text}`)
}
