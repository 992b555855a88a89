import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import { systemClock } from '../clock/clock.ts'
import type { JsonObject } from '../schema/json.ts'
import type { ToolOutcome } from '../tool/result.ts'
import { createMcp, type Mcp } from './mcp.ts'
import type { McpServerOptions } from './server-options.ts'

const packages = join(import.meta.dirname, '../../../../node_modules')
const entry = (name: string): string => join(packages, `@modelcontextprotocol/server-${name}/dist/index.js`)
const folder = mkdtempSync(join(tmpdir(), 'mcp-reference-'))
// Where we are root, a server that may write nothing is a user that owns nothing.
chmodSync(folder, 0o755)
after(() => rmSync(folder, { recursive: true }))

const probe = ['--unshare-all', '--ro-bind', '/', '/', 'true']
const isolates = spawnSync('bwrap', probe).status === 0
const skip = isolates ? false : 'no namespaces here: apt-get install bubblewrap'

/** A server that sees the packages, and what is named. */
const node = (
  name: string,
  { args = [], ...more }: Partial<McpServerOptions> & { args?: string[] } = {},
): McpServerOptions => ({
  command: process.execPath,
  args: [entry(name), ...args],
  read: [packages],
  ...more,
})

async function opened(servers: Record<string, McpServerOptions>): Promise<Mcp> {
  const mcp = createMcp({ servers })
  for (const { server, state, error } of await mcp.connect()) {
    if (state === 'ready') continue
    await mcp.close()
    assert.fail(`${server}: ${error?.message}`)
  }
  return mcp
}

async function open(t: TestContext, servers: Record<string, McpServerOptions>): Promise<Mcp> {
  const mcp = await opened(servers)
  t.after(() => mcp.close())
  return mcp
}

const call = (mcp: Mcp, name: string, input: JsonObject = {}): Promise<ToolOutcome> =>
  mcp.toolbox().execute(name, input, { approved: true })

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 3000; tries++) {
    if (holds()) return
    await new Promise((resolve) => systemClock.timer(10, () => resolve(undefined)))
  }
  assert.fail('it did not come about')
}

/** What the everything server does, over whatever way. */
async function tryEverything(mcp: Mcp): Promise<void> {
  assert.equal((await call(mcp, 'everything_echo', { message: 'hi' })).content, 'Echo: hi')
  assert.equal((await call(mcp, 'everything_echo', {})).code, 'tool_input_invalid')
  assert.match(String((await call(mcp, 'everything_get-sum', { a: 2, b: 3 })).content), /2 and 3 is 5/)
  assert.deepEqual(
    Object.keys(
      JSON.parse(
        String((await call(mcp, 'everything_get-structured-content', { location: 'Chicago' })).content),
      ) as object,
    ),
    ['temperature', 'conditions', 'humidity'],
  )
  const { content } = await call(mcp, 'everything_get-tiny-image')
  assert.ok(
    Array.isArray(content) && content.some(({ type, mediaType }) => type === 'image' && mediaType === 'image/png'),
  )
  const { resources, templates } = await mcp.resources('everything')
  assert.ok(resources.length > 0 && templates.length > 0)
  const [read] = await mcp.readResource('everything', resources[0]?.uri ?? '')
  assert.ok((read?.text ?? '').length > 0)
  const prompts = await mcp.prompts('everything')
  assert.ok(prompts.some(({ arguments: blanks }) => blanks.length > 0))
  const simple = prompts.find(({ arguments: blanks }) => blanks.length === 0)?.name ?? assert.fail()
  assert.equal((await mcp.prompt('everything', simple))[0]?.role, 'user')
  await assert.rejects(mcp.prompt('everything', 'no-such-prompt'), { code: 'mcp_failed' })
  const reports: unknown[] = []
  const long = mcp.tools()['everything_trigger-long-running-operation'] ?? assert.fail()
  await long.execute(
    { duration: 0.2, steps: 2 },
    {
      toolCallId: 'c',
      idempotencyKey: 'k',
      runId: 'r',
      abortSignal: new AbortController().signal,
      keep: () => assert.fail(),
      kept: () => assert.fail(),
      progress: (report) => void reports.push(report),
    },
  )
  assert.deepEqual(reports, [
    { progress: 1, total: 2 },
    { progress: 2, total: 2 },
  ])
}

describe('reference servers in namespaces', { skip }, () => {
  const root = join(folder, 'files')
  let mcp: Mcp

  before(async () => {
    mkdirSync(root)
    mcp = await opened({
      everything: node('everything', { args: ['stdio'] }),
      files: node('filesystem', { args: [root], write: [root] }),
      memory: node('memory', { env: { MEMORY_FILE_PATH: join(root, 'memory.jsonl') }, write: [root] }),
    })
  })
  after(() => mcp.close())

  test('everything', () => tryEverything(mcp))

  test('filesystem: writes where it may, and sees nothing else', async () => {
    const path = join(root, 'note.txt')
    assert.equal((await call(mcp, 'files_write_file', { path, content: 'kept' })).isError, undefined)
    assert.equal(readFileSync(path, 'utf8'), 'kept')
    assert.match(String((await call(mcp, 'files_read_text_file', { path })).content), /kept/)
    writeFileSync(join(folder, 'secret.txt'), 'secret')
    const outside = await call(mcp, 'files_read_text_file', { path: join(folder, 'secret.txt') })
    assert.equal(outside.isError, true)
  })

  test('memory: keeps what it is told', async () => {
    const entities = [{ name: 'Ada', entityType: 'person', observations: ['wrote programs'] }]
    assert.equal((await call(mcp, 'memory_create_entities', { entities })).isError, undefined)
    assert.match(String((await call(mcp, 'memory_search_nodes', { query: 'Ada' })).content), /wrote programs/)
    assert.ok(readdirSync(root).includes('memory.jsonl'))
  })

  test('see no environment of ours', async () => {
    const env = JSON.parse(String((await call(mcp, 'everything_get-env')).content)) as Record<string, string>
    assert.deepEqual(
      Object.keys(env).filter((name) => !['HOME', 'PATH', 'PWD', 'SHLVL', 'TMPDIR'].includes(name)),
      [],
    )
  })
})

describe('a server in a namespace', { skip }, () => {
  const program = join(packages, '../test/fixture/hostile-mcp-server.ts')
  const hostile = (more: Partial<McpServerOptions> = {}): Record<string, McpServerOptions> => ({
    evil: {
      command: process.execPath,
      args: [program, 'plain'],
      read: [program, join(packages, '.bin'), packages],
      ...more,
    },
  })

  test('leaves no survivor, also none that left its session', async (t) => {
    const mcp = await open(t, hostile())
    const marker = (): string[] => processes().filter((line) => line.includes('sleep 300'))
    const before = marker().length
    assert.equal((await call(mcp, 'evil_echo', { do: 'child' })).isError, undefined)
    assert.ok(marker().length > before)
    await mcp.close()
    await until(() => marker().length === before)
  })

  test('dies with its last word: a crash ends all of it', async (t) => {
    const mcp = await open(t, hostile())
    const before = processes().filter((line) => line.includes('sleep 300')).length
    await call(mcp, 'evil_echo', { do: 'child' })
    assert.equal((await call(mcp, 'evil_echo', { do: 'die' })).code, 'mcp_unavailable')
    await until(() => processes().filter((line) => line.includes('sleep 300')).length === before)
  })

  test('has the network, folders and variables that it was given, and no more', async (t) => {
    const listener = createServer()
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
    t.after(() => listener.close())
    const { port } = listener.address() as AddressInfo
    const reach = async (mcp: Mcp): Promise<unknown> => (await call(mcp, 'evil_echo', { do: 'reach', port })).content
    assert.match(String(await reach(await open(t, hostile()))), /ECONNREFUSED|EPERM/)
    const given = await open(t, hostile({ network: true, cwd: folder, env: { A: 'b' } }))
    assert.equal(await reach(given), 'reached')
    assert.equal((await call(given, 'evil_echo', { do: 'folder' })).content, folder)
    const env = JSON.parse(String((await call(given, 'evil_echo', { do: 'environment' })).content)) as Record<
      string,
      string
    >
    assert.equal(env['A'], 'b')
  })

  test('does not see the files of the host', async (t) => {
    const mcp = createMcp({
      servers: { files: node('filesystem', { args: ['/root'] }) },
      retry: { initialWait: 3_600_000, maxWait: 3_600_000 },
    })
    t.after(() => mcp.close())
    const [status] = await mcp.connect()
    assert.equal(status?.state, 'down')
    assert.match(status?.error?.message ?? '', /Its last words: .*(none|cannot|not|Error)/i)
  })
})

test(
  'without namespaces a server is refused unless the operator allows it',
  { skip: isolates ? 'there are namespaces here' : false },
  async (t) => {
    const mcp = createMcp({ servers: { everything: node('everything', { args: ['stdio'] }) } })
    t.after(() => mcp.close())
    const [status] = await mcp.connect()
    assert.notEqual(status?.state, 'ready')
  },
)

test('everything over streamable HTTP', async (t) => {
  const port = await freePort()
  const child = spawn(process.execPath, [entry('everything'), 'streamableHttp'], {
    env: { PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  await new Promise<void>((resolve) =>
    child.stderr.on('data', (chunk) => String(chunk).includes('listening') && resolve()),
  )
  const mcp = await open(t, { everything: { url: `http://127.0.0.1:${port}/mcp`, allowPrivate: true } })
  await tryEverything(mcp)
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** The command lines of all processes. */
function processes(): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    const path = `/proc/${pid}/cmdline`
    try {
      return /^\d+$/.test(pid) && existsSync(path) ? [readFileSync(path, 'utf8').replaceAll('\0', ' ')] : []
    } catch {
      return []
    }
  })
}
