import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { Agent, tool } from 'tellurion'
import {
  socketProtocol,
  tokenProtocol,
  type ClientFrame,
  type ServerFrame,
  type ServerFrameType,
} from 'tellurion/protocol'
import { createRuntime, memory, type AgentRuntime, type RunContext } from 'tellurion/runtime'
import { scriptedModel, virtualClock } from 'tellurion/testing'
import { createLog } from 'tellurion/trace'
import { sleep } from 'tellurion/world'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { serverFrames } from './schema-frame.ts'
import { createServer, type Server, type ServerOptions } from './server.ts'
import { closeCodeOf, raw } from './socket-bytes.test.ts'

const token = 'a-token-of-some-length'
const reader = 'a-token-that-may-only-read'
const other = 'a-token-of-somebody-else'
const identities = [
  { token, user: 'ada', scopes: ['write'] },
  { token: reader, user: 'ada', scopes: ['read'] },
  { token: other, user: 'bob', scopes: ['write'] },
] as const
const quiet = createLog({ write: () => {} })
const talk = 'The Earth goes around the Sun.'

const closing: (() => unknown)[] = []
after(async () => {
  for (const close of closing) await close()
})

async function serve(agents: readonly (Agent | AgentRuntime)[], options: Partial<ServerOptions> = {}) {
  const runtime = await createRuntime({ store: memory(), agents, patience: { grace: 10 } })
  const server = createServer({ runtime, identities, log: quiet, ...options })
  const { port, url } = await server.listen()
  closing.push(() => server.close({ grace: 100 }))
  return { runtime, server, port, url, address: `ws://127.0.0.1:${port}/ws` }
}

/** An agent that says its text in small pieces. */
const guide = (delay = 1): Agent =>
  new Agent({ name: 'guide', model: scriptedModel(() => talk, { chunkSize: 10, delay }) })

/** An agent whose run does what the test says. */
function actor() {
  const begun = Promise.withResolvers<RunContext>()
  const over = Promise.withResolvers<void>()
  closing.unshift(() => over.resolve())
  const agent: AgentRuntime = {
    key: 'actor',
    run: async (context) => {
      begun.resolve(context)
      await Promise.race([over.promise, new Promise((_, reject) => context.signal.addEventListener('abort', reject))])
      return { output: 'The end.' }
    },
  }
  return { agent, begun: begun.promise, end: over.resolve }
}

type Frame = ServerFrame & { readonly run_id?: string; readonly session_id?: string }

/** A client of others; every frame that comes must fit its schema. */
async function dial(address: string, options: { readonly bearer?: string; readonly browser?: true } = {}) {
  const { bearer = token, browser } = options
  const socket = browser
    ? new WebSocket(address, [socketProtocol, tokenProtocol(bearer)])
    : new WebSocket(address, { headers: { authorization: `Bearer ${bearer}` } })
  const seen: Frame[] = []
  const wakes = new Set<() => void>()
  socket.on('message', (data, isBinary) => {
    assert.equal(isBinary, false)
    const frame = JSON.parse(String(data as Buffer)) as Frame
    assert.deepEqual(serverFrames[frame.type].parse(frame), frame)
    seen.push(frame)
    for (const wake of wakes) wake()
  })
  const closed = new Promise<number>((resolve) => socket.once('close', resolve))
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  /** The first frame, seen or to come, that is of a type and fits. */
  const next = async <Type extends ServerFrameType>(
    type: Type,
    fits: (frame: Frame & { type: Type }) => boolean = () => true,
  ): Promise<Frame & { type: Type }> => {
    for (let turn = 0; turn < 200; turn++) {
      const found = seen.find((frame) => frame.type === type && fits(frame as Frame & { type: Type }))
      if (found !== undefined) return found as Frame & { type: Type }
      const news = Promise.withResolvers<void>()
      wakes.add(news.resolve)
      await Promise.race([news.promise, sleep(25)])
      wakes.delete(news.resolve)
    }
    throw new Error(`no ${type} came, but ${seen.map((frame) => frame.type).join(', ')}`)
  }
  const send = (frame: ClientFrame): void => socket.send(JSON.stringify(frame))
  const refused = async (frame: unknown): Promise<string> => {
    const count = seen.length
    socket.send(typeof frame === 'string' || frame instanceof Uint8Array ? frame : JSON.stringify(frame))
    return (await next('error', (each) => seen.indexOf(each) >= count)).data.code
  }
  const types = (run?: string): ServerFrameType[] =>
    seen.flatMap((frame) => (run === undefined || frame.run_id === run ? frame.type : []))
  await next('connection_established')
  return { socket, seen, send, next, refused, types, closed }
}

async function connectionsOf({ handle }: Server): Promise<{ readonly streams: number; readonly sockets: number }> {
  const options = { identity: { user: 'root', scopes: ['admin'] } } as const
  return (await (await handle(new Request('http://localhost/api/v1/stats'), options)).json()).connections
}

const textOf = (frames: readonly Frame[], run: string): string =>
  frames
    .filter((frame) => frame.type === 'stream_data' && frame.run_id === run)
    .map((frame) => (frame as { data: { content: string } }).data.content)
    .join('')

describe('a chat over the WebSocket', () => {
  test('makes a run in a new session, streams its text, and ends', async () => {
    const { address } = await serve([guide()])
    const { seen, send, next, types, socket } = await dial(address)
    send({ type: 'chat', content: 'What goes around what?', id: 'q1' })
    const end = await next('stream_complete')
    const created = await next('task_created')
    const session = await next('session_created')
    assert.deepEqual([session.id, created.id, created.session_id], ['q1', 'q1', session.session_id])
    assert.deepEqual(end.data, { content: talk, status: 'succeeded' })
    assert.equal(textOf(seen, created.run_id), talk)
    assert.ok(types().filter((type) => type === 'stream_data').length > 1)
    assert.deepEqual(types(created.run_id).slice(-2), ['task_completed', 'stream_complete'])
    assert.deepEqual(types().slice(0, 3), ['connection_established', 'session_created', 'task_created'])
    assert.ok(types().includes('task_updated'))
    const said = seen
      .filter((frame) => frame.type === 'message')
      .map((frame) => (frame as { data: { role: string } }).data.role)
    assert.deepEqual(said, ['user', 'assistant'])

    send({ type: 'message', content: 'Again', session_id: session.session_id, id: 'q2' })
    const second = await next('task_created', ({ id }) => id === 'q2')
    await next('stream_complete', ({ run_id }) => run_id === second.run_id)
    send({ type: 'get_session_history', session_id: session.session_id, id: 'h' })
    const history = await next('session_history')
    assert.equal(history.id, 'h')
    assert.deepEqual(
      history.data.map((each) => ('role' in each ? each.role : each.message.role)),
      ['user', 'assistant', 'user', 'assistant'],
    )
    socket.close()
  })

  test('makes up its text also for a model that is done before anybody listens', async () => {
    const { address } = await serve([guide(0)])
    const { seen, send, next } = await dial(address)
    for (let turn = 0; turn < 20; turn++) {
      send({ type: 'chat', content: 'Quick', id: `q${turn}`, session_id: 's1' })
      const { run_id } = await next('task_created', ({ id }) => id === `q${turn}`)
      await next('stream_complete', (frame) => frame.run_id === run_id)
      const anew = seen.findLastIndex((frame) => frame.type === 'stream_data' && frame.data.anew === true)
      assert.equal(textOf(seen.slice(Math.max(0, anew)), run_id), talk)
    }
  })

  test('shows a reply that begins anew', async () => {
    const { agent, begun, end } = actor()
    const { address } = await serve([agent])
    const { send, next, seen } = await dial(address)
    send({ type: 'chat', content: 'Hi' })
    const { run_id } = await next('task_created')
    const context = await begun
    context.emit({ type: 'text.delta', text: 'Wro' })
    await next('stream_data')
    context.emit({ type: 'stream.restarted', failure: { kind: 'network', message: 'gone', retryable: true } })
    context.emit({ type: 'text.delta', text: 'Rig' })
    await next('stream_data', ({ data }) => data.content === 'Rig')
    await context.say({ role: 'assistant', content: 'Right' })
    await context.say({ role: 'assistant', content: 'Also this' })
    end()
    await next('stream_complete')
    const pieces = seen.flatMap((frame) => (frame.type === 'stream_data' ? frame.data : []))
    assert.deepEqual(pieces.slice(0, 4), [
      { content: 'Wro' },
      { content: '', anew: true },
      { content: 'Rig' },
      { content: 'ht' },
    ])
    assert.equal(pieces[4]?.content, 'Also this')
    assert.ok(seen.every((frame) => frame.run_id === undefined || frame.run_id === run_id))
  })

  test('waits for an answer, and goes on with it', async () => {
    const remove = tool({
      description: 'Removes',
      inputSchema: z.object({ what: z.string() }),
      needsApproval: true,
      execute: () => 'gone',
    })
    const model = scriptedModel([{ calls: [{ toolName: 'remove', input: { what: 'logs' } }] }, 'Done.'])
    const { address } = await serve([new Agent({ name: 'guide', model, tools: { remove } })])
    const { send, next } = await dial(address)
    send({ type: 'chat', content: 'Clean up' })
    const { data } = await next('task_updated', (frame) => frame.data.interactions.length > 0)
    assert.equal(data.status, 'waiting')
    assert.deepEqual(data.interactions[0]?.input, { what: 'logs' })
    send({ type: 'answer', interaction_id: data.interactions[0]!.id, answer: 'approve', run_id: data.id, id: 'a' })
    await next('task_updated', ({ id }) => id === 'a')
    assert.equal((await next('stream_complete')).data.content, 'Done.')
  })

  test('is steered, and cancelled when all work has stopped', async () => {
    const { agent, begun } = actor()
    const { address, runtime } = await serve([agent])
    const { send, next, types } = await dial(address)
    send({ type: 'chat', content: 'Hi' })
    const { run_id } = await next('task_created')
    const { signal } = await begun
    send({ type: 'steer', run_id, content: 'In Celsius, please', id: 's' })
    assert.equal((await next('task_updated', ({ id }) => id === 's')).data.status, 'running')
    send({ type: 'cancel', run_id, id: 'c' })
    const { data } = await next('task_completed', ({ id }) => id === 'c')
    assert.equal(data.status, 'cancelled')
    assert.ok(signal.aborted)
    assert.equal((await runtime.run(run_id).record()).status, 'cancelled')
    assert.equal((await next('stream_complete')).data.status, 'cancelled')
    assert.equal(types(run_id).filter((type) => type === 'task_completed').length, 2, 'the answer, and the news')
  })
})

describe('sessions over the WebSocket', () => {
  test('are made, joined by others, told of, and left', async () => {
    const { address, url } = await serve([guide()])
    const [one, two] = [await dial(address), await dial(address)]
    one.send({ type: 'create_session', session_id: 's1', id: 'c' })
    assert.equal((await one.next('session_created')).data.user, 'ada')
    two.send({ type: 'join_session', session_id: 's1', id: 'j' })
    await two.next('session_joined')
    one.send({ type: 'chat', content: 'Hi', session_id: 's1' })
    const { run_id } = await two.next('task_created')
    await two.next('stream_complete')
    assert.equal(textOf(two.seen, run_id), talk)
    await two.next('session_updated')
    assert.equal(two.types(run_id).filter((type) => type === 'task_created').length, 1)
    assert.equal(two.types(run_id).filter((type) => type === 'task_completed').length, 1)

    // What is made over HTTP is told as well.
    const made = await fetch(`${url}/api/v1/tasks`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ content: 'Over HTTP', session_id: 's1' }),
    })
    const { id } = (await made.json()) as { id: string }
    await two.next('stream_complete', (frame) => frame.run_id === id)
    two.send({ type: 'leave_session', session_id: 's1' })
    await two.next('session_left')
    const count = two.seen.length
    one.send({ type: 'chat', content: 'Bye', session_id: 's1', id: 'last' })
    const last = await one.next('task_created', (frame) => frame.id === 'last')
    await one.next('stream_complete', (frame) => frame.run_id === last.run_id)
    await sleep(50)
    assert.equal(two.seen.length, count)
  })

  test('brings whoever joins in the middle of a reply what was said of it so far', async () => {
    const { agent, begun, end } = actor()
    const { address } = await serve([agent])
    const one = await dial(address)
    one.send({ type: 'chat', content: 'Hi' })
    const { run_id, session_id } = await one.next('task_created')
    const context = await begun
    for (const text of ['The ', 'Earth ']) context.emit({ type: 'text.delta', text })
    await one.next('stream_data', ({ data }) => data.content === 'Earth ')
    const two = await dial(address)
    two.send({ type: 'join_session', session_id })
    await two.next('stream_data', ({ data }) => data.content === 'The Earth ')
    context.emit({ type: 'text.delta', text: 'turns.' })
    await context.say({ role: 'assistant', content: 'The Earth turns.' })
    end()
    for (const { next, seen } of [one, two]) {
      await next('stream_complete')
      assert.equal(textOf(seen, run_id), 'The Earth turns.')
    }
  })

  test('of others are not there', async () => {
    const { address } = await serve([guide()])
    const [ada, bob] = [await dial(address), await dial(address, { bearer: other })]
    ada.send({ type: 'chat', content: 'Hi', session_id: 's1' })
    const { run_id } = await ada.next('task_created')
    await ada.next('stream_complete')
    for (const frame of [
      { type: 'join_session', session_id: 's1' },
      { type: 'leave_session', session_id: 's1' },
      { type: 'get_session_history', session_id: 's1' },
      { type: 'chat', content: 'Hi', session_id: 's1' },
    ])
      assert.equal(await bob.refused(frame), 'unknown_session', frame.type)
    for (const frame of [
      { type: 'subscribe_tasks', run_id },
      { type: 'steer', run_id, content: 'x' },
      { type: 'cancel', run_id },
    ])
      assert.equal(await bob.refused(frame), 'unknown_run', frame.type)
    assert.equal(await bob.refused({ type: 'create_session', session_id: 's1' }), 'duplicate_name')
    assert.ok(bob.seen.every((frame) => frame.run_id === undefined))
  })
})

describe('tasks over the WebSocket', () => {
  test('are followed from any number, to their end', async () => {
    const { address, runtime } = await serve([guide()])
    const run = await runtime.submit('guide', 'Hi', { user: 'ada' })
    await run.result()
    const { events } = await run.record()
    for (const after of [0, 3, events]) {
      const { send, next, seen, socket } = await dial(address)
      send({ type: 'subscribe_tasks', run_id: run.id, after, id: 'w' })
      assert.equal((await next('task_updated')).id, 'w')
      await next('task_completed')
      const numbers = seen.flatMap((frame) => (frame.type === 'event' ? (frame.seq ?? []) : []))
      assert.deepEqual(
        numbers,
        Array.from({ length: events - after }, (_, at) => after + at + 1),
      )
      socket.close()
    }
    const { refused } = await dial(address)
    assert.equal(await refused({ type: 'subscribe_tasks', run_id: run.id, after: events + 1 }), 'invalid_request')
  })

  test('of a user are told, each once', async () => {
    const { agent, begun, end } = actor()
    const { address, runtime } = await serve([agent, guide()])
    const waiting = await runtime.submit('actor', 'Hi', { user: 'ada' })
    await begun
    const { send, next, types } = await dial(address)
    send({ type: 'subscribe_tasks', id: 'all' })
    const { data } = await next('tasks_update')
    assert.deepEqual(
      data.map(({ id }) => id),
      [waiting.id],
    )
    const mine = await runtime.submit('guide', 'Hi', { user: 'ada' })
    const theirs = await runtime.submit('guide', 'Hi', { user: 'bob' })
    await next('task_completed', ({ run_id }) => run_id === mine.id)
    end()
    await next('task_completed', ({ run_id }) => run_id === waiting.id)
    assert.equal(types(theirs.id).length, 0)
    assert.deepEqual(
      types(mine.id).filter((type) => type !== 'task_updated'),
      ['task_created', 'task_completed'],
    )
    send({ type: 'chat', content: 'Hi', agent: 'guide' })
    const { run_id } = await next('stream_complete')
    await next('task_completed', (frame) => frame.run_id === run_id)
    await sleep(20)
    assert.equal(types(run_id).filter((type) => type === 'task_completed').length, 1)
  })
})

describe('the WebSocket', () => {
  test('answers what it does not understand, and stays', async () => {
    const { address } = await serve([guide()])
    const { refused, send, next } = await dial(address)
    for (const text of [
      '',
      'x',
      '{',
      'null',
      '[]',
      '"chat"',
      '1',
      '{"__proto__":{}}',
      `${'['.repeat(200)}${']'.repeat(200)}`,
    ]) {
      assert.equal(await refused(text), 'malformed_request', text.slice(0, 20))
    }
    assert.equal(await refused(Buffer.from('{"type":"ping"}')), 'malformed_request', 'binary')
    for (const frame of [
      {},
      { type: 'chatt' },
      { type: 'toString' },
      { type: 1 },
      { type: 'chat' },
      { type: 'chat', content: '' },
      { type: 'chat', content: 7 },
      { type: 'chat', content: 'x', sesion_id: 's' },
      { type: 'chat', content: 'x', session_id: '../x' },
      { type: 'chat', content: 'x', session_id: 'x'.repeat(65) },
      { type: 'join_session' },
      { type: 'subscribe_tasks', run_id: 'r', after: -1 },
      { type: 'subscribe_tasks', run_id: 'r', after: 1.5 },
      { type: 'answer', interaction_id: 'i', answer: 'perhaps' },
      { type: 'ping', id: 'ü' },
      { type: 'ping', id: 7 },
    ])
      assert.equal(await refused(frame), 'invalid_request', JSON.stringify(frame))
    assert.equal(await refused({ type: 'chat', content: 'x', agent: 'gide' }), 'unknown_agent')
    assert.equal(await refused({ type: 'cancel', run_id: 'run_gone' }), 'unknown_run')
    assert.equal(await refused({ type: 'answer', interaction_id: 'gone', answer: 'approve' }), 'unknown_interaction')
    send({ type: 'ping', id: 'still there' })
    assert.equal((await next('pong')).id, 'still there')
    send({ type: 'cancel', run_id: 'run_gone', id: 'mine' })
    await next('error', ({ id }) => id === 'mine')
  })

  test('lets an identity do no more than its scopes, and no more often than its rate', async () => {
    const { address } = await serve([guide()])
    const { refused, send, next } = await dial(address, { bearer: reader })
    for (const frame of [
      { type: 'chat', content: 'x' },
      { type: 'create_session' },
      { type: 'steer', run_id: 'r', content: 'x' },
      { type: 'cancel', run_id: 'r' },
      { type: 'answer', interaction_id: 'i', answer: 'approve' },
    ])
      assert.equal(await refused(frame), 'forbidden', frame.type)
    send({ type: 'subscribe_tasks' })
    await next('tasks_update')

    const slow = await serve([guide()], { limits: { requests: 1, burst: 3 } })
    const hasty = await dial(slow.address)
    hasty.send({ type: 'ping' })
    hasty.send({ type: 'ping' })
    await hasty.next('pong')
    assert.equal(await hasty.refused({ type: 'ping' }), 'rate_limited')
    assert.equal(await hasty.refused('x'), 'rate_limited')
  })

  test('is opened as browsers open it: the token among the subprotocols, and never chosen', async () => {
    const { address } = await serve([guide()])
    const { socket, send, next } = await dial(address, { browser: true })
    assert.equal(socket.protocol, socketProtocol)
    send({ type: 'ping' })
    await next('pong')
  })

  test('refuses upgrades that may not be, with a status and a reason', async () => {
    const { port } = await serve([guide()])
    const key = 'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n'
    const bearer = `authorization: Bearer ${token}\r\n`
    const host = `host: 127.0.0.1:${port}\r\n`
    const upgrade = 'connection: Upgrade\r\nupgrade: websocket\r\n'
    const cases: [name: string, head: string, status: number, code?: string][] = [
      ['no token', `GET /ws HTTP/1.1\r\n${host}${upgrade}${key}`, 401, 'unauthenticated'],
      ['a token in the address', `GET /ws?token=${token} HTTP/1.1\r\n${host}${upgrade}${key}`, 401, 'unauthenticated'],
      [
        'a wrong token',
        `GET /ws HTTP/1.1\r\n${host}${upgrade}${key}authorization: Bearer nobody-has-this-one\r\n`,
        401,
      ],
      ['a foreign origin', `GET /ws HTTP/1.1\r\n${host}${upgrade}${key}${bearer}origin: https://evil.example\r\n`, 403],
      ['an origin of null', `GET /ws HTTP/1.1\r\n${host}${upgrade}${key}${bearer}origin: null\r\n`, 403, 'forbidden'],
      ['a foreign host', `GET /ws HTTP/1.1\r\nhost: evil.example\r\n${upgrade}${key}${bearer}`, 403, 'forbidden'],
      ['another path', `GET /wss HTTP/1.1\r\n${host}${upgrade}${key}${bearer}`, 404, 'unknown_route'],
      ['a path of requests', `GET /api/v1/runs HTTP/1.1\r\n${host}${upgrade}${key}${bearer}`, 422, 'invalid_request'],
      ['another method', `POST /ws HTTP/1.1\r\n${host}${upgrade}${key}${bearer}`, 405],
      ['no key', `GET /ws HTTP/1.1\r\n${host}${upgrade}sec-websocket-version: 13\r\n${bearer}`, 400],
      [
        'a bad key',
        `GET /ws HTTP/1.1\r\n${host}${upgrade}sec-websocket-key: x\r\nsec-websocket-version: 13\r\n${bearer}`,
        400,
        'malformed_request',
      ],
      [
        'an old version',
        `GET /ws HTTP/1.1\r\n${host}${upgrade}sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 7\r\n${bearer}`,
        400,
        'malformed_request',
      ],
      [
        'another protocol',
        `GET /ws HTTP/1.1\r\n${host}connection: Upgrade\r\nupgrade: h2c\r\n${bearer}`,
        426,
        'upgrade_required',
      ],
      [
        'only a token as subprotocol',
        `GET /ws HTTP/1.1\r\n${host}${upgrade}${key}sec-websocket-protocol: ${tokenProtocol(token)}\r\n`,
        422,
        'invalid_request',
      ],
      ['no upgrade at all', `GET /ws HTTP/1.1\r\n${host}${bearer}`, 426, 'upgrade_required'],
    ]
    for (const [name, head, status, code] of cases) {
      const answer = await raw(port, `${head}\r\n`)
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), `${name}: ${answer.slice(0, 60)}`)
      if (code !== undefined) assert.equal(JSON.parse(answer.split('\r\n\r\n')[1]!).error.code, code, name)
      assert.ok(!answer.includes(token), name)
    }
  })

  test('closes frames that are too large with 1009, invalid UTF-8 with 1007, broken ones with 1002', async () => {
    const { address, port } = await serve([guide()], { limits: { frame: 10_000 } })
    const large = await dial(address)
    large.socket.send('x'.repeat(10_001))
    assert.equal(await large.closed, 1009)
    const pieces = await dial(address)
    // A message without an end: its parts count together.
    for (let part = 0; part < 200; part++) pieces.socket.send('x'.repeat(100), { fin: false })
    assert.equal(await pieces.closed, 1009)
    assert.equal(await closeCodeOf(port, { bytes: Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]), token }), 1007)
    assert.equal(await closeCodeOf(port, { bytes: Buffer.from([0x81, 0x01, 0x78]), token }), 1002, 'unmasked')
    assert.equal(
      await closeCodeOf(port, { bytes: Buffer.from([0xf1, 0x81, 0, 0, 0, 0, 0x78]), token }),
      1002,
      'reserved bits',
    )
    const fine = await dial(address)
    fine.send({ type: 'ping' })
    await fine.next('pong')
  })

  test('closes one socket too many with 4429, and takes it when another has gone', async () => {
    const { address, server } = await serve([guide()], { limits: { streams: 2 } })
    const [one, two] = [await dial(address), await dial(address)]
    const third = new WebSocket(address, { headers: { authorization: `Bearer ${token}` } })
    assert.equal(await new Promise((resolve) => third.once('close', resolve)), 4429)
    const bob = await dial(address, { bearer: other })
    one.socket.close()
    await one.closed
    while ((await connectionsOf(server)).sockets > 2) await sleep(5)
    const fourth = await dial(address)
    for (const { send, next } of [two, bob, fourth]) {
      send({ type: 'ping' })
      await next('pong')
    }
  })

  test('drops a client that does not read with 4008, and hurts nobody else', async () => {
    const { agent, begun, end } = actor()
    const { address, runtime } = await serve([agent], { limits: { waiting: 500_000 } })
    const run = await runtime.submit('actor', 'Hi', { user: 'ada' })
    const context = await begun
    const [stuck, quick] = [await dial(address), await dial(address)]
    for (const { send } of [stuck, quick]) send({ type: 'subscribe_tasks', run_id: run.id })
    await stuck.next('event')
    stuck.socket.pause()
    for (let round = 0; round < 40; round++) {
      for (let number = 0; number < 4; number++)
        context.emit({ type: 'text.delta', text: `${round} ${'x'.repeat(80_000)}` })
      await quick.next('event', ({ data }) => data.type === 'text.delta' && data.text.startsWith(`${round} `))
    }
    await context.checkpoint(null)
    stuck.socket.resume()
    assert.equal(await stuck.closed, 4008)
    end()
    await quick.next('task_completed')
    const numbers = quick.seen.flatMap((frame) => (frame.type === 'event' ? (frame.seq ?? []) : []))
    assert.deepEqual(
      numbers,
      numbers.map((_, at) => at + 1),
    )
    assert.equal((await run.result()).status, 'succeeded')
  })

  test('beats, and ends a client that gives no sign of life', async () => {
    const clock = virtualClock()
    const { address } = await serve([guide()], { ports: { clock } })
    const { socket, next, closed, seen } = await dial(address)
    assert.equal((await next('connection_established')).heartbeat, 30_000)
    await clock.advance(30_000)
    await sleep(200)
    await clock.advance(30_000)
    await next('heartbeat')
    await sleep(200)
    await clock.advance(30_000)
    assert.equal(socket.readyState, WebSocket.OPEN, 'it has answered')
    assert.ok(seen.length > 1)
    socket.pause()
    await clock.advance(30_000)
    await clock.advance(30_000)
    socket.resume()
    assert.equal(await closed, 1006)
  })

  test('of a client that goes away leaves the run alone, and nothing behind', async () => {
    const { agent, begun, end } = actor()
    const { address, runtime, server } = await serve([agent])
    const { send, next, socket, closed } = await dial(address)
    send({ type: 'chat', content: 'Hi' })
    const { run_id } = await next('task_created')
    await begun
    socket.terminate()
    await closed
    while ((await connectionsOf(server)).sockets + (await connectionsOf(server)).streams > 0) await sleep(5)
    assert.equal((await runtime.run(run_id).record()).status, 'running')
    end()
    assert.equal((await runtime.run(run_id).result()).status, 'succeeded')
  })

  test('closes with 1001 when the server does', async () => {
    const { address, server } = await serve([guide()])
    const clients = [await dial(address), await dial(address)]
    await server.close({ grace: 1000 })
    assert.deepEqual(await Promise.all(clients.map(({ closed }) => closed)), [1001, 1001])
  })
})
