// The command line in this process, on streams of its own: bad input of every kind, and what it says about itself. It
// moves the working directory, so it has a process of its own.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { after, describe, test } from 'node:test'
import { createRawServer, openAILanguage, serveWire, type WireScript } from 'tellurion/testing'
import { main } from './program.ts'

const folder = mkdtempSync(join(tmpdir(), 'program-'))
const open: { close(): Promise<unknown> }[] = []
process.chdir(folder)
after(async () => {
  await Promise.all(open.map((server) => server.close()))
  process.chdir(tmpdir())
  rmSync(folder, { recursive: true })
})

interface Surroundings {
  readonly env?: Readonly<Record<string, string>>
  readonly dotEnv?: string
}

async function tellurion(
  args: readonly string[],
  { env = {}, dotEnv = '' }: Surroundings = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  writeFileSync('.env', dotEnv)
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const host = { stdin: Readable.from([]), stdout, stderr, env, on: () => {}, off: () => {} }
  const code = await main(args, host)
  return { code, stdout: textOf(stdout), stderr: textOf(stderr) }
}

/** All that has been written. */
function textOf(stream: PassThrough): string {
  let text = ''
  for (let chunk: unknown = stream.read(); chunk !== null; chunk = stream.read()) text += String(chunk)
  return text
}

/** The environment that leads to a server. */
const leadsTo = (url: string): Record<string, string> => ({
  LLM_BASE_URL: `${url}/v1`,
  LLM_MODEL: 'm',
  LLM_API_KEY: 'key-hush',
})

describe('bad input gives one line that helps, and no stack', () => {
  const cases: readonly [
    what: string,
    args: string[],
    code: number,
    words: RegExp,
    surroundings?: () => Promise<Surroundings> | Surroundings,
  ][] = [
    ['an unknown command', ['chatt'], 2, /unknown command 'chatt' \(Did you mean chat\?\)/],
    ['help for an unknown command', ['chatt', '--help'], 2, /unknown command 'chatt' \(Did you mean chat\?\)/],
    ['an unknown option', ['run', '--modle', 'x', 'hi'], 2, /unknown option '--modle' \(Did you mean --model\?\)/],
    ['an option without its value', ['chat', '--root'], 2, /'--root <dir>' argument missing/],
    ['no question', ['run'], 2, /missing required argument 'question'/],
    ['an empty question', ['run', ' '], 2, /There is no question: give one/],
    ['an empty question on standard input', ['run', '-'], 2, /There is no question: give one/],
    [
      'a folder that is not there',
      ['run', '--root', 'absent', 'hi'],
      2,
      /--root 'absent': there is no such file or folder/,
    ],
    [
      'an unknown vendor',
      ['run', '--model', 'opnai/gpt-5', 'hi'],
      2,
      /no vendor is called 'opnai'\. Did you mean 'openai'\?/,
    ],
    ['a model without its vendor', ['run', '--model', 'gpt-5', 'hi'], 2, /names no vendor\. Write 'openai\/gpt-5'/],
    ['a vendor without its model', ['run', '--model', 'openai', 'hi'], 2, /names no model: write 'openai\/gpt-5'/],
    [
      'a server that has no address',
      ['status', '--server', 'ftp://ada:hush@example.com'],
      2,
      /^tellurion: --server must be the address of a server, such as http:\/\/127\.0\.0\.1:8000, not 'ftp:\/\/…@example\.com'\.\n$/,
    ],
    [
      'an unknown provider',
      ['test-model', '--provider', 'antropic'],
      2,
      /no vendor is called 'antropic'\. Did you mean 'anthropic'\?/,
    ],
    [
      'a provider without a default',
      ['test-model', '--provider', 'vllm'],
      2,
      /vllm has no default model: name one with --model/,
    ],
    [
      'a missing key',
      ['test-model', '--provider', 'openai'],
      2,
      /needs an API key: set OPENAI_API_KEY in the environment or \.env/,
    ],
    [
      'a key with stray text',
      ['run', 'hi'],
      2,
      /OPENAI_API_KEY must be visible ASCII characters without blanks/,
      () => ({ env: { OPENAI_API_KEY: 'two words' } }),
    ],
    [
      'an unknown provider in the environment',
      ['run', 'hi'],
      2,
      /LLM_PROVIDER is 'opnai'.*Did you mean 'openai'\?/,
      () => ({ env: { LLM_PROVIDER: 'opnai' } }),
    ],
    [
      'half a configuration',
      ['run', 'hi'],
      2,
      /LLM_BASE_URL is set but LLM_MODEL is not/,
      () => ({ env: { LLM_BASE_URL: 'http://localhost' } }),
    ],
    [
      'a base URL that is none',
      ['run', 'hi'],
      2,
      /base URL "nowhere" is no http\(s\) URL/,
      () => ({ env: { LLM_BASE_URL: 'nowhere', LLM_MODEL: 'm' } }),
    ],
    [
      'a malformed .env',
      ['run', 'hi'],
      2,
      /\.env:2: write NAME=value/,
      () => ({ dotEnv: 'A=1\nOPENAI_API_KEY: key-hush\n' }),
    ],
    [
      'a host that refuses',
      ['run', 'hi'],
      1,
      /cannot reach http:\/\/127\.0\.0\.1:\d+\/v1: connection refused\. Check the base URL/,
      refusing,
    ],
    [
      'a host that is not there',
      ['run', 'hi'],
      1,
      /cannot reach http:\/\/host\.invalid\/v1: (?:no such host|the name could not be resolved)/,
      () => ({ env: leadsTo('http://host.invalid') }),
    ],
    [
      'a wrong key',
      ['run', 'hi'],
      1,
      /HTTP 401 .*Wrong key\. Check the API key/,
      () => answering(401, '{"error":{"message":"Wrong key."}}'),
    ],
    [
      'a wrong key, tested',
      ['test-model'],
      1,
      /HTTP 401 .*Check the API key/,
      () => answering(401, '{"error":{"message":"No: key-hush"}}'),
    ],
    [
      'a model that is not there',
      ['run', 'hi'],
      1,
      /HTTP 404 .*Check the model’s name/,
      () => answering(404, '{"error":{"message":"No such model"}}'),
    ],
    [
      'a web page instead of an API',
      ['run', 'hi'],
      1,
      /local\/m: .*base URL/,
      () => answering(200, '<html><body>Welcome</body></html>', 'text/html'),
    ],
  ]
  for (const [what, args, code, words, surroundings] of cases)
    test(what, async () => {
      const outcome = await tellurion(args, await surroundings?.())
      assert.equal(outcome.code, code, outcome.stderr)
      assert.match(outcome.stderr, /^tellurion: [^\n]+\n$/)
      assert.match(outcome.stderr, words)
      assert.doesNotMatch(outcome.stderr, /key-hush|\bat .*:\d+:\d+/)
      assert.equal(outcome.stdout, '')
    })

  describe('of a model', () => {
    const call = (name: string, ...pieces: string[]): WireScript => ({
      steps: [{ call: { id: 'c1', name, pieces } }, { finish: 'tool-calls' }],
    })
    const recovered: WireScript = { steps: [{ text: 'Sorry.' }, { finish: 'stop' }] }
    const served = async (...scripts: WireScript[]): Promise<Surroundings> => {
      const server = await serveWire(openAILanguage, scripts)
      open.push(server)
      return { env: leadsTo(server.url) }
    }

    test('a tool that does not exist is told to the model, and shown', async () => {
      const { code, stdout, stderr } = await tellurion(['run', 'hi'], await served(call('hammer', '{}'), recovered))
      assert.deepEqual([code, stdout], [0, 'Sorry.\n'])
      assert.match(stderr, /^→ hammer \{\}\n✗ hammer .*calculator[^\n]*\n$/)
    })

    test('arguments that are no JSON are told to the model, and shown', async () => {
      const { code, stdout, stderr } = await tellurion(['run', 'hi'], await served(call('clock', '{"a'), recovered))
      assert.deepEqual([code, stdout], [0, 'Sorry.\n'])
      assert.match(stderr, /^→ clock null\n✗ clock [^\n]*JSON[^\n]*\n$/)
    })

    test('tool calls without end are ended', async () => {
      const { code, stdout, stderr } = await tellurion(['run', '--json', 'hi'], await served(call('clock', '{}')))
      assert.equal(code, 1)
      assert.match(
        stderr,
        /^tellurion: The model still called tools after 20 model calls and was stopped: ask for less/,
      )
      const { status, error, steps } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
      assert.deepEqual([status, error.code, steps], ['failed', 'run_limit', 20])
    })

    test('a reply that breaks off keeps its beginning and fails', async () => {
      const half: WireScript = { steps: [{ text: 'Half of an' }], ending: 'cut' }
      const { code, stdout, stderr } = await tellurion(['run', 'hi'], await served(half))
      assert.deepEqual([code, stdout], [1, 'Half of an\n'])
      assert.match(stderr, /^tellurion: local\/m: [^\n]+\n$/)
    })
  })

  test('--verbose adds the stack, and debug logs', async () => {
    const { code, stderr } = await tellurion(['run', '--verbose', 'hi'], await refusing())
    assert.equal(code, 1)
    assert.match(stderr, /DEBUG model\.called .*model=local\/m/)
    assert.match(stderr, /\ntellurion: .*\nTellurionError: .*\n +at /)
    assert.doesNotMatch(stderr, /key-hush/)
  })

  /** The address of a server that has gone. */
  async function refusing(): Promise<Surroundings> {
    const server = await createRawServer(() => ({}))
    await server.close()
    return { env: leadsTo(server.url) }
  }

  async function answering(status: number, body: string, type = 'application/json'): Promise<Surroundings> {
    const server = await createRawServer(() => ({ status, headers: { 'content-type': type }, pieces: [body] }))
    open.push(server)
    return { env: leadsTo(server.url) }
  }
})

describe('tellurion', () => {
  test('without a command shows its help, as --help does', async () => {
    const [bare, asked] = await Promise.all([tellurion([]), tellurion(['--help'])])
    assert.deepEqual(bare, asked)
    assert.equal(bare.code, 0)
    assert.match(bare.stdout, /chat.*run.*test-model/s)
    assert.ok(bare.stdout.split('\n').every((line) => line.length <= 80))
  })

  for (const command of ['chat', 'run', 'test-model'])
    test(`${command} --help shows its options`, async () => {
      const { code, stdout } = await tellurion([command, '--help'])
      assert.equal(code, 0)
      assert.match(stdout, /--model/)
    })

  test('--version says which', async () => {
    assert.match((await tellurion(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/)
  })
})
