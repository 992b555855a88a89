import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TellurionError } from '../error/error.ts'
import { countedIds } from '../id/id.ts'
import type { RunResource } from '../protocol/resource.ts'
import { refusal, scriptedServer, type ScriptedAnswer } from '../testing/scripted-server.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import type { RouteName } from '../protocol/route.ts'
import { createClient, type Client, type ClientOptions } from './client.ts'

const run = { id: 'run_1', status: 'queued', events: 0 } as RunResource

interface Bench {
  readonly client: Client
  readonly clock: ReturnType<typeof virtualClock>
  readonly server: ReturnType<typeof scriptedServer>
}

function bench(answers: Partial<Record<RouteName, ScriptedAnswer>>, options: Partial<ClientOptions> = {}): Bench {
  const server = scriptedServer(answers)
  const clock = virtualClock()
  const client = createClient({
    baseURL: 'http://tellurion.test',
    token: 'secret',
    fetch: server.fetch,
    retry: { jitter: 'none' },
    ports: { clock, ids: countedIds() },
    ...options,
  })
  return { client, clock, server }
}

/** What a route answers, one after another; the last one for ever. */
const inTurn = (...answers: ScriptedAnswer[]): ScriptedAnswer => {
  let asked = 0
  return (request) => answers[Math.min(asked++, answers.length - 1)]!(request)
}

const failing = async (work: Promise<unknown>): Promise<TellurionError> => {
  const error: unknown = await work.then(
    () => assert.fail('it did not fail'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof TellurionError, String(error))
  return error
}

test('a request carries its token, its body and a key, and asks for JSON', async () => {
  const { client, server } = bench({ createRun: () => Response.json(run, { status: 201 }) })
  assert.deepEqual(await client.runs.create({ input: 'Hello', session: 's1' }), run)
  const [{ request } = assert.fail()] = server.requests
  assert.equal(request.url, 'http://tellurion.test/api/v1/runs')
  assert.equal(request.headers.get('authorization'), 'Bearer secret')
  assert.equal(request.headers.get('idempotency-key'), 'key_1')
  assert.equal(request.headers.get('accept'), 'application/json')
  assert.deepEqual(await request.json(), { input: 'Hello', session: 's1' })
})

test('a path before the routes is kept, and ids are encoded', async () => {
  const asked: string[] = []
  const client = createClient({
    baseURL: 'https://example.test/agents/',
    fetch: async ({ url, headers }) => {
      asked.push(url)
      assert.equal(headers.get('authorization'), null)
      return Response.json(run)
    },
  })
  await client.runs.get('../../health?a=b')
  assert.deepEqual(asked, ['https://example.test/agents/api/v1/runs/..%2F..%2Fhealth%3Fa%3Db'])
})

test('a refusal is the error that the server tells, with its status and request id', async () => {
  const { client, server } = bench({ getRun: () => refusal(404, 'unknown_run') })
  const error = await failing(client.runs.get('run_9'))
  assert.equal(error.code, 'unknown_run')
  assert.equal(error.message, 'It is unknown_run.')
  assert.equal(error.retryable, false)
  assert.deepEqual(error.data, { status: 404, requestId: 'req_1' })
  assert.equal(server.requests.length, 1)
})

test('a code that this version does not know is kept', async () => {
  const { client } = bench({ getRun: () => refusal(418, 'teapot') })
  assert.equal((await failing(client.runs.get('r'))).code, 'teapot')
})

test('what is no answer of a server of runs is said so, with its status', async () => {
  for (const [answer, text] of [
    [() => new Response('<h1>Hello</h1>', { status: 403 }), /answered 403/],
    [() => new Response('<h1>Hello</h1>'), /cannot be read/],
    [() => Response.json({ error: 'no' }, { status: 400, statusText: 'Bad Request' }), /answered 400 Bad Request/],
    [() => Response.json(null, { status: 400 }), /answered 400/],
  ] as const) {
    const error = await failing(bench({ getRun: answer }).client.runs.get('r'))
    assert.equal(error.code, 'invalid_response')
    assert.equal(error.retryable, false)
    assert.match(error.message, text)
  }
})

test('reading is tried again after a broken connection, a gateway, and a server that is closing', async () => {
  const { client, clock, server } = bench({
    getRun: inTurn(
      () => Promise.reject(new TypeError('fetch failed')),
      () => new Response('bad gateway', { status: 502 }),
      () => refusal(503, 'runtime_closed', { headers: { 'retry-after': '9' } }),
      () => run,
    ),
  })
  const got = client.runs.get('run_1')
  await clock.runAll()
  assert.deepEqual(await got, run)
  assert.equal(server.requests.length, 4)
  assert.equal(clock.now(), 1_000 + 2_000 + 9_000, 'waits, the last as long as the server asked for')
})

test('the last failure comes out when patience ends, with its cause', async () => {
  const { client, clock, server } = bench({ getRun: () => Promise.reject(new TypeError('fetch failed')) })
  const failed = failing(client.runs.get('run_1'))
  await clock.runAll()
  const { code, cause, message } = await failed
  assert.equal(code, 'server_unreachable')
  assert.match(message, /http:\/\/tellurion\.test cannot be reached/)
  assert.match(String(cause), /fetch failed/)
  assert.equal(server.requests.length, 4)
})

test('making a run is tried again under the same key', async () => {
  const { client, clock, server } = bench({
    createRun: inTurn(
      () => Promise.reject(new TypeError('fetch failed')),
      () => run,
    ),
  })
  const made = client.runs.create({ input: 'Hello' })
  await clock.runAll()
  await made
  const keys = server.requests.map(({ request }) => request.headers.get('idempotency-key'))
  assert.deepEqual(keys, ['key_1', 'key_1'])
  await client.runs.create({ input: 'Hello' }, { key: 'mine' })
  assert.equal(server.requests[2]?.request.headers.get('idempotency-key'), 'mine')
})

test('what might happen twice is not tried again, unless it was turned away', async () => {
  const breaking = (): Promise<never> => Promise.reject(new TypeError('fetch failed'))
  const { client, clock, server } = bench({
    steerRun: breaking,
    forkRun: breaking,
    undoRun: breaking,
    callTool: breaking,
  })
  for (const work of [
    client.runs.steer('r', 'Hi'),
    client.runs.fork('r', { tick: 1 }),
    client.runs.undo('r'),
    client.tools.call({ tool: 'rm' }),
  ]) {
    assert.equal((await failing(work)).code, 'server_unreachable')
  }
  assert.equal(server.requests.length, 4)
  assert.equal(clock.pending, 0)

  const limited = bench({
    steerRun: inTurn(
      () => refusal(429, 'rate_limited', { retryable: true, headers: { 'retry-after': '2' } }),
      () => refusal(503, 'store_locked', { headers: { 'retry-after': '1' } }),
      () => run,
    ),
  })
  const steered = limited.client.runs.steer('r', 'Hi')
  await limited.clock.runAll()
  await steered
  assert.equal(limited.server.requests.length, 3)
})

test('a limit that waiting does not lift is told at once', async () => {
  const { client, server } = bench({
    createRun: () => refusal(429, 'session_limit', { headers: { 'retry-after': '60' } }),
  })
  const error = await failing(client.runs.create({ input: 'Hello' }))
  assert.equal(error.code, 'session_limit')
  assert.equal(error.data?.['retryAfter'], 60_000)
  assert.equal(server.requests.length, 1)
})

test('a server that never answers is given up after a minute, and nothing stays behind', async () => {
  const { client, clock } = bench({ steerRun: () => new Promise(() => {}) })
  const failed = failing(client.runs.steer('r', 'Hi'))
  await clock.advance(60_000)
  assert.match((await failed).message, /did not answer in 60000 ms/)
  assert.equal(clock.pending, 0)
})

test('a body that breaks off is a broken connection', async () => {
  const broken = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{"id":'))
      controller.error(new TypeError('terminated'))
    },
  })
  const { client } = bench({ steerRun: () => new Response(broken) })
  assert.equal((await failing(client.runs.steer('r', 'Hi'))).code, 'server_unreachable')
})

test('aborting gives up a request and a wait, with the reason of the signal', async () => {
  const reason = new Error('enough')
  for (const answer of [() => new Promise(() => {}), () => Promise.reject(new TypeError('fetch failed'))]) {
    const { client, clock } = bench({ getRun: answer })
    const controller = new AbortController()
    const got = client.runs.get('r', { signal: controller.signal })
    await clock.settle()
    controller.abort(reason)
    await assert.rejects(got, reason)
    assert.equal(clock.pending, 0)
  }
  const { client, server } = bench({ getRun: () => run })
  await assert.rejects(client.runs.get('r', { signal: AbortSignal.abort(reason) }), reason)
  assert.equal(server.requests.length, 0)
})

test('options that cannot be meant are told', () => {
  const refused = (options: object, message: RegExp): void => {
    assert.throws(() => createClient(options as ClientOptions), { name: 'TellurionError', message })
  }
  refused({ baseUrl: 'http://a.test' }, /no option 'baseUrl'.*Did you mean 'baseURL'/)
  for (const baseURL of [
    undefined,
    '',
    'localhost:8000',
    'ftp://a.test',
    'http://u:p@a.test',
    'http://a.test/?token=1',
  ]) {
    refused({ baseURL }, /'baseURL' is the address of a server/)
  }
  refused({ baseURL: 'http://a.test', token: 'two words' }, /'token' must be/)
  refused({ baseURL: 'http://a.test', retry: { maxRetries: -1 } }, /maxRetries/)
})
