// Bytes by hand to a server's socket, for tests: what no well-behaved client would send.

import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { sleep } from 'tellurion/world'

/** Sends some bytes and gives what is answered until the connection ends, or nothing comes any more. */
export async function raw(port: number, head: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(head)
  let text = ''
  socket.setEncoding('latin1').on('data', (data: string) => (text += data))
  socket.on('error', () => {})
  const ended = new Promise((resolve) => socket.once('close', resolve))
  await Promise.race([ended, answered(socket, () => text)])
  socket.destroy()
  return text
}

/** Resolves when a whole answer is there on a connection that stays open. */
async function answered(socket: Socket, text: () => string): Promise<void> {
  while (!socket.destroyed) {
    const [head, body] = text().split('\r\n\r\n')
    const length = /content-length: (\d+)/i.exec(head ?? '')?.[1]
    if (length !== undefined && (body?.length ?? 0) >= Number(length)) return
    await sleep(5)
  }
}

/** Opens a socket by hand, sends bytes as they are, and gives the code of the close frame. */
export async function closeCodeOf(port: number, { bytes, token }: { bytes: Buffer; token: string }): Promise<number> {
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (data: Buffer) => chunks.push(data))
  socket.on('error', () => {})
  socket.write(
    `GET /ws HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\nauthorization: Bearer ${token}\r\n\r\n`,
  )
  while (!Buffer.concat(chunks).includes('connection_established')) await sleep(2)
  chunks.length = 0
  socket.write(bytes)
  while (Buffer.concat(chunks).length < 4) await sleep(2)
  socket.destroy()
  const close = Buffer.concat(chunks)
  assert.equal(close[0], 0x88)
  return close.readUInt16BE(2)
}
