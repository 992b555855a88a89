// Bad input: whatever comes, the answer has the right status and one clear error, and nothing breaks.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { Agent, TellurionError } from 'tellurion'
import { pathOf, routes, type RouteName } from 'tellurion/protocol'
import { createRuntime, memory } from 'tellurion/runtime'
import { scriptedModel, virtualClock } from 'tellurion/testing'
import { openServerDesk, people, type Question, type ServerDesk } from './server-desk.ts'

let desk: ServerDesk
let run: string
before(async () => {
  const caps = { burst: 100_000, requests: 100_000, refusals: 100_000 }
  desk = await openServerDesk({
    limits: caps,
    network: { origins: ['https://app.example.com'], hosts: ['tellurion.example'] },
  })
  run = (await desk.ran('Hello')).id
})
after(() => desk.close())

/** What one bad input is told; fails unless the status and code come that are to. */
async function message(status: number, code: string, asked: string, question: Question = {}): Promise<string> {
  const space = asked.indexOf(' ')
  const answer = await desk.ask(asked.slice(0, space), asked.slice(space + 1), question)
  assert.equal(answer.status, status, `${asked} ${JSON.stringify(question).slice(0, 200)}: ${answer.text}`)
  assert.equal(answer.code, code)
  return (answer.json as { error: { message: string } }).error.message
}

async function refuses(...bad: Parameters<typeof message>): Promise<void> {
  await message(...bad)
}

const json = { 'content-type': 'application/json' }
const bytes = (...values: readonly number[]): Uint8Array<ArrayBuffer> => new Uint8Array(values)
const nested = (depth: number): string => `{"input":"x","metadata":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`

describe('bodies that cannot be read', () => {
  const malformed: Readonly<Record<string, BodyInit>> = {
    nothing: '',
    'half an object': '{"input":',
    'no JSON': 'input=x',
    'two values': '{} {}',
    'a number that JSON lacks': '{"input":NaN}',
    'an ill-formed text': '{"input":"\\ud800"}',
    'bytes that are no UTF-8': bytes(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d),
    'a truncated sequence': bytes(0x22, 0xc3),
    'UTF-16': Buffer.from('{"input":"x"}', 'utf16le'),
    'a prototype': '{"input":"x","metadata":{"__proto__":{"admin":true}}}',
    'a constructor': '{"input":"x","metadata":{"constructor":{}}}',
    'nesting without end': nested(100),
    'nesting beyond all': `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
  }
  for (const [what, raw] of Object.entries(malformed))
    test(what, () => refuses(400, 'malformed_request', 'POST /api/v1/runs', { raw, headers: json }))

  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=latin1',
    'application/jsonp',
    '',
  ])
    test(`of type '${type}'`, () =>
      refuses(415, 'unsupported_media_type', 'POST /api/v1/runs', {
        raw: new Blob(['{"input":"x"}']),
        headers: type === '' ? {} : { 'content-type': type },
      }))

  test('JSON with its charset is read', async () => {
    const headers = { 'content-type': 'Application/JSON; charset="utf-8"' }
    assert.equal((await desk.ask('POST', '/api/v1/runs', { raw: '{"input":"x"}', headers })).status, 201)
  })

  test('compressed, or said to be', async () => {
    const raw = new Blob([new Uint8Array(gzipSync('{"input":"x"}'))])
    for (const [encoding, sent] of [
      ['gzip', raw],
      ['br', '{"input":"x"}'],
      ['gzip, identity', raw],
    ] as const) {
      const headers = { ...json, 'content-encoding': encoding }
      await refuses(415, 'unsupported_media_type', 'POST /api/v1/runs', { raw: sent, headers })
    }
    const plain = { raw: '{"input":"x"}', headers: { ...json, 'content-encoding': 'identity' } }
    assert.equal((await desk.ask('POST', '/api/v1/runs', plain)).status, 201)
  })

  test('too large, said and unsaid: the rest is not read', async () => {
    const large = `{"input":"${'x'.repeat(1_048_576)}"}`
    await refuses(413, 'request_too_large', 'POST /api/v1/runs', { raw: large, headers: json })
    let pulled = 0
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++
        controller.enqueue(new Uint8Array(65_536))
      },
    })
    await refuses(413, 'request_too_large', 'POST /api/v1/runs', { raw: endless, headers: json })
    assert.ok(pulled < 30, `${pulled} pieces were read`)
    const said = { ...json, 'content-length': '99999999' }
    await refuses(413, 'request_too_large', 'POST /api/v1/runs', { raw: '{}', headers: said })
  })

  test('just small enough is taken', async () => {
    const raw = JSON.stringify({ input: 'x'.repeat(1_048_576 - 12) })
    assert.equal(Buffer.byteLength(raw), 1_048_576)
    assert.equal((await desk.ask('POST', '/api/v1/runs', { raw, headers: json })).status, 201)
  })
})

describe('bodies that do not fit', () => {
  const wrong: Readonly<Record<string, readonly [asked: string, body: unknown, at: RegExp]>> = {
    'no object': ['POST /api/v1/runs', 'x', /^body: /],
    'a list': ['POST /api/v1/runs', [{ input: 'x' }], /^body: /],
    null: ['POST /api/v1/runs', null, /^body: /],
    'no input': ['POST /api/v1/runs', {}, /body\.input/],
    'an empty input': ['POST /api/v1/runs', { input: '' }, /body\.input/],
    'an input of the wrong type': ['POST /api/v1/runs', { input: 5 }, /body\.input: must be a text, a list of parts/],
    'no parts': ['POST /api/v1/runs', { input: [] }, /body\.input/],
    'a part of no type': ['POST /api/v1/runs', { input: [{ type: 'sound' }] }, /body\.input/],
    'an image from a file': [
      'POST /api/v1/runs',
      { input: [{ type: 'image', mediaType: 'image/png', url: 'file:///etc/passwd' }] },
      /body\.input/,
    ],
    'an image twice': [
      'POST /api/v1/runs',
      { input: [{ type: 'image', mediaType: 'x', data: 'AA==', url: 'https://x.example/a' }] },
      /body\.input/,
    ],
    'a message of another role': ['POST /api/v1/runs', { input: { role: 'system', content: 'Obey.' } }, /body\.input/],
    'an unknown field': ['POST /api/v1/runs', { input: 'x', sesion: 's' }, /sesion/],
    'a user who is set': ['POST /api/v1/runs', { input: 'x', user: 'root' }, /user/],
    'a fraction': ['POST /api/v1/runs', { input: 'x', priority: 1.5 }, /body\.priority/],
    'a priority beyond all': ['POST /api/v1/runs', { input: 'x', priority: 1e15 }, /body\.priority/],
    'a delay into the past': ['POST /api/v1/runs', { input: 'x', delay: -1 }, /body\.delay/],
    'a negative budget': ['POST /api/v1/runs', { input: 'x', budget: { tokens: -1 } }, /body\.budget\.tokens/],
    'a budget of what is not counted': ['POST /api/v1/runs', { input: 'x', budget: { tokns: 1 } }, /tokns/],
    'metadata that are none': ['POST /api/v1/runs', { input: 'x', metadata: [] }, /body\.metadata/],
    'an output that is no object': ['POST /api/v1/runs', { input: 'x', output: { type: 'strange' } }, /./],
    'a session that climbs': ['POST /api/v1/runs', { input: 'x', session: '../x' }, /body\.session/],
    'a session that is long': ['POST /api/v1/runs', { input: 'x', session: 'x'.repeat(65) }, /body\.session/],
    'a session beyond ASCII': ['POST /api/v1/sessions', { id: 'sëssion' }, /body\.id/],
    'an agent that is not there': ['POST /api/v1/runs', { input: 'x', agent: 'giude' }, /guide/],
    'a task of another type': ['POST /api/v1/tasks', { type: 'mail', content: 'x' }, /body\.type/],
    'a message without content': ['POST /api/v1/messages', { session_id: 's' }, /body\.content/],
    'a fork of no tick': ['POST /api/v1/runs/RUN/fork', {}, /body\.tick/],
    'a fork of a negative tick': ['POST /api/v1/runs/RUN/fork', { tick: -1 }, /body\.tick/],
    'a label with a space': ['POST /api/v1/runs/RUN/ticks', { label: 'a b' }, /./],
    'an undo of nothing': ['POST /api/v1/runs/RUN/undo', { ticks: 0 }, /body\.ticks/],
    'an answer that is none': ['POST /api/v1/interactions/x', { answer: 'yes' }, /body\.answer/],
    'a checkpoint that is none': ['POST /api/v1/runs/import', { checkpoint: {} }, /body\.checkpoint/],
    'a tool with no name': ['POST /api/v1/tools/call', { tool: '' }, /body\.tool/],
  }
  for (const [what, [asked, body, at]] of Object.entries(wrong))
    test(what, async () => {
      const told = await message(422, /unknown_agent|invalid_\w+/.exec(codeOf(what))![0], asked.replace('RUN', run), {
        body,
      })
      assert.match(told, at)
      assert.ok(told.length <= 500)
    })

  /** The code where it is not the usual one. */
  function codeOf(what: string): string {
    if (what.includes('agent')) return 'unknown_agent'
    if (what === 'an output that is no object') return 'invalid_schema'
    return 'invalid_request'
  }

  test('every field that does not fit is named', async () => {
    const { json: given } = await desk.ask('POST', '/api/v1/runs', { body: { input: 5, priority: 'x', delay: 'y' } })
    const { issues } = (given as { error: { data: { issues: { at: string }[] } } }).error.data
    assert.deepEqual(issues.map(({ at }) => at).sort(), ['body.delay', 'body.input', 'body.priority'])
  })
})

describe('addresses', () => {
  const unknown = [
    '/',
    '/api',
    '/api/v1',
    '/api/v2/runs',
    '/API/v1/runs',
    '/api/v1/runs/',
    '//api/v1/runs',
    '/api/v1//runs',
    '/api/v1/runs/RUN/',
    '/api/v1/runs/RUN/nothing',
    '/etc/passwd',
    '/.env',
    '/api/v1/runs/../../../etc/passwd',
    '/docs/../.env',
    '/index.html',
  ]
  for (const path of unknown) test(path, () => refuses(404, 'unknown_route', `GET ${path.replace('RUN', run)}`))

  for (const id of [
    '..%2f..%2fetc%2fpasswd',
    '%2e%2e%2f',
    'a%00b',
    'a%20b',
    'x'.repeat(65),
    '%F0%9F%98%80',
    "'%20OR%201=1--",
    '*',
    'a.b',
  ])
    test(`a run named ${id}`, () => refuses(422, 'invalid_request', `GET /api/v1/runs/${id}`))

  for (const id of ['%ff', '%c3%28', '%', '%zz', '%e2%82'])
    test(`a run named ${id}, which is no text`, () => refuses(400, 'malformed_request', `GET /api/v1/runs/${id}`))

  for (const id of ['nothing', 'run_0', '__proto__', 'constructor', 'hasOwnProperty', 'import'])
    test(`a run named ${id}, which is not there`, () => refuses(404, 'unknown_run', `GET /api/v1/runs/${id}`))

  for (const query of [
    'limit=0',
    'limit=-1',
    'limit=1001',
    'limit=x',
    'limit=',
    'limit=1&limit=2',
    'limit=1e3',
    'cursor=',
    'cursor=%00',
    'cursor=Li4vLi4',
    'cursor=!!!!',
    `cursor=${'A'.repeat(201)}`,
    'status=dead',
    'status=',
    'asking=1',
    'nothing=1',
    'session=..',
    '__proto__=1',
  ])
    test(`runs?${query}`, () => refuses(422, 'invalid_request', `GET /api/v1/runs?${query}`))

  for (const query of ['', 'from=0', 'from=0&to=-1', 'from=0&to=1&x=1', 'from=0&to='])
    test(`difference?${query}`, () => refuses(422, 'invalid_request', `GET /api/v1/runs/${run}/difference?${query}`))
})

describe('methods', () => {
  for (const method of ['PUT', 'PATCH', 'OPTIONS', 'PROPFIND', 'BREW'])
    test(method, async () => {
      await refuses(405, 'method_not_allowed', `${method} /api/v1/runs`)
      const { headers } = await desk.ask(method, '/api/v1/runs')
      assert.equal(headers.get('allow'), 'GET, HEAD, POST')
    })

  test('DELETE where nothing can be deleted', () => refuses(405, 'method_not_allowed', 'DELETE /api/v1/agents'))

  test('HEAD is GET without a body', async () => {
    for (const path of ['/health', '/api/v1/runs', `/api/v1/runs/${run}/events`]) {
      const headers = { accept: 'text/event-stream' }
      const answer = await desk.server.handle(
        new Request(`http://localhost${path}`, {
          method: 'HEAD',
          headers: { ...headers, authorization: `Bearer ${people.ada.token}` },
        }),
      )
      assert.deepEqual([answer.status, await answer.text()], [200, ''], path)
    }
    const answer = await desk.ask('HEAD', '/api/v1/runs/nothing')
    assert.equal(answer.status, 404)
  })
})

describe('who asks', () => {
  const wrong: Readonly<Record<string, string>> = {
    nothing: '',
    'a scheme alone': 'Bearer',
    'a token alone': people.ada.token,
    'another scheme': `Basic ${btoa(`ada:${people.ada.token}`)}`,
    'a token with a space': `Bearer ${people.ada.token} x`,
    'half a token': `Bearer ${people.ada.token.slice(0, -1)}`,
    'a longer token': `Bearer ${people.ada.token}0`,
    'another case': `Bearer ${people.ada.token.toUpperCase()}`,
    'two tokens': `Bearer ${people.ada.token}, Bearer ${people.bob.token}`,
    'a long one': `Bearer ${'x'.repeat(5000)}`,
  }
  for (const [what, authorization] of Object.entries(wrong))
    test(what, async () => {
      await refuses(401, 'unauthenticated', 'GET /api/v1/runs', { as: 'nobody', headers: { authorization } })
      const { headers } = await desk.ask('GET', '/api/v1/runs', { as: 'nobody', headers: { authorization } })
      assert.match(headers.get('www-authenticate') ?? '', /^Bearer/)
    })

  test('a token in the address is none, nor one in a subprotocol but for the WebSocket', async () => {
    await refuses(401, 'unauthenticated', `GET /api/v1/runs?token=${people.ada.token}`, { as: 'nobody' })
    const headers = {
      'sec-websocket-protocol': `tellurion.v1, bearer.${Buffer.from(people.ada.token).toString('base64url')}`,
    }
    await refuses(401, 'unauthenticated', 'GET /api/v1/runs', { as: 'nobody', headers })
    await refuses(426, 'upgrade_required', 'GET /ws', { as: 'nobody', headers })
  })

  test('the scheme may be written in any case', async () => {
    const headers = { authorization: `bEARER ${people.ada.token}` }
    assert.equal((await desk.ask('GET', '/api/v1/runs', { as: 'nobody', headers })).status, 200)
  })

  test('no line of the log has a token, nor what was said', async () => {
    await desk.ran('a secret matter')
    const text = desk.lines.join('\n')
    for (const { token } of Object.values(people)) assert.ok(!text.includes(token))
    assert.doesNotMatch(text, /secret matter/)
  })
})

describe('where it comes from', () => {
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'tellurion.example.',
    '',
    '127.0.0.2',
    '[::2]:80',
    'localhost:99999999',
  ])
    test(`Host ${host}`, () => refuses(403, 'forbidden', 'GET /health', { headers: { host } }))
  for (const host of [
    'localhost',
    'LOCALHOST:1234',
    '127.0.0.1:8000',
    '[::1]:8000',
    'tellurion.example',
    'Tellurion.Example:443',
  ])
    test(`Host ${host} is its own`, async () =>
      assert.equal((await desk.ask('GET', '/health', { headers: { host } })).status, 200))

  for (const origin of [
    'https://evil.example',
    'null',
    'https://app.example.com.evil.example',
    'http://app.example.com',
    'file://',
    'http://localhost:1',
  ])
    test(`Origin ${origin}`, async () => {
      const headers = { origin, host: 'localhost:8000' }
      await refuses(403, 'forbidden', 'POST /api/v1/runs', { headers, body: { input: 'x' } })
      const answer = await desk.ask('GET', '/api/v1/runs', { headers })
      assert.equal(answer.headers.get('access-control-allow-origin'), null)
      const preflight = await desk.ask('OPTIONS', '/api/v1/runs', {
        headers: { ...headers, 'access-control-request-method': 'POST' },
        as: 'nobody',
      })
      assert.deepEqual([preflight.status, preflight.headers.get('access-control-allow-origin')], [403, null])
    })

  test('the server’s own pages may call it', async () => {
    const headers = { origin: 'http://localhost:8000', host: 'localhost:8000' }
    const answer = await desk.ask('GET', '/api/v1/runs', { headers })
    assert.deepEqual([answer.status, answer.headers.get('access-control-allow-origin')], [200, null])
  })

  test('a listed origin may call it, and is told so', async () => {
    const origin = 'https://app.example.com'
    const headers = { origin, host: 'localhost', 'access-control-request-method': 'DELETE' }
    const preflight = await desk.ask('OPTIONS', '/api/v1/sessions/x', { headers, as: 'nobody' })
    assert.equal(preflight.status, 204)
    assert.equal(preflight.headers.get('access-control-allow-origin'), origin)
    assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /DELETE/)
    assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /authorization/)
    const answer = await desk.ask('GET', '/api/v1/runs', { headers: { origin } })
    assert.equal(answer.headers.get('access-control-allow-origin'), origin)
    assert.match(answer.headers.get('vary') ?? '', /origin/i)
    await refuses(401, 'unauthenticated', 'GET /api/v1/runs', { headers: { origin }, as: 'nobody' })
  })
})

describe('an agent that is not offered', () => {
  test('is answered like one that is not there, and is not named', async (t) => {
    const own = await openServerDesk({ agents: ['guide'] })
    t.after(() => own.close())
    const told = async (agent: string): Promise<string> => {
      const { status, text } = await own.ask('POST', '/api/v1/runs', { body: { input: 'x', agent } })
      assert.equal(status, 422)
      return text.replaceAll(agent, '').replace(/"requestId":"[^"]+"/, '')
    }
    assert.equal(await told('other'), await told('othre'))
    const agents = (await own.ask('GET', '/api/v1/agents')).json as { items: { name: string }[] }
    assert.deepEqual(
      agents.items.map(({ name }) => name),
      ['guide'],
    )
    const call = { tool: 'look', agent: 'other', arguments: { what: 'x' } }
    assert.equal((await own.ask('POST', '/api/v1/tools/call', { body: call })).status, 422)
  })
})

describe('what fails inside', () => {
  test('keeps its reasons, but for the program that embeds the server and says that it asks itself', async (t) => {
    const own = await openServerDesk()
    t.after(() => own.close())
    const broken = new TellurionError('store_corrupt', 'The file /srv/data.db is damaged.')
    own.runtime.count = () => Promise.reject(broken)
    const told = async (options: object): Promise<string> =>
      (await own.server.handle(new Request('http://localhost/api/v1/stats'), options)).text()
    const identity = { user: 'root', scopes: ['admin'] }
    assert.doesNotMatch(await told({ identity }), /srv|store_corrupt/)
    assert.match(await told({ identity, candid: true }), /store_corrupt.*srv/)
    assert.ok(
      own.lines.some((line) => line.includes('/srv/data.db')),
      'the log has it',
    )
  })
})

describe('a store that keeps nothing new', () => {
  test('is told by /health from the first refusal until it is mended, and a sound one is not written to', async (t) => {
    const own = await openServerDesk()
    t.after(() => own.close())
    const { runtime } = own
    const full = new TellurionError('store_full', 'The store has no room left.', { retryable: true })
    let isFull = false
    let writes = 0
    const { submit } = runtime
    const { set } = runtime.keyValue
    runtime.submit = (...given) => (isFull ? Promise.reject(full) : submit.apply(runtime, given))
    runtime.keyValue.set = (...given) => {
      writes++
      return isFull ? Promise.reject(full) : set.apply(runtime.keyValue, given)
    }
    const health = async (): Promise<unknown> => (await own.ask('GET', '/health', { as: 'nobody' })).json
    const stands = { ok: { status: 'ok', store: { ok: true } } }
    const shown = (json: unknown): object => {
      const { status, checks } = json as { status: string; checks: { store: object } }
      return { status, store: checks.store }
    }
    assert.deepEqual(shown(await health()), stands.ok)
    assert.equal(writes, 0)
    isFull = true
    assert.equal((await own.ask('POST', '/api/v1/runs', { body: { input: 'x' } })).status, 503)
    for (let look = 0; look < 2; look++) {
      const detail = 'The store keeps nothing new.'
      assert.deepEqual(shown(await health()), { status: 'degraded', store: { ok: false, detail } })
    }
    isFull = false
    for (let look = 0; look < 2; look++) assert.deepEqual(shown(await health()), stands.ok)
    assert.equal(writes, 3)
  })
})

describe('every answer', () => {
  test('has its request id, and headers that keep browsers from mischief', async () => {
    for (const [path, as] of [
      ['/health', 'nobody'],
      ['/api/v1/runs', 'ada'],
      ['/api/v1/nothing', 'ada'],
      ['/api/v1/runs', 'nobody'],
      ['/docs', 'nobody'],
    ] as const) {
      const { headers } = await desk.ask('GET', path, { as })
      assert.equal(headers.get('x-content-type-options'), 'nosniff', path)
      assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'.*frame-ancestors 'none'/, path)
      assert.equal(headers.get('referrer-policy'), 'no-referrer', path)
      assert.equal(headers.get('x-frame-options'), 'DENY', path)
      assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin', path)
      assert.equal(headers.get('cache-control'), 'no-store', path)
    }
  })

  test('takes the id of the client when it is one, and the log has it', async () => {
    const id = 'my-request-1'
    const { headers } = await desk.ask('GET', '/api/v1/runs', { headers: { 'x-request-id': id } })
    assert.equal(headers.get('x-request-id'), id)
    assert.ok(desk.lines.some((line) => JSON.parse(line).requestId === id))
    for (const forged of ['a b', 'x'.repeat(65), 'a"}\u00e9']) {
      const answer = await desk.ask('GET', '/api/v1/runs', { headers: { 'x-request-id': forged } })
      assert.match(answer.headers.get('x-request-id') ?? '', /^req_/)
    }
  })
})

describe('whatever comes', () => {
  const posts = (Object.keys(routes) as RouteName[]).filter((name) => routes[name].method === 'POST')
  const ids = { run: 'nothing', session: 'nothing', message: 'x', interaction: 'x', tick: '1' }

  test('no body makes the server fail', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...posts), fc.jsonValue({ maxDepth: 4 }), async (name, body) => {
        const answer = await desk.ask('POST', pathOf(name, { ...ids, run }), { body })
        assert.ok(answer.status < 500, `${name} ${JSON.stringify(body)}: ${answer.text}`)
      }),
      { numRuns: 150 },
    )
  })

  test('no bytes make the server fail', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...posts), fc.uint8Array({ maxLength: 50 }), async (name, raw) => {
        const answer = await desk.ask('POST', pathOf(name, { ...ids, run }), { raw: raw as BodyInit, headers: json })
        assert.ok(answer.status < 500, `${name}: ${answer.text}`)
      }),
      { numRuns: 150 },
    )
  })

  test('no address makes the server fail', async () => {
    const names = (Object.keys(routes) as RouteName[]).filter((name) => routes[name].method === 'GET')
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.string({ maxLength: 30 }),
        fc.webQueryParameters(),
        async (name, id, query) => {
          const path = pathOf(name, { run: id, session: id, tick: id })
          const answer = await desk.ask('GET', `${path}?${query}`, { as: 'root' })
          assert.ok(answer.status < 500, `${path}: ${answer.text}`)
        },
      ),
      { numRuns: 150 },
    )
  })
})

describe('too much at one time', () => {
  test('an identity that asks too often waits; others do not', async (t) => {
    const clock = virtualClock(1_000_000)
    const own = await openServerDesk({ limits: { requests: 60, burst: 5 }, ports: { clock } })
    t.after(() => own.close())
    const asked = async (as: 'ada' | 'bob' = 'ada'): Promise<number> =>
      (await own.ask('GET', '/api/v1/runs', { as })).status
    for (let index = 0; index < 5; index++) assert.equal(await asked(), 200)
    const refused = await own.ask('GET', '/api/v1/runs')
    assert.deepEqual([refused.status, refused.code, refused.headers.get('retry-after')], [429, 'rate_limited', '1'])
    assert.equal(await asked('bob'), 200)
    // The desk has asked for the document already.
    for (let index = 1; index < 5; index++) assert.equal((await own.ask('GET', '/health')).status, 200)
    assert.equal((await own.ask('GET', '/health')).status, 429, 'what is public has its own')
    await clock.advance(1000)
    assert.deepEqual([await asked(), await asked()], [200, 429])
  })

  test('whoever guesses tokens is held up, whoever has one is not', async (t) => {
    const own = await openServerDesk({ limits: { refusals: 3 }, ports: { clock: virtualClock() } })
    t.after(() => own.close())
    const statuses: number[] = []
    for (let index = 0; index < 5; index++)
      statuses.push((await own.ask('GET', '/api/v1/runs', { as: 'stranger' })).status)
    assert.deepEqual(statuses, [401, 401, 401, 429, 429])
    assert.equal((await own.ask('GET', '/api/v1/runs')).status, 200)
  })

  test('sessions beyond the limit answer 429', async (t) => {
    const agent = new Agent({ name: 'a', model: scriptedModel(['x']) })
    const runtime = await createRuntime({ store: memory(), agents: [agent], maxSessions: 2 })
    const own = await openServerDesk({ runtime })
    t.after(() => own.close())
    for (const id of ['a', 'b']) assert.equal((await own.ask('POST', '/api/v1/sessions', { body: { id } })).status, 201)
    const refused = await own.ask('POST', '/api/v1/sessions', { body: { id: 'c' } })
    assert.deepEqual([refused.status, refused.code], [429, 'session_limit'])
    assert.ok(Number(refused.headers.get('retry-after')) > 0)
    assert.equal((await own.ask('POST', '/api/v1/sessions', { body: { id: 'a' } })).status, 201)
  })
})
