import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Terminal } from '@earendil-works/pi-tui'
import { Agent, tool } from 'tellurion'
import { createClient } from 'tellurion/client'
import { createRuntime, memory } from 'tellurion/runtime'
import { macrotask, scriptedModel, type Script } from 'tellurion/testing'
import { sleep, systemClock } from 'tellurion/world'
import { createServer } from '../server/server.ts'
import { openChatScreen, type ChatLeft, type ChatScreenOptions } from './chat-screen.ts'

/** A terminal that keeps what is written to it. */
class Paper implements Terminal {
  columns = 80
  rows = 24
  written = ''
  running = false
  readonly kittyProtocolActive = false
  #type = (_data: string): void => {}
  #resize = (): void => {}
  #row = -1

  start(onInput: (data: string) => void, onResize: () => void): void {
    this.#type = onInput
    this.#resize = onResize
    this.running = true
  }
  stop(): void {
    this.running = false
  }
  drainInput(): Promise<void> {
    return Promise.resolve()
  }
  write(data: string): void {
    this.written += data
  }
  moveBy(): void {}
  hideCursor(): void {}
  showCursor(): void {}
  clearLine(): void {}
  clearFromCursor(): void {}
  clearScreen(): void {}
  setTitle(): void {}
  setProgress(): void {}

  keys(...data: string[]): void {
    for (const each of data) this.#type(each)
  }

  resize(columns: number, rows: number): void {
    this.columns = columns
    this.rows = rows
    this.#resize()
  }

  /** What stands on the screen: the last text of each line. */
  get screen(): string {
    const lines: string[] = []
    for (const piece of this.written.split('\u001b[').slice(1)) {
      const [, row] = /^(\d+);1H$/.exec(piece) ?? []
      if (row !== undefined) this.#row = Number(row) - 1
      else if (piece.startsWith('2K')) lines[this.#row] = piece.slice(2)
      else if (/^\d+;\d+H|^\?/.test(piece)) this.#row = -1
      else if (this.#row >= 0) lines[this.#row] += piece.replace(/^[\d;]*m/, '')
    }
    const bare = (line = ''): string => line.split('\u001b')[0]!.trimEnd()
    return Array.from({ length: this.rows }, (_, row) => bare(lines[row])).join('\n')
  }

  async shows(pattern: RegExp): Promise<void> {
    for (let tries = 0; !pattern.test(this.screen); tries++) {
      assert.ok(tries < 4000, `never ${pattern}:\n${this.screen}`)
      await sleep(5)
    }
  }
}

async function opened(
  t: TestContext,
  script: readonly Script[],
  options: Pick<ChatScreenOptions, 'signal' | 'clock' | 'suspend'> & { readonly colour?: boolean } = {},
): Promise<{ readonly paper: Paper; readonly left: Promise<ChatLeft> }> {
  const look = tool({
    description: 'Looks.',
    inputSchema: { type: 'object' },
    execute: () => Promise.resolve('\u001b]0;EVIL\u0007stars'),
  })
  const agent = new Agent({ name: 'guide', model: scriptedModel(script, { chunkSize: 7 }), tools: { look } })
  const runtime = await createRuntime({ store: memory(), agents: [agent], patience: { grace: 0 } })
  const server = createServer({ runtime })
  const identity = { user: 'local', scopes: ['read', 'write', 'admin'] } as const
  const client = createClient({ baseURL: 'http://localhost', fetch: (request) => server.handle(request, { identity }) })
  const paper = new Paper()
  const welcome = ['Talking to the guide.']
  const left = openChatScreen({ client, colour: false, welcome, terminal: paper, ...options })
  t.after(() => runtime.close())
  return { paper, left }
}

describe('a chat on a terminal', () => {
  it('takes keys, shows the reply, and gives the terminal back with the conversation in it', async (t) => {
    const { paper, left } = await opened(t, ['It *rains* in Bern.'])
    await paper.shows(/^Talking to the guide\.[^]*● ready/)
    paper.keys(...'Weather?', '\r')
    await paper.shows(/^Talking[^]*> Weather\?\n\nIt rains in Bern\./)
    await paper.shows(/● ready · session/)
    paper.keys('\u0004')
    const { session, run } = await left
    assert.match(session ?? '', /^session/)
    assert.equal(run, undefined)
    assert.equal(paper.running, false)
    const [before = '', after = ''] = paper.written.split('\u001b[?1049l')
    assert.ok(before.startsWith('\u001b[?1049h'))
    assert.match(after, /Talking to the guide\.[^]*> Weather\?[^]*It rains in Bern\./)
  })

  it('lets nothing through that a model or a tool would tell the terminal', async (t) => {
    const evil = '\u001b]0;EVIL\u0007\u001b[31mred \u202eder\u009b2J\u001b_Gf=100;AAAA\u001b\\'
    const { paper, left } = await opened(t, [
      { text: evil, calls: [{ toolName: 'look', input: { evil } }] },
      `Done ${evil}`,
    ])
    await paper.shows(/● ready/)
    paper.keys('h', 'i', '\r')
    await paper.shows(/Done[^]*● ready/)
    paper.keys('\u000f')
    await paper.shows(/\\u001b\]0;EVIL\\u0007stars/)
    paper.keys('\u0004')
    await left
    for (const bad of ['\u001b]0', '\u001b[31m', '\u009b', '\u202e', '\u001b_G'])
      assert.ok(!paper.written.includes(bad), bad)
  })

  it('takes a paste of several lines, but for what would tell the terminal something', async (t) => {
    const { paper, left } = await opened(t, ['Thank you.'])
    await paper.shows(/● ready/)
    paper.keys('\u001b[200~one\u009b2J\u202e\u001b]0;EVIL\u0007\rtwo\u001b[201~', '\u202e', '日')
    await paper.shows(/── You[^]*one2J\]0;EVIL\ntwo日/)
    paper.keys('\r')
    await paper.shows(/> one2J\]0;EVIL\n {2}two日\n\nThank you\./)
    paper.keys('\u0004')
    await left
    for (const bad of ['\u001b]0', '\u009b', '\u202e']) assert.ok(!paper.written.includes(bad), bad)
  })

  it('is drawn anew for another size, and when it is asked to', async (t) => {
    const { paper, left } = await opened(t, ['A sentence that is longer than forty columns are.'])
    await paper.shows(/● ready/)
    paper.keys('h', 'i', '\r')
    await paper.shows(/forty columns are\./)
    paper.resize(40, 12)
    await paper.shows(/A sentence that is longer than forty\ncolumns are\./)
    assert.equal(paper.screen.split('\n').length, 12)
    paper.resize(80, 24)
    await paper.shows(/A sentence that is longer than forty columns are\./)
    const before = paper.written.length
    paper.keys('\u000c')
    await paper.shows(/● ready/)
    await macrotask()
    assert.match(paper.written.slice(before).split('\u001b[2J')[1] ?? '', /A sentence/)
    paper.keys('\u0004')
    await left
  })

  it('goes to the shell on Ctrl-Z and comes back to what it showed, said meanwhile or before', async (t) => {
    const { promise: back, resolve: comeBack } = Promise.withResolvers<void>()
    const stopped: boolean[] = []
    const suspend = (): Promise<void> => {
      stopped.push(paper.running)
      return back
    }
    const { paper, left } = await opened(t, ['It rains.'], { suspend })
    await paper.shows(/● ready/)
    paper.keys(...'Weather?', '\u001a')
    while (stopped.length === 0) await macrotask()
    assert.deepEqual(stopped, [false])
    assert.ok(paper.written.endsWith('\u001b[?1049l\u001b[?25h\u001b[?2026l'), JSON.stringify(paper.written.slice(-80)))
    comeBack()
    while (!paper.running) await macrotask()
    await paper.shows(/^Talking[^]*── You[^]*Weather\?/)
    paper.keys('\r')
    await paper.shows(/It rains\.[^]*● ready/)
    paper.keys('\u0004')
    await left
    assert.equal(paper.running, false)
  })

  it('leaves when it is told to while it is away, and stays where it cannot go', async (t) => {
    const { promise: back, resolve: comeBack } = Promise.withResolvers<void>()
    const told = new AbortController()
    const away = await opened(t, [], { suspend: () => back, signal: told.signal })
    await away.paper.shows(/● ready/)
    away.paper.keys('\u001a')
    await macrotask()
    told.abort()
    comeBack()
    await away.left
    assert.equal(away.paper.running, false)
    assert.match(away.paper.written.split('\u001b[?1049l').at(-1) ?? '', /Talking to the guide/)
    const stay = await opened(t, [])
    await stay.paper.shows(/● ready/)
    stay.paper.keys('\u001a')
    await macrotask()
    assert.equal(stay.paper.running, true)
    stay.paper.keys('\u0004')
    await stay.left
  })

  it('takes the wheel, a click and two quick presses of Escape', async (t) => {
    const { paper, left } = await opened(t, [
      { text: 'See:', calls: [{ toolName: 'look', input: {} }] },
      'line\n\n'.repeat(30),
    ])
    await paper.shows(/● ready/)
    paper.keys('h', 'i', '\r')
    await paper.shows(/line[^]*● ready/)
    for (let turn = 0; turn < 30; turn++) paper.keys('\u001b[<64;5;5M')
    await paper.shows(/✓ look[^]*↓ more/)
    const row = paper.screen.split('\n').findIndex((line) => line.includes('✓ look')) + 1
    paper.keys(`\u001b[<0;5;${row}M`, `\u001b[<0;5;${row}m`)
    await paper.shows(/✓ look\n {4}arguments/)
    paper.keys('\u001b\u001b')
    await left
  })

  it('copies what is selected with the mouse, as it is seen', async (t) => {
    const { paper, left } = await opened(t, ['Take this, please.'])
    await paper.shows(/● ready/)
    paper.keys('h', 'i', '\r')
    await paper.shows(/Take this, please\.[^]*● ready/)
    const row = paper.screen.split('\n').indexOf('Take this, please.') + 1
    paper.keys(`\u001b[<0;6;${row}M`, `\u001b[<32;9;${row}M`, `\u001b[<0;9;${row}m`)
    const [, copied = ''] = paper.written.split('\u001b]52;c;')
    assert.equal(Buffer.from(copied.split('\u0007')[0] ?? '', 'base64').toString(), 'this')
    paper.keys('\u0004')
    await left
  })

  it('leaves when it is told to, and says what still runs', async (t) => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const told = new AbortController()
    const { paper, left } = await opened(t, [() => promise], { signal: told.signal, colour: true })
    await paper.shows(/● ready/)
    paper.keys('h', 'i', '\r')
    await paper.shows(/thinking|working|queued/)
    told.abort()
    assert.match((await left).run ?? '', /^run_/)
    resolve('late')
  })

  it('gives the terminal back when it fails itself', async (t) => {
    let broken = false
    const now = (): number => {
      if (broken) throw new Error('the clock broke')
      return systemClock.now()
    }
    const { paper, left } = await opened(t, [], { clock: { ...systemClock, now } })
    await paper.shows(/● ready/)
    broken = true
    paper.keys('x')
    await assert.rejects(left, /the clock broke/)
    assert.equal(paper.running, false)
  })
})
