// W9, streams: 10,000 events a second to 100 clients of server-sent events and 100 WebSockets. Processor time of the
// server a delivery, how old events are when they arrive, and whether all of them do.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { createRuntime, memory, type RunContext } from 'tellurion/runtime'
import { createLog } from 'tellurion/trace'
import { WebSocketServer } from 'ws'
import { createServer as createRunServer } from '../../packages/tellurion-server/src/server/server.ts'
import { macrotask, pause } from '../measure.ts'
import { measureBroadcast, type Broadcast } from '../stream-source.ts'
import type { Workload } from './workload.ts'

/** Milliseconds in which the floor gathers what it writes at once. */
const tick = 2

/** What is done by hand at best: each event is framed once for each wire, and written with others of its tick, once a client. */
async function openByHand(): Promise<Broadcast> {
  const readers: { write(bytes: Uint8Array): unknown }[] = []
  const sockets: Duplex[] = []
  const upgrades = new WebSocketServer({ noServer: true })
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(':\n\n')
    readers.push(response)
  })
  server.on('upgrade', (request, socket, head) =>
    upgrades.handleUpgrade(request, socket, head, (upgraded) => {
      upgraded.send('{}')
      sockets.push(socket)
    }),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  let lines = ''
  let frames: Buffer[] = []
  const flush = (): void => {
    const [text, bytes] = [Buffer.from(lines), Buffer.concat(frames)]
    lines = ''
    frames = []
    for (const reader of readers) reader.write(text)
    for (const socket of sockets) socket.write(bytes)
  }
  return {
    port: (server.address() as AddressInfo).port,
    run: 'run',
    emit(event) {
      const text = JSON.stringify(event)
      if (lines === '') setTimeout(flush, tick)
      lines += `data: ${text}\n\n`
      frames.push(framed(text))
    },
    async joined(clients) {
      while (readers.length + sockets.length < clients) await pause(5)
    },
    close: () => {
      server.closeAllConnections()
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** A text frame of less than 126 bytes. */
function framed(text: string): Buffer {
  const bytes = Buffer.allocUnsafe(2 + text.length)
  bytes[0] = 0x81
  bytes[1] = text.length
  bytes.write(text, 2, 'latin1')
  return bytes
}

/** A run that says what it is told, on a server with all its checks. */
async function openServer(): Promise<Broadcast> {
  const began = Promise.withResolvers<RunContext>()
  const over = Promise.withResolvers<void>()
  const runtime = await createRuntime({
    store: memory(),
    agents: [
      {
        key: 'speaker',
        run: async (context) => {
          began.resolve(context)
          await over.promise
          return { output: 'done' }
        },
      },
    ],
  })
  const identities = [{ user: 'bench', token: 'a-token-for-the-bench', scopes: ['read'] as const }]
  const server = createRunServer({ runtime, identities, log: createLog({ write: () => {} }) })
  const { port } = await server.listen()
  const run = await runtime.submit('speaker', 'Speak', { user: 'bench' })
  const { emit } = await began.promise
  return {
    port,
    run: run.id,
    emit,
    async joined(clients) {
      const admin = { identity: { user: 'admin', scopes: ['admin'] as const } }
      for (;;) {
        const stats = await server.handle(new Request('http://localhost/api/v1/stats'), admin)
        const { connections } = (await stats.json()) as { connections: { streams: number; sockets: number } }
        if (connections.streams + connections.sockets === clients) break
        await pause(20)
      }
      // The last sockets still have to be subscribed.
      await pause(200)
      await macrotask()
    },
    async close() {
      over.resolve()
      await run.result()
      await server.close({ grace: 500 })
    },
  }
}

export default {
  title: 'W9  10,000 events a second to 100 SSE and 100 WebSocket clients',
  metrics: [
    { name: 'cpu', unit: 'µs a delivery', better: 'lower', floor: 'loop' },
    { name: 'p50', unit: 'ms p50', better: 'lower' },
    { name: 'p99', unit: 'ms p99', better: 'lower' },
    { name: 'rate', unit: 'events/s', better: 'higher' },
  ],
  cells: {
    loop: (scale) => measureBroadcast(scale, openByHand),
    tellurion: (scale) => measureBroadcast(scale, openServer),
  },
  targets: [
    { cell: 'tellurion', metric: 'cpu', over: 'loop', most: 1.2 },
    { cell: 'tellurion', metric: 'p99', most: 6 },
    { cell: 'tellurion', metric: 'rate', least: 9_500 },
  ],
} satisfies Workload
