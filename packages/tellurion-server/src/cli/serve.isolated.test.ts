// `tellurion serve` as a process of its own: what it says, who may ask, what it writes where, and its end by signals.

import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from 'tellurion/world'

const root = mkdtempSync(join(tmpdir(), 'serve-'))
const cache = { NODE_COMPILE_CACHE: join(root, 'cache'), PATH: process.env['PATH'] ?? '' }
const command = ['--conditions=@tellurion/source', join(import.meta.dirname, 'main.ts'), 'serve']
const children: ChildProcess[] = []
after(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(root, { recursive: true })
})

/** A new folder with these files. */
function place(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(root, 'p-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

/** A server process in a folder. */
class Served {
  readonly folder: string
  readonly child: ChildProcess
  /** How it ended: code and signal. */
  readonly ended: Promise<unknown[]>
  stdout = ''
  stderr = ''

  constructor(folder: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
    this.folder = folder
    const options = { cwd: folder, env: { ...cache, SERVER_PORT: '0', ...env } }
    this.child = spawn(process.execPath, [...command, ...args], { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    children.push(this.child)
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text))
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text))
    this.ended = once(this.child, 'close')
  }

  /** Where it listens, as soon as it says so. */
  async url(): Promise<string> {
    for (;;) {
      const found = /http:\/\/(?:[\d.]+|\[[\d:]+\]):\d+/.exec(this.stdout)?.[0]
      if (found !== undefined) return found
      await Promise.race([sleep(10), this.ended])
      assert.equal(this.child.exitCode, null, this.stderr)
    }
  }

  get token(): string {
    return readFileSync(join(this.folder, 'data/token'), 'utf8').trim()
  }

  async fetch(path: string, options: { token?: string; body?: object } = {}): Promise<Response> {
    const url = await this.url()
    const { token = this.token, body } = options
    return fetch(`${url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<unknown[]> {
    this.child.kill(signal)
    return this.ended
  }
}

describe('tellurion serve', { concurrency: 2 }, () => {
  test('says where it listens, where the token is and how to chat, and does it', async () => {
    const server = new Served(place())
    const url = await server.url()
    const [run] = await Promise.all([
      server.fetch('/api/v1/runs', { body: { input: 'what is 12*7?' } }),
      server.fetch('/health', { token: '' }).then(({ status }) => assert.equal(status, 200)),
      server.fetch('/api/v1/runs', { token: 'x'.repeat(43) }).then(({ status }) => assert.equal(status, 401)),
    ])
    const { id } = (await run.json()) as { id: string }
    const result = await (await server.fetch(`/api/v1/runs/${id}/result`)).json()
    let checks: Readonly<Record<string, { readonly detail?: string }>> = {}
    for (let tries = 0; tries < 600 && checks['sandbox'] === undefined; tries++) {
      await sleep(50)
      checks = ((await (await server.fetch('/health')).json()) as { checks: typeof checks }).checks
    }
    assert.match(checks['sandbox']?.detail ?? '', /^(?:full|weak-limits|wasm-only|none)$/)
    assert.match(JSON.stringify(result), /12\*7 = 84/)
    const [code, signal] = await server.end()
    assert.deepEqual([code, signal], [0, null])
    assert.match(server.stdout, /^Tellurion \d+\.\d+\.\d+ listens on http:\/\/127\.0\.0\.1:\d+\n/)
    assert.match(server.stdout, /built-in demo model[^]*\n {2}npx tellurion chat --server http:\S+\n/)
    assert.match(server.stdout, /needs the token in \.\/data\/token, made just now\.\n/)
    assert.ok(server.stdout.includes(`curl ${url}/api/v1/messages -H "Authorization: Bearer $(cat ./data/token)"`))
    assert.ok(!(server.stdout + server.stderr).includes(server.token))
    assert.doesNotMatch(server.stdout + server.stderr, /(?!\n)\p{Cc}/u)
  })

  test('makes its folders, and keeps runs, logs and a token that only its owner reads', async () => {
    const folder = place()
    const first = new Served(folder)
    await first.url()
    const { token } = first
    await first.end()
    assert.deepEqual(readdirSync(join(folder, 'data')).toSorted(), ['logs', 'tellurion.db', 'token'])
    if (process.platform !== 'win32') assert.equal(statSync(join(folder, 'data/token')).mode & 0o777, 0o600)
    const lines = readFileSync(join(folder, 'data/logs/agent.log'), 'utf8').trimEnd().split('\n')
    const messages = lines.map((line) => (JSON.parse(line) as { message: string }).message)
    assert.deepEqual([messages[0], messages.at(-1)], ['server.listening', 'server.closing'])
    assert.ok(!lines.join().includes(token))
    const second = new Served(folder)
    assert.equal((await second.fetch('/api/v1/runs')).status, 200)
    assert.equal(second.token, token)
    await second.end()
    assert.match(second.stdout, /needs the token in \.\/data\/token\.\n/)
  })

  test('two that start at once in one folder have one token', async () => {
    const folder = place()
    const servers = [new Served(folder), new Served(folder)]
    for (const server of servers) assert.equal((await server.fetch('/api/v1/runs')).status, 200)
    await Promise.all(servers.map((server) => server.end()))
  })

  test('--json prints one line for a machine', async () => {
    const folder = place()
    const server = new Served(folder, ['--json', '--store', 'sqlite:./other.db'], {
      LOG_FILE: 'none',
      TELLURION_TOKEN: 'token-of-the-operator',
    })
    const url = await server.url()
    assert.equal((await server.fetch('/api/v1/runs', { token: 'token-of-the-operator' })).status, 200)
    await server.end()
    assert.deepEqual(JSON.parse(server.stdout), { type: 'listening', url, agents: ['demo'], store: './other.db' })
    assert.deepEqual(
      readdirSync(folder).filter((name) => !name.startsWith('other.db')),
      [],
    )
    // Without a file the log is on standard error.
    assert.match(server.stderr, /^\{"time":.*"message":"server\.listening"/)
  })

  test('takes agents, users and caps from tellurion.config.ts', async () => {
    // The package is found as in the source's own project.
    const folder = mkdtempSync(join(import.meta.dirname, '.serve-test-'))
    try {
      writeFileSync(
        join(folder, 'tellurion.config.ts'),
        `import { Agent } from 'tellurion'
         import { defineConfig } from 'tellurion-server/config'
         export default defineConfig({
           agents: ({ model, env }: { model: Agent extends never ? never : any, env: any }) => [
             new Agent({ name: 'guide', model }), new Agent({ name: String(env.SECOND), model }),
           ],
           users: [{ name: 'ada', tokenVariable: 'ADA_TOKEN', scopes: ['read'] }],
           server: { limits: { body: 2000 } },
         })`,
      )
      writeFileSync(join(folder, '.env'), 'ADA_TOKEN=ada-token-0123456789\nSECOND=helper\n')
      const server = new Served(folder)
      const token = 'ada-token-0123456789'
      assert.equal((await server.fetch('/api/v1/runs', { token })).status, 200)
      assert.equal((await server.fetch('/api/v1/runs', { token, body: { input: 'x' } })).status, 403)
      assert.equal((await server.fetch('/api/v1/runs', { body: { input: 'x'.repeat(3000) } })).status, 413)
      await server.end()
      assert.match(server.stdout, /\nAgents: guide, helper\.\n/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('--debug logs everything, on standard error too', async () => {
    const server = new Served(place(), ['--debug'])
    await server.fetch('/health')
    await server.end()
    assert.match(server.stderr, /INFO +server\.listening /)
    assert.match(server.stderr, /INFO +request .*route=health/)
  })
})

describe('its end', { concurrency: 2 }, () => {
  test('under load comes within ten seconds, with 0, and loses no run that it accepted', async () => {
    const folder = place()
    const first = new Served(folder)
    const accepted: string[] = []
    const submit = async (index: number): Promise<void> => {
      try {
        const response = await first.fetch('/api/v1/runs', {
          body: { input: `what is ${index}+1 and wait 2 seconds` },
        })
        if (response.status === 201 || response.status === 202 || response.status === 200) {
          accepted.push(((await response.json()) as { id: string }).id)
        }
      } catch {
        // The server has gone: this one was never accepted.
      }
    }
    await first.url()
    const load = Array.from({ length: 40 }, async (_, index) => {
      await sleep(index * 10)
      await submit(index)
    })
    while (accepted.length < 12) await sleep(5)
    const begun = systemClock.monotonic()
    assert.deepEqual(await first.end(), [0, null])
    // Twice ten seconds, as others may be at work on this machine.
    assert.ok(systemClock.monotonic() - begun < 20_000)
    await Promise.all(load)
    const second = new Served(folder)
    for (const id of accepted) {
      const response = await second.fetch(`/api/v1/runs/${id}`)
      assert.equal(response.status, 200, id)
      const { status } = (await response.json()) as { status: string }
      assert.match(status, /^(?:queued|running|succeeded)$/)
    }
    // Nothing is held by the one that went: whoever is at work now is the second.
    assert.deepEqual(await second.end('SIGINT'), [0, null])
  })

  test('comes when the terminal is closed, which is told more than once', async () => {
    const server = new Served(place())
    await server.fetch('/api/v1/runs', { body: { input: 'wait 1 second' } })
    server.child.kill('SIGHUP')
    while (!server.stderr.includes('Ending')) await once(server.child.stderr!, 'data')
    assert.deepEqual(await server.end('SIGHUP'), [0, null])
    assert.match(server.stderr, /Ending: no new requests/)
  })

  test('comes at once at the second signal', async () => {
    const server = new Served(place())
    await server.fetch('/api/v1/runs', { body: { input: 'wait 60 seconds' } })
    server.child.kill('SIGTERM')
    while (!server.stderr.includes('Ending')) await sleep(5)
    const begun = systemClock.monotonic()
    assert.deepEqual(await server.end('SIGINT'), [null, 'SIGINT'])
    assert.ok(systemClock.monotonic() - begun < 5000)
  })

  test('is not held up by what agents of the operator leave open', async () => {
    const folder = mkdtempSync(join(import.meta.dirname, '.serve-test-'))
    try {
      writeFileSync(
        join(folder, 'tellurion.config.js'),
        `import { Agent } from 'tellurion'
         setInterval(() => {}, 1000)
         export default { agents: ({ model }) => [new Agent({ name: 'guide', model })] }`,
      )
      const server = new Served(folder)
      await server.url()
      assert.deepEqual(await server.end(), [0, null])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('what keeps it from starting is one line and an exit code', { concurrency: 2 }, () => {
  const cases: readonly [
    what: string,
    make: () => { folder?: string; args?: string[]; env?: Record<string, string> },
    code: number,
    words: RegExp,
  ][] = [
    [
      'a bad port',
      () => ({ args: ['--port', '80x'] }),
      2,
      /^tellurion: --port must be a whole number from 0 to 65535, not '80x'\.\n$/,
    ],
    ['a bad variable', () => ({ env: { LOG_LEVEL: 'loud' } }), 2, /^tellurion: LOG_LEVEL must be one of/],
    [
      'a short token',
      () => ({ env: { TELLURION_TOKEN: 'hush' } }),
      2,
      /^tellurion: TELLURION_TOKEN must have at least 16 characters\.\n$/,
    ],
    [
      'an unknown setting',
      () => ({ folder: place({ 'tellurion.config.json': '{"server":{"prot":1}}' }) }),
      2,
      /server\.prot: there is no such setting\. Did you mean 'port'\?/,
    ],
    [
      'an unknown cap',
      () => ({ folder: place({ 'tellurion.config.json': '{"server":{"limits":{"boddy":1}}}' }) }),
      2,
      /limits has no 'boddy'/,
    ],
    [
      'a file with a syntax error',
      () => ({ folder: place({ 'tellurion.config.ts': 'export default {' }) }),
      2,
      /tellurion\.config\.ts: it cannot be loaded: /,
    ],
    [
      'no agents',
      () => ({ folder: place({ 'tellurion.config.js': 'export default { agents: [] }' }) }),
      2,
      /agents: there is no agent in it/,
    ],
    [
      'what is no agent',
      () => ({ folder: place({ 'tellurion.config.js': 'export default { agents: [1] }' }) }),
      1,
      /agents takes agents/,
    ],
    [
      'a store of another kind',
      () => ({ env: { DATABASE_URL: 'postgres://u:hush@h/d' } }),
      2,
      /^tellurion: DATABASE_URL: A store on postgres:/,
    ],
    [
      'a user without a token',
      () => ({
        folder: place({
          'tellurion.config.json': '{"users":[{"name":"ada","tokenVariable":"ADA","scopes":["read"]}]}',
        }),
      }),
      2,
      /known by the variable ADA, and it is not set/,
    ],
    [
      'a broken token file',
      () => {
        const folder = place()
        mkdirSync(join(folder, 'data'))
        writeFileSync(join(folder, 'data/token'), '')
        return { folder }
      },
      2,
      /data\/token: it holds no token/,
    ],
    [
      'a log file that is a folder',
      () => {
        const folder = place()
        mkdirSync(join(folder, 'data/logs/agent.log'), { recursive: true })
        return { folder }
      },
      2,
      /^tellurion: log\.file: The log file .* cannot be opened/,
    ],
    [
      'a store whose folder cannot be made',
      () => ({ folder: place({ file: '' }), env: { DATABASE_URL: 'sqlite:./file/x.db' } }),
      1,
      /^tellurion: .*file\/x\.db/,
    ],
  ]
  for (const [what, make, code, words] of cases)
    test(what, async () => {
      const { folder = place(), args, env } = make()
      const server = new Served(folder, args, env)
      const [ended] = await server.ended
      assert.match(server.stderr, words)
      assert.equal(ended, code)
      assert.equal(server.stdout, '')
      assert.doesNotMatch(server.stderr, /hush|\n.*\n/)
      if (code === 2) assert.ok(!existsSync(join(folder, 'data/tellurion.db')))
    })

  test('a port where something listens already', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const server = new Served(place(), ['--port', String(port)])
    const [code] = await server.ended
    other.close()
    assert.equal(code, 1)
    assert.match(
      server.stderr,
      new RegExp(`^tellurion: Cannot listen on 127\\.0\\.0\\.1:${port}: .* another port with --port`),
    )
  })
})
