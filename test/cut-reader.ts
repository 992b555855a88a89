// Readers of a run's events that are cut off again and again at random places, over server-sent events and the WebSocket.
// Each comes again with the number of the last event that had come whole, as any client would.

import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { macrotask } from 'tellurion/testing'

/** What a reader reads. */
export interface CutReading {
  readonly port: number
  readonly token: string
  readonly run: string
  /** How many bytes come before the connection is cut; undefined leaves it. */
  readonly cutAfter: () => number | undefined
}

/** What one connection brought. */
interface Piece {
  readonly numbers: readonly number[]
  /** Whether the run was told to its end. */
  readonly ended: boolean
}

/** The numbers of the events that came, in the order in which they came, and how often the reader was cut off. */
export interface CutOutcome {
  readonly numbers: number[]
  cuts: number
}

/** Reads a run to its end over one of the ways. */
export async function readCut(way: 'sse' | 'ws', reading: CutReading, outcome: CutOutcome): Promise<void> {
  for (;;) {
    const { numbers, ended } = await (way === 'sse' ? readStream : readSocket)(reading, outcome.numbers.at(-1) ?? 0)
    for (const number of numbers) outcome.numbers.push(number)
    if (ended) return
    outcome.cuts++
  }
}

/** One connection: what it brings is given to `take` until it is cut, or `take` says that it was the end. */
function bring(
  { port, cutAfter }: CutReading,
  hello: string | Buffer,
  take: (text: Buffer, socket: Socket) => boolean,
): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  let left = cutAfter() ?? Infinity
  let ended = false
  const socket = connect(port, '127.0.0.1')
  const cut = (): void => void socket.resetAndDestroy()
  // Some are cut before anything was said.
  if (left <= 0) void macrotask().then(cut)
  else socket.write(hello)
  socket.on('data', (bytes: Buffer) => {
    if (ended) return
    ended = take(bytes.subarray(0, Math.min(left, bytes.length)), socket)
    left -= bytes.length
    if (ended || left <= 0) cut()
  })
  socket.on('error', (error: NodeJS.ErrnoException) => error.code === 'ECONNRESET' || reject(error))
  socket.on('close', () => resolve(ended))
  return promise
}

async function readStream(reading: CutReading, after: number): Promise<Piece> {
  const numbers: number[] = []
  let told = ''
  const from = after === 0 ? '' : `Last-Event-ID: ${after}\r\n`
  const hello = `GET /api/v1/runs/${reading.run}/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${reading.token}\r\nAccept: text/event-stream\r\n${from}\r\n`
  const ended = await bring(reading, hello, (bytes) => {
    told += bytes.toString('latin1')
    assert.match(told, /^HTTP\/1\.1 20[04]\s|^.{0,12}$/s, 'it is answered')
    // An event counts when its empty line has come.
    for (const [, id] of told.matchAll(/^id: (\d+)\ndata: .*\n\n/gm)) numbers.push(Number(id))
    const whole = told.lastIndexOf('\n\n')
    // The end, too, counts only when it has come whole.
    const over = told.startsWith('HTTP/1.1 204') || /"type":"run\.succeeded".*\n\n/.test(told)
    if (whole !== -1 && !over) told = `HTTP/1.1 200\n${told.slice(whole + 2)}`
    return over
  })
  return { numbers, ended }
}

/** A masked text frame; a mask of zeros leaves the text as it is. */
function masked(frame: object): Buffer {
  const body = Buffer.from(JSON.stringify(frame))
  assert.ok(body.length < 126)
  return Buffer.concat([Buffer.from([0x81, 0x80 | body.length, 0, 0, 0, 0]), body])
}

async function readSocket(reading: CutReading, after: number): Promise<Piece> {
  const { token, run } = reading
  const numbers: number[] = []
  let rest: Buffer | undefined
  let head = ''
  const upgrade = `GET /ws HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n`
  let over = false
  const frames = (bytes: Buffer, socket: Socket): void => {
    rest = Buffer.concat([rest ?? Buffer.alloc(0), bytes])
    for (let found = frameIn(rest); found !== undefined; found = frameIn(rest)) {
      rest = rest.subarray(found.size)
      if (found.kind === ping) socket.write(pong)
      else if (found.kind === close) socket.resetAndDestroy()
      if (found.kind !== text) continue
      const { type, seq } = JSON.parse(found.body) as { readonly type: string; readonly seq?: number }
      assert.notEqual(type, 'error', found.body)
      if (type === 'event' && seq !== undefined) numbers.push(seq)
      if (type === 'task_completed') over = true
    }
  }
  const ended = await bring(reading, upgrade, (bytes, socket) => {
    if (rest !== undefined) frames(bytes, socket)
    else {
      head += bytes.toString('latin1')
      const end = head.indexOf('\r\n\r\n')
      if (end === -1) return false
      assert.match(head, /^HTTP\/1\.1 101 /)
      socket.write(masked({ type: 'subscribe_tasks', run_id: run, after }))
      frames(Buffer.from(head.slice(end + 4), 'latin1'), socket)
    }
    return over
  })
  return { numbers, ended }
}

/** First bytes of whole frames. */
const [text, close, ping] = [0x81, 0x88, 0x89] as const
/** Masked, as all that clients send, and empty. */
const pong = Buffer.from([0x8a, 0x80, 0, 0, 0, 0])

/** The first frame, when all of it is there. */
function frameIn(bytes: Buffer): { readonly kind: number; readonly body: string; readonly size: number } | undefined {
  if (bytes.length < 2) return undefined
  const [kind = 0, short = 0] = bytes
  assert.ok(kind === text || kind === close || kind === ping, `${kind} is no frame of this server`)
  const start = short < 126 ? 2 : short === 126 ? 4 : 10
  if (bytes.length < start) return undefined
  const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  if (bytes.length < start + length) return undefined
  return { kind, body: bytes.toString('utf8', start, start + length), size: start + length }
}
