import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { systemClock, type Clock } from '../clock/clock.ts'
import type { ToolOutcome } from '../tool/result.ts'
import { createMcp, type Mcp, type McpOptions } from './mcp.ts'
import type { McpHttpServer } from './server-options.ts'

/** Everything that waits, waits a tenth of the time. */
const hurried: Clock = { ...systemClock, timer: (ms, fn) => systemClock.timer(ms / 10, fn) }

interface Request {
  readonly http: IncomingMessage
  readonly method: string | undefined
  readonly id?: number | string
  readonly params: Record<string, unknown>
}

/** Answers a request by itself and says so with true, or leaves it to what a good server does. */
type Behaviour = (request: Request, response: ServerResponse, bench: Bench) => boolean

class Bench {
  /** What came, in a line each: `POST tools/call`, `GET`, `DELETE`. */
  readonly seen: string[] = []
  readonly headers: IncomingMessage['headers'][] = []
  sessions = 0
  behaviour: Behaviour = () => false
  url = ''

  count(line: string): number {
    return this.seen.filter((each) => each === line).length
  }
}

const json = (response: ServerResponse, body: unknown, { status = 200, headers = {} } = {}): true => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  return true
}
const result = (id: Request['id'], value: object): object => ({ jsonrpc: '2.0', id, result: value })
const event = (value: object, id?: string): string =>
  `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(value)}\n\n`
const streaming = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-type': 'text/event-stream' })
const said = (text: string): object => ({ content: [{ type: 'text', text }] })

function answer(bench: Bench, request: Request, response: ServerResponse): unknown {
  const { http, method, id } = request
  bench.seen.push(method === undefined ? String(http.method) : `POST ${method}`)
  bench.headers.push(http.headers)
  if (bench.behaviour(request, response, bench)) return undefined
  if (http.method === 'DELETE') return response.writeHead(200).end()
  if (http.method === 'GET') return response.writeHead(405).end()
  if (id === undefined) return response.writeHead(202).end()
  if (method === 'initialize') {
    const headers = { 'mcp-session-id': `s${++bench.sessions}` }
    const capabilities = { tools: { listChanged: true }, resources: {}, prompts: {} }
    return json(
      response,
      result(id, { protocolVersion: '2025-11-25', capabilities, serverInfo: { name: 'web', version: '1' } }),
      { headers },
    )
  }
  if (method === 'tools/list')
    return json(
      response,
      result(id, { tools: [{ name: 'do', description: 'Does.', inputSchema: { type: 'object' } }] }),
    )
  if (method === 'tools/call') return json(response, result(id, said('done')))
  if (method === 'server/discover')
    return json(response, { jsonrpc: '2.0', id, error: { code: -32_601, message: 'no' } }, { status: 400 })
  return json(response, result(id, {}))
}

async function serve(t: TestContext, behaviour: Behaviour = () => false): Promise<Bench> {
  const bench = new Bench()
  bench.behaviour = behaviour
  const server = createServer(async (http, response) => {
    let body = ''
    for await (const chunk of http) body += String(chunk)
    const { method, id, params = {} } = (body === '' ? {} : JSON.parse(body)) as Partial<Request>
    answer(bench, { http, method, params, ...(id === undefined ? {} : { id }) }, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  bench.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
  return bench
}

type Opening = Partial<McpOptions> & { readonly settings?: Partial<McpHttpServer> }

async function open(t: TestContext, url: string, { settings = {}, ...options }: Opening = {}): Promise<Mcp> {
  const mcp = createMcp({
    servers: { web: { url, allowPrivate: true, timeout: 600_000, connectTimeout: 600_000, ...settings } },
    clock: hurried,
    pingEvery: Infinity,
    retry: { jitter: 'none' },
    ...options,
  })
  t.after(() => mcp.close())
  await mcp.connect()
  return mcp
}

const call = async (mcp: Mcp, timeout?: AbortSignal): Promise<ToolOutcome> =>
  mcp.toolbox().execute('web_do', {}, { approved: true, signal: timeout, clock: hurried })

const statusOf = (mcp: Mcp) => mcp.status()[0] ?? assert.fail('there is no server')
const far = { retry: { initialWait: 3_600_000, maxWait: 3_600_000, jitter: 'none' } } as const

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 3000; tries++) {
    if (holds()) return
    await new Promise((resolve) => systemClock.timer(5, () => resolve(undefined)))
  }
  assert.fail('it did not come about')
}

describe('a session over HTTP', () => {
  test('begins, is named in each request, and is ended', async (t) => {
    const bench = await serve(t)
    const mcp = await open(t, bench.url, { settings: { headers: { authorization: { reveal: () => 'Bearer k' } } } })
    assert.equal((await call(mcp)).content, 'done')
    await mcp.close()
    const wanted = [
      'POST server/discover',
      'POST initialize',
      'POST notifications/initialized',
      'GET',
      'POST tools/list',
      'POST tools/call',
      'DELETE',
    ]
    assert.deepEqual(bench.seen.toSorted(), wanted.toSorted())
    for (const headers of bench.headers) assert.equal(headers.authorization, 'Bearer k')
    for (const headers of bench.headers.slice(2)) assert.equal(headers['mcp-session-id'], 's1')
    assert.doesNotMatch(JSON.stringify(mcp.status()), /Bearer/)
  })

  test('that the server has forgotten is begun anew, and the call made once more', async (t) => {
    const bench = await serve(t, ({ http, method }, response) => {
      if (method !== 'tools/call' || http.headers['mcp-session-id'] !== 's1') return false
      return json(response, { error: 'unknown session' }, { status: 404 })
    })
    const mcp = await open(t, bench.url)
    assert.equal((await call(mcp)).content, 'done')
    assert.deepEqual([bench.count('POST initialize'), bench.count('POST tools/call')], [2, 2])
    assert.equal(statusOf(mcp).state, 'ready')
  })

  test('that is forgotten again and again fails the call', async (t) => {
    const bench = await serve(
      t,
      ({ method }, response) => method === 'tools/call' && json(response, {}, { status: 404 }),
    )
    const outcome = await call(await open(t, bench.url))
    assert.deepEqual([outcome.code, bench.count('POST tools/call')], ['mcp_unavailable', 2])
  })

  test('that never was is not lost: 404 ends the call', async (t) => {
    const bench = await serve(t, ({ method, id }, response) => {
      if (method === 'tools/call') return json(response, {}, { status: 404 })
      if (method !== 'initialize') return false
      const capabilities = { tools: {} }
      return json(
        response,
        result(id, { protocolVersion: '2025-11-25', capabilities, serverInfo: { name: 'web', version: '1' } }),
      )
    })
    const outcome = await call(await open(t, bench.url))
    assert.deepEqual([outcome.code, bench.count('POST tools/call')], ['mcp_unavailable', 1])
  })

  test('gives its answers as a stream, too', async (t) => {
    const bench = await serve(t, ({ method, id, params }, response) => {
      if (method !== 'tools/call') return false
      const { progressToken } = params['_meta'] as { progressToken: number }
      const progress = { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress: 1 } }
      streaming(response).end(event(progress) + event(result(id, said('streamed'))))
      return true
    })
    assert.equal((await call(await open(t, bench.url))).content, 'streamed')
  })

  test('takes up a stream that broke off where it had come to', async (t) => {
    let asked: Request['id']
    const bench = await serve(t, ({ http, method, id }, response) => {
      if (method === 'tools/call') {
        asked = id
        streaming(response).end('id: e1\nretry: 1000\ndata:\n\n')
        return true
      }
      if (http.method !== 'GET' || http.headers['last-event-id'] !== 'e1') return false
      streaming(response).end(event(result(asked, said('taken up')), 'e2'))
      return true
    })
    assert.equal((await call(await open(t, bench.url))).content, 'taken up')
    assert.equal(bench.count('POST tools/call'), 1)
  })

  test('tells of new tools over its own stream', async (t) => {
    let more = false
    const bench = await serve(t, ({ http, method, id }, response) => {
      if (method === 'tools/list' && more)
        return json(
          response,
          result(id, { tools: ['do', 'more'].map((name) => ({ name, inputSchema: { type: 'object' } })) }),
        )
      if (http.method !== 'GET') return false
      streaming(response).flushHeaders()
      systemClock.timer(30, () => {
        more = true
        response.write(event({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' }))
      })
      return true
    })
    const mcp = await open(t, bench.url, { settings: { acceptNew: true } })
    const box = mcp.toolbox()
    const before = box.specs()
    assert.equal(box.specs(), before)
    await until(() => box.names().includes('web_more'))
  })
})

describe('a server over HTTP that', () => {
  const broken: readonly [
    what: string,
    behave: (request: Request, response: ServerResponse) => boolean,
    code: string,
    message: RegExp,
  ][] = [
    ['cuts the line', (_, response) => (response.destroy(), true), 'mcp_unavailable', /is not available/],
    [
      'ends its stream without an answer',
      (_, response) => (streaming(response).end(': nothing\n\n'), true),
      'mcp_unavailable',
      /whether it was done is unknown/,
    ],
    [
      'breaks its stream off',
      ({ id }, response) => {
        streaming(response).write(`data: {"jsonrpc":"2.0","id":${id},`)
        systemClock.timer(20, () => response.destroy())
        return true
      },
      'mcp_unavailable',
      /whether it was done is unknown/,
    ],
    [
      'answers with 500',
      (_, response) => json(response, { oops: '\u202Ebad' }, { status: 500 }),
      'mcp_unavailable',
      /bad/,
    ],
    [
      'answers with HTML',
      (_, response) => (response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'), true),
      'mcp_failed',
      /what is not MCP/,
    ],
    [
      'answers with broken JSON',
      (_, response) => (response.writeHead(200, { 'content-type': 'application/json' }).end('{'), true),
      'mcp_failed',
      /what is not MCP/,
    ],
    [
      'answers with the wrong id',
      (_, response) => json(response, result(4711, said('x'))),
      'tool_timeout',
      /did not end/,
    ],
    ['never answers', () => true, 'tool_timeout', /did not end/],
    [
      'sends a body without end',
      (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' })
        const write = (): void => {
          while (!response.destroyed && response.write('x'.repeat(65_536)));
          response.once('drain', write)
        }
        write()
        return true
      },
      'egress_too_large',
      /more than 1048576 bytes/,
    ],
    [
      'sends an event without end',
      (_, response) => {
        streaming(response).write('data: ')
        const write = (): void => {
          while (!response.destroyed && response.write('x'.repeat(65_536)));
          response.once('drain', write)
        }
        write()
        return true
      },
      'mcp_unavailable',
      /whether it was done is unknown/,
    ],
    [
      'gives keys that change what objects are',
      ({ id }, response) => {
        response.writeHead(200, { 'content-type': 'application/json' })
        response.end(`{"jsonrpc":"2.0","id":${id},"result":{"content":[],"structuredContent":{"constructor":{"a":1}}}}`)
        return true
      },
      'mcp_failed',
      /not plain JSON/,
    ],
    [
      'redirects elsewhere',
      (_, response) => (response.writeHead(307, { location: 'http://127.0.0.2:1/' }).end(), true),
      'mcp_unavailable',
      /redirect/i,
    ],
  ]
  for (const [what, behave, code, message] of broken)
    test(`${what} ends the call in ${code}`, async (t) => {
      const bench = await serve(t, (request, response) => request.method === 'tools/call' && behave(request, response))
      const mcp = await open(t, bench.url, {
        settings: { maxMessage: 1_048_576, timeout: code === 'tool_timeout' ? 2_000 : 600_000 },
      })
      const outcome = await call(mcp)
      assert.equal(outcome.code, code, String(outcome.content))
      assert.match(String(outcome.content), message)
      assert.doesNotMatch(String(outcome.content), /\u202E/)
      assert.equal(bench.count('POST tools/call'), 1)
    })

  test('is cancelled is told so', async (t) => {
    const bench = await serve(t, ({ method }) => method === 'tools/call')
    const mcp = await open(t, bench.url)
    const controller = new AbortController()
    const calling = call(mcp, controller.signal)
    await until(() => bench.count('POST tools/call') === 1)
    controller.abort()
    assert.equal((await calling).code, 'aborted')
    await until(() => bench.count('POST notifications/cancelled') === 1)
  })

  const refusals: readonly [what: string, status: number, code: string, message: RegExp][] = [
    ['wants a token', 401, 'mcp_failed', /does not let us in \(HTTP 401\); put what it wants into 'headers'/],
    ['forbids', 403, 'mcp_failed', /HTTP 403/],
    ['is not there', 404, 'mcp_unavailable', /is not available/],
    ['is overloaded', 503, 'mcp_unavailable', /is not available/],
  ]
  for (const [what, status, code, message] of refusals)
    test(`${what} is down with a reason`, async (t) => {
      const bench = await serve(t, (_, response) => json(response, {}, { status }))
      const { state, error } = statusOf(await open(t, bench.url, far))
      assert.deepEqual([state, error?.code], ['down', code])
      assert.match(error?.message ?? '', message)
    })

  test('stops closing its stream in a circle is not asked in a hurry', async (t) => {
    const bench = await serve(t, ({ http }, response) => {
      if (http.method !== 'GET') return false
      streaming(response).end('id: x\nretry: 0\ndata:\n\n')
      return true
    })
    await open(t, bench.url, { clock: systemClock })
    await new Promise((resolve) => systemClock.timer(450, () => resolve(undefined)))
    assert.ok(bench.count('GET') <= 6, `${bench.count('GET')} times`)
  })

  test('comes back is found again', async (t) => {
    let down = true
    const bench = await serve(t, (_, response) => down && json(response, {}, { status: 503 }))
    const mcp = await open(t, bench.url)
    await until(() => statusOf(mcp).failures >= 2)
    down = false
    await until(() => statusOf(mcp).state === 'ready')
    assert.equal((await call(mcp)).content, 'done')
  })
})

describe('the guard', () => {
  test('refuses an address that is not public, and does not try again', async (t) => {
    const bench = await serve(t)
    const mcp = await open(t, bench.url, { settings: { allowPrivate: false } })
    const { state, error, retryAt } = statusOf(mcp)
    assert.deepEqual([state, error?.code, retryAt], ['refused', 'egress_refused', undefined])
    assert.deepEqual(bench.seen, [])
    await assert.rejects(mcp.prompts('web'), { code: 'egress_refused' })
  })

  for (const url of ['http://169.254.169.254/mcp', 'http://[fd00:ec2::254]/mcp', 'http://metadata.google.internal/mcp'])
    test(`refuses ${url}`, async (t) => {
      assert.equal(statusOf(await open(t, url, { settings: { allowPrivate: false } })).error?.code, 'egress_refused')
    })
})

describe('resources and prompts', () => {
  const behaviour: Behaviour = ({ method, id, params }, response) => {
    if (method === 'resources/list')
      return json(
        response,
        result(id, {
          resources: [{ uri: 'doc://1', name: 'One\u202E', description: 'The\u200B first', mimeType: 'text/plain' }],
        }),
      )
    if (method === 'resources/templates/list')
      return json(response, { jsonrpc: '2.0', id, error: { code: -32_601, message: 'none' } })
    if (method === 'resources/read') {
      if (params['uri'] !== 'doc://1')
        return json(response, { jsonrpc: '2.0', id, error: { code: -32_002, message: 'not found' } })
      return json(
        response,
        result(id, {
          contents: [
            { uri: 'doc://1', text: 'Hello' },
            { uri: 'doc://1#b', blob: 'aGk=', mimeType: 'image/png' },
          ],
        }),
      )
    }
    if (method === 'prompts/list')
      return json(response, result(id, { prompts: [{ name: 'greet', arguments: [{ name: 'who', required: true }] }] }))
    if (method === 'prompts/get') {
      const { who } = params['arguments'] as { who: string }
      return json(
        response,
        result(id, { messages: [{ role: 'user', content: { type: 'text', text: `Greet ${who}` } }] }),
      )
    }
    return false
  }

  test('are listed, cleaned and read', async (t) => {
    const mcp = await open(t, (await serve(t, behaviour)).url)
    const resource = { uri: 'doc://1', name: 'One', description: 'The first', mediaType: 'text/plain' }
    assert.deepEqual(await mcp.resources('web'), { resources: [resource], templates: [] })
    assert.deepEqual(await mcp.readResource('web', 'doc://1'), [
      { uri: 'doc://1', text: 'Hello' },
      { uri: 'doc://1#b', mediaType: 'image/png', data: 'aGk=' },
    ])
    await assert.rejects(mcp.readResource('web', 'doc://2'), { code: 'mcp_failed', message: /\(resource not found\)/ })
    await assert.rejects(mcp.readResource('web', 'x'.repeat(3_000)), { code: 'invalid_value' })
    assert.deepEqual(await mcp.prompts('web'), [{ name: 'greet', arguments: [{ name: 'who', required: true }] }])
    assert.deepEqual(await mcp.prompt('web', 'greet', { arguments: { who: 'Ada' } }), [
      { role: 'user', content: [{ type: 'text', text: 'Greet Ada' }] },
    ])
    await assert.rejects(mcp.prompts('wep'), { code: 'invalid_value', message: /Did you mean 'web'\?/ })
  })

  test('of resources models have two tools', async (t) => {
    const mcp = await open(t, (await serve(t, behaviour)).url)
    const box = mcp.toolbox()
    assert.deepEqual(box.names(), ['web_listResources', 'web_readResource', 'web_do'])
    assert.match(String((await box.execute('web_listResources', {}, { approved: true })).content), /doc:\/\/1/)
    const { content } = await box.execute('web_readResource', { uri: 'doc://1' }, { approved: true })
    assert.deepEqual(content, [
      { type: 'text', text: '[resource doc://1]\nHello' },
      { type: 'image', mediaType: 'image/png', data: 'aGk=' },
    ])
    assert.deepEqual(box.get('web_readResource')?.effects.risk, ['destructive', 'exfiltrating'])
    const without = await open(t, (await serve(t, behaviour)).url, { settings: { resourceTools: false } })
    assert.deepEqual(without.toolbox().names(), ['web_do'])
  })
})
