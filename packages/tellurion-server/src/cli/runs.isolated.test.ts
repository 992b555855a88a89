// Durable runs from the command line, in this process on streams of its own: what people and scripts see, and bad input
// of every kind. It moves the working directory, so it has a process of its own.

import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { after, describe, test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { sleep } from 'tellurion/world'
import { main } from './program.ts'
import { widthOf } from '../terminal/width.ts'

const folder = mkdtempSync(join(tmpdir(), 'runs-'))
process.chdir(folder)
after(() => {
  process.chdir(tmpdir())
  rmSync(folder, { recursive: true })
})

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A command that is at work; `host.emit('SIGTERM')` is its signal. */
interface Working {
  readonly host: EventEmitter & { readonly stdout: PassThrough; readonly stderr: PassThrough }
  readonly ended: Promise<Ended>
}

function start(args: readonly string[], columns?: number, env: Record<string, string> = {}, typed = ''): Working {
  const output = (): PassThrough =>
    Object.assign(new PassThrough(), columns === undefined ? {} : { isTTY: true, columns })
  const host = Object.assign(new EventEmitter(), {
    stdin: Readable.from(typed === '' ? [] : [typed]),
    stdout: output(),
    stderr: output(),
    env,
  })
  const ended = main(args, host).then((code) => {
    return { code, stdout: textOf(host.stdout), stderr: textOf(host.stderr) }
  })
  return { host, ended }
}

/** All that has been written. */
function textOf(stream: PassThrough): string {
  let text = ''
  for (let chunk: unknown = stream.read(); chunk !== null; chunk = stream.read()) text += String(chunk)
  return text
}

const tellurion = (...args: string[]): Promise<Ended> => start(args).ended

/** Fresh runs in a store of their own: `sqlite:` and the file. */
let stores = 0
const freshStore = (): string => `sqlite:./${++stores}.db`

async function startDetached(store: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await tellurion('runs', 'start', '--store', store, '--detach', ...args)
  assert.equal(code, 0, stderr)
  return stdout.trim()
}

/** What a command with `--json` says in its last line. */
async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await tellurion(...args, '--json')
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>
}

/** Has a worker end what is queued, until a run has a status. */
async function workUntil(store: string, run: string, status: string): Promise<Ended> {
  const { host, ended } = start(['worker', '--store', store])
  for (;;) {
    if ((await json('runs', 'show', run, '--store', store))['status'] === status) break
    await once(host.stdout, 'readable')
  }
  host.emit('SIGTERM')
  return ended
}

/** What a terminal shows of a text with colours. */
const withoutColours = (text: string): string => stripVTControlCharacters(text)

describe('a durable run', () => {
  test('streams, is listed, and can be looked at from all sides', async () => {
    const store = freshStore()
    const { code, stdout, stderr } = await tellurion('runs', 'start', '--store', store, 'what is 12*7?')
    assert.deepEqual([code, stdout], [0, '12*7 = 84.\n'])
    assert.match(stderr, /^run run_\w+\n→ calculator .*\n← calculator 84\n$/)
    const run = /run_\w+/.exec(stderr)?.[0] ?? ''
    const at = ['--store', store]
    const list = (await tellurion('runs', 'list', ...at)).stdout.split('\n')
    assert.match(list[0]!, /^RUN +STATUS +AGENT +AGE +INPUT$/)
    assert.match(list[1]!, new RegExp(`^${run}  succeeded  demo +\\d+s  what is 12\\*7\\?$`))
    const shown = (await tellurion('runs', 'show', run.slice(0, 12), ...at)).stdout
    assert.match(shown, /^run {6}run_\w+\nstatus {3}succeeded, .*\nagent {4}demo\n.*\nticks {4}1 to \d+, \d+ events\n/)
    assert.match(shown, /\n\n12\*7 = 84\.\n$/)
    const events = (await tellurion('runs', 'events', run, ...at, '--after', '8')).stdout.split('\n')
    assert.match(events[0]!, /^ {3}9 {2}\d\d:\d\d:\d\d {2}tool\.ended {13}calculator 84$/)
    assert.match(events.at(-2)!, /^ {2}\d+ {2}\S+ {2}run\.succeeded /)
    const messages = (await tellurion('runs', 'messages', run, ...at)).stdout
    assert.match(messages, /run_\w+-2 +0 {2}user +what is 12\*7\?\n.*assistant {2}→ calculator .*\n.*tool +84\n/)
    assert.match(
      (await tellurion('runs', 'show', run, ...at, '--tick', '1')).stdout,
      /1 {2}Conversation 0 +\{"role":"user"/,
    )
    const changed = (await tellurion('runs', 'diff', run, '1', '2', ...at)).stdout
    assert.match(changed, /^\+ 1 Conversation \{"role":"assistant","content":"12\*7 = 84\."\}$/m)
  })

  test('prints JSON where that is wanted', async () => {
    const store = freshStore()
    const lines = (await tellurion('runs', 'start', '--store', store, '--json', '2+3')).stdout.trimEnd().split('\n')
    const parsed = lines.map((line) => JSON.parse(line))
    assert.ok(parsed.some(({ type, content }) => type === 'tool.ended' && content === '5'))
    const { type, status, text, steps, run } = parsed.at(-1)
    assert.deepEqual({ type, status, text, steps }, { type: 'result', status: 'succeeded', text: '2+3 = 5.', steps: 2 })
    const at = ['--store', store]
    assert.equal((await json('runs', 'list', ...at))['id'], run)
    assert.equal((await json('runs', 'show', run, ...at))['firstTick'], 1)
    assert.equal((await json('runs', 'show', run, ...at, '--tick', '1'))['format'], 1)
    assert.equal((await json('runs', 'events', run, ...at))['type'], 'run.succeeded')
    assert.equal(typeof (await json('runs', 'messages', run, ...at))['tick'], 'number')
    assert.ok(Array.isArray((await json('runs', 'diff', run, '1', '2', ...at))['changes']))
  })

  test('can be left to a worker, by session, priority and key', async () => {
    const store = freshStore()
    const first = await startDetached(store, '--session', 's1', '--key', 'k', '1+1')
    assert.equal(await startDetached(store, '--session', 's1', '--key', 'k', '1+1'), first)
    const other = await tellurion('runs', 'start', '--store', store, '--session', 's1', '--key', 'k', '2+1')
    assert.match(other.stderr, /was used for another request; make a new one/)
    const second = await startDetached(store, '--session', 's1', '--priority', '5', '2+2')
    const { code, stdout, stderr } = await workUntil(store, second, 'succeeded')
    assert.equal(code, 0)
    assert.match(stdout, /^\d\d:\d\d:\d\d {2}run_\w+ {2}begins: 1\+1\n.* succeeded\n.*begins: 2\+2\n.* succeeded\n$/)
    assert.match(stderr, /Working on the runs of \.\/\d+\.db; Ctrl-C ends\.\nEnding: no new runs/)
    const listed = async (...filter: string[]): Promise<number> =>
      (await tellurion('runs', 'list', '--store', store, ...filter, '--json')).stdout.split('\n').length - 1
    assert.deepEqual(
      [
        await listed('--session', 's1'),
        await listed('--session', 's2'),
        await listed('--limit', '1'),
        await listed('--status', 'queued,running'),
        await listed('--status', 'succeeded', '--agent', 'demo'),
      ],
      [2, 0, 1, 0, 2],
    )
  })

  test('waits for its turn where MAX_CONCURRENT_TASKS is 1', async () => {
    const store = freshStore()
    for (const question of ['wait 0.2 seconds', '2+2']) await startDetached(store, question)
    const { host, ended } = start(['worker', '--store', store, '--json'], undefined, { MAX_CONCURRENT_TASKS: '1' })
    const done = ['runs', 'list', '--status', 'succeeded', '--json', '--store', store]
    while ((await tellurion(...done)).stdout.split('\n').length < 3) await sleep(50)
    host.emit('SIGINT')
    const lines = (await ended).stdout.trimEnd().split('\n')
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { to: string }).to),
      ['running', 'succeeded', 'running', 'succeeded'],
    )
  })

  test('asks, from one process, and is answered from another', async () => {
    const store = freshStore()
    const at = ['--store', store]
    const { code, stdout, stderr } = await tellurion('runs', 'start', ...at, '--ask', '2+2')
    assert.deepEqual([code, stdout], [0, ''])
    assert.match(stderr, /\nAllow calculator with .*\n {2}calculator \{\n {4}"expression": "2\+2"\n {2}\}\n/)
    const [, run = '', answers = ''] = /tellurion runs answer (\S+) (.*)\n/.exec(stderr) ?? []
    assert.equal(answers, 'approve|deny')
    const { interactions } = await json('runs', 'show', run, ...at)
    const [{ id }] = interactions as [{ id: string }]
    for (const [words, error, exit] of [
      [['approv'], /Answer with 'approve', 'deny' or 'deny REASON'/, 2],
      [['approve', '--interaction', 'foreign'], /does not ask 'foreign'/, 1],
    ] as const) {
      const wrong = await tellurion('runs', 'answer', run, ...words, ...at)
      assert.deepEqual([wrong.code, wrong.stdout], [exit, ''])
      assert.match(wrong.stderr, error)
    }
    assert.equal((await tellurion('runs', 'answer', id, 'deny', 'not', 'today', '--by', 'ada', ...at)).code, 0)
    await workUntil(store, run, 'succeeded')
    assert.match((await tellurion('runs', 'show', run, ...at)).stdout, /could not calculate 2\+2.*not today/)
    const late = await tellurion('runs', 'answer', run, 'approve', '--interaction', id, ...at)
    assert.match(late.stderr, /^tellurion: Interaction \S+ was answered by ada\.\n$/)
    const idle = await tellurion('runs', 'answer', run, 'approve', ...at)
    assert.match(idle.stderr, /^tellurion: Run \S+ is succeeded and asks nothing\.\n$/)
  })

  test('takes orders', async () => {
    const store = freshStore()
    const at = ['--store', store]
    const run = await startDetached(store, 'wait 1 second')
    assert.match((await tellurion('runs', 'pause', run, ...at)).stderr, / is paused\.\n$/)
    assert.match((await tellurion('runs', 'steer', run, 'and', '3+4', ...at)).stderr, /before its next model call/)
    assert.equal((await json('runs', 'resume', run, ...at))['id'], run)
    await workUntil(store, run, 'succeeded')
    assert.match(
      (await tellurion('runs', 'messages', run, ...at)).stdout,
      /user +and 3\+4\n.*→ calculator .*\n.*tool +7\n.*3\+4 = 7\./,
    )
    assert.match((await tellurion('runs', 'pause', run, ...at)).stderr, /has ended/)
    assert.match((await tellurion('runs', 'retry', run, ...at)).stderr, /is succeeded and cannot become queued/)
    const other = await startDetached(store, '1+1')
    assert.match((await tellurion('runs', 'cancel', other, ...at)).stderr, / is cancelled\.\n$/)
    assert.equal((await json('runs', 'cancel', other, ...at))['status'], 'cancelled')
  })

  test('can be gone back in', async () => {
    const store = freshStore()
    const at = ['--store', store]
    const said = async (id: string): Promise<string> => {
      await workUntil(store, id, 'succeeded')
      return (await tellurion('runs', 'show', id, ...at)).stdout.trimEnd().split('\n').at(-1) ?? ''
    }
    const run = await startDetached(store, '--session', 's1', '2+2')
    assert.equal(await said(run), '2+2 = 4.')
    const fork = (await tellurion('runs', 'fork', run, '--tick', '1', '--say', '5*5', ...at)).stdout.trim()
    assert.equal(await said(fork), '5*5 = 25.')
    const edited = (await tellurion('runs', 'edit', `${run}-2`, '6*6', ...at)).stdout.trim()
    assert.equal(await said(edited), '6*6 = 36.')
    const reply =
      (await tellurion('runs', 'messages', run, ...at)).stdout.match(/run_\w+-\d+(?= .*2\+2 = 4)/)?.[0] ?? ''
    const anew = (await tellurion('runs', 'regenerate', reply, ...at)).stdout.trim()
    assert.equal(await said(anew), '2+2 = 4.')
    assert.match((await tellurion('runs', 'undo', anew, ...at)).stderr, /is undone by 1 tick: later runs/)
  })

  test('is gone back to by name, and goes on from a file in another store', async () => {
    const [store, other] = [freshStore(), freshStore()]
    const at = ['--store', store]
    const run = await startDetached(store, '--session', 's1', '2+2')
    await workUntil(store, run, 'succeeded')
    assert.match(
      (await tellurion('runs', 'checkpoint', run, 'sum', ...at)).stderr,
      /^Tick \d+ of run_\w+ is 'sum'\.\n$/,
    )
    const [[label, tick] = []] = Object.entries(await json('runs', 'checkpoints', run, ...at))
    assert.deepEqual([label, typeof tick], ['sum', 'number'])
    assert.equal((await tellurion('runs', 'checkpoints', run, ...at)).stdout, `${tick}  sum\n`)
    const fork = (await tellurion('runs', 'fork', run, '--tick', 'sum', '--say', '5*5', ...at)).stdout.trim()
    await workUntil(store, fork, 'succeeded')
    assert.match((await tellurion('runs', 'undo', run, '--to', 'sum', ...at)).stderr, /is put back to sum: later/)

    assert.match(
      (await tellurion('runs', 'export', run, 'sum.checkpoint', '--tick', 'sum', ...at)).stderr,
      /is in sum\./,
    )
    await startDetached(other, '1+1')
    const into = ['--store', other]
    const made = (await tellurion('runs', 'import', 'sum.checkpoint', '--session', 's2', '--say', '6*6', ...into))
      .stdout
    await workUntil(other, made.trim(), 'succeeded')
    const shown = (await tellurion('runs', 'show', made.trim(), ...into)).stdout
    assert.match(shown, new RegExp(`ticks +${Number(tick) + 1} to[^]*6.6 = 36[.]`))
    const again = await tellurion('runs', 'import', 'sum.checkpoint', '--session', 's2', ...into)
    assert.deepEqual([again.code, /There is a session 's2' already/.test(again.stderr)], [1, true])
  })

  test('is followed until it ends, or until one stops following', async () => {
    const store = freshStore()
    const run = await startDetached(store, '1+1')
    const following = start(['runs', 'events', run, '--follow', '--store', store])
    await workUntil(store, run, 'succeeded')
    assert.match((await following.ended).stdout, /run\.started.*run\.succeeded/s)
    const other = await startDetached(store, '1+1')
    const patient = start(['runs', 'events', other, '--follow', '--store', store])
    while (patient.host.listenerCount('SIGINT') === 0) await sleep(1)
    patient.host.emit('SIGINT')
    assert.deepEqual(await patient.ended, { code: 130, stdout: '', stderr: '' })
  })

  test('fits into 80 columns, is inert, and has no colours in a pipe', async () => {
    const store = freshStore()
    const hostile = `2+2 \u001b[31m\u202e${'very long '.repeat(30)}`
    const run = await startDetached(store, '--session', 'a-session-with-a-long-name', hostile)
    await workUntil(store, run, 'succeeded')
    const commands = [
      ['list'],
      ['show', run],
      ['events', run],
      ['messages', run],
      ['show', run, '--tick', '1'],
      ['diff', run, '0', '1'],
    ]
    for (const command of commands) {
      const { code, stdout, stderr } = await start(['runs', ...command, '--store', store], 80).ended
      assert.equal(code, 0, stderr)
      for (const line of withoutColours(stdout).split('\n')) assert.ok(widthOf(line) <= 80, line)
      const piped = (await tellurion('runs', ...command, '--store', store)).stdout
      assert.doesNotMatch(piped, /(?!\n)\p{Cc}|\u202e/u)
    }
  })
})

test('what the environment keeps secret is neither shown nor stored, by a run nor by a chat', async () => {
  const env = { ACME_API_KEY: 'acme-0123456789abcdef' }
  const secret = env.ACME_API_KEY
  const said = `echo ${secret}`
  for (const command of [['runs', 'start', said], ['run', said], ['chat']]) {
    const path = `quiet-${command[0]}.db`
    const { code, stdout, stderr } = await start(
      [...command, '--store', `sqlite:./${path}`],
      undefined,
      env,
      `${said}\n`,
    ).ended
    assert.equal(code, 0, stderr)
    // What a person has typed stays on the screen.
    assert.ok(!(stdout.replace(`> ${said}\n`, '') + stderr).includes(secret), command.join(' '))
    const files = [path, `${path}-wal`].filter((file) => existsSync(file))
    assert.ok(
      files.length > 0 && files.every((file) => !readFileSync(file, 'latin1').includes(secret)),
      command.join(' '),
    )
  }
})

describe('bad input gives one line that helps, and no stack', async () => {
  const store = freshStore()
  const path = store.slice('sqlite:'.length)
  const run = await startDetached(store, '1+1')
  const broken = (name: string, change: (file: string) => void): string => {
    copyFileSync(path, name)
    change(name)
    return `sqlite:./${name}`
  }
  const newer = broken('newer.db', (file) => {
    const database = new DatabaseSync(file)
    database.exec('PRAGMA user_version = 99')
    database.close()
  })
  const cut = broken('cut.db', (file) => writeFileSync(file, readFileSync(file).subarray(0, 5000)))
  const flipped = broken('flipped.db', (file) => {
    const bytes = readFileSync(file)
    writeFileSync(file, bytes.fill(0xff, 4096, 4096 * 4))
  })
  const foreign = broken('foreign.db', (file) => writeFileSync(file, 'Dear diary, '.repeat(100)))
  mkdirSync('sealed')
  copyFileSync(path, 'sealed/x.db')
  chmodSync('sealed', 0o500)
  after(() => chmodSync('sealed', 0o700))

  const cases: readonly [what: string, args: readonly string[], code: number, words: RegExp][] = [
    ['a store that is not there', ['list', '--store', 'sqlite:./absent.db'], 1, /no store at \.\/absent\.db/],
    ['a store from a newer version', ['list', '--store', newer], 1, /format 99; this code reads up to \d+/],
    ['a store that was cut off', ['list', '--store', cut], 1, /it was cut off: 5000 of \d+ bytes/],
    ['a damaged store', ['list', '--store', flipped], 1, /damaged|malformed|SQLite/],
    ['a file that is no store', ['start', 'hi', '--store', foreign], 1, /it is not a SQLite file/],
    ['a folder as a store', ['list', '--store', 'sqlite:./sealed'], 1, /it is not a file/],
    ['a store of another kind', ['list', '--store', 'redis://localhost'], 2, /redis:\/\/ is not available yet/],
    ['an unknown run', ['show', 'run_0000', '--store', store], 1, /There is no run 'run_0000'/],
    ['an id that is none', ['cancel', '../x', '--store', store], 1, /A run id is 1 to 64 letters/],
    ['a tick that is not there', ['show', run, '--tick', '9', '--store', store], 1, /no state after tick 9/],
    ['a fork of a tick that is not there', ['fork', run, '--tick', '9', '--store', store], 1, /has no tick 9/],
    [
      'a tick that is no number and no label',
      ['fork', run, '--tick', '2x', '--store', store],
      2,
      /--tick takes a whole number, 0 or more/,
    ],
    ['a label that is not there', ['fork', run, '--tick', 'two', '--store', store], 1, /No tick .* labelled 'two'/],
    ['a label that is none', ['checkpoint', run, 'a b', '--store', store], 1, /label: must be letters, digits/],
    ['a checkpoint that is not there', ['import', 'absent', '--store', store], 1, /absent cannot be read/],
    ['a checkpoint that is none', ['import', 'foreign.db', '--store', store], 1, /no whole checkpoint/],
    ['a fork without its tick', ['fork', run, '--store', store], 2, /required option '--tick <n>' not specified/],
    ['an undo of a live run', ['undo', run, '--store', store], 1, /is live: wait for its end, or/],
    ['an answer to nothing', ['answer', run, 'approve', '--store', store], 1, /is queued and asks nothing/],
    ['a retry of a run that did not fail', ['retry', run, '--store', store], 1, /is queued and cannot become queued/],
    ['an unknown status', ['list', '--status', 'runing', '--store', store], 2, /'runing' is none of queued, running,/],
    ['a limit that is none', ['list', '--limit', '0', '--store', store], 2, /--limit takes a whole number, 1 to 10000/],
    ['an unknown message', ['edit', `${run}-99`, 'x', '--store', store], 1, /is live|has no message/],
    ['no text to steer by', ['steer', run, ' ', '--store', store], 2, /There is nothing to say/],
    ['an unknown command', ['lst'], 2, /unknown command 'lst' \(Did you mean list\?\)/],
    ['an unknown option', ['list', '--stor', 'x'], 2, /unknown option '--stor' \(Did you mean --store\?\)/],
  ]
  for (const [what, args, code, words] of cases)
    test(what, async () => {
      const outcome = await tellurion('runs', ...args)
      assert.equal(outcome.code, code, outcome.stderr)
      assert.match(outcome.stderr, /^tellurion: [^\n]+\n$/)
      assert.match(outcome.stderr, words)
      assert.equal(outcome.stdout, '')
    })

  test('a folder that may not be written', { skip: process.getuid?.() === 0 && 'root writes anywhere' }, async () => {
    const { code, stderr } = await tellurion('runs', 'start', 'hi', '--store', 'sqlite:./sealed/new.db')
    assert.equal(code, 1)
    assert.match(stderr, /^tellurion: The store .*sealed.*write access[^\n]*\n$/)
  })

  test('looking leaves no file behind, and a broken store as it was', async () => {
    const before = readFileSync('flipped.db')
    await tellurion('runs', 'list', '--store', flipped)
    await tellurion('runs', 'list', '--store', 'sqlite:./absent.db')
    assert.deepEqual(readFileSync('flipped.db'), before)
    assert.ok(!existsSync('absent.db'))
  })

  test('a worker says what is wrong with its numbers', async () => {
    const { code, stderr } = await tellurion('worker', '--store', store, '--concurrency', 'many')
    assert.deepEqual(
      [code, stderr],
      [2, "tellurion: --concurrency must be a whole number from 1 to 10000, not 'many'.\n"],
    )
    const outcome = await start(['worker', '--store', store], undefined, { MAX_CONCURRENT_TASKS: '-1' }).ended
    assert.match(outcome.stderr, /^tellurion: MAX_CONCURRENT_TASKS must be a whole number/)
  })
})
