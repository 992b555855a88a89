// The `tellurion` command as a person or a script uses it: questions, pipes, JSON, a real wire with tools, bad input of
// every kind, and its end by signals. Each case is a process of its own.

import assert from 'node:assert/strict'
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { after, describe, test } from 'node:test'
import { LLMock } from '@copilotkit/aimock'
import { createRawServer, openAILanguage, serveWire, type RawServer } from 'tellurion/testing'
import { runCommand, type Outcome } from '../gate/program.ts'
import { root } from '../gate/source.ts'

const program = ['--conditions=@tellurion/source', join(root, 'packages/tellurion-server/src/cli/main.ts')]
const folder = mkdtempSync(join(tmpdir(), 'command-'))
const emptyFolder = mkdtempSync(join(tmpdir(), 'command-'))
writeFileSync(join(folder, 'notes.txt'), 'Buy milk.')
/** Many short lives of one program: its modules are stripped of types once for all. */
const cache = { NODE_COMPILE_CACHE: join(emptyFolder, 'cache') }
const open: { close(): Promise<unknown> }[] = []
after(async () => {
  await Promise.all(open.map((server) => server.close()))
  for (const path of [folder, emptyFolder]) rmSync(path, { recursive: true })
})

interface Surroundings {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  readonly cwd?: string
}

const tellurion = (args: readonly string[], { cwd = folder, env, ...rest }: Surroundings = {}): Promise<Outcome> =>
  runCommand(process.execPath, [...program, ...args], { cwd, timeout: 60_000, env: { ...env, ...cache }, ...rest })

/** A process that is still running. */
function start(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): ChildProcessByStdio<Writable, Readable, null> {
  const options = { cwd: folder, env: { ...env, ...cache, PATH: process.env['PATH'] ?? '' } }
  return spawn(process.execPath, [...program, ...args], { ...options, stdio: ['pipe', 'pipe', 'ignore'] })
}

/** The environment that leads to a server. */
const leadsTo = (url: string): Record<string, string> => ({
  LLM_BASE_URL: `${url}/v1`,
  LLM_MODEL: 'm',
  LLM_API_KEY: 'key-hush',
})

async function rawServer(...[reply]: Parameters<typeof createRawServer>): Promise<RawServer> {
  const server = await createRawServer(reply)
  open.push(server)
  return server
}

const options = { concurrency: 3 }

describe('tellurion run', options, () => {
  test('prints the text, and the tools beside it', async () => {
    const { code, stdout, stderr } = await tellurion(['run', 'what is 12*7?'])
    assert.deepEqual([code, stdout], [0, '12*7 = 84.\n'])
    assert.equal(stderr, '→ calculator {"expression":"12*7"}\n← calculator 84\n')
  })

  test('takes several words, or standard input', async () => {
    assert.equal((await tellurion(['run', 'what', 'is', '1+1'])).stdout, '1+1 = 2.\n')
    const { stdout } = await tellurion(['run', '-'], { input: 'read\nnotes.txt\n' })
    assert.equal(stdout, 'notes.txt says:\nBuy milk.\n')
  })

  test('--json prints events and the result, a line each', async () => {
    const { code, stdout, stderr } = await tellurion(['run', '--json', '2+3'])
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.equal(lines[0].type, 'run.started')
    assert.ok(lines.some(({ type, content }) => type === 'tool.ended' && content === '5'))
    const { type, status, text, steps, stopReason } = lines.at(-1)
    assert.deepEqual(
      { type, status, text, steps, stopReason },
      { type: 'result', status: 'succeeded', text: '2+3 = 5.', steps: 2, stopReason: 'idle' },
    )
    assert.deepEqual([code, stderr], [0, ''])
  })

  test('--root says where files are', async () => {
    const { stdout } = await tellurion(['run', '--root', folder, 'list files and read /etc/hostname'], {
      cwd: emptyFolder,
    })
    assert.match(stdout, /holds:\nnotes\.txt\n.*could not read \/etc\/hostname.*outside/)
  })

  test('--ask denies where nobody can be asked', async () => {
    const { code, stdout } = await tellurion(['run', '--ask', '1+1'])
    assert.equal(code, 0)
    assert.match(stdout, /could not calculate 1\+1.*nobody is there to approve/)
  })

  test('a model’s text is shown inert, also as JSON', async () => {
    const server = await serveWire(openAILanguage, {
      steps: [{ text: 'a\u001b[31m\u202eb\u009b' }, { finish: 'stop' }],
    })
    open.push(server)
    const env = leadsTo(server.url)
    assert.equal((await tellurion(['run', 'hi'], { env })).stdout, 'a[31mb\n')
    const { stdout } = await tellurion(['run', '--json', 'hi'], { env })
    assert.doesNotMatch(stdout, /[\u202e\u0080-\u009f]|(?!\n)\p{Cc}/u)
    assert.equal(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '').text, 'a\u001b[31m\u202eb\u009b')
  })

  test('ends quietly when nobody reads on', async () => {
    const child = start(['run', 'read notes.txt and 1+1'], {})
    child.stdout.destroy()
    assert.deepEqual(await once(child, 'exit'), [0, null])
  })

  test('ends with 130 at Ctrl-C, at once, and tells the server', async () => {
    const server = await rawServer(() => ({ ending: 'mute' }))
    const child = start(['run', 'hi'], leadsTo(server.url))
    await server.requested
    child.kill('SIGINT')
    assert.deepEqual(await once(child, 'exit'), [130, null])
    await server.disconnected
  })
})

describe('tellurion chat through a pipe', options, () => {
  test('answers each line and ends with its input', async () => {
    const { code, stdout, stderr } = await tellurion(['chat'], {
      input: 'what is 12*7?\r\n\nlist files\n/help\nread notes.txt',
    })
    assert.equal(code, 0)
    assert.match(stdout, /^> what is 12\*7\?\n→ calculator .*\n← calculator 84\n12\*7 = 84\.\n> list files\n/)
    assert.match(stdout, /> \/help\nType a question.*\n.*\n> read notes\.txt\n.*\n.*\nnotes\.txt says:\nBuy milk\.\n$/)
    assert.match(stderr, /^Talking to the built-in demo model, for no key was found\.\n/)
    assert.match(stderr, /set OPENAI_API_KEY.*\n.*--model vendor\/name/)
    assert.ok(stderr.split('\n').every((line) => line.length < 80 || line.includes(folder)))
    assert.doesNotMatch(stdout + stderr, /(?!\n)\p{Cc}/u)
  })

  test('asks before a tool call when told, and takes only a yes for a yes', async () => {
    const { stdout } = await tellurion(['chat', '--ask'], { input: '1+1\ny\n2+2\nyes please\n3+3\n' })
    assert.match(stdout, /Approval needed: .*\n {2}calculator \{\n {4}"expression": "1\+1"\n {2}\}\n.*→ calculator/s)
    assert.match(stdout, /1\+1 = 2\./)
    assert.match(stdout, /could not calculate 2\+2/)
    assert.match(stdout, /could not calculate 3\+3/)
  })

  test('tells of a failed turn, goes on, and ends with 1', async () => {
    let asked = 0
    const server = await rawServer(() => ({
      status: ++asked === 1 ? 401 : 403,
      pieces: ['{"error":{"message":"No."}}'],
    }))
    const { code, stderr } = await tellurion(['chat'], { env: leadsTo(server.url), input: 'one\ntwo\n' })
    assert.equal(code, 1)
    assert.match(stderr, /^Talking to local\/m \(named by LLM_MODEL\)\.\n/)
    assert.match(stderr, /\ntellurion: local\/m: HTTP 401 .*\ntellurion: local\/m: HTTP 403 .*\n$/)
    assert.equal(asked, 2)
  })

  test('ends with 130 when it is interrupted', async () => {
    const server = await rawServer(() => ({ ending: 'mute' }))
    const child = start(['chat'], leadsTo(server.url))
    child.stdin.write('hi\n')
    await server.requested
    child.kill('SIGINT')
    assert.deepEqual(await once(child, 'exit'), [130, null])
  })

  test('leaves the lines behind the one that was interrupted', async () => {
    const server = await rawServer(() => ({ ending: 'mute' }))
    const child = start(['chat'], leadsTo(server.url))
    child.stdin.end('one\ntwo\nthree\n')
    await server.requested
    child.kill('SIGINT')
    assert.deepEqual(await once(child, 'exit'), [130, null])
    assert.equal(server.requests.length, 1)
  })

  test('says so when its input or its output is no place to read or write', async () => {
    const shell = (line: string): Promise<Outcome> =>
      runCommand('sh', ['-c', `exec ${process.execPath} ${program.join(' ')} ${line}`], {
        cwd: folder,
        timeout: 60_000,
      })
    const reads = await shell(`chat 0> ${join(emptyFolder, 'written')}`)
    assert.equal(reads.code, 2)
    assert.match(reads.stderr, /\ntellurion: Standard input cannot be read: EBADF[^\n]*\n$/)
    if (process.platform !== 'linux') return
    const writes = await shell('run 1+1 > /dev/full')
    assert.equal(writes.code, 1)
    assert.match(writes.stderr, /\ntellurion: Standard output cannot be written: ENOSPC[^\n]*\n$/)
  })
})

describe('tellurion and a server written by others', options, () => {
  const usage = { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 }
  const mock = new LLMock({ port: 0 })
  const question = 'How much is twelve sevens?'
  mock.on(
    { userMessage: question, hasToolResult: false },
    { toolCalls: [{ name: 'calculator', arguments: '{"expression":"12*7"}', id: 'c1' }], usage },
  )
  mock.on({ userMessage: question, hasToolResult: true }, { content: 'Eighty-four.', usage })
  mock.onMessage(/./, { content: 'ok', usage })
  const started = mock.start()
  open.push({ close: () => mock.stop() })

  for (const [vendor, env] of [
    ['openai', () => ({ OPENAI_API_KEY: 'k', OPENAI_BASE_URL: `${mock.url}/v1` })],
    ['anthropic', () => ({ ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: mock.url })],
  ] as const) {
    test(`calls tools over the wire of ${vendor}`, async () => {
      await started
      const { code, stdout, stderr } = await tellurion(['run', question], { env: env() })
      assert.deepEqual([code, stdout], [0, 'Eighty-four.\n'], stderr)
      assert.equal(stderr, '→ calculator {"expression":"12*7"}\n← calculator 84\n')
    })

    test(`test-model says how ${vendor} answers`, async () => {
      await started
      const { code, stdout } = await tellurion(['test-model', '--provider', vendor, '--model', 'm-1'], { env: env() })
      assert.equal(code, 0)
      assert.match(stdout, new RegExp(`^ok ${vendor}/m-1 answered in \\d+ ms \\(5 tokens in, 7 out\\): ok\\n$`))
    })
  }

  test('test-model asks the model of the configuration file, and tells machines in JSON', async () => {
    await started
    const cwd = mkdtempSync(join(emptyFolder, 'file-'))
    const model = { name: 'from-file', baseURL: `${mock.url}/v1` }
    writeFileSync(join(cwd, 'tellurion.config.json'), JSON.stringify({ model }))
    const { code, stdout } = await tellurion(['test-model', '--json'], { cwd })
    assert.equal(code, 0)
    const { ms, ...line } = JSON.parse(stdout)
    assert.equal(typeof ms, 'number')
    assert.deepEqual([line.model, line.text, line.usage.outputTokens], ['local/from-file', 'ok', 7])
  })

  test('.env names the model; the environment and --model win over it', async () => {
    await started
    const cwd = mkdtempSync(join(emptyFolder, 'dot-env-'))
    writeFileSync(join(cwd, '.env'), `export LLM_BASE_URL="${mock.url}/v1" # here\nLLM_MODEL=from-file\n`)
    const named = async (args: string[], env = {}): Promise<string> =>
      (await tellurion(['test-model', ...args], { cwd, env })).stdout.split(' ')[1] ?? ''
    assert.equal(await named([]), 'local/from-file')
    assert.equal(await named([], { LLM_MODEL: 'from-env' }), 'local/from-env')
    assert.equal(await named(['--model', 'local/from-option']), 'local/from-option')
    assert.equal(await named(['--model', 'demo']), 'tellurion/demo')
  })
})

describe('what goes wrong', options, () => {
  test('is one line that helps, and an exit code', async () => {
    const server = await rawServer(() => ({ status: 401, pieces: ['{"error":{"message":"Wrong key-hush."}}'] }))
    const { code, stdout, stderr } = await tellurion(['run', 'hi'], { env: leadsTo(server.url) })
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /^tellurion: local\/m: HTTP 401 [^\n]*Wrong \[redacted\]\. Check the API key[^\n]*\n$/)
  })

  test('has its stack with --verbose', async () => {
    const { code, stderr } = await tellurion(['run', '--verbose', '--model', 'opnai/x', 'hi'])
    assert.equal(code, 2)
    assert.match(stderr, /^tellurion: no vendor .*\nUsageError: .*\n +at .*\ncaused by TellurionError: .*\n +at /s)
  })
})
