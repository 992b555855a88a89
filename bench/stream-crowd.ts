// A crowd of stream clients in a process of its own, so that its work is not counted: half read server-sent events, half a
// WebSocket. Each counts what comes; a few also look how old it is. `node stream-crowd.ts <port> <clients> <events>`.

import { connect } from 'node:net'

const [port, clients, events] = process.argv.slice(2).map(Number) as [number, number, number]
/** Every so many clients look at ages. */
const sampled = 10
const mark = Buffer.from('"text.delta"')

const head = (path: string, more: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer a-token-for-the-bench\r\n${more}\r\n`
const upgrade =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n'
const now = (): number => performance.timeOrigin + performance.now()

const ages: number[] = []
let done = 0

/** Reads one stream. `first` is what is said when something has come. */
function read(index: number, request: string, first?: Buffer): void {
  const socket = connect(port, '127.0.0.1')
  socket.write(request)
  let count = 0
  let rest: Buffer = Buffer.alloc(0)
  let greeted = false
  socket.on('error', (error) => process.send?.({ error: error.message }))
  socket.on('close', () => {
    if (count < events) process.send?.({ error: `client ${index} was cut off at ${count} of ${events} events` })
  })
  socket.on('data', (bytes: Buffer) => {
    if (!greeted) {
      greeted = true
      if (first !== undefined) socket.write(first)
    }
    const before = count
    // A mark may lie across two chunks.
    const seam = Buffer.concat([rest, bytes.subarray(0, mark.length - 1)])
    for (let at = seam.indexOf(mark); at !== -1; at = seam.indexOf(mark, at + 1)) count++
    for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + mark.length)) count++
    rest = bytes.subarray(Math.max(0, bytes.length - mark.length + 1))
    if (index % sampled === 0 && count > before) {
      const arrived = now()
      for (const [, sent] of bytes.toString('latin1').matchAll(/"text":"(\d+\.\d+) /g))
        ages.push(arrived - Number(sent))
    }
    if (before < events && count >= events && ++done === clients) report()
  })
}

function report(): void {
  ages.sort((a, b) => a - b)
  const at = (part: number): number => ages[Math.min(ages.length - 1, Math.floor(ages.length * part))] ?? NaN
  process.send?.({ p50: at(0.5), p99: at(0.99), seen: ages.length })
}

/** A masked text frame, as clients send them; a mask of zeros leaves the text as it is. */
function masked(text: string): Buffer {
  const body = Buffer.from(text)
  return Buffer.concat([Buffer.from([0x81, 0x80 | body.length, 0, 0, 0, 0]), body])
}

const run = process.env['RUN'] ?? ''
for (let index = 0; index < clients; index++) {
  if (index % 2 === 0) read(index, head(`/api/v1/runs/${run}/events`, 'Accept: text/event-stream\r\n'))
  else read(index, head('/ws', upgrade), masked(JSON.stringify({ type: 'subscribe_tasks', run_id: run })))
}
process.on('disconnect', () => process.exit())
