import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { after, before, describe, it } from 'node:test'
import { Agent, TellurionError } from 'tellurion'
import { createRuntime, memory, type AgentRuntime } from 'tellurion/runtime'
import { macrotask, scriptedModel } from 'tellurion/testing'
import { createLog } from 'tellurion/trace'
import { systemClock } from 'tellurion/world'
import { createServer, type Server, type ServerOptions } from './server.ts'

const token = 'the-token-of-ada-0123456789'
const authorization = `Bearer ${token}`
const json = { authorization, 'content-type': 'application/json' }

/** An agent that works until it is told to stop. */
const held: AgentRuntime = {
  key: 'held',
  run: ({ signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped')))),
}

/** The addresses of this machine, as an address of the web has them; not those of one link, which need its name. */
function addresses(family: 'IPv4' | 'IPv6'): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((some) => some ?? [])
  const own = all.filter((each) => each.family === family && !each.address.startsWith('fe80:'))
  return own.map(({ address }) => (family === 'IPv6' ? `[${address}]` : address))
}

/** Closed in the end, whatever failed. */
const opened: Server[] = []
after(() => Promise.all(opened.map((server) => server.close({ grace: 100 }))))

async function open(options: Partial<ServerOptions> = {}): Promise<{ server: Server; url: string; port: number }> {
  const agent = new Agent({ name: 'guide', model: scriptedModel(() => 'Hello!') })
  const runtime = await createRuntime({ store: memory(), agents: [agent, held], patience: { grace: 100 } })
  const log = createLog({ level: 'error', write: () => {} })
  const server = createServer({ runtime, identities: [{ token, user: 'ada', scopes: ['write'] }], log, ...options })
  opened.push(server)
  return { server, ...(await server.listen()) }
}

/** What a connection brings until the server closes it, when these bytes are sent and nothing else. */
function told(port: number, sent: string, keep?: (socket: Socket) => void): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(sent)
      keep?.(socket)
    })
    let text = ''
    socket.on('data', (bytes) => (text += String(bytes)))
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })
}

/** The status and the code of an answer on a bare connection. */
function shown(text: string): readonly [status: string | undefined, code: string | undefined] {
  const [, status] = /^HTTP\/1\.1 (\d+)/.exec(text) ?? []
  const [, code] = /"code":"(\w+)"/.exec(text) ?? []
  return [status, code]
}

describe('listening', () => {
  let server: Server
  let port: number
  let url: string
  before(async () => {
    const limits = { headerTime: 150, requestTime: 300, headerBytes: 4096 }
    ;({ server, port, url } = await open({ limits }))
  })
  after(() => server.close())

  const head = `Host: 127.0.0.1\r\nAuthorization: ${authorization}\r\n`
  const post = `POST /api/v1/runs HTTP/1.1\r\n${head}Content-Type: application/json\r\n`

  const broken: Readonly<Record<string, readonly [sent: string, status: string, code: string]>> = {
    'no HTTP at all': ['\x16\x03\x01\x02\x00\x01', '400', 'malformed_request'],
    'a line without a version': ['GET /health\r\n\r\n', '400', 'malformed_request'],
    'an address with a space': ['GET /hea lth HTTP/1.1\r\nHost: localhost\r\n\r\n', '400', 'malformed_request'],
    'an unknown method': ['BREW /health HTTP/1.1\r\nHost: localhost\r\n\r\n', '400', 'malformed_request'],
    'a header without a colon': ['GET /health HTTP/1.1\r\nHost\r\n\r\n', '400', 'malformed_request'],
    'a Host that makes no address': ['GET /health HTTP/1.1\r\nHost: a b\r\n\r\n', '400', 'malformed_request'],
    'no Host': ['GET /health HTTP/1.1\r\nConnection: close\r\n\r\n', '400', 'malformed_request'],
    'an expectation that nobody knows': [
      `${post}Expect: a-miracle\r\nContent-Length: 2\r\n\r\n{}`,
      '417',
      'malformed_request',
    ],
    'two lengths': [`${post}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, '400', 'malformed_request'],
    'a length and chunks': [
      `${post}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      '400',
      'malformed_request',
    ],
    'a chunk of no size': [`${post}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n`, '400', 'malformed_request'],
    'headers without end': [`GET /health HTTP/1.1\r\nX: ${'x'.repeat(8192)}`, '431', 'request_too_large'],
    'headers that do not come': ['GET /health HTTP/1.1\r\nHost: localhost\r\n', '408', 'request_timeout'],
    'a body that does not come': [`${post}Content-Length: 100\r\n\r\n{"input":`, '408', 'request_timeout'],
  }
  for (const [what, [sent, status, code]] of Object.entries(broken))
    it(`answers ${what} with ${status}`, async () => {
      const text = await told(port, sent)
      assert.deepEqual(shown(text), [status, code], text)
      assert.match(text, /x-request-id: \w+/i)
    })

  it('takes a body that breaks off for no failure of its own', async () => {
    const lines: string[] = []
    const own = await open({ log: createLog({ level: 'error', write: (line) => lines.push(line) }) })
    const gone = told(own.port, `${post}Content-Length: 100\r\n\r\n{"input":`, (socket) => {
      systemClock.timer(50, () => socket.destroy())
    })
    await gone
    await own.server.close()
    assert.deepEqual(lines, [])
  })

  it('waits no longer for who sends a byte now and then', async () => {
    const text = await told(port, 'GET /health HTTP/1.1\r\nX: ', (socket) => {
      let stop = (): void => {}
      const drip = (): void => {
        socket.write('x')
        stop = systemClock.timer(20, drip)
      }
      drip()
      socket.on('close', () => stop())
    })
    assert.deepEqual(shown(text), ['408', 'request_timeout'])
  })

  it('keeps answering after all that', async () => {
    assert.equal((await fetch(`${url}/health`)).status, 200)
    const made = await fetch(`${url}/api/v1/runs`, { method: 'POST', headers: json, body: '{"input":"Hi"}' })
    assert.equal(made.status, 201)
    assert.match(made.headers.get('location') ?? '', /^\/api\/v1\/runs\/run_/)
  })

  it('refuses too large a body while it is sent', async () => {
    const body = 'x'.repeat(3_000_000)
    const answer = await new Promise<number | undefined>((resolve) => {
      const sending = httpRequest(`${url}/api/v1/runs`, { method: 'POST', headers: json }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      sending.on('error', () => resolve(undefined))
      sending.end(body)
    })
    assert.ok(answer === 413 || answer === undefined, String(answer))
  })

  it('refuses upgrades to anything but the WebSocket, and those without a token', async () => {
    const upgrade =
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n'
    const at = (path: string, more: string): string =>
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}${upgrade}\r\n`
    const token = `Authorization: ${authorization}\r\n`
    assert.deepEqual(shown(await told(port, at('/api/v1/runs', token))), ['422', 'invalid_request'])
    assert.deepEqual(shown(await told(port, at('/ws', ''))), ['401', 'unauthenticated'])
    assert.deepEqual(shown(await told(port, at('/nothing', token))), ['404', 'unknown_route'])
    const foreign = `${token}Origin: https://evil.example\r\n`
    assert.deepEqual(shown(await told(port, at('/ws', foreign))), ['403', 'forbidden'])
    const named = at('/ws', token).replace('localhost', 'evil.example')
    assert.deepEqual(shown(await told(port, named)), ['403', 'forbidden'])
  })

  it('tells what is no upgrade in the one shape', async () => {
    const asking = `GET /ws HTTP/1.1\r\n${head}Connection: Upgrade\r\nUpgrade: websocket\r\n`
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
    for (const sent of [`${key}Sec-WebSocket-Version: 99\r\n`, 'Sec-WebSocket-Version: 13\r\n', key]) {
      const text = await told(port, `${asking}${sent}\r\n`)
      assert.deepEqual(shown(text), ['400', 'malformed_request'], text)
      assert.match(text, /\r\nsec-websocket-version: 13\r\n/)
    }
    const nameless = `${asking}${key}Sec-WebSocket-Version: 13\r\n\r\n`.replace(/Host: .*\r\n/, '')
    assert.deepEqual(shown(await told(port, nameless)), ['400', 'malformed_request'])
  })

  it('answers whoever offers another protocol, in this one', async () => {
    const offer = 'Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAA\r\n'
    const body = '{"input":"Hi"}'
    const made = await told(port, `${post}${offer}Content-Length: ${body.length}\r\n\r\n${body}`)
    assert.match(made, /^HTTP\/1\.1 201/, made)
  })

  it('is called by the addresses that it listens on, and by no other name', async () => {
    for (const [host, called] of [
      ['0.0.0.0', ['127.0.0.1', ...addresses('IPv4')]],
      ['::', ['[::1]', ...addresses('IPv6')]],
    ] as const) {
      const { server: all } = await open({ version: host })
      const at = await all.listen({ host }).catch((error: unknown) => {
        // No such network here.
        if (host === '::') return undefined
        throw error
      })
      if (at === undefined) continue
      for (const name of called) {
        assert.equal((await fetch(`http://${name}:${at.port}/health`)).status, 200, name)
      }
      const asked = 'GET /health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n'
      assert.deepEqual(shown(await told(at.port, asked)), ['403', 'forbidden'])
    }
  })

  it('says what stands in the way of a port', async () => {
    const other = createServer({ runtime: await createRuntime({ store: memory(), agents: [held] }) })
    const refused = (words: RegExp) => (error: unknown) =>
      error instanceof TellurionError && error.code === 'invalid_option' && words.test(error.message)
    await assert.rejects(other.listen({ port }), refused(/something listens there already/))
    await assert.rejects(other.listen({ host: '192.0.2.1' }), refused(/Cannot listen on 192\.0\.2\.1/))
    await other.close()
  })
})

describe('a server with few connections', () => {
  it('closes those that are too many at once, and takes others when one has gone', async () => {
    const { server, port, url } = await open({ limits: { connections: 2 } })
    const sockets = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
    await fetch(`${url}/health`).then(
      () => assert.fail('a third was let in'),
      () => {},
    )
    const gone = new Promise((resolve) => sockets[0]!.once('close', resolve))
    sockets[0]!.destroy()
    await gone
    let status = 0
    for (let turn = 0; turn < 50 && status !== 200; turn++) {
      status = await fetch(`${url}/health`).then(
        (answer) => answer.status,
        () => 0,
      )
    }
    assert.equal(status, 200)
    sockets[1]!.destroy()
    await server.close()
  })
})

describe('closing', () => {
  it('answers who waits, refuses who comes, and is over soon', async () => {
    const { server, url } = await open()
    const body = JSON.stringify({ agent: 'held', input: 'x' })
    const made = await (await fetch(`${url}/api/v1/runs`, { method: 'POST', headers: json, body })).json()
    const waiting = fetch(`${url}/api/v1/runs/${made.id}/result`, { headers: json })
    while ((await (await fetch(`${url}/api/v1/runs/${made.id}`, { headers: json })).json()).status !== 'running');
    const closed = server.close()
    const turn = await (await waiting).json()
    assert.equal(turn.status, 'running')
    await closed
    await assert.rejects(fetch(`${url}/health`))
    await server.close()
  })

  it('cuts a client that does not go', async () => {
    const { server, port } = await open()
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    const gone = new Promise((resolve) => socket.once('close', resolve))
    await new Promise((resolve) => socket.once('connect', resolve))
    socket.write('POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n')
    await server.close({ grace: 100 })
    await gone
  })

  it('a request without a socket is refused by then', async () => {
    const { server } = await open()
    await server.close()
    const ask = (path: string): Promise<Response> =>
      server.handle(new Request(`http://localhost${path}`, { headers: { authorization } }))
    assert.equal((await ask('/api/v1/runs')).status, 503)
    assert.equal((await ask('/health')).status, 503)
  })

  it('a client that goes away ends its waiting, and no run', async () => {
    const { server, url } = await open()
    const body = JSON.stringify({ agent: 'held', input: 'x' })
    const made = await (await fetch(`${url}/api/v1/runs`, { method: 'POST', headers: json, body })).json()
    const away = new AbortController()
    const waiting = fetch(`${url}/api/v1/runs/${made.id}/result`, { headers: json, signal: away.signal })
    await macrotask()
    away.abort()
    await assert.rejects(waiting)
    const { status } = await (await fetch(`${url}/api/v1/runs/${made.id}`, { headers: json })).json()
    assert.ok(['queued', 'running'].includes(status), status)
    await server.close()
  })
})
