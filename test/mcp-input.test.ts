// What nobody should send to the MCP route, by kind: each is refused with the right status and a clear word, and what was
// there before goes on.

import assert from 'node:assert/strict'
import { connect as connectSocket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { tool } from 'tellurion'
import { openServerDesk, people, until, type Answer, type Question, type ServerDesk } from './server-desk.ts'

const accept = 'application/json, text/event-stream'
const nothing = { type: 'object', properties: {}, additionalProperties: false } as const
let desk: ServerDesk
let session: string
let others: string
let open: () => void = () => {}

const beginning = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'by hand', version: '1' } },
}
const list = { jsonrpc: '2.0', id: 7, method: 'tools/list' }
const modern = {
  _meta: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'by hand', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  },
}

const begin = async (as: 'ada' | 'bob' = 'ada'): Promise<string> =>
  (await desk.ask('POST', '/mcp', { as, body: beginning, headers: { accept } })).headers.get('mcp-session-id') ?? ''

before(async () => {
  const wait = tool({
    description: 'Waits',
    inputSchema: nothing,
    effects: 'read',
    execute: () => new Promise((resolve) => (open = () => resolve('opened'))),
  })
  const limits = { burst: 100_000, requests: 100_000, refusals: 100_000, mcpSessions: 50, mcpReplay: 4000 }
  desk = await openServerDesk({ limits, mcp: { tools: { wait }, agents: ['guide'] } })
  session = await begin()
  others = await begin('bob')
})
after(() => desk.close())

/** Messages of a stream or an answer. */
function messages({
  text,
  headers,
}: Answer): { id?: unknown; result?: never; error?: { code: number; message: string } }[] {
  if (!headers.get('content-type')?.startsWith('text/event-stream')) return [JSON.parse(text)]
  return [...text.matchAll(/^data: (.+)$/gm)].map(([, data = '']) => JSON.parse(data))
}

interface Row {
  readonly what: string
  readonly method?: string
  readonly question: Question
  /** Whether the session of the asker goes with it; default true. */
  readonly inSession?: false
  readonly status: number
  /** The code of JSON-RPC, or of this server. */
  readonly code?: number | string
}

const rows: readonly Row[] = [
  // Who asks, and from where.
  { what: 'nobody', question: { as: 'nobody', body: list }, status: 401, code: 'unauthenticated' },
  { what: 'a token that nobody has', question: { as: 'stranger', body: list }, status: 401, code: 'unauthenticated' },
  { what: 'one who may only look', question: { as: 'look', body: list }, status: 403, code: 'forbidden' },
  ...(['GET', 'DELETE'] as const).map((method) => ({
    what: `${method} by one who may only look`,
    method,
    question: { as: 'look' } as const,
    status: 403,
    code: 'forbidden',
  })),
  {
    what: 'a foreign Host',
    question: { body: list, headers: { host: 'evil.example' } },
    status: 403,
    code: 'forbidden',
  },
  ...['http://evil.example', 'null', 'http://localhost.evil.example', 'https://localhost:1'].map((origin) => ({
    what: `the Origin ${origin}`,
    question: { body: list, headers: { origin } },
    status: 403,
    code: 'forbidden',
  })),
  // Methods.
  ...['PUT', 'PATCH', 'HEAD'].map((method) => ({ what: method, method, question: {}, status: 405 })),
  // Sessions.
  { what: 'no session', question: { body: list }, inSession: false, status: 400, code: -32_000 },
  ...['mcp_nowhere', '../mcp', ' ', 'x'.repeat(5000), '__proto__'].map((id) => ({
    what: `the session '${id.slice(0, 20)}'`,
    question: { body: list, headers: { 'mcp-session-id': id } },
    status: 404,
    code: -32_001,
  })),
  { what: 'GET without a session', method: 'GET', question: {}, inSession: false, status: 400, code: -32_000 },
  { what: 'DELETE without a session', method: 'DELETE', question: {}, inSession: false, status: 400, code: -32_000 },
  { what: 'a second beginning', question: { body: beginning }, status: 400, code: -32_600 },
  // Headers.
  { what: 'no Accept', question: { body: list, headers: { accept: '' } }, status: 406, code: -32_000 },
  { what: 'an Accept of JSON alone', question: { body: list, headers: { accept: 'application/json' } }, status: 406 },
  { what: 'GET that accepts JSON', method: 'GET', question: { headers: { accept: 'application/json' } }, status: 406 },
  ...['1999-01-01', '2026-07-28', 'x'.repeat(300), ''].map((version) => ({
    what: `the revision '${version.slice(0, 12)}' in the header`,
    question: { body: list, headers: { 'mcp-protocol-version': version } },
    status: 400,
  })),
  ...['text/plain', 'application/jsonp', 'application/x-www-form-urlencoded'].map((type) => ({
    what: `the type ${type}`,
    question: { raw: JSON.stringify(list), headers: { 'content-type': type } },
    status: 415,
    code: 'unsupported_media_type',
  })),
  { what: 'a packed body', question: { body: list, headers: { 'content-encoding': 'gzip' } }, status: 415 },
  {
    what: 'an event that is not known',
    method: 'GET',
    question: { headers: { 'last-event-id': '999999' } },
    status: 400,
  },
  ...['x', '-1', '__proto__', '1 OR 1=1'].map((id) => ({
    what: `the event '${id}'`,
    method: 'GET',
    question: { headers: { 'last-event-id': id } },
    status: 400,
  })),
  // Bodies.
  ...['', '{', 'null', '[]', '""', '7', '{}', '{"jsonrpc":"1.0","id":1,"method":"ping"}', '[[]]', '[null]'].map(
    (raw) => ({
      what: `the body ${raw || '(nothing)'}`,
      question: { raw, headers: { 'content-type': 'application/json' } },
      status: 400,
    }),
  ),
  ...[
    '{"jsonrpc":"2.0","id":{},"method":"ping"}',
    '{"jsonrpc":"2.0","id":1}',
    '{"jsonrpc":"2.0","id":1,"method":7}',
  ].map((raw) => ({
    what: raw,
    question: { raw, headers: { 'content-type': 'application/json' } },
    status: 400,
    code: -32_600,
  })),
  {
    what: 'bytes that are no UTF-8',
    question: { raw: new Uint8Array([0x7b, 0xff, 0x7d]), headers: { 'content-type': 'application/json' } },
    status: 400,
    code: -32_700,
  },
  {
    what: '__proto__ as a key',
    question: {
      raw: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wait","arguments":{"__proto__":{"a":1}}}}',
      headers: { 'content-type': 'application/json' },
    },
    status: 400,
    code: -32_700,
  },
  {
    what: 'JSON a hundred levels deep',
    question: { raw: `${'['.repeat(100)}${']'.repeat(100)}`, headers: { 'content-type': 'application/json' } },
    status: 400,
    code: -32_700,
  },
  {
    what: 'a body over the cap',
    question: { body: { ...list, params: { cursor: 'x'.repeat(1_100_000) } } },
    status: 413,
    code: 'request_too_large',
  },
  {
    what: 'a thousand messages at one time',
    question: { body: Array.from({ length: 1000 }, (_, id) => ({ ...list, id })) },
    status: 400,
    code: -32_600,
  },
  // The revision without sessions.
  {
    what: 'a revision that is not known, in the message',
    question: {
      body: {
        ...list,
        params: { _meta: { ...modern._meta, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' } },
      },
    },
    inSession: false,
    status: 400,
  },
  {
    what: 'half of what a message says of itself',
    question: { body: { ...list, params: { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } } } },
    inSession: false,
    status: 400,
    code: -32_602,
  },
]

for (const { what, method = 'POST', question, inSession, status, code } of rows)
  test(`${what}: ${status}${code === undefined ? '' : ` ${code}`}`, async () => {
    const known = inSession === false ? {} : { 'mcp-session-id': session }
    const answer = await desk.ask(method, '/mcp', { ...question, headers: { accept, ...known, ...question.headers } })
    assert.equal(answer.status, status, answer.text)
    if (code !== undefined) assert.equal(messages(answer)[0]?.error?.code, code, answer.text)
    const after = await desk.ask('POST', '/mcp', { body: list, headers: { accept, 'mcp-session-id': session } })
    assert.match(after.text, /"name":"guide"/, 'the session is well')
  })

describe('what is well-formed and cannot be done', () => {
  const ask = async (body: object, headers: Record<string, string> = { 'mcp-session-id': session }) =>
    messages(await desk.ask('POST', '/mcp', { body, headers: { accept, ...headers } })).find(({ id }) => id === 7)

  for (const method of [
    'nothing/at/all',
    'resources/list',
    'prompts/list',
    'logging/setLevel',
    'tasks/list',
    '__proto__',
  ])
    test(`the method ${method} is not found`, async () => {
      assert.equal((await ask({ ...list, method, params: {} }))?.error?.code, -32_601)
    })

  for (const params of [
    undefined,
    {},
    { name: 7 },
    { name: 'guide', arguments: [] },
    { name: 'guide', arguments: 'x' },
  ])
    test(`a call with ${JSON.stringify(params)} is invalid`, async () => {
      const answer = await ask({ ...list, method: 'tools/call', ...(params === undefined ? {} : { params }) })
      assert.equal(answer?.error?.code, -32_602, JSON.stringify(answer))
    })

  test('several messages at one time are answered each', async () => {
    const body = [list, { ...list, id: 8, method: 'ping' }]
    const answer = await desk.ask('POST', '/mcp', { body, headers: { accept, 'mcp-session-id': session } })
    assert.deepEqual(
      messages(answer)
        .map(({ id }) => id)
        .sort(),
      [7, 8],
    )
  })

  test('a notification is taken without a word', async () => {
    for (const method of ['notifications/initialized', 'notifications/nothing', 'notifications/cancelled']) {
      const body = { jsonrpc: '2.0', method, params: { requestId: 99 } }
      const { status, text } = await desk.ask('POST', '/mcp', { body, headers: { accept, 'mcp-session-id': session } })
      assert.deepEqual([status, text], [202, ''])
    }
  })
})

describe('sessions', () => {
  test('of others answer like those that are not there, whatever is asked', async () => {
    for (const method of ['POST', 'GET', 'DELETE']) {
      const asked = (id: string): Promise<Answer> =>
        desk.ask(method, '/mcp', {
          ...(method === 'POST' ? { body: list } : {}),
          headers: { accept, 'mcp-session-id': id },
        })
      const [foreign, nowhere] = [await asked(others), await asked('mcp_nowhere')]
      assert.deepEqual([foreign.status, foreign.text], [404, nowhere.text])
    }
    const own = await desk.ask('POST', '/mcp', { as: 'bob', body: list, headers: { accept, 'mcp-session-id': others } })
    assert.equal(own.status, 200)
    const byAdmin = await desk.ask('POST', '/mcp', {
      as: 'root',
      body: list,
      headers: { accept, 'mcp-session-id': others },
    })
    assert.equal(byAdmin.status, 404, 'an admin has sessions of their own')
  })

  test('past the cap the one that was silent longest goes', async () => {
    const ids: string[] = []
    for (let count = 0; count < 51; count++) ids.push(await begin('bob'))
    const headers = (id: string | undefined): Record<string, string> => ({ accept, 'mcp-session-id': id ?? '' })
    assert.equal((await desk.ask('POST', '/mcp', { as: 'bob', body: list, headers: headers(ids[0]) })).status, 404)
    assert.equal((await desk.ask('POST', '/mcp', { as: 'bob', body: list, headers: headers(ids[50]) })).status, 200)
    assert.equal(
      (await desk.ask('POST', '/mcp', { body: list, headers: headers(session) })).status,
      200,
      'not of others',
    )
  })

  test('only one stream of a session listens', async () => {
    const headers = { accept: 'text/event-stream', 'mcp-session-id': await begin() }
    const first = desk.ask('GET', '/mcp', { headers })
    const second = await desk.ask('GET', '/mcp', { headers })
    assert.equal(second.status, 409)
    await desk.ask('DELETE', '/mcp', { headers })
    assert.equal((await first).status, 200)
  })

  test('a stream that broke goes on where it was', async () => {
    const { url } = await desk.server.listen()
    const id = await begin()
    const head = { authorization: `Bearer ${people.ada.token}`, accept, 'mcp-session-id': id }
    const cut = new AbortController()
    const response = await fetch(`${url}/mcp`, {
      method: 'POST',
      headers: { ...head, 'content-type': 'application/json', 'mcp-protocol-version': '2025-11-25' },
      body: JSON.stringify({ ...list, method: 'tools/call', params: { name: 'wait' } }),
      signal: cut.signal,
    })
    const reader: ReadableStreamDefaultReader<Uint8Array> = response.body!.getReader()
    const first = new TextDecoder().decode((await reader.read()).value)
    const [, place = ''] = /^id: (\w+)$/m.exec(first) ?? []
    cut.abort()
    await reader.read().catch(() => {})
    let rest: Answer | undefined
    const again = async (): Promise<boolean> => {
      const asked = desk.ask('GET', '/mcp', { headers: { ...head, 'last-event-id': place } })
      open()
      rest = await asked
      // Until the server has seen that the other end is gone.
      return rest.status !== 409
    }
    await until(again, 'it goes on')
    assert.ok(rest)
    assert.deepEqual(
      messages(rest).map(({ id: of }) => of),
      [7],
    )
    assert.match(rest.text, /opened/)
  })

  test('what is sent in pieces and broken off changes nothing', async () => {
    const { port } = await desk.server.listen()
    const socket = connectSocket(port, '127.0.0.1')
    const head = `POST /mcp HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${people.ada.token}\r\n`
    socket.write(`${head}content-type: application/json\r\naccept: ${accept}\r\ncontent-length: 500\r\n\r\n{"jsonrpc":`)
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
    socket.destroy()
    const after = await desk.ask('POST', '/mcp', { body: list, headers: { accept, 'mcp-session-id': session } })
    assert.equal(after.status, 200)
  })
})
