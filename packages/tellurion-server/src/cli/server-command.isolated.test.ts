// `status`, `doctor`, `init` and `completion` in this process, on streams of their own: what they find, what they leave
// alone, and their exit codes. They look into the working directory, so they have a process of their own.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
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
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { after, describe, test, type TestContext } from 'node:test'
import { Agent } from 'tellurion'
import { createRuntime, memory } from 'tellurion/runtime'
import { sqlite } from 'tellurion/sqlite'
import { scriptedModel } from 'tellurion/testing'
import { createLog } from 'tellurion/trace'
import { createServer } from '../server/server.ts'
import type { Finding } from './doctor-check.ts'
import { main } from './program.ts'

const root = mkdtempSync(join(tmpdir(), 'around-'))
after(() => {
  process.chdir(tmpdir())
  rmSync(root, { recursive: true })
})

const token = 'token-of-the-operator'

/** Runs a command in a new folder with these files. */
async function tellurion(
  args: readonly string[],
  { files = {}, env = {} }: { files?: Readonly<Record<string, string>>; env?: Readonly<Record<string, string>> } = {},
): Promise<{ code: number; stdout: string; stderr: string; folder: string }> {
  const folder = mkdtempSync(join(root, 'f-'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text, { mode: 0o600 })
  }
  process.chdir(folder)
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const host = { stdin: Readable.from([]), stdout, stderr, env, on: () => {}, off: () => {} }
  const code = await main(args, host)
  return { code, stdout: textOf(stdout), stderr: textOf(stderr), folder }
}

function textOf(stream: PassThrough): string {
  let text = ''
  for (let chunk: unknown = stream.read(); chunk !== null; chunk = stream.read()) text += String(chunk)
  return text
}

/** A port where nothing listens. */
async function freePort(): Promise<string> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return String(port)
}

/** A server of ours; its URL. */
async function serving(t: TestContext): Promise<string> {
  const agents = [new Agent({ name: 'a', model: scriptedModel(() => 'ok') })]
  const runtime = await createRuntime({ store: memory(), agents })
  const identities = [{ user: 'local', token, scopes: ['admin'] as const }]
  const server = createServer({ runtime, identities, log: createLog({ level: 'error' }), version: '9.8.7' })
  t.after(() => server.close())
  await runtime.execute('a', 'hello')
  return (await server.listen()).url
}

describe('tellurion status', () => {
  test('tells how a server is', async (t) => {
    const url = await serving(t)
    const { code, stdout, stderr } = await tellurion(['status', '--server', url], { env: { TELLURION_TOKEN: token } })
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, /^ok: Tellurion 9\.8\.7 at http:\/\/127\.0\.0\.1:\d+, up \d+s\n/)
    assert.match(
      stdout,
      /\n {2}store: ok\n {2}runs: 1 succeeded\n {2}sessions: \d+\n {2}connections: \d+, .*\n {2}memory: \d+ MB\n$/,
    )
  })

  test('finds it by SERVER_PORT, and the token in its file; as JSON', async (t) => {
    const { port } = new URL(await serving(t))
    const files = { 'data/token': token }
    const { code, stdout } = await tellurion(['status', '--json'], { files, env: { SERVER_PORT: port } })
    const { url, health, stats } = JSON.parse(stdout)
    assert.deepEqual([code, url, health.status, stats.runs.succeeded], [0, `http://127.0.0.1:${port}`, 'ok', 1])
  })

  test('without a token tells what everybody may know', async (t) => {
    const env = { TELLURION_URL: await serving(t) }
    const { code, stdout, folder } = await tellurion(['status'], { env })
    assert.equal(code, 0)
    assert.match(stdout, /^ok: .*\n {2}store: ok\n {2}no figures: /)
    assert.deepEqual(readdirSync(folder), [])
  })

  test('without a server ends with 1 and tells of its store', async () => {
    const path = join(mkdtempSync(join(root, 's-')), 'x.db')
    const agents = [new Agent({ name: 'a', model: scriptedModel(() => 'ok') })]
    await using runtime = await createRuntime({ store: sqlite(path), agents })
    await runtime.execute('a', 'hello')
    const env = { SERVER_PORT: await freePort(), DATABASE_URL: `sqlite:${path}` }
    const { code, stdout } = await tellurion(['status'], { env })
    assert.equal(code, 1)
    assert.match(stdout, /^No server answers at http:\/\/127\.0\.0\.1:\d+: 'tellurion serve' starts one\.\n/)
    assert.match(stdout, /\nThe store .*x\.db holds:\n {2}runs: 1 succeeded\n/)
    const json = await tellurion(['status', '--json'], { env })
    assert.equal(JSON.parse(json.stdout).store.runs.succeeded, 1)
  })

  test('makes no store by looking', async () => {
    const { code, folder } = await tellurion(['status'], { env: { SERVER_PORT: await freePort() } })
    assert.deepEqual([code, readdirSync(folder)], [1, []])
  })
})

describe('tellurion doctor', () => {
  const findings = async (
    options: Parameters<typeof tellurion>[1] = {},
  ): Promise<{ code: number; ok: boolean; all: Record<string, Finding>; folder: string; stdout: string }> => {
    const env = { SERVER_PORT: await freePort(), ...options.env }
    const { code, stdout, folder } = await tellurion(['doctor', '--json'], { ...options, env })
    const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: Finding[] }
    return { code, ok, all: Object.fromEntries(checks.map((each) => [each.name, each])), folder, stdout }
  }

  test('finds all well in an empty folder, and leaves it empty', async () => {
    const { code, ok, all, folder } = await findings()
    assert.deepEqual([code, ok, readdirSync(folder)], [0, true, []])
    assert.deepEqual(Object.keys(all), [
      'node',
      'configuration',
      'store',
      'log',
      'token',
      'server',
      'model',
      'agents',
      'tools',
      'tokenizer',
      'sandbox',
    ])
    assert.match(all['model']?.detail ?? '', /^the built-in demo; keys: none$/)
    assert.match(all['model']?.mend ?? '', /set OPENAI_API_KEY/)
    assert.match(all['store']?.detail ?? '', /made at the first start/)
    assert.match(all['token']?.detail ?? '', /made at the first start in \.\/data\/token/)
  })

  test('says it to people in lines, with what to do', async () => {
    const env = { SERVER_PORT: await freePort(), DATABASE_URL: 'redis://h' }
    const { code, stdout } = await tellurion(['doctor'], { env })
    assert.equal(code, 1)
    assert.match(stdout, /^ok {7}node +\d+\.\d+\.\d+\n/)
    assert.match(stdout, /\nPROBLEM {2}store +DATABASE_URL: A store on redis:.*\n {24}Mend DATABASE_URL.*\n/)
    assert.match(stdout, /\n\nThere is one problem\.\n$/)
    // eslint-disable-next-line no-control-regex
    assert.doesNotMatch(stdout, /\u001b/)
  })

  test('knows a server that runs', async (t) => {
    const { port } = new URL(await serving(t))
    const { all } = await findings({ env: { SERVER_PORT: port } })
    assert.match(all['server']?.detail ?? '', /^9\.8\.7 runs at http:\/\/127\.0\.0\.1:\d+, ok$/)
  })

  test('names the tools of a folder with their files, and what was passed over', async () => {
    const library = JSON.stringify(import.meta.resolve('tellurion'))
    const weather = `import { tool } from ${library}
export const weather = tool({ description: 'x', inputSchema: { type: 'object' }, execute: () => 1 })`
    const files = { 'tools/a.tool.ts': weather, 'tools/b.tool.ts': 'throw 1', 'tools/c.ts': 'throw 2' }
    const { code, all } = await findings({ files, env: { TOOLS_DIR: './tools' } })
    assert.deepEqual([code, all['tools']?.state], [1, 'problem'])
    assert.equal(all['tools']?.detail, './tools: weather (tools/a.tool.ts)')
    assert.equal(all['tools']?.mend, 'tools/b.tool.ts: it cannot be loaded: 1.')
    const none = await findings({ env: { TOOLS_DIR: './nowhere' } })
    assert.match(none.all['model']?.detail ?? '', /^TOOLS_DIR: Tools are not looked for in \.\/nowhere: there is no/)
  })

  test('names the keys there are, and shows none', async () => {
    const env = { OPENAI_API_KEY: 'hush-1', QWEN_API_KEY: 'hush-2', TELLURION_TOKEN: 'hush-0123456789-0' }
    const { all, stdout } = await findings({ env })
    assert.equal(all['model']?.detail, 'openai/gpt-5 (OPENAI_API_KEY); keys: openai, qwen')
    assert.match(all['configuration']?.detail ?? '', /TELLURION_TOKEN/)
    assert.doesNotMatch(stdout, /hush/)
  })

  const cases: readonly [
    what: string,
    make: () => Parameters<typeof tellurion>[1] | Promise<Parameters<typeof tellurion>[1]>,
    check: string,
    state: Finding['state'],
    words: RegExp,
  ][] = [
    [
      'a setting that there is not',
      () => ({ files: { 'tellurion.config.json': '{"sever":{}}' } }),
      'configuration',
      'problem',
      /Did you mean 'server'\?/,
    ],
    [
      'a slip in .env',
      () => ({ files: { '.env': 'SERVER_PROT=1\nMY_OWN=2\nOPENAI_BASE_URL=http://x\n' } }),
      'configuration',
      'warning',
      /of \.env: SERVER_PROT\. Did you mean 'SERVER_PORT'\?$/,
    ],
    [
      'a store that is none',
      () => ({ files: { 'data/tellurion.db': 'no database at all, but long enough to be looked at as one' } }),
      'store',
      'problem',
      /put a backup in its place/,
    ],
    ['a store that is a folder', () => ({ files: { 'data/tellurion.db/x': '' } }), 'store', 'problem', /it is no file/],
    ['a store below a file', () => ({ files: { data: '' } }), 'store', 'problem', /a part of its path is no folder/],
    [
      'a log below a file',
      () => ({ files: { logs: '' }, env: { LOG_FILE: './logs/a.log' } }),
      'log',
      'problem',
      /LOG_FILE=none/,
    ],
    ['a token file without a token', () => ({ files: { 'data/token': 'x' } }), 'token', 'problem', /holds no token/],
    [
      'a user whose token is not set',
      () => ({
        files: { 'tellurion.config.json': '{"users":[{"name":"ada","tokenVariable":"ADA","scopes":["read"]}]}' },
      }),
      'token',
      'problem',
      /variable ADA, and it is not set/,
    ],
    [
      'a model that there is not',
      () => ({ env: { LLM_PROVIDER: 'opnai' } }),
      'model',
      'problem',
      /Did you mean 'openai'\?/,
    ],
    [
      'a port that is taken',
      async () => {
        const server = createTcpServer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi')).listen(
          0,
          '127.0.0.1',
        )
        await new Promise((resolve) => server.once('listening', resolve))
        server.unref()
        return { env: { SERVER_PORT: String((server.address() as AddressInfo).port) } }
      },
      'server',
      'problem',
      /something else listens there.*SERVER_PORT/,
    ],
    [
      'a server elsewhere that does not answer',
      async () => ({ env: { TELLURION_URL: `http://127.0.0.1:${await freePort()}` } }),
      'server',
      'problem',
      /Mend TELLURION_URL/,
    ],
    [
      'an address that is not of this machine',
      () => ({ env: { SERVER_HOST: '192.0.2.1' } }),
      'server',
      'problem',
      /SERVER_HOST/,
    ],
    [
      'a cap that there is not',
      () => ({ files: { 'tellurion.config.json': '{"server":{"limits":{"bdoy":1}}}' } }),
      'configuration',
      'problem',
      /limits has no 'bdoy'/,
    ],
    [
      'an origin that no page has',
      () => ({ env: { SERVER_ORIGINS: 'https://a.example,*' } }),
      'configuration',
      'problem',
      /'\*' is no origin.*SERVER_ORIGINS/,
    ],
    [
      'REDIS_URL',
      async () => ({ env: { REDIS_URL: 'redis://localhost:6379/0' }, files: {} }),
      'redis',
      'warning',
      /REDIS_URL is not used/,
    ],
  ]
  for (const [what, make, check, state, words] of cases)
    test(`finds ${what}`, async () => {
      const { code, all, ok } = await findings(await make())
      const found = all[check]
      assert.equal(found?.state, state, JSON.stringify(found))
      assert.match(`${found?.detail} ${found?.mend}`, words)
      assert.deepEqual([code, ok], state === 'problem' ? [1, false] : [0, true])
    })

  test('finds a token that others can read', { skip: process.platform === 'win32' }, async () => {
    const folder = mkdtempSync(join(root, 't-'))
    const path = join(folder, 'token')
    writeFileSync(path, token)
    chmodSync(path, 0o644)
    const { all } = await findings({ env: { TELLURION_TOKEN_FILE: path } })
    assert.deepEqual(
      [all['token']?.state, all['token']?.mend],
      ['warning', `Others on this machine can read it: chmod 600 ${path}`],
    )
  })
})

describe('tellurion init', () => {
  test('writes a project, and says how to go on', async () => {
    const { code, stdout, folder } = await tellurion(['init', 'My Agent!'])
    assert.equal(code, 0)
    assert.deepEqual(readdirSync(join(folder, 'My Agent!')).toSorted(), [
      '.env.example',
      '.gitignore',
      '.npmrc',
      'README.md',
      'agent.test.ts',
      'agent.ts',
      'package.json',
      'tellurion.config.ts',
      'tsconfig.json',
    ])
    const manifest = JSON.parse(readFileSync(join(folder, 'My Agent!', 'package.json'), 'utf8'))
    assert.equal(manifest.name, 'my-agent')
    // From a checkout, the packages are those that it builds.
    assert.match(manifest.dependencies.tellurion, /^file:\.\.\/.*build\/tellurion$/)
    // Copied, not linked: else they would find other copies of each other there.
    assert.equal(readFileSync(join(folder, 'My Agent!', '.npmrc'), 'utf8'), 'install-links=true\n')
    const old = "Object.defineProperty(process, 'versions', { value: { node: '20.1.0' } });"
    const check = /^node -e "(.*)"$/.exec(manifest.scripts.pretest)?.[1] ?? ''
    assert.match(spawnSync(process.execPath, ['-e', old + check], { encoding: 'utf8' }).stderr, /Node 24 or newer/)
    assert.equal(spawnSync(process.execPath, ['-e', check]).status, 0)
    assert.match(stdout, /npm run build\)\n {2}cd 'My Agent!'\n {2}npm install\n {2}npm test\n {2}npm start\n$/)
  })

  for (const taken of ['package.json', 'agent.ts', '.gitignore', 'README.md'])
    test(`overwrites no ${taken}, and then writes nothing`, async () => {
      const { code, stderr, folder } = await tellurion(['init'], { files: { [taken]: 'mine', 'notes.txt': '' } })
      assert.equal(code, 2)
      assert.match(
        stderr,
        new RegExp(`^tellurion: .* has ${taken.replace('.', '\\.')} already; nothing was written\\.`),
      )
      assert.deepEqual(readdirSync(folder).toSorted(), [taken, 'notes.txt'].toSorted())
      assert.equal(readFileSync(join(folder, taken), 'utf8'), 'mine')
    })

  test('goes beside what is there', async () => {
    const { code, folder } = await tellurion(['init', '.'], { files: { 'notes.txt': 'mine' } })
    assert.deepEqual(
      [code, readFileSync(join(folder, 'notes.txt'), 'utf8'), existsSync(join(folder, 'agent.ts'))],
      [0, 'mine', true],
    )
  })

  test('says when the folder cannot be made', async () => {
    const { code, stderr } = await tellurion(['init', 'file/x'], { files: { file: '' } })
    assert.equal(code, 2)
    assert.match(stderr, /cannot be written: a part of its path is no folder\.\n$/)
  })
})

describe('every command', () => {
  const names = [
    'serve',
    'worker',
    'mcp',
    'mcp-servers',
    'status',
    'doctor',
    'init',
    'completion',
    'chat',
    'run',
    'runs',
    'test-model',
  ]
  for (const name of names)
    test(`${name} --help shows what it does, in 80 columns`, async () => {
      const { code, stdout } = await tellurion([name, '--help'])
      assert.equal(code, 0)
      assert.match(stdout, new RegExp(`^Usage: tellurion ${name}`))
      assert.ok(stdout.split('\n').every((line) => line.length <= 80))
    })

  test('has a row in docs/command-line.md, and no other has', async () => {
    const page = readFileSync(join(import.meta.dirname, '../../../../docs/command-line.md'), 'utf8')
    const rows = [...page.matchAll(/^\| `tellurion ([\w-]+)/gm)].map(([, name]) => name)
    const { stdout } = await tellurion(['--help'])
    const commands = [...(stdout.split('Commands:')[1] ?? '').matchAll(/^ {2}([\w-]+)/gm)].map(([, name]) => name)
    assert.deepEqual(rows.toSorted(), commands.toSorted())
    assert.deepEqual(rows.toSorted(), names.toSorted())
  })

  test('is offered by completion, with every option', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { code, stdout } = await tellurion(['completion', shell])
      assert.equal(code, 0)
      for (const word of [...names, '--concurrency', '--debug', '--config']) {
        assert.ok(stdout.includes(word) || stdout.includes(`-l ${word.slice(2)}`), `${shell}: ${word}`)
      }
    }
    const { code, stderr } = await tellurion(['completion', 'tcsh'])
    assert.equal(code, 2)
    assert.match(stderr, /Allowed choices are bash, zsh, fish/)
  })

  for (const args of [['status', '--josn'], ['doctor', 'x'], ['init', 'a', 'b'], ['completion'], ['serve', 'x']])
    test(`${args.join(' ')} is wrong usage`, async () => {
      const { code, stderr, stdout } = await tellurion(args)
      assert.deepEqual([code, stdout], [2, ''])
      assert.match(stderr, /^tellurion: [^\n]+ See 'tellurion --help'\.\n$/)
    })
})
