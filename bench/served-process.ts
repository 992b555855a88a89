// A server in a process of its own, so that it can be weighed and killed: `node served-process.ts '{"by":"tellurion","store":
// "memory"}'`. It tells its port, and how heavy it is when it is asked. Its agents chat over a model that takes 20 ms, write
// events until they are told to end, and take steps that survive.

import { createServer as createHttpServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Agent, textOf } from 'tellurion'
import { createRuntime, memory, type AgentRuntime } from 'tellurion/runtime'
import { sqlite } from 'tellurion/sqlite'
import { createLog } from 'tellurion/trace'
import { createServer } from '../packages/tellurion-server/src/server/server.ts'
import { eventModel } from './instant-model.ts'
import { heldBytes, pause } from './measure.ts'
import { modelTime, token, type ServedOptions, type Weight } from './served.ts'

const options = JSON.parse(process.argv[2] ?? '{}') as ServedOptions
const usage = { inputTokens: 10, outputTokens: 10, totalTokens: 20 }

/** Says after 20 ms what it was told. */
const talker = new Agent({
  name: 'talker',
  model: eventModel(({ messages }) => ({
    events: [
      { type: 'text.delta', text: `You said: ${textOf(messages.at(-1)!)}` },
      { type: 'finish', finishReason: 'stop', usage },
    ],
    ready: pause(modelTime),
  })),
})

let over = Promise.withResolvers<void>()
let isOver = false

/** Writes events of so many characters in bursts, kept and live ones, until it is told that it is over. */
const writer: AgentRuntime = {
  key: 'writer',
  async run({ input, emit, checkpoint, signal }) {
    const { length, every, burst } = JSON.parse(String(input)) as { length: number; every: number; burst: number }
    const text = 'x'.repeat(length)
    for (let number = 0; !isOver && !signal.aborted;) {
      for (let piece = 0; piece < burst; piece++) emit({ type: 'line.written', number: number++, text })
      emit({ type: 'text.delta', text: 'live' })
      await checkpoint(number)
      await Promise.race([pause(every), over.promise])
    }
    return { output: 'The end.' }
  },
}

const steps = 5

/** Takes a few short steps, each kept, from the first that is missing. */
const stepper: AgentRuntime = {
  key: 'stepper',
  async run({ state = 0, emit, checkpoint }) {
    for (let step = Number(state) + 1; step <= steps; step++) {
      await pause(10)
      emit({ type: 'step.taken', step })
      await checkpoint(step)
    }
    return { output: steps }
  },
}

interface Opened {
  readonly port: number
  connections(): Promise<Weight['connections']>
  close(): Promise<void>
}

async function openServer(asked: ServedOptions): Promise<Opened> {
  const { store, synchronous = 'full', limits, lease, maxConcurrent = 1000 } = asked
  const runtime = await createRuntime({
    store: store === 'memory' ? memory() : sqlite(store, { synchronous }),
    agents: [talker, writer, stepper],
    maxConcurrent,
    maxSessions: 1_000_000,
    ...(lease === undefined ? {} : { patience: { lease, heartbeat: lease / 3 } }),
  })
  const server = createServer({
    runtime,
    identities: [{ user: 'ada', token, scopes: ['write'] }],
    log: createLog({ level: 'error' }),
    ...(limits === undefined ? {} : { limits }),
  })
  const { port } = await server.listen({ port: options.port ?? 0 })
  return {
    port,
    async connections() {
      const stats = new Request('http://localhost/api/v1/stats')
      const answer = await server.handle(stats, { identity: { user: 'root', scopes: ['admin'] } })
      return ((await answer.json()) as { connections: Weight['connections'] }).connections
    },
    close: () => server.close({ grace: 2000 }),
  }
}

/** What is done by hand at least: a session is a list, a turn is read, waited for, and answered as JSON. */
async function openByHand(): Promise<Opened> {
  const sessions = new Map<string, string[]>()
  let http = 0
  const server = createHttpServer((request, response) => {
    if (request.method === 'GET') return void response.end()
    void read(request).then(async ({ content, session_id }) => {
      const messages = sessions.get(session_id) ?? []
      sessions.set(session_id, messages)
      messages.push(content)
      await pause(modelTime)
      messages.push(`You said: ${content}`)
      const body = JSON.stringify({ session: session_id, status: 'succeeded', text: messages.at(-1) })
      response.writeHead(200, { 'content-type': 'application/json' }).end(body)
    })
  })
  server.on('connection', (socket) => {
    http++
    socket.once('close', () => http--)
  })
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    connections: async () => ({ http, streams: 0, sockets: 0 }),
    async close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function read(request: IncomingMessage): Promise<{ readonly content: string; readonly session_id: string }> {
  let text = ''
  for await (const piece of request.setEncoding('utf8')) text += piece
  return JSON.parse(text)
}

async function weightOf({ connections }: Opened): Promise<Weight> {
  const { user, system } = process.cpuUsage()
  const heap = await heldBytes()
  const { rss, arrayBuffers, external } = process.memoryUsage()
  const handles = process.getActiveResourcesInfo().filter((name) => name !== 'Immediate')
  return {
    heap,
    rss,
    buffers: Math.max(arrayBuffers, external),
    cpu: user + system,
    handles: handles.toSorted(),
    connections: await connections(),
  }
}

const opened = await (options.by === 'hand' ? openByHand() : openServer(options))
process.on('message', async (message: 'weigh' | 'end' | 'begin' | 'close') => {
  if (message === 'weigh') return void process.send?.(await weightOf(opened))
  if (message === 'close') return void opened.close().then(() => process.disconnect?.())
  isOver = message === 'end'
  if (isOver) over.resolve()
  else over = Promise.withResolvers()
})
process.send?.({ port: opened.port })
