// The chat that fills a terminal, in a real one: by keys and by what is on the screen, on its own and with a server that is
// killed and started again.

import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRawServer, openAILanguage, serveWire } from 'tellurion/testing'
import { root } from '../gate/source.ts'
import { createWindows, withoutTmux } from './window.ts'

/** Longer than a question takes no keys after it came up. */
const pause = 500
const ready = /● ready[^]*\nEnter send/

describe('tellurion chat on a whole terminal', { skip: withoutTmux, concurrency: 3 }, () => {
  const windows = createWindows()

  test('shows a turn as it goes, unfolds a call, fits another size, and leaves the conversation behind', async (t) => {
    const terminal = windows.open(t, { command: 'chat' })
    await terminal.shows(/^Talking to the built-in demo model[^]*● ready/)
    assert.equal(terminal.screen().split('\n').length, 24)
    terminal.keys('hello', 'Enter')
    await terminal.shows(/> hello\n\n[^]*[a-z]\n[^]*answering \d+s/)
    await terminal.shows(ready)
    terminal.keys('what is 12*7?', 'Enter')
    await terminal.shows(/ {2}✓ calculator \{"expression":"12\*7"\} → 84\n\n12\*7 = 84\.\n[^]*● ready/)
    terminal.keys('Tab')
    await terminal.shows(/❯ ✓ calculator/)
    terminal.keys('Enter')
    await terminal.shows(/❯ ✓ calculator\n {4}arguments\n {6}\{\n {8}"expression": "12\*7"\n {6}\}\n {4}result\n {6}84/)
    terminal.keys('Enter', 'Escape')
    await terminal.shows(/ {2}✓ calculator [^]*\nEnter send/)
    terminal.keys('日本語')
    await terminal.shows(/\n日本語\n/)
    terminal.resize(40, 12)
    const small = await terminal.shows(/\n12\*7 = 84\.\n[^]*── You ─+\n日本語\n[^]*● ready/)
    assert.ok(small.split('\n').length <= 12)
    terminal.resize(80, 24)
    await terminal.shows(/> what is 12\*7\?\n\n {2}✓ calculator [^]*日本語/)
    terminal.keys('C-u', 'C-r')
    await terminal.shows(
      /^Runs\n {2}RUN +STATUS +TICKS +TOKENS +AGE +AGENT +INPUT\n❯ run_\w+ +succeeded +\d[^]*what is 12\*7\?/,
    )
    terminal.keys('Escape', 'F1')
    await terminal.shows(/^Keys\n/)
    terminal.keys('Escape', 'PPage')
    await terminal.shows(/↓ more \(End\)|> hello/)
    terminal.keys('C-d')
    const left = await terminal.shows(/ended with 0$/)
    assert.match(left, /> what is 12\*7\?\n\n {2}✓ calculator [^]*12\*7 = 84\.\nended with 0$/)
  })

  test('goes to the shell on Ctrl-Z, and comes back in the middle of its turn', async (t) => {
    const terminal = windows.open(t, { command: 'chat; echo "away with $?"; sleep 2; fg', jobs: true })
    await terminal.shows(ready)
    terminal.keys('wait 2 seconds', 'Enter')
    await terminal.shows(/running wait/)
    terminal.keys('C-z')
    await terminal.shows(/^[^]*away with \d{3}$/)
    await terminal.shows(/✓ wait [^]*I have waited 2 s\.[^]*● ready/)
    terminal.keys('C-d')
    await terminal.shows(/> wait 2 seconds\n[^]*ended with 0$/)
  })

  test('asks with the exact arguments, inert; takes yes, no with a reason, and a stop', async (t) => {
    const path = '{"path":"a\\u202e\\u001b[31m"}'
    const call = (id: string) => ({
      steps: [{ call: { id, name: 'read_file', pieces: [path] } }, { finish: 'tool-calls' as const }],
    })
    const say = (text: string) => ({ steps: [{ text }, { finish: 'stop' as const }] })
    const evil = '\u001b]0;evil\u0007\u001b[2J**Very** well\u202e.'
    const server = await serveWire(openAILanguage, [
      call('c1'),
      say(evil),
      call('c2'),
      say('Then not.'),
      call('c3'),
      say('Fine.'),
    ])
    t.after(() => server.close())
    const env = { LLM_BASE_URL: server.baseURL, LLM_MODEL: 'm', NO_COLOR: '1' }
    const terminal = windows.open(t, { env, command: 'chat --ask' })
    await terminal.shows(ready)
    terminal.keys('read it', 'Enter')
    await terminal.shows(/\? Allow read_file\?\n {2}\{\n {4}"path": "a\\u202e\\u001b\[31m"\n {2}\}\ny yes/)
    await sleep(pause)
    terminal.keys('y')
    await terminal.shows(/✗ read_file [^]*\n\]0;evil\[2JVery well\.\n[^]*● ready/)
    terminal.keys('again', 'Enter')
    await terminal.shows(/\? Allow read_file/)
    await sleep(pause)
    terminal.keys('r')
    await terminal.shows(/── Why not\?/)
    terminal.keys('not on Fridays', 'Enter')
    await terminal.shows(/⊘ read_file [^\n]*→ not on Fridays\n\nThen not\.\n[^]*● ready/)
    terminal.keys('once more', 'Enter')
    await terminal.shows(/\? Allow read_file/)
    terminal.keys('Escape')
    await terminal.shows(/\(stopped\)\n[^]*● ready/)
    terminal.keys('C-c', 'C-c')
    await terminal.shows(/ended with 0$/)
  })

  test('stops a reply that does not come, and leaves at the second Ctrl-C', async (t) => {
    const silent = await createRawServer(() => ({ ending: 'mute' }))
    t.after(() => silent.close())
    const env = { LLM_BASE_URL: `${silent.url}/v1`, LLM_MODEL: 'm' }
    const terminal = windows.open(t, { env, command: 'chat' })
    await terminal.shows(ready)
    terminal.keys('are you there?', 'Enter')
    await silent.requested
    terminal.keys('C-c')
    await terminal.shows(/> are you there\?\n\n\(stopped\)\n[^]*Once more leaves/)
    terminal.keys('C-c')
    await terminal.shows(/\(stopped\)\nended with 0$/)
  })

  test('is the chat line by line where the terminal cannot be filled', async (t) => {
    const terminal = windows.open(t, { env: { TERM: 'dumb' }, command: 'chat' })
    await terminal.shows(/pass --model[^]*\n> ?$/)
    terminal.keys('C-d')
    await terminal.shows(/ended with 0$/)
  })

  test('hears what is said into a turn, and outlives the server: nothing is missing, nothing comes twice', async (t) => {
    const first = await serve(t, windows.folder, 0)
    const env = { TELLURION_TOKEN: token }
    const terminal = windows.open(t, { env, command: `chat --server ${first.url} --session talk` })
    await terminal.shows(ready)
    terminal.keys('what is 12*7 and wait 3 seconds', 'Enter')
    await terminal.shows(/✓ calculator [^\n]* → 84\n {2}… wait /)
    terminal.keys('and what is 2+3?', 'Enter')
    await terminal.shows(/> and what is 2\+3\?\n {2}\(is heard when the present step is done\)/)
    first.child.kill('SIGKILL')
    await terminal.shows(/✗ the server is gone \(\d+s\), ask/)
    await serve(t, windows.folder, first.port)
    await terminal.shows(/… \S+ \d+s|⠋|⠙|⠹|⠸|⠼|⠴|⠦|⠧|⠇|⠏|● ready/)
    const screen = await terminal.shows(/2\+3 = 5\.\n[^]*● ready/)
    for (const once of [
      '> what is 12*7',
      '✓ calculator {"expression":"12*7"} → 84',
      '✓ wait ',
      '> and what is 2+3?',
      '2+3 = 5.',
    ]) {
      assert.equal(screen.split(once).length, 2, `${once}, once:\n${screen}`)
    }
    terminal.keys('C-d')
    await terminal.shows(/Go on: tellurion chat --server http:\S+ --session talk\)\s+ended with 0$/)
    const again = windows.open(t, { env, command: `chat --server ${first.url} --session talk` })
    await again.shows(/✓ calculator [^]*> and what is 2\+3\?[^]*2\+3 = 5\.\n[^]*● ready/)
  })
})

const token = 'a-token-for-the-tests-alone'

interface Served {
  readonly child: ChildProcess
  readonly url: string
  readonly port: number
}

/** A server on a store in the folder. */
async function serve(t: TestContext, folder: string, port: number): Promise<Served> {
  const main = join(root, 'packages/tellurion-server/src/cli/main.ts')
  const args = [
    '--conditions=@tellurion/source',
    main,
    'serve',
    '--json',
    '--port',
    String(port),
    '--store',
    'sqlite:./talk.db',
  ]
  const env = {
    PATH: process.env['PATH'],
    TELLURION_TOKEN: token,
    NODE_COMPILE_CACHE: join(folder, 'cache'),
    LOG_FILE: '',
  }
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  for await (const line of createInterface({ input: child.stdout })) {
    const { url } = JSON.parse(line) as { readonly url: string }
    child.stdout.resume()
    return { child, url, port: Number(new URL(url).port) }
  }
  return assert.fail('the server did not begin')
}
