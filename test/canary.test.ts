// Canaries: secrets that are let loose in every place where a program has some, through success and failure, and looked for
// in everything that is written or shown. The same course without a redactor shows that they would be there.

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Agent, asTool, model, tool, type AgentOptions } from 'tellurion'
import { retrieval } from 'tellurion/agent'
import { createRuntime, type AgentRuntime, type Runtime } from 'tellurion/runtime'
import { createRedactor, Secret, type Redactor } from 'tellurion/secret'
import { sqlite } from 'tellurion/sqlite'
import { scriptedModel, type ScriptedReply } from 'tellurion/testing'
import { createLog, logEvents } from 'tellurion/trace'
import { createServer } from '../packages/tellurion-server/src/server/server.ts'

const folder = mkdtempSync(join(tmpdir(), 'canary-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** A canary of its own for each place. */
const canaries = new Map<string, string>()
function canary(place: string): string {
  const known = canaries.get(place) ?? `cnry-${place}-${'0123456789abcdef'.repeat(2)}`
  canaries.set(place, known)
  return known
}

const plain = { type: 'object' } as const
const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** Tools that give away what they know, each in its own way. */
const leaky = {
  tells: () => `The key is ${canary('result')}.`,
  tellsJson: () => ({ deep: [{ [canary('name')]: canary('json') }] }),
  tellsLong: () => `${'x'.repeat(20_000)} ${canary('artifact')} ${'y'.repeat(1_000)}`,
  tellsAddress: () => `https://ada:${encodeURIComponent(canary('password'))}@db.example/`,
  tellsHeader: () => `authorization: Basic ${base64(`ada:${canary('header')}`)}`,
  tellsHex: () => Buffer.from(canary('hex')).toString('hex'),
  throws: () => {
    throw new Error(`refused ${canary('thrown')}`, { cause: new Error(canary('cause')) })
  },
  throwsText: () => {
    // eslint-disable-next-line no-throw-literal
    throw `no ${canary('thrown-text')}` as never
  },
}

const asks = tool({ description: 'Asks', inputSchema: plain, needsApproval: true, execute: () => 'done' })
const reports = tool({
  description: 'Reports',
  inputSchema: plain,
  async execute(_input, { progress }) {
    progress({ at: canary('progress') })
    for (const text of canary('printed')) progress({ stream: 'stdout', text })
    progress({ stream: 'stdout', text: '.' })
    return 'reported'
  },
})
const tools = {
  ...Object.fromEntries(
    Object.entries(leaky).map(([name, execute]) => [
      name,
      tool({
        description: name,
        inputSchema: plain,
        effects: 'read',
        trust: 'trusted',
        execute: async () => execute(),
      }),
    ]),
  ),
  reports,
  asks,
}

const calls = (...names: string[]): ScriptedReply => ({ calls: names.map((toolName) => ({ toolName, input: {} })) })

function cast(base: string): readonly (Agent | AgentRuntime)[] {
  const helper = new Agent({ name: 'helper', model: scriptedModel(() => `It is ${canary('child')}.`) })
  const agent = (name: string, more: Partial<AgentOptions>): Agent =>
    new Agent({ name, model: scriptedModel(['Fine.']), ...more })
  const echo = (more: object) => model('openai/gpt-5', { baseURL: base, env: {}, ...more })
  return [
    agent('leaks', {
      model: scriptedModel([
        calls(...Object.keys(leaky), 'reports'),
        `Said again: ${canary('reply')}`,
        { calls: [{ toolName: 'asks', input: { key: canary('argument') } }] },
        'Done.',
      ]),
      tools,
    }),
    agent('spells', {
      model: scriptedModel(
        [
          {
            reasoning: `I know ${canary('reasoned')}.`,
            calls: [{ toolName: 'reports', input: { key: canary('spelled-argument') } }],
          },
          `It comes bit by bit: ${canary('spelled')}.`,
        ],
        { chunkSize: 5 },
      ),
      tools: { reports },
    }),
    helper,
    agent('parent', {
      model: scriptedModel([{ calls: [{ toolName: 'ask', input: { task: canary('task') } }] }, 'Done.']),
      tools: { ask: asTool(helper, { description: 'Helps.' }) },
    }),
    agent('retrieves', {
      systems: retrieval({
        retriever: {
          retrieve: () => {
            throw new Error(`cannot reach redis://:${canary('store')}@host.example`)
          },
        },
      }),
    }),
    agent('echoed', { model: echo({ apiKey: canary('api-key') }) }),
    agent('secret', { model: echo({ apiKey: new Secret(canary('secret-key')) }) }),
    agent('headed', {
      model: echo({ apiKey: canary('api-key'), headers: { 'x-own': new Secret(canary('own-header')) } }),
    }),
    {
      key: 'foreign',
      async run({ checkpoint, emit, say }) {
        await checkpoint({ token: canary('state') })
        emit({ type: 'foreign.told', token: canary('event') })
        await say({ role: 'assistant', content: canary('said') })
        return { output: { token: canary('output') } }
      },
    },
    {
      key: 'foreign-fails',
      run: async () => Promise.reject(new Error(`lost ${canary('foreign-thrown')}`)),
    },
  ]
}

/** A provider that answers with everything it was sent. */
async function echoing<T>(use: (base: string) => Promise<T>): Promise<T> {
  const server = createHttpServer((request, response) => {
    response.writeHead(401, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ error: { message: `Bad key in ${JSON.stringify(request.headers)}` } }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const token = 'the-token-of-ada-0123456789'

/** Everything that can be read of the course: by sink. */
async function course(redactor: Redactor | undefined): Promise<Map<string, string>> {
  const sinks = new Map<string, string>()
  const add = (sink: string, text: string): void => void sinks.set(sink, `${sinks.get(sink) ?? ''}${text}\n`)
  const place = join(folder, redactor === undefined ? 'open' : 'closed')
  const log = createLog({
    level: 'debug',
    write: (line) => add('log', line),
    ...(redactor === undefined ? {} : { redactor }),
  })
  await echoing(async (base) => {
    const runtime = await createRuntime({
      store: sqlite(join(place, 'runs.db')),
      agents: cast(base),
      retry: { maxRetries: 0 },
      patience: { grace: 0 },
      ports: { log, ...(redactor === undefined ? {} : { redactor }) },
    })
    await play(runtime, { add, log, place })
    await ask(runtime, { add, log, redactor })
    await runtime.close()
  })
  for (const file of readdirSync(place)) add(`file ${file}`, readFileSync(join(place, file), 'latin1'))
  return sinks
}

interface Sinks {
  readonly add: (sink: string, text: string) => void
  readonly log: ReturnType<typeof createLog>
}

/** Every agent's turn, with what was thrown. */
async function play(runtime: Runtime, { add, log, place }: Sinks & { place: string }): Promise<void> {
  const tell = logEvents(log, { content: true })
  for (const name of runtime.agents.keys()) {
    const run = await runtime.submit(name, `Go with ${canary('input')}.`, { metadata: { note: canary('metadata') } })
    const stop = new AbortController()
    const watched = watch(run.events({ recent: true, signal: stop.signal }), add)
    const result = await run.result().catch((error: unknown) => {
      add('errors', inspect(error, { depth: 20 }))
      add('errors', (error as Error).stack ?? '')
      return undefined
    })
    stop.abort()
    await watched
    const kept = await run.log()
    assert.deepEqual(
      kept.map(({ seq }) => seq),
      kept.map((_, index) => index + 1),
    )
    add('results', JSON.stringify(result ?? null))
    for (const event of kept) {
      add('events', JSON.stringify(event))
      tell(event as never)
    }
    add('records', JSON.stringify(await run.record()))
    await run.checkpoint('end').catch(() => {})
    await run.export(join(place, `${name}.checkpoint`)).catch(() => {})
  }
  const session = runtime.session('leaks', { id: 'chat' })
  await session.generate('Go.').catch(() => {})
  log.info(`made by ${canary('log-message')}`, {
    url: canary('log-field'),
    error: new Error(canary('log-error')).message,
  })
}

/** What is seen live, piece by piece, and what the pieces come to. */
async function watch(events: AsyncIterable<object>, add: Sinks['add']): Promise<void> {
  const whole = new Map<string, string>()
  try {
    for await (const event of events as AsyncIterable<Readonly<Record<string, unknown>> & { type: string }>) {
      add('live', JSON.stringify(event))
      const { text } = (event['progress'] ?? event) as { text?: string }
      const piece = text ?? event['delta']
      if (typeof piece === 'string') whole.set(event.type, `${whole.get(event.type) ?? ''}${piece}`)
    }
  } finally {
    for (const [type, text] of whole) add(`live ${type}`, text)
  }
}

/** What a client is told. */
async function ask(
  runtime: Runtime,
  { add, log, redactor }: Sinks & { redactor: Redactor | undefined },
): Promise<void> {
  const server = createServer({
    runtime,
    log,
    identities: [{ user: 'ada', token, scopes: ['admin'] }],
    mcp: { tools },
    ...(redactor === undefined ? {} : { ports: { redactor } }),
  })
  const get = async (path: string, init: RequestInit = {}): Promise<string> => {
    const headers = { authorization: `Bearer ${token}`, host: 'localhost', 'content-type': 'application/json' }
    const answer = await server.handle(new Request(`http://localhost${path}`, { ...init, headers }))
    return answer.text()
  }
  for (const { id } of await runtime.runs()) {
    for (const path of ['', '/events', '/messages', '/ticks/1', '/ticks/1/checkpoint', '/result'])
      add('rest', await get(`/api/v1/runs/${id}${path}`))
  }
  for (const name of Object.keys(tools)) {
    add(
      'rest',
      await get('/api/v1/tools/call', { method: 'POST', body: JSON.stringify({ tool: name, agent: 'leaks' }) }),
    )
  }
  for (const path of ['/api/v1/interactions', '/api/v1/metrics', '/metrics', '/api/v1/stats'])
    add('rest', await get(path))
  const client = new Client({ name: 'test', version: '1' })
  const { url } = await server.listen()
  const requestInit = { headers: { authorization: `Bearer ${token}` } }
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit }))
  for (const name of Object.keys(tools)) {
    let printed = ''
    const onprogress = ({ message }: { message?: string | undefined }): void => {
      add('mcp progress', message ?? '')
      printed += message?.match(/"text":"(.*)"/)?.[1] ?? ''
    }
    add('mcp', JSON.stringify(await client.callTool({ name, arguments: {} }, { onprogress })))
    add('mcp progress', printed)
  }
  await client.close()
  await server.close()
}

const found = (sinks: ReadonlyMap<string, string>): string[] =>
  [...sinks].flatMap(([sink, text]) =>
    [...canaries]
      .filter(([, value]) =>
        [
          value,
          base64(value).slice(0, -4),
          base64(`ada:${value}`).slice(0, -4),
          Buffer.from(value).toString('hex'),
        ].some((form) => text.includes(form)),
      )
      .map(([place]) => `${place} in ${sink}`),
  )

describe('canaries', () => {
  test('without a redactor they are all over the place, and with one nowhere', async (t) => {
    const open = await course(undefined)
    const loose = found(open)
    t.diagnostic(`${canaries.size} canaries, ${open.size} sinks, ${loose.length} finds without a redactor`)
    assert.ok(canaries.size >= 20, `${canaries.size} canaries`)
    const redactor = createRedactor([...canaries.values()])
    const closed = await course(redactor)
    assert.deepEqual([...closed.keys()].toSorted(), [...open.keys()].toSorted())
    assert.deepEqual(found(closed), [])
    const places = new Set(loose.map((each) => each.split(' in ')[0]))
    const quiet = [...canaries.keys()].filter((place) => !places.has(place))
    t.diagnostic(`never loose, with or without: ${quiet.join(', ')}`)
    assert.ok(loose.length > 60, `${loose.length}`)
  })
})
