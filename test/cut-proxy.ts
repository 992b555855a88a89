// A connection that can be cut: everything passes through here, until it is told that nothing does any more.

import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'

/** A proxy in front of a server. */
export interface CutProxy {
  readonly url: string
  /** Connections so far. */
  readonly connections: number
  /** Breaks all connections; new ones are taken again. */
  cut(): void
  close(): Promise<void>
}

/** Opens one. */
export async function openCutProxy(target: string): Promise<CutProxy> {
  const { port, hostname } = new URL(target)
  const open = new Set<Socket>()
  let connections = 0
  const server = createServer((client) => {
    connections++
    const beyond = connect(Number(port), hostname)
    for (const [from, to] of [
      [client, beyond],
      [beyond, client],
    ] as const) {
      open.add(from)
      from.on('error', () => {})
      from.on('close', () => {
        open.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = (): void => {
    for (const socket of open) socket.resetAndDestroy()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections
    },
    cut,
    async close() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
