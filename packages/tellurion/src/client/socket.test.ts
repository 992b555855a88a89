import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countedIds } from '../id/id.ts'
import type { ClientFrame, ServerFrame } from '../protocol/socket.ts'
import { refusal, scriptedServer } from '../testing/scripted-server.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { createClient, type ClientOptions } from './client.ts'
import type { RemoteSocket, SocketConnection } from './socket.ts'

/** The server's end of the connections that a client makes. */
class Line implements SocketConnection {
  readonly sent: ClientFrame[] = []
  closed: number | undefined
  readonly url: string
  readonly protocols: string[]
  readonly #listeners = new Map<string, ((event: never) => void)[]>()

  constructor(url: string, protocols: string[]) {
    this.url = url
    this.protocols = protocols
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener])
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as ClientFrame)
  }

  close(code = 1005): void {
    this.closed ??= code
  }

  say(...frames: ServerFrame[]): void {
    for (const frame of frames) this.#emit('message', { data: JSON.stringify(frame) })
  }

  raw(data: unknown): void {
    this.#emit('message', { data })
  }

  breaks(): void {
    this.#emit('error', {})
    this.#emit('close', { code: 1006 })
  }

  #emit(type: string, event: object): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event as never)
  }
}

const hello: ServerFrame = { type: 'connection_established', heartbeat: 30_000, version: '1.0.0' }
const run = { run_id: 'r', session_id: 's' }
const piece = (content: string, seq: number): ServerFrame => ({ type: 'stream_data', ...run, seq, data: { content } })
const said = (seq: number): ServerFrame => ({
  type: 'message',
  ...run,
  seq,
  data: { role: 'assistant', content: 'ab' },
})

function bench(options: Partial<ClientOptions> = {}) {
  const lines: Line[] = []
  const clock = virtualClock()
  const server = scriptedServer({ socket: () => refusal(426, 'upgrade_required') })
  const client = createClient({
    baseURL: 'https://tellurion.test/base',
    token: 'token',
    fetch: server.fetch,
    WebSocket: class extends Line {
      constructor(url: string, protocols: string[]) {
        super(url, protocols)
        lines.push(this)
      }
    },
    reconnect: { jitter: 'none', maxRetries: 3 },
    ports: { clock, ids: countedIds() },
    ...options,
  })
  return { client, clock, lines, server, line: () => lines.at(-1)! }
}

/** The next frames of a socket. */
async function take(socket: RemoteSocket, count: number): Promise<ServerFrame[]> {
  const frames = socket[Symbol.asyncIterator]()
  const taken: ServerFrame[] = []
  while (taken.length < count) taken.push((await frames.next()).value as ServerFrame)
  return taken
}

test('a connection offers the protocol and the token, and what is sent before it stands waits', async () => {
  const { client, line, lines } = bench()
  const socket = client.socket()
  assert.equal(line().url, 'wss://tellurion.test/base/ws')
  assert.deepEqual(line().protocols, ['tellurion.v1', `bearer.${Buffer.from('token').toString('base64url')}`])
  assert.equal(socket.state, 'connecting')
  const id = socket.send({ type: 'chat', content: 'Hi' })
  assert.deepEqual(line().sent, [])
  line().say(hello)
  assert.equal(socket.state, 'open')
  assert.deepEqual(line().sent, [{ type: 'chat', content: 'Hi', key: 'key_2', session_id: 'session_3', id }])
  const keyed = socket.send({ type: 'chat', content: 'Hi', key: 'k' })
  assert.deepEqual(line().sent.at(-1), { type: 'chat', content: 'Hi', key: 'k', id: keyed })
  socket.close()
  assert.deepEqual([lines.length, line().closed], [1, 1000])
})

test('over another connection what stood goes on, and nothing comes twice', async () => {
  const { client, clock, lines, line } = bench()
  const socket = client.socket()
  line().say(hello)
  const id = socket.send({ type: 'chat', content: 'Hi', session_id: 's', key: 'k' })
  socket.send({ type: 'join_session', session_id: 'other', id: 'j' })
  line().say(
    { type: 'task_created', ...run, id, data: { id: 'r' } as never },
    { type: 'session_joined', session_id: 'other', id: 'j', data: {} as never },
    { type: 'heartbeat', at: 1 },
    said(3),
    piece('a', 3),
  )
  line().breaks()
  assert.equal(socket.state, 'connecting')
  socket.send({ type: 'ping', id: 'p' })
  await clock.advance(250)
  assert.equal(lines.length, 2)
  line().say(hello)
  assert.deepEqual(line().sent, [
    { type: 'subscribe_tasks', id: 'again', run_id: 'r', after: 3, as: 'chat' },
    { type: 'join_session', id: 'again', session_id: 'other' },
    { type: 'ping', id: 'p' },
  ])
  line().say(
    { type: 'task_updated', id: 'again', ...run, data: { id: 'r' } as never },
    { type: 'session_joined', id: 'again', session_id: 'other', data: {} as never },
    said(3),
    piece('ab', 3),
    piece('c', 3),
    said(4),
    { type: 'stream_complete', ...run, data: { content: 'ab', status: 'succeeded' } },
  )
  const types = (await take(socket, 11)).map((frame) =>
    frame.type === 'stream_data' ? [frame.data.content, frame.data.anew ?? false] : frame.type,
  )
  assert.deepEqual(types, [
    'connection_established',
    'task_created',
    'session_joined',
    'message',
    ['a', false],
    'connection_established',
    'task_updated',
    ['ab', true],
    ['c', false],
    'message',
    'stream_complete',
  ])
  line().breaks()
  await clock.advance(250)
  line().say(hello)
  assert.deepEqual(
    line().sent.map(({ type }) => type),
    ['join_session', 'ping'],
    'a run that has ended is not asked for again',
  )
  socket.close()
  assert.equal(clock.pending, 0)
})

test('an answer or a steer of which nobody knows is told as that, and not sent again', async () => {
  const { client, clock, line } = bench()
  const socket = client.socket()
  line().say(hello)
  const steered = socket.ask({ type: 'steer', run_id: 'r', content: 'x' })
  const answered = socket.ask({ type: 'answer', interaction_id: 'i', answer: 'approve' })
  line().breaks()
  await clock.advance(250)
  line().say(hello)
  assert.deepEqual(line().sent, [])
  await assert.rejects(steered, { code: 'server_unreachable', message: /'steer' was answered/ })
  await assert.rejects(answered, { code: 'server_unreachable' })
  socket.close()
})

test('a connection on which nothing comes for 75 seconds is dead, one with heartbeats is not', async () => {
  const { client, clock, lines, line } = bench()
  const socket = client.socket()
  line().say(hello)
  for (let beat = 0; beat < 10; beat++) {
    await clock.advance(60_000)
    line().say({ type: 'heartbeat', at: clock.now() })
  }
  assert.equal(lines.length, 1)
  await clock.advance(75_250)
  assert.equal(lines.length, 2)
  socket.close()
  assert.equal(clock.pending, 0)
})

test('patience ends; a server that greets and breaks off is not asked for ever', async () => {
  const { client, clock, lines } = bench()
  const socket = client.socket()
  const reading = assert.rejects(take(socket, 9), { code: 'server_unreachable' })
  for (let tries = 0; tries < 4; tries++) {
    lines.at(-1)!.say(hello)
    lines.at(-1)!.breaks()
    await clock.advance(10_000)
  }
  await reading
  assert.equal(lines.length, 4)
  assert.equal(socket.state, 'closed')
  assert.equal(clock.pending, 0)
})

test('a reader that does not read is told so, and what is no frame is read over', async () => {
  const { client, line } = bench()
  const socket = client.socket()
  line().say(hello)
  for (const odd of ['{', 'null', '7', '{"type":7}', new Uint8Array(3)]) line().raw(odd)
  for (let count = 0; count < 10_000; count++) line().say(piece('x', 1))
  assert.equal(socket.state, 'closed')
  await assert.rejects(take(socket, 10_001), { code: 'slow_reader' })
})

test('no more than a thousand frames wait for their answers', () => {
  const { client } = bench()
  const socket = client.socket()
  for (let count = 0; count < 1000; count++) socket.send({ type: 'ping' })
  assert.throws(() => socket.send({ type: 'ping' }), { code: 'channel_full' })
  socket.close()
})
