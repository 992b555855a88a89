import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { Agent } from 'tellurion'
import { demoModel } from 'tellurion/model'
import { createRuntime, memory } from 'tellurion/runtime'
import { calculator } from 'tellurion/tool'
import { createLog } from 'tellurion/trace'
import { demoAgent } from '../demo/demo-agent.ts'
import { openFileRoot } from '../demo/file-root.ts'
import { createServer, type Server } from '../server/server.ts'
import { main } from './program.ts'

const folder = mkdtempSync(join(tmpdir(), 'remote-'))
const token = 'a-token-of-ada-0123456789'
let server: Server
let url = ''

before(async () => {
  process.chdir(folder)
  writeFileSync('secret', `${token}\n`, { mode: 0o600 })
  const root = await openFileRoot('.')
  const careful = new Agent({
    name: 'careful',
    model: demoModel(),
    tools: { calculator },
    approval: [{ ask: '*' }],
  })
  const agents = [demoAgent({ model: demoModel(), root }), careful]
  const runtime = await createRuntime({ store: memory(), agents })
  server = createServer({
    runtime,
    identities: [{ user: 'ada', token, scopes: ['write'] }],
    log: createLog({ level: 'error', write: () => {} }),
  })
  url = (await server.listen()).url
})
after(async () => {
  await server.close()
  process.chdir(tmpdir())
  rmSync(folder, { recursive: true })
})

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

interface Surroundings {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
}

async function tellurion(args: readonly string[], { env = {}, input = '' }: Surroundings = {}): Promise<Ended> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const stdin = Readable.from(input === '' ? [] : [Buffer.from(input)])
  const host = Object.assign(new EventEmitter(), { stdin, stdout, stderr, env: { TELLURION_TOKEN: token, ...env } })
  const code = await main(args, host)
  return { code, stdout: textOf(stdout), stderr: textOf(stderr) }
}

/** All that has been written. */
function textOf(stream: PassThrough): string {
  let text = ''
  for (let chunk: unknown = stream.read(); chunk !== null; chunk = stream.read()) text += String(chunk)
  return text
}

const there = (...args: string[]): Promise<Ended> => tellurion([...args, '--server', url])

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await there(...args, '--json')
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>
}

describe('commands on a server elsewhere', () => {
  test('chat answers each line of a pipe, in one session', async () => {
    const input = 'what is 12*7?\nwhat is 2+2?\n'
    const { code, stdout, stderr } = await tellurion(['chat', '--server', url, '--session', 's1'], { input })
    assert.equal(code, 0, stderr)
    assert.match(
      stdout,
      /^> what is 12\*7\?\n→ calculator .*\n← calculator 84\n12\*7 = 84\.\n> what is 2\+2\?\n[^]*2\+2 = 4\.\n$/,
    )
    assert.equal(stderr, `Talking to the server at ${url}.\n`)
    const runs = (await there('runs', 'list', '--session', 's1', '--json')).stdout.trimEnd().split('\n')
    assert.deepEqual(
      runs.map((line) => (JSON.parse(line) as { user: string }).user),
      ['ada', 'ada'],
    )
  })

  test('run asks one question, of the agent that is named', async () => {
    const { code, stdout } = await there('run', 'what is 3*3?')
    assert.deepEqual([code, stdout], [0, '3*3 = 9.\n'])
    assert.equal((await json('run', '5*5'))['text'], '5*5 = 25.')
    const denied = await there('run', '--agent', 'careful', '5*5')
    assert.match(denied.stderr, /✗ calculator .*nobody is there to approve it/)
    const unknown = await there('run', '--agent', 'carefull', '5*5')
    assert.deepEqual([unknown.code, unknown.stdout], [1, ''])
    assert.match(unknown.stderr, /^tellurion: [^\n]*'carefull'[^\n]*\n$/)
  })

  test('a server and its token are named by the environment', async () => {
    const env = { TELLURION_URL: url }
    assert.equal((await tellurion(['run', '1+1'], { env })).stdout, '1+1 = 2.\n')
    const file = { TELLURION_TOKEN: '', TELLURION_TOKEN_FILE: 'secret' }
    assert.equal((await tellurion(['run', '1+1', '--server', url], { env: file })).stdout, '1+1 = 2.\n')
    // A store that is named goes before a server that is only in the environment.
    const here = await tellurion(['run', '1+1', '--store', 'sqlite:./here.db'], { env })
    assert.deepEqual([here.code, here.stdout], [0, '1+1 = 2.\n'])
    assert.match(
      (await tellurion(['runs', 'list', '--store', 'sqlite:./here.db'], { env })).stdout,
      /succeeded {2}demo/,
    )
  })

  test('runs are started, looked at from all sides, and gone back in', async () => {
    const { code, stdout, stderr } = await there('runs', 'start', '--session', 's2', '2+2')
    assert.deepEqual([code, stdout], [0, '2+2 = 4.\n'])
    const run = /run_\w+/.exec(stderr)?.[0] ?? ''
    const detached = (await there('runs', 'start', '--detach', '1+1')).stdout.trim()
    assert.match((await there('runs', 'events', detached, '--follow')).stdout, /run\.started.*run\.succeeded/s)
    assert.match((await there('runs', 'list')).stdout, /\n\S+ {2}succeeded {2}demo .*2\+2\n/)
    assert.match((await there('runs', 'show', run.slice(0, 12))).stdout, /status {3}succeeded, .*\n\n2\+2 = 4\.\n$/s)
    assert.match((await there('runs', 'show', run, '--tick', '1')).stdout, /Conversation 0/)
    assert.match((await there('runs', 'diff', run, '1', '2')).stdout, /\+ 1 Conversation /)
    assert.match((await there('runs', 'messages', run)).stdout, /user +2\+2\n/)
    assert.match((await there('runs', 'checkpoint', run, 'sum')).stderr, /is 'sum'\.\n$/)
    assert.match((await there('runs', 'checkpoints', run)).stdout, /^\d+ {2}sum\n$/)
    const fork = await there('runs', 'fork', run, '--tick', 'sum', '--say', '6*6')
    assert.deepEqual([fork.code, fork.stderr], [0, ''])
    assert.match((await there('runs', 'events', fork.stdout.trim(), '--follow')).stdout, /6\*6 = 36/)
    assert.match((await there('runs', 'edit', `${run}-2`, '7*7')).stdout, /^run_\w+\n$/)
    assert.equal((await there('runs', 'export', run, 'sum.checkpoint', '--tick', 'sum')).code, 0)
    const made = await there('runs', 'import', 'sum.checkpoint', '--session', 's3', '--say', '8*8')
    assert.match((await there('runs', 'events', made.stdout.trim(), '--follow')).stdout, /8\*8 = 64/)
    assert.match((await there('runs', 'undo', made.stdout.trim())).stderr, /is undone by 1 tick/)
  })

  test('live runs are steered, paused, cancelled and answered', async () => {
    const run = (await there('runs', 'start', '--detach', 'wait 100 seconds')).stdout.trim()
    assert.match((await there('runs', 'steer', run, 'and', '3+4')).stderr, /before its next model call/)
    assert.match((await there('runs', 'pause', run)).stderr, / is paused\.\n$|pauses after its present tick/)
    assert.match((await there('runs', 'resume', run)).stderr, / goes on\.\n$/)
    assert.match((await there('runs', 'cancel', run)).stderr, / is cancelled\.\n$/)
    const asked = await there('runs', 'start', '--agent', 'careful', '2+2')
    const name = /run_\w+/.exec(asked.stderr)?.[0] ?? ''
    assert.match(asked.stderr, /tellurion runs answer \S+ approve\|deny\n$/)
    assert.match((await there('runs', 'answer', name, 'approve', '--by', 'bob')).stderr, /--by is for a store/)
    assert.match((await there('runs', 'answer', name, 'approve')).stderr, / is answered\.\n$/)
    assert.match((await there('runs', 'events', name, '--follow')).stdout, /"by":"ada"[^]*2\+2 = 4/)
    assert.match((await there('runs', 'answer', name, 'deny')).stderr, /asks nothing/)
  })
})

describe('bad input gives one line that helps, and no stack', () => {
  const cases: readonly [
    what: string,
    args: () => string[],
    env: Record<string, string>,
    code: number,
    words: RegExp,
  ][] = [
    ['no token', () => ['run', 'hi', '--server', url], { TELLURION_TOKEN: '' }, 2, /There is no token for http:/],
    [
      'a wrong token',
      () => ['run', 'hi', '--server', url],
      { TELLURION_TOKEN: 'x'.repeat(20) },
      1,
      /Nobody has this token/,
    ],
    [
      'a token that is none',
      () => ['run', 'hi', '--server', url],
      { TELLURION_TOKEN: 'short' },
      2,
      /TELLURION_TOKEN must/,
    ],
    [
      'no server there',
      () => ['runs', 'list', '--server', 'http://127.0.0.1:9'],
      {},
      1,
      /http:\/\/127\.0\.0\.1:9 cannot be reached/,
    ],
    [
      'an address that is none',
      () => ['chat', '--server', 'localhost:8000'],
      {},
      2,
      /--server must be the address of a server, such as http:/,
    ],
    ['a server and a store', () => ['chat', '--server', url, '--store', 'sqlite:./x.db'], {}, 2, /name one of them/],
    [
      'a model for a server',
      () => ['run', 'hi', '--server', url, '--model', 'demo'],
      {},
      2,
      /--model is for agents of this command/,
    ],
    [
      'a run that is not there',
      () => ['runs', 'show', 'run_0000', '--server', url],
      {},
      1,
      /There is no run 'run_0000'/,
    ],
    ['an id that is none', () => ['runs', 'show', '../x', '--server', url], {}, 1, /A run id is 1 to 64 letters/],
  ]
  for (const [what, args, env, code, words] of cases)
    test(what, async () => {
      const outcome = await tellurion(args(), { env })
      assert.equal(outcome.code, code, outcome.stderr)
      assert.match(outcome.stderr, /^tellurion: [^\n]+\n$/)
      assert.match(outcome.stderr, words)
      assert.equal(outcome.stdout, '')
    })
})
