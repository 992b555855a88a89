// The client's WebSocket on the real server: what is said over it, and that a connection may break at any instant without
// anything missing or coming twice.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Agent, textOf, tool, type TellurionError } from 'tellurion'
import { createClient, type Client, type RemoteSocket } from 'tellurion/client'
import type { ServerFrame } from 'tellurion/protocol'
import { createRuntime, memory, type Runtime } from 'tellurion/runtime'
import { scriptedModel } from 'tellurion/testing'
import { createLog } from 'tellurion/trace'
import { sleep } from 'tellurion/world'
import { seededRandom } from '../packages/tellurion/src/id/random.ts'
import { WebSocket as WsSocket } from 'ws'
import { createServer, type Server } from 'tellurion-server/server'
import { openCutProxy, type CutProxy } from './cut-proxy.ts'

const token = 'the-token-of-ada-0123456789'
const soon = { maxRetries: 50, initialWait: 5, maxWait: 20 } as const
const quick = { retry: soon, reconnect: soon } as const

const code = (expected: string) => (error: unknown) => {
  assert.equal((error as TellurionError).code, expected, String(error))
  return true
}

type OfRun = Extract<ServerFrame, { readonly run_id: string }>

/** The frames of a chat, to its end. */
async function chat(socket: RemoteSocket, content: string, session: string): Promise<ServerFrame[]> {
  const id = socket.send({ type: 'chat', content, session_id: session })
  const frames: ServerFrame[] = []
  let run: string | undefined
  for (;;) {
    const { value: frame } = (await socket[Symbol.asyncIterator]().next()) as { value: ServerFrame }
    if (frame.type === 'task_created' && frame.id === id) run = frame.run_id
    if (run === undefined || (frame as Partial<OfRun>).run_id !== run) continue
    frames.push(frame)
    if (frame.type === 'stream_complete') return frames
  }
}

/** What the pieces of a chat make up, reply by reply, and what the messages say. */
function heard(frames: readonly ServerFrame[]): { readonly pieces: string[]; readonly messages: string[] } {
  const [pieces, messages]: [string[], string[]] = [[], []]
  let text = ''
  for (const frame of frames) {
    if (frame.type === 'stream_data') text = (frame.data.anew === true ? '' : text) + frame.data.content
    if (frame.type !== 'message' || frame.data.role !== 'assistant') continue
    pieces.push(text)
    messages.push(textOf(frame.data))
    text = ''
  }
  return { pieces, messages }
}

/** Cuts the connections of a proxy again and again, after some milliseconds each time. */
function cutting(proxy: CutProxy, least: number, most: number): AsyncDisposable & { readonly connections: number } {
  const random = seededRandom(7)
  const before = proxy.connections
  let over = false
  const work = (async (): Promise<void> => {
    while (!over) {
      await sleep(least + random() * (most - least))
      proxy.cut()
    }
  })()
  return {
    get connections() {
      return proxy.connections - before
    },
    async [Symbol.asyncDispose]() {
      over = true
      await work
    },
  }
}

const speech = (said: string): string => `You said ${said}, and that takes some time to be answered.`

describe("the client's WebSocket", () => {
  let runtime: Runtime
  let server: Server
  let proxy: CutProxy
  let client: Client

  before(async () => {
    const model = scriptedModel(({ messages }) => speech(textOf(messages.at(-1)!)), { chunkSize: 4, delay: 1 })
    const step = { calls: [{ toolName: 'think', input: {} }] }
    const steps = scriptedModel([...Array.from({ length: 40 }, () => step), 'Done.'], { delay: 5 })
    const think = tool({ description: 'Thinks', inputSchema: { type: 'object' }, effects: 'read', execute: () => 'so' })
    const agents = [new Agent({ name: 'guide', model }), new Agent({ name: 'worker', model: steps, tools: { think } })]
    runtime = await createRuntime({ store: memory(), agents })
    const identities = [{ user: 'ada', token, scopes: ['admin'] }] as const
    const limits = { requests: 1_000_000, burst: 1_000_000 }
    server = createServer({ runtime, identities, limits, log: createLog({ level: 'error', write: () => {} }) })
    proxy = await openCutProxy((await server.listen()).url)
    client = createClient({ baseURL: proxy.url, token, ...quick })
  })
  after(async () => {
    await proxy.close()
    await server.close({ grace: 500 })
  })

  for (const [whose, WebSocket] of [
    ['of the platform', globalThis.WebSocket],
    ['of the package ws', WsSocket],
  ] as const) {
    test(`a chat streams and ends, over the WebSocket ${whose}`, async () => {
      const own = createClient({ baseURL: proxy.url, token, WebSocket: WebSocket as never, ...quick })
      const socket = own.socket()
      socket.send({ type: 'chat', content: 'hello', session_id: 's1' })
      let text = ''
      for await (const frame of socket) {
        if (frame.type === 'stream_data') text += frame.data.content
        if (frame.type === 'stream_complete') break
      }
      assert.equal(text, speech('hello'))
      assert.equal(socket.state, 'closed')
    })
  }

  test('frames are answered under their ids, and refused by their codes', async () => {
    const socket = client.socket()
    assert.equal((await socket.ask({ type: 'ping' })).type, 'pong')
    const made = await socket.ask({ type: 'create_session', session_id: 'asked' })
    assert.deepEqual([made.type, 'session_id' in made && made.session_id], ['session_created', 'asked'])
    const created = await socket.ask({ type: 'chat', content: 'hi' })
    assert.equal(created.type, 'task_created')
    const run = (created as OfRun).run_id
    assert.equal((await socket.ask({ type: 'cancel', run_id: run })).type, 'task_completed')
    await assert.rejects(socket.ask({ type: 'steer', run_id: run, content: 'x' }), code('invalid_transition'))
    await assert.rejects(socket.ask({ type: 'join_session', session_id: 'nowhere' }), code('unknown_session'))
    await assert.rejects(socket.ask({ type: 'frown' } as never), code('invalid_request'))
    const given = new AbortController()
    const waiting = socket.ask({ type: 'ping' }, { signal: given.signal })
    given.abort(new Error('enough'))
    await assert.rejects(waiting, /enough/)
    const late = socket.ask({ type: 'ping' })
    socket.close()
    await assert.rejects(late, code('channel_closed'))
    assert.throws(() => socket.send({ type: 'ping' }), code('channel_closed'))
  })

  test('the same key is the same run over another socket, without a session too', async () => {
    const runs = new Set<string>()
    for (let turn = 0; turn < 3; turn++) {
      const socket = client.socket()
      const created = await socket.ask({ type: 'chat', content: 'order', key: 'order-1' })
      assert.equal(created.type, 'task_created')
      runs.add((created as OfRun).run_id)
      socket.close()
    }
    assert.equal(runs.size, 1)
  })

  test('connections break at any instant, and every chat is made once and heard whole', async (t) => {
    const socket = client.socket()
    await using cuts = cutting(proxy, 4, 44)
    for (let turn = 0; turn < 12; turn++) {
      const frames = await chat(socket, `no ${turn}`, 'cut')
      const { pieces, messages } = heard(frames)
      assert.deepEqual(messages, [speech(`no ${turn}`)])
      assert.deepEqual(pieces, messages)
      const seqs = frames.flatMap((frame) =>
        frame.type === 'event' || frame.type === 'message' ? (frame.seq ?? []) : [],
      )
      assert.deepEqual(
        seqs,
        [...new Set(seqs)].sort((a, b) => a - b),
      )
    }
    socket.close()
    t.diagnostic(`${cuts.connections} connections`)
    assert.ok(cuts.connections > 12)
    assert.equal((await runtime.runs({ session: 'cut' })).length, 12)
  })

  test('connections break at any instant, and the events of a run come once and in order', async () => {
    const socket = client.socket()
    const run = await client.runs.create({ input: `a question ${'that is long '.repeat(20)}` })
    socket.send({ type: 'subscribe_tasks', run_id: run.id })
    await using cuts = cutting(proxy, 0, 20)
    const seqs: number[] = []
    for await (const frame of socket) {
      if (frame.type === 'event' && frame.seq !== undefined) seqs.push(frame.seq)
      if (frame.type === 'task_completed') break
    }
    assert.ok(cuts.connections > 2)
    const { events } = await client.runs.get(run.id)
    assert.deepEqual(
      seqs,
      Array.from({ length: events }, (_, index) => index + 1),
    )
  })

  test('many streams break at any instant, and each brings every kept event once and in order', async (t) => {
    const { id } = await client.runs.create({ input: 'work', agent: 'worker' })
    await using cuts = cutting(proxy, 5, 40)
    const readers = Array.from({ length: 20 }, async () => {
      const seqs: number[] = []
      for await (const { seq } of client.runs.events(id)) if (seq !== undefined) seqs.push(seq)
      return seqs
    })
    const read = await Promise.all(readers)
    const { events } = await client.runs.get(id)
    t.diagnostic(`${cuts.connections} connections, ${events} events`)
    const all = Array.from({ length: events }, (_, index) => index + 1)
    for (const seqs of read) assert.deepEqual(seqs, all)
    assert.ok(cuts.connections > 60 && events > 100)
  })

  test('what is joined stays joined, and what is left stays left', async () => {
    const [one, two] = [client.socket(), client.socket()]
    await one.ask({ type: 'create_session', session_id: 'joined' })
    await one.ask({ type: 'join_session', session_id: 'joined' })
    proxy.cut()
    const frames = chat(two, 'to all', 'joined')
    for await (const frame of one) if (frame.type === 'stream_complete') break
    await frames
    const three = client.socket()
    await three.ask({ type: 'join_session', session_id: 'joined' })
    await three.ask({ type: 'leave_session', session_id: 'joined' })
    proxy.cut()
    await three.ask({ type: 'ping' })
    await chat(two, 'to nobody', 'joined')
    three.close()
    for await (const frame of three) assert.ok(!frame.type.startsWith('stream'), frame.type)
    two.close()
  })

  test('who may not come in is told so, and a server that is not there is told of when patience ends', async () => {
    const stranger = createClient({ baseURL: proxy.url, token: 'x'.repeat(20), ...quick })
    const refused = async (socket: RemoteSocket): Promise<void> => {
      for await (const _frame of socket);
    }
    await assert.rejects(refused(stranger.socket()), code('unauthenticated'))
    const nowhere = createClient({
      baseURL: 'http://127.0.0.1:9',
      token,
      retry: { maxRetries: 0 },
      reconnect: { maxRetries: 2, initialWait: 1 },
    })
    const socket = nowhere.socket()
    const asked = assert.rejects(socket.ask({ type: 'ping' }), code('server_unreachable'))
    await assert.rejects(refused(socket), code('server_unreachable'))
    await asked
    const controller = new AbortController()
    const open = client.socket({ signal: controller.signal })
    const reading = refused(open)
    controller.abort(new Error('enough'))
    await assert.rejects(reading, /enough/)
    assert.equal(open.state, 'closed')
  })
})
