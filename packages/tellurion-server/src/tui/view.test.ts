import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { visibleWidth } from '@earendil-works/pi-tui'
import { TellurionError, type Interaction } from 'tellurion'
import type { EventResource, RunResource } from 'tellurion/protocol'
import { virtualClock } from 'tellurion/testing'
import { Chat } from './chat.ts'
import { Link } from './link.ts'
import { createTheme } from './theme.ts'
import { View, type Composer, type Wish } from './view.ts'

/** A line to type on. */
class Line implements Composer {
  text = ''
  readonly sent: string[] = []
  set(text: string): void {
    this.text = text
  }
  remember(text: string): void {
    this.sent.push(text)
  }
  input(data: string): void {
    if (data.length === 1) this.text += data
  }
  lines(_width: number, height: number): string[] {
    return `${this.text}_`.split('\n').slice(-height)
  }
}

const run = (facts: Partial<RunResource> = {}): RunResource => ({
  id: 'run_1',
  agent: 'guide',
  session: 's1',
  branch: 'b1',
  status: 'running',
  priority: 0,
  input: 'Weather?',
  metadata: {},
  user: 'local',
  createdAt: 0,
  availableAt: 0,
  attempt: 1,
  retries: 0,
  crashes: 0,
  ranFor: 0,
  events: 1,
  firstTick: 1,
  interactions: [],
  ...facts,
})

const call = (id: string): EventResource => ({
  type: 'tool.called',
  entity: 1,
  toolCallId: id,
  toolName: 'look',
  input: { id },
})
const reply = (content: string): EventResource => ({
  type: 'message.added',
  entity: 1,
  message: { role: 'assistant', content },
})
const approval: Interaction = {
  id: 'i1',
  kind: 'approval',
  entity: 1,
  prompt: '',
  toolName: 'look',
  toolCallId: 'c1',
  input: { id: 'c1' },
}

/** A chat on a screen, at the second `now`. */
class Scene {
  readonly wishes: Wish[] = []
  readonly line = new Line()
  readonly chat: Chat
  readonly view: View
  width = 80
  height = 24
  now = 10_000

  constructor() {
    this.chat = new Chat(createTheme(false), new Link({ clock: virtualClock(0), onChange: () => {} }))
    this.chat.link.good()
    this.chat.begin('s1', 0)
    this.view = new View(this.chat, this.line, (wish) => this.wishes.push(wish))
  }

  take(...events: EventResource[]): this {
    for (const event of events) this.chat.take('run_1', event, this.now)
    return this
  }

  /** Presses keys by their names; what is no name is typed. */
  press(...keys: string[]): this {
    for (const name of keys) {
      this.now += 1000
      this.view.lines(this.width, this.height, this.now)
      this.view.key({ name, data: name }, this.now)
    }
    return this
  }

  type(text: string): this {
    return this.press(...text)
  }

  get screen(): string[] {
    const lines = this.view.lines(this.width, this.height, this.now)
    assert.equal(lines.length, this.height)
    for (const line of lines) assert.ok(visibleWidth(line) <= this.width, line)
    return lines
  }

  /** The screen without blank lines. */
  get text(): string {
    return this.screen.filter((line) => line !== '').join('\n')
  }

  get kinds(): string[] {
    return this.wishes.map(({ kind }) => kind)
  }
}

describe('the screen of a chat', () => {
  it('has the conversation, the composer, the state and the keys', () => {
    const scene = new Scene().take(reply('Hello, **you**.')).type('hi')
    assert.deepEqual(scene.screen.slice(0, 2), ['Hello, you.', ''])
    assert.deepEqual(scene.screen.slice(-4), [
      `── You ${'─'.repeat(73)}`,
      'hi_',
      '● ready · s1',
      'Enter send   PgUp scroll   Tab calls   Ctrl-R runs   F1 keys   Ctrl-D leave',
    ])
  })

  it('says what the turn does, since when and what it took', () => {
    const scene = new Scene()
    scene.chat.watch(run({ createdAt: 7000 }))
    const state = (): string => scene.screen.at(-2) ?? ''
    assert.equal(state(), '⠋ queued 3s · s1')
    scene.take({ type: 'tool.started', entity: 1, toolCallId: 'c', toolName: 'lo\u001bok' })
    const usage = { inputTokens: 1000, outputTokens: 500, totalTokens: 1500 }
    scene.take({ type: 'model.replied', entity: 1, model: 'm', usage, finishReason: 'stop' })
    scene.chat.list([run(), run({ id: 'run_2', status: 'waiting' })], new Map([['run_1', 4]]), 0)
    scene.now = 11_000
    assert.equal(state(), '⠙ running look 4s · tick 4 · 1.5k tokens · 1 other run waits · s1')
    scene.take({ type: 'run.paused' })
    assert.match(state(), /^paused · /)
    scene.chat.live!.stopping = true
    assert.match(state(), /^stopping…/)
    scene.chat.unwatch('run_1', 0)
    assert.match(state(), /^● ready/)
  })

  it('says that the server is gone, and when it is asked again', () => {
    const clock = virtualClock(5000)
    const chat = new Chat(createTheme(false), new Link({ clock, onChange: () => {} }))
    const view = new View(chat, new Line(), () => {})
    assert.match(view.lines(80, 24, 5000).at(-2) ?? '', /^connecting…/)
    const gone = new TellurionError('server_unreachable', 'gone')
    const end = new AbortController()
    chat.link.outlast(gone, end.signal).catch(() => {})
    assert.match(view.lines(80, 24, 5000).at(-2) ?? '', /^✗ the server is gone \(0s\), asked again in 1s/)
    assert.match(view.lines(80, 24, 9000).at(-2) ?? '', /^✗ the server is gone \(4s\), asking again/)
    end.abort()
  })

  it('sends what is typed, and understands a few words', () => {
    const scene = new Scene()
    scene.view.submit('  hello \n')
    scene.view.submit('   ')
    scene.view.submit('/new')
    scene.view.submit('Quit')
    assert.deepEqual(scene.wishes, [{ kind: 'say', text: 'hello' }, { kind: 'new' }, { kind: 'leave' }])
    scene.view.submit('/help')
    assert.match(scene.text, /^Keys\n/)
    scene.press('x')
    scene.view.submit('/runs')
    assert.match(scene.text, /^Runs\n/)
    assert.deepEqual(scene.line.sent, ['hello', '/new', 'Quit', '/help', '/runs'])
  })

  it('stops the turn at the first interrupt and leaves at the second', () => {
    for (const key of ['escape', 'ctrl+c']) {
      const scene = new Scene()
      scene.chat.watch(run())
      scene.press(key)
      assert.deepEqual(scene.kinds, ['stop'])
      assert.equal(scene.screen.at(-1), 'Once more leaves')
      scene.press(key)
      assert.deepEqual(scene.kinds, ['stop', 'leave'])
    }
    const scene = new Scene().press('escape', 'x', 'escape')
    scene.now += 6000
    scene.press('escape')
    assert.ok(!scene.kinds.includes('leave'), 'another key or five seconds lie between')
    scene.press('x').line.text = 'half a line'
    scene.press('ctrl+c')
    assert.equal(scene.line.text, '')
    assert.deepEqual(new Scene().press('ctrl+d').kinds, ['leave'])
    assert.deepEqual(new Scene().press('x', 'ctrl+d').kinds, [])
  })

  it('scrolls, follows and says that there is more', () => {
    const scene = new Scene()
    for (let index = 0; index < 40; index++) scene.take(reply(`line ${index}`))
    assert.match(scene.text, /line 39/)
    scene.press('pageUp')
    assert.doesNotMatch(scene.text, /line 39/)
    assert.match(scene.screen.at(-2) ?? '', /↓ more \(End\)$/)
    scene.take(reply('line 40')).press('home')
    assert.match(scene.text, /^line 0\n/)
    scene.press('end')
    assert.match(scene.text, /line 40/)
    scene.view.wheel(-1)
    assert.doesNotMatch(scene.text, /line 40/)
    scene.view.submit('go on')
    assert.match(scene.text, /line 40/, 'who says something sees what comes')
  })

  it('unfolds a call that was chosen, clicked on, or all of them', () => {
    const scene = new Scene().take(reply('See.'), call('c1'), call('c2'))
    scene.press('tab')
    assert.match(scene.text, /❯ · look \{"id":"c2"\}/)
    scene.press('up', 'enter')
    assert.match(scene.text, /❯ · look\n {4}arguments\n {6}\{\n {8}"id": "c1"\n {6}\}\n {2}· look/)
    scene.press('enter', 'escape')
    assert.doesNotMatch(scene.text, /❯|arguments/)
    assert.deepEqual(scene.kinds, [], 'leaving the choice is no interrupt')
    scene.view.click(2)
    assert.match(scene.text, /· look\n {4}arguments/)
    scene.view.click(0)
    scene.press('ctrl+o')
    assert.match(scene.text, /"id": "c1"[^]*"id": "c2"/)
    scene.press('ctrl+o', 'shift+tab', 'x')
    assert.doesNotMatch(scene.text, /arguments|❯/)
    assert.equal(scene.line.text, 'x', 'whoever types has chosen enough')
  })

  it('asks instead of the composer, and takes the answer', () => {
    const scene = new Scene().take(call('c1'), { type: 'interaction.requested', entity: 1, interaction: approval })
    assert.match(
      scene.text,
      /\? look \{"id":"c1"\} → waits for your answer\n\? Allow look\?\n {2}\{\n {4}"id": "c1"\n {2}\}\ny yes/,
    )
    assert.doesNotMatch(scene.text, /── You/)
    scene.press('y')
    assert.deepEqual(scene.wishes, [
      { kind: 'answer', answering: { asked: { interaction: approval, run: 'run_1' }, answer: 'approve' } },
    ])
    scene.take({ type: 'interaction.answered', entity: 1, id: 'i1', by: 'me' })
    assert.match(scene.text, /── You/)
  })

  it('takes no answer from who is typing something else', () => {
    const scene = new Scene().type('so')
    scene.take(call('c1'), { type: 'interaction.requested', entity: 1, interaction: approval }).type('y')
    assert.equal(scene.line.text, 'soy')
    assert.deepEqual(scene.wishes, [])
    assert.match(scene.text, /Tab: answer this\n── You[^\n]*\nsoy_/)
    scene.press('tab', 'n')
    assert.deepEqual(scene.kinds, ['answer'])
    assert.equal(scene.line.text, 'soy')
  })

  it('takes a reason, and gives back what had been typed', () => {
    const scene = new Scene().type('draft')
    scene
      .take(call('c1'), { type: 'interaction.requested', entity: 1, interaction: approval })
      .press('tab', 'r')
      .type('no')
    assert.match(scene.text, /── Why not\? ─+\nno_/)
    scene.press('escape')
    assert.equal(scene.line.text, 'draft')
    scene.press('r').type('no')
    scene.view.submit('no')
    assert.deepEqual(scene.wishes.at(-1), {
      kind: 'answer',
      answering: { asked: { interaction: approval, run: 'run_1' }, answer: { deny: 'no' } },
    })
    assert.equal(scene.line.text, 'draft')
  })

  it('gives a reason to no other question than the one it was written for', () => {
    const other = { ...approval, id: 'i2' }
    const scene = new Scene().take(call('c1'), { type: 'interaction.requested', entity: 1, interaction: approval })
    scene.press('r').take({ type: 'interaction.requested', entity: 1, interaction: other })
    scene.take({ type: 'interaction.expired', entity: 1, id: 'i1' })
    scene.view.submit('no')
    assert.deepEqual(scene.wishes, [])
    assert.match(scene.text, /\(that is not asked any more\)/)
  })

  it('answers a question in words', () => {
    const interaction: Interaction = { id: 'q', kind: 'question', entity: 1, prompt: 'Which colour?' }
    const scene = new Scene().take({ type: 'interaction.requested', entity: 1, interaction }).type('red?')
    assert.match(
      scene.text,
      /\? A question to you\n {2}Which colour\?\nWrite your answer[^\n]*\n── Your answer ─+\nred\?_/,
    )
    scene.view.submit('red')
    assert.deepEqual(scene.wishes, [
      { kind: 'answer', answering: { asked: { interaction, run: 'run_1' }, answer: { text: 'red' } } },
    ])
  })

  it('does not take for an answer what was typed before the question came', () => {
    const interaction: Interaction = { id: 'q', kind: 'question', entity: 1, prompt: 'Which colour?' }
    const scene = new Scene().type('and also')
    scene.take({ type: 'interaction.requested', entity: 1, interaction })
    assert.match(scene.text, /Tab: answer this\n── You/)
    scene.type('!').view.submit('and also!')
    assert.deepEqual(scene.wishes, [{ kind: 'say', text: 'and also!' }])
    scene.press('tab')
    assert.match(scene.text, /── Your answer/)
    scene.view.submit('red')
    assert.deepEqual(scene.kinds, ['say', 'answer'])
  })

  it('lists the runs, and does what is wanted with one', () => {
    const scene = new Scene()
    const other = run({ id: 'run_2', session: 's2' })
    scene.chat.list([run(), other], new Map(), 0)
    scene.press('ctrl+r')
    assert.match(scene.text, /^Runs\n {2}RUN [^]*❯ run_1[^]*\n {2}run_2/)
    scene.press('down', 'c', 'p', 'enter')
    assert.deepEqual(scene.wishes, [
      { kind: 'list', listing: true },
      { kind: 'order', order: 'cancel', run: other },
      { kind: 'order', order: 'pause', run: other },
      { kind: 'list', listing: false },
      { kind: 'order', order: 'open', run: other },
    ])
    assert.match(scene.text, /── You/)
    assert.deepEqual(scene.press('ctrl+r', 'q', 'ctrl+r', 'escape').kinds.slice(-2), ['list', 'list'])
    assert.deepEqual(scene.press('ctrl+l').kinds.at(-1), 'redraw')
    assert.deepEqual(scene.press('ctrl+z').kinds.at(-1), 'suspend')
  })

  it('shows the keys on a screen of any size', () => {
    const scene = new Scene().press('f1')
    assert.match(scene.text, /^Keys\n {2}Enter {17}send/)
    scene.width = 30
    scene.height = 8
    assert.match(scene.text, /^Keys\nEnter: send; while a turn/)
    scene.press('down', 'pageDown')
    assert.doesNotMatch(scene.text, /^Keys/)
    scene.press('x')
    assert.match(scene.text, /── You/)
    assert.equal(scene.line.text, '', 'the key that closes the page is not typed')
  })

  it('fits every screen, down to a few lines', () => {
    for (const [width, height] of [
      [80, 24],
      [40, 12],
      [20, 6],
      [12, 4],
      [10, 2],
      [200, 60],
    ] as const) {
      const scene = new Scene()
      scene.width = width
      scene.height = height
      scene.chat.watch(run())
      scene.take(reply('日本語 '.repeat(30)), call('c1'), {
        type: 'interaction.requested',
        entity: 1,
        interaction: approval,
      })
      assert.ok(scene.screen.length === height)
      scene.type('日本').press('tab', 'r')
      assert.ok(scene.screen.length === height)
      scene.press('escape', 'ctrl+r')
      scene.chat.list([run(), run({ id: 'r2' })], new Map(), 0)
      assert.ok(scene.screen.length === height)
      scene.press('escape', 'f1')
      assert.ok(scene.screen.length === height)
    }
  })

  it('keeps its figures to what is seen: a long conversation is not laid out', () => {
    const scene = new Scene()
    let laid = 0
    for (let index = 0; index < 3000; index++) scene.take(reply(`line ${index}`))
    const { transcript } = scene.chat
    for (let index = 0; index < transcript.length; index++) {
      const entry = transcript.at(index)!
      const lines = entry.lines.bind(entry)
      entry.lines = (width) => {
        laid++
        return lines(width)
      }
    }
    scene.view.lines(80, 24, 0)
    assert.ok(laid > 0 && laid < 200, `${laid} entries were asked`)
    assert.equal(scene.view.document(80).length, 5999, 'the whole of it, when the terminal is given back')
  })
})
