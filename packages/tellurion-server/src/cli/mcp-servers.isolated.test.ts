// MCP servers of a configuration, with the commands that look at them, accept what waits, and hand their tools to agents.
// Commands look into the working directory, so they have a process of their own.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { after, describe, test } from 'node:test'
import { Agent } from 'tellurion'
import type { McpServerStatus } from 'tellurion/mcp'
import { loadConfig } from '../config/load.ts'
import type { ConfigurationInput } from '../config/schema.ts'
import { crewOf } from './crew.ts'
import { main } from './program.ts'
import { acceptLines, describeServer, openToolServers } from './tool-server.ts'

const root = mkdtempSync(join(tmpdir(), 'mcp-servers-'))
after(() => {
  process.chdir(tmpdir())
  rmSync(root, { recursive: true })
})

const program = join(import.meta.dirname, '../../../../test/fixture/hostile-mcp-server.ts')
type Servers = NonNullable<ConfigurationInput['mcpServers']>
type Server = Servers[string]

const server = (mode: string, more: Partial<Server> = {}): Server => ({
  command: process.execPath,
  args: [program, mode],
  allowUnisolated: true,
  ...more,
})

/** A new folder with this configuration, and the way to run commands in it. */
function project(mcpServers: Servers): { folder: string; run: (...args: string[]) => Promise<Outcome> } {
  const folder = mkdtempSync(join(root, 'p-'))
  writeFileSync(join(folder, 'tellurion.config.json'), JSON.stringify({ mcpServers, log: { file: 'none' } }), {
    mode: 0o600,
  })
  return { folder, run: (...args) => run(folder, args) }
}

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function run(folder: string, args: readonly string[]): Promise<Outcome> {
  process.chdir(folder)
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const host = { stdin: Readable.from([]), stdout, stderr, env: {}, on: () => {}, off: () => {} }
  const code = await main(args, host)
  return { code, stdout: textOf(stdout), stderr: textOf(stderr) }
}

function textOf(stream: PassThrough): string {
  let text = ''
  for (let chunk: unknown = stream.read(); chunk !== null; chunk = stream.read()) text += String(chunk)
  return text
}

const configured = (mcpServers: Servers, env: Readonly<Record<string, string>> = {}) =>
  loadConfig({
    given: { mcpServers, tools: { pins: join(mkdtempSync(join(root, 'c-')), 'pins.db') } },
    env,
    file: false,
    dotEnv: false,
  })

describe('mcp-servers', () => {
  test('tells how each stands, and makes nothing', async () => {
    const { folder, run: tellurion } = project({
      good: server('plain'),
      gone: { command: '/no/such/program', allowUnisolated: true },
    })
    const { code, stdout } = await tellurion('mcp-servers')
    assert.equal(code, 1)
    assert.match(stdout, /^good: 2 tools, protocol 2025-11-25\n {2}good_echo, good_die$/m)
    assert.match(stdout, /^gone: down: .*'\/no\/such\/program' cannot be started/m)
    assert.ok(!existsSync(join(folder, 'data')))
    const { stdout: json } = await tellurion('mcp-servers', '--json')
    assert.deepEqual(
      (JSON.parse(json) as McpServerStatus[]).map(({ server: name, state }) => [name, state]),
      [
        ['good', 'ready'],
        ['gone', 'down'],
      ],
    )
  })

  test('says where to name some when there are none', async () => {
    const { code, stdout } = await project({}).run('mcp-servers')
    assert.deepEqual([code, stdout], [0, 'No MCP servers: name them under mcpServers in tellurion.config.json.\n'])
  })

  test('shows what waits, and accepts exactly that', async () => {
    const { folder, run: tellurion } = project({ shop: server('environment', { env: { TOKEN: 'first words' } }) })
    // A command that works pins what it meets first.
    process.chdir(folder)
    await (await openToolServers(await loadConfig({ folder, env: {} })))?.[Symbol.asyncDispose]()
    assert.equal((await tellurion('mcp-servers')).code, 0)
    const changed = {
      mcpServers: { shop: server('environment', { env: { TOKEN: 'other words' } }) },
      log: { file: 'none' },
    }
    writeFileSync(join(folder, 'tellurion.config.json'), JSON.stringify(changed))
    const { code, stdout } = await tellurion('mcp-servers')
    assert.equal(code, 1)
    assert.match(stdout, /^shop: 0 tools, .*1 tool waiting to be accepted$/m)
    assert.match(stdout, /description: "Echoes first words" → "Echoes other words"/)
    const [, args = ''] = /^ {2}npx tellurion (mcp-servers accept shop "echo" [0-9a-f]{64})$/m.exec(stdout) ?? []
    const words = args.replaceAll('"', '').split(' ')
    const doctor = await tellurion('doctor')
    assert.match(
      doctor.stdout,
      /note {5}mcp shop .*1 tool waiting to be accepted\n.*'tellurion mcp-servers' shows what differs/,
    )
    const wrong = await tellurion(...words.slice(0, -1), '0'.repeat(64))
    assert.notEqual(wrong.code, 0)
    assert.match(wrong.stderr, /has changed again/)
    const accepted = await tellurion(...words)
    assert.deepEqual([accepted.code, accepted.stdout], [0, 'Accepted: echo of shop.\n'])
    assert.equal((await tellurion('mcp-servers')).code, 0)
    assert.match(
      (await tellurion('mcp-servers', 'accept', 'shup', 'echo', '0'.repeat(64))).stderr,
      /no MCP server 'shup'/,
    )
  })

  test('are among what a doctor looks at', async () => {
    const { stdout } = await project({ gone: { command: '/no/such/program', allowUnisolated: true } }).run('doctor')
    assert.match(stdout, /PROBLEM {2}mcp gone .*cannot be started.*\n.*Mend mcpServers\.gone/)
  })
})

describe('the tools of configured servers', () => {
  test('are handed to the agents, with those of the folder', async () => {
    const loaded = await configured({ good: server('plain') })
    await using servers = await openToolServers(loaded)
    const { agents } = await crewOf(loaded, { root }, servers)
    const [demo] = agents
    assert.ok(demo instanceof Agent)
    const names = demo.toolbox?.names() ?? []
    assert.ok(
      ['calculator', 'good_echo', 'good_die'].every((name) => names.includes(name)),
      names.join(),
    )
  })

  test('are handed to agents that a program makes', async () => {
    const seen: string[] = []
    const loaded = await loadConfig({
      given: {
        mcpServers: { good: server('plain') },
        tools: { pins: join(mkdtempSync(join(root, 'c-')), 'pins.db') },
        agents: ({ tools }) => {
          seen.push(...tools.names())
          throw new Error('enough')
        },
      },
      env: {},
      file: false,
      dotEnv: false,
    })
    await using servers = await openToolServers(loaded)
    await assert.rejects(crewOf(loaded, { root }, servers), /enough/)
    assert.deepEqual(seen, ['good_echo', 'good_die'])
  })

  test('keep the secrets of the environment to themselves', async () => {
    const loaded = await configured({ good: server('environment', { passEnv: ['TOKEN'] }) }, { TOKEN: 'canary-4711' })
    await using servers = await openToolServers(loaded)
    assert.equal(servers?.mcp.tools()['good_echo']?.description, 'Echoes [redacted]')
    const told = await servers.mcp.toolbox().execute('good_echo', { do: 'token-length' }, { approved: true })
    assert.equal(told.content, '11')
  })

  test('are none where none are named', async () =>
    assert.equal(await openToolServers(await configured({})), undefined))

  const wrong: readonly [what: string, servers: unknown, message: RegExp][] = [
    ['neither command nor url', { a: {} }, /mcpServers\.a must have either a command, with args, or a url/],
    ['both', { a: { command: 'x', url: 'http://x' } }, /must have either/],
    ['an unknown setting', { a: { command: 'x', arg: [] } }, /mcpServers\.a\.arg: there is no such setting/],
    ['a duration without a unit', { a: { command: 'x', timeout: '30' } }, /must be a duration with its unit/],
    ['a name that is none', { a_b: { command: 'x' } }, /is no name for an MCP server/],
    ['headers of a process', { a: { command: 'x', headers: { b: 'c' } } }, /no option 'headers'/],
    ['an address that is none', { a: { url: 'nowhere' } }, /must be an http or https address/],
    [
      'a variable that is not set',
      { a: { url: 'http://x', headerVariables: { authorization: 'NO_SUCH' } } },
      /the variable NO_SUCH is not set/,
    ],
    ['a list', [], /must be servers by name/],
  ]
  for (const [what, servers, message] of wrong)
    test(`are refused: ${what}`, async () => {
      const opening = async (): Promise<unknown> => openToolServers(await configured(servers as Servers))
      await assert.rejects(opening, { message })
    })
})

test('a served agent has the tools, and health counts the servers', async () => {
  const { folder } = project({
    good: server('plain'),
    gone: { command: '/no/such/program', allowUnisolated: true },
  })
  process.chdir(folder)
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const signals = new Map<string, () => void>()
  const host = {
    stdin: Readable.from([]),
    stdout,
    stderr,
    env: { TELLURION_TOKEN: 'token-of-the-operator' },
    on: (signal: string, listener: () => void) => signals.set(signal, listener),
    off: () => {},
  }
  const serving = main(['serve', '--port', '0', '--json'], host)
  const [chunk] = (await once(stdout, 'data')) as [Buffer]
  const { url } = JSON.parse(String(chunk)) as { url: string }
  const health = (await (await fetch(`${url}/health`)).json()) as { status: string; checks: Record<string, unknown> }
  assert.deepEqual([health.status, health.checks['mcp']], ['ok', { ok: false, detail: '1 of 2 servers ready' }])
  const headers = { authorization: 'Bearer token-of-the-operator', 'content-type': 'application/json' }
  const listed = (await (await fetch(`${url}/api/v1/tools`, { headers })).json()) as {
    items: { name: string; effects: object }[]
  }
  const echo = listed.items.find(({ name }) => name === 'good_echo')
  assert.deepEqual(echo?.effects, { mode: 'exclusive', repeat: 'never', risk: ['destructive', 'exfiltrating'] })
  const call = { tool: 'good_echo', arguments: { word: 'hi' }, approved: true }
  const answer = await fetch(`${url}/api/v1/tools/call`, { method: 'POST', headers, body: JSON.stringify(call) })
  assert.deepEqual(await answer.json(), { toolName: 'good_echo', content: 'echo: {"word":"hi"}', isError: false })
  signals.get('SIGTERM')?.()
  assert.equal(await serving, 0)
  assert.match(textOf(stderr), /MCP server gone: down: .*cannot be started/)
})

test('a status is a line for a person', () => {
  const status: McpServerStatus = {
    server: 'shop',
    state: 'ready',
    since: 0,
    protocol: '2025-11-25',
    tools: ['shop_a'],
    failures: 0,
    lastLines: [],
    quarantined: [{ tool: 'b c', why: 'new', hash: 'ab', difference: [] }],
    unfit: [{ tool: 'd', problem: 'odd' }],
  }
  assert.equal(describeServer(status), '1 tool, protocol 2025-11-25, 1 tool waiting to be accepted, 1 tool unfit')
  assert.deepEqual(acceptLines(status), ['tellurion mcp-servers accept shop "b c" ab'])
})
