// A chat that fills a terminal: pi-tui carries keys in and lines out, everything else is the view's and the talk's. The
// terminal is given back as it was, with the conversation below what had been there.

import {
  KeybindingsManager,
  parseKey,
  ProcessTerminal,
  setKeybindings,
  TUI_KEYBINDINGS,
  TuiAltScreen,
  type Component,
  type Terminal,
  type TuiMouseEvent,
  type TuiMouseEventResult,
} from '@earendil-works/pi-tui'
import { systemClock, type Clock } from 'tellurion/world'
import { Chat } from './chat.ts'
import { createComposer } from './composer.ts'
import { Link } from './link.ts'
import type { ChatClient } from './chat-client.ts'
import { Talk } from './talk.ts'
import { createTheme } from './theme.ts'
import { View, type Composer, type Key, type Wish } from './view.ts'

/** What a chat on a terminal needs. */
export interface ChatScreenOptions {
  /** Should try once and say so: the chat itself waits for a server that is gone. */
  readonly client: ChatClient
  /** Who is asked; default the server's first agent. */
  readonly agent?: string | undefined
  /** A session to go on with. Default a new one, made when something is said. */
  readonly session?: string | undefined
  /** Said at the top. */
  readonly welcome?: readonly string[]
  readonly colour: boolean
  /** Ends the chat as if the person had left. */
  readonly signal?: AbortSignal
  /** Stops the process for Ctrl-Z, and resolves when it goes on. Without it that key does nothing. */
  readonly suspend?: (() => Promise<void>) | undefined
  /** Default the terminal of this process. */
  readonly terminal?: Terminal
  readonly clock?: Clock
}

/** Where a chat was when it was left. */
export interface ChatLeft {
  /** None where nothing was said. */
  readonly session: string | undefined
  /** The run that was still under way. */
  readonly run: string | undefined
}

/** Milliseconds between two looks at the clock. */
const beat = 1000
/** Milliseconds from the beginning in which keys arrive that were typed before. */
const early = 300

/** Chats until the person leaves. Rejects only with a failure of its own; the terminal is given back in any case. */
export async function openChatScreen(options: ChatScreenOptions): Promise<ChatLeft> {
  const { clock = systemClock, terminal = new ProcessTerminal(), signal, suspend } = options
  const { promise: left, resolve: leave, reject: fail } = Promise.withResolvers<void>()
  const theme = createTheme(options.colour)
  leaveKeysToTheView()
  const tui = new TuiAltScreen(terminal)
  const onChange = (): void => tui.requestRender()
  const chat = new Chat(theme, new Link({ clock, onChange }))
  const composer: Composer = createComposer(tui, theme, (text) => view.submit(text))
  const onReturn = (text: string): void => composer.set(composer.text === '' ? text : `${text}\n${composer.text}`)
  const talk = new Talk({ client: options.client, chat, clock, onChange, onReturn, agent: options.agent })
  const view = new View(chat, composer, (wish) => {
    if (wish.kind === 'leave') leave()
    else if (wish.kind === 'redraw') tui.requestRender(true)
    else if (wish.kind === 'suspend') suspended = suspended.then(away).catch(fail)
    else grant(wish, talk)
  })

  const page = new Page({ view, rows: () => terminal.rows, clock, fail })
  tui.setLayoutRoot(page)
  tui.setFocus(page)
  let suspended = Promise.resolve()
  const away = async (): Promise<void> => {
    if (suspend === undefined) return
    tui.stop({ preserveScreen: true })
    try {
      await suspend()
    } finally {
      tui.start()
      tui.requestRender(true)
    }
  }
  let cancelBeat = (): void => {}
  const tick = (): void => {
    tui.requestRender()
    cancelBeat = clock.timer(beat, tick)
  }
  if (signal?.aborted) leave()
  signal?.addEventListener('abort', () => leave(), { once: true })
  tui.start()
  try {
    talk.begin(options.session)
    if (options.welcome !== undefined) chat.transcript.remark(options.welcome.join('\n'))
    tick()
    await left
    return { session: chat.session, run: chat.live?.run }
  } finally {
    cancelBeat()
    talk.close()
    await suspended
    page.whole = true
    await terminal.drainInput(200)
    tui.stop()
  }
}

function grant(
  wish: Exclude<Wish, { readonly kind: 'redraw' } | { readonly kind: 'suspend' } | { readonly kind: 'leave' }>,
  talk: Talk,
): void {
  switch (wish.kind) {
    case 'say':
      return talk.say(wish.text)
    case 'answer':
      return talk.answer(wish.answering)
    case 'order':
      return talk.order(wish.order, wish.run)
    case 'list':
      talk.listing = wish.listing
      return
    case 'stop':
      return talk.stop()
    case 'new':
      return talk.open(undefined)
    default:
      wish satisfies never
  }
}

/** pi-tui would scroll and search by itself; its own scrolling knows nothing of this screen. */
function leaveKeysToTheView(): void {
  const own = Object.keys(TUI_KEYBINDINGS).filter((name) => name.startsWith('tui.altScreen.'))
  setKeybindings(new KeybindingsManager(TUI_KEYBINDINGS, Object.fromEntries(own.map((name) => [name, []]))))
}

interface PageOptions {
  readonly view: View
  readonly rows: () => number
  readonly clock: Clock
  readonly fail: (error: unknown) => void
}

/** The one component of the screen. */
class Page implements Component {
  readonly #options: PageOptions
  readonly #began: number
  /** Whether the whole conversation is wanted instead of what fits. */
  whole = false

  constructor(options: PageOptions) {
    this.#options = options
    this.#began = options.clock.now()
  }

  render(width: number): string[] {
    const { view, rows, clock } = this.#options
    return this.#safely(() => (this.whole ? view.document(width) : view.lines(width, rows(), clock.now()))) ?? []
  }

  handleInput(data: string): void {
    const { view, clock } = this.#options
    this.#safely(() => {
      const now = clock.now()
      for (const key of keysOf(data, now - this.#began < early)) view.key(key, now)
    })
  }

  handleMouse({ type, button, y, wheelDelta = 0 }: TuiMouseEvent): TuiMouseEventResult | undefined {
    const { view } = this.#options
    if (type === 'wheel') this.#safely(() => view.wheel(Math.sign(wheelDelta)))
    else if (type === 'click' && button === 'left') this.#safely(() => view.click(y))
    else return undefined
    return { handled: true }
  }

  invalidate(): void {}

  /** A failure ends the chat, not the process: the terminal is given back first. */
  #safely<Result>(work: () => Result): Result | undefined {
    try {
      return work()
    } catch (error) {
      this.#options.fail(error)
      return undefined
    }
  }
}

/**
 * What was pressed. Two quick presses of Escape look like one key with modifiers; letters are taken without Shift; and Enter
 * looks like Ctrl-J when it was typed before the terminal was ours.
 */
function keysOf(data: string, isEarly: boolean): Key[] {
  if (data === '\u001b\u001b') return [escape, escape]
  if (data === '\n' && isEarly) return [{ name: 'enter', data: '\r' }]
  const name = parseKey(data) ?? ''
  return [{ name: /^(?:shift\+)?[a-z]$/i.test(name) ? name.slice(-1).toLowerCase() : name, data }]
}

const escape: Key = { name: 'escape', data: '\u001b' }
