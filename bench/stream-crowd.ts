// A crowd of stream clients in a process of its own, so that its work is not counted: half read server-sent events, half a
// WebSocket. A few read each event and look how old it is; the others only weigh what comes, so that the crowd is never
// what is measured: those of one wire get the same bytes. `node stream-crowd.ts <port> <clients> <events>`.

import { connect } from 'node:net'

const [port, clients, events] = process.argv.slice(2).map(Number) as [number, number, number]
/** Of so many clients two read each event: one of each wire. */
const sampled = 40

const head = (path: string, more: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer a-token-for-the-bench\r\n${more}\r\n`
const upgrade =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n'
const now = (): number => performance.timeOrigin + performance.now()

/** Every event has its time behind this, and its number, then a full stop. */
const mark = '"text":"'
const timeLength = 17
const lastMark = ` word ${events - 1}.`
/** So much of what came last holds the end of an event. */
const tailLength = 64

const ages: number[] = []
/** Bytes from the first event to the end, by wire. */
const weights: [Set<number>, Set<number>] = [new Set(), new Set()]
let done = 0

/** Reads one stream. `first` is what is said when something has come. */
function read(index: number, request: string, first?: Buffer): void {
  const reads = index % sampled < 2
  let [count, weight, rest, tail] = [0, 0, '', '']
  let [begun, over] = [false, false]
  const take = (size: number): true => {
    const bytes = shared.subarray(0, size)
    if (first !== undefined) socket.write(first)
    first = undefined
    if (begun) weight += size
    else {
      const at = bytes.indexOf(mark)
      begun = at !== -1
      if (begun) weight = size - at
    }
    if (reads) readAges(bytes.toString('latin1'))
    tail = tail.slice(-tailLength) + bytes.toString('latin1', Math.max(0, size - tailLength))
    const at = tail.indexOf(lastMark)
    if (at !== -1 && !over) finish(tail.length - at)
    return true
  }
  const readAges = (chunk: string): void => {
    const arrived = now()
    const text = rest + chunk
    let [at, from] = [text.indexOf(mark), 0]
    for (; at !== -1; at = text.indexOf(mark, from)) {
      from = at + mark.length + timeLength
      if (from > text.length) break
      ages.push(arrived - Number(text.slice(at + mark.length, from)))
      count++
    }
    // A mark, or the time behind it, may lie across two chunks.
    rest = at === -1 ? text.slice(Math.max(from, text.length - mark.length + 1)) : text.slice(at)
  }
  const finish = (beyond: number): void => {
    over = true
    weight -= beyond
    if (reads && count !== events) fail(`client ${index} read ${count} of ${events} events`)
    weights[(index % 2) as 0 | 1].add(weight)
    if (++done === clients) report()
  }
  const socket = connect({ port, host: '127.0.0.1', onread: { buffer: shared, callback: take } })
  socket.write(request)
  socket.on('error', (error) => fail(error.message))
  socket.on('close', () => {
    if (!over) fail(`client ${index} was cut off after ${weight} bytes`)
  })
}

/** What comes is looked at before anything else is read, so all may use the same bytes. */
const shared = Buffer.allocUnsafeSlow(262_144)

function fail(error: string): void {
  if (process.connected) process.send?.({ error })
}

function report(): void {
  for (const [wire, all] of weights.entries()) {
    if (all.size !== 1) return fail(`clients of wire ${wire} got ${[...all].join(', ')} bytes`)
  }
  const ended = now()
  const sorted = Float64Array.from(ages).sort()
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN
  process.send?.({ p50: at(0.5), p99: at(0.99), ended })
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
