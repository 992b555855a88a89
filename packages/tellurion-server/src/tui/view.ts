// The screen: keys in, lines out, and what a person wants. It knows nothing of terminals, servers or time but what it is
// told.

import type { Chat } from './chat.ts'
import type { Entry, Fold } from './entry.ts'
import { hintLine, statusLine } from './footer.ts'
import { helpPage } from './help.ts'
import type { Answering } from './inquiry.ts'
import { oneLine, type Block } from './laid.ts'
import type { RunOrder } from './run-board.ts'
import type { RunResource } from 'tellurion/protocol'
import { Viewport } from './viewport.ts'

/** Where a person types. */
export interface Composer {
  readonly text: string
  /** Replaces what is typed. */
  set(text: string): void
  /** What was sent can be had again. */
  remember(text: string): void
  /** Takes a key as the terminal sent it. */
  input(data: string): void
  /** The text with its cursor, or as much of it around the cursor as fits. */
  lines(width: number, height: number): readonly string[]
}

/** A key: its name, such as `enter` or `ctrl+c`, and what the terminal sent. */
export interface Key {
  readonly name: string
  readonly data: string
}

/** What a person wants that the screen cannot do. */
export type Wish =
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'answer'; readonly answering: Answering }
  | { readonly kind: 'order'; readonly order: RunOrder; readonly run: RunResource }
  | { readonly kind: 'list'; readonly listing: boolean }
  | { readonly kind: 'stop' | 'new' }
  | { readonly kind: 'redraw' }
  | { readonly kind: 'suspend' }
  | { readonly kind: 'leave' }

/** Milliseconds within which the second of two interrupts leaves. */
const twice = 5000
/** Lines that a turn of the mouse wheel scrolls. */
const notch = 3

/** The screen of one chat. */
export class View {
  readonly #chat: Chat
  readonly #composer: Composer
  readonly #wish: (wish: Wish) => void
  readonly #help: Viewport<Block>
  #mode: 'chat' | 'runs' | 'help' = 'chat'
  #interrupted = -Infinity
  #selected: Fold | undefined
  /** Whether keys go to the open question; an empty composer leaves them to it. */
  #answers = false
  /** The question that what is typed answers, because nothing was typed when it came. */
  #wordsFor: string | undefined
  /** What had been typed when an answer in words was begun, and to which question. */
  #draft: { readonly text: string; readonly question: string } | undefined
  #unfolded = false
  /** What each line from the top belongs to. */
  #rows: readonly (Entry | undefined)[] = []

  constructor(chat: Chat, composer: Composer, wish: (wish: Wish) => void) {
    this.#chat = chat
    this.#composer = composer
    this.#wish = wish
    const page = helpPage(chat.theme)
    this.#help = new Viewport(
      { length: page.length, at: (index) => page[index], apart: () => false },
      { follows: false },
    )
  }

  /** Takes a key. */
  key({ name, data }: Key, now: number): void {
    if (name === 'ctrl+c' || name === 'escape') return this.#interrupt(name, now)
    this.#interrupted = -Infinity
    const { shown, wantsWords } = this.#chat.inquiries
    if (wantsWords && this.#composer.text === '') this.#wordsFor = shown?.interaction.id
    if (name === 'ctrl+l') return this.#wish({ kind: 'redraw' })
    if (name === 'ctrl+z') return this.#wish({ kind: 'suspend' })
    if (this.#mode === 'help') return this.#helpKey(name)
    if (this.#mode === 'runs') return this.#runsKey(name)
    if (this.#chatKey(name, now)) return
    this.#select(undefined)
    this.#composer.input(data)
  }

  /** Takes what the composer was told to send. */
  submit(text: string): void {
    const said = text.trim()
    if (said === '') return
    if (this.#draft !== undefined || this.#isForQuestion) {
      const { inquiries, transcript } = this.#chat
      const isOpen = this.#draft === undefined || this.#draft.question === inquiries.shown?.interaction.id
      const answering = isOpen ? inquiries.inWords(said) : undefined
      this.#answers = false
      this.#endWriting()
      if (answering === undefined) transcript.remark('(that is not asked any more)')
      if (answering !== undefined) this.#wish({ kind: 'answer', answering })
      return
    }
    this.#composer.remember(said)
    if (/^\/?(?:quit|exit)$/i.test(said)) this.#wish({ kind: 'leave' })
    else if (said === '/help') this.#show('help')
    else if (said === '/runs') this.#show('runs')
    else if (said === '/new') this.#wish({ kind: 'new' })
    else {
      this.#chat.viewport.toEnd()
      this.#wish({ kind: 'say', text: said })
    }
  }

  /** A click on a line from the top. */
  click(row: number): void {
    const entry = this.#mode === 'chat' ? this.#rows[row] : undefined
    if (entry === undefined || !isFold(entry)) return
    this.#chat.viewport.stay()
    entry.open = !entry.open
  }

  /** The mouse wheel, up when negative. */
  wheel(turns: number): void {
    this.#scrolled.scroll(turns * notch)
  }

  /** The screen in exactly `height` lines, none wider than `width`. */
  lines(width: number, height: number, now: number): string[] {
    const foot = this.#foot(width, height, now)
    const room = Math.max(0, height - foot.length)
    const body = this.#body(width, room, now)
    const blank = Array.from({ length: Math.max(0, room - body.length) }, () => '')
    return [...body, ...blank, ...foot].slice(0, height)
  }

  /** The whole conversation, for a terminal that is given back. */
  document(width: number): string[] {
    const { transcript } = this.#chat
    const lines: string[] = []
    for (let index = 0; index < transcript.length; index++) {
      if (transcript.apart(index)) lines.push('')
      lines.push(...transcript.at(index)!.lines(width))
    }
    return lines
  }

  get #scrolled(): Viewport<Block> {
    return this.#mode === 'help' ? this.#help : this.#chat.viewport
  }

  /** Whether what is typed, or what would be, is an answer. */
  get #writes(): boolean {
    const { wantsWords } = this.#chat.inquiries
    return this.#draft !== undefined || this.#isForQuestion || (wantsWords && this.#composer.text === '')
  }

  /** Whether what has been typed was meant for the question: it was there first, or was gone to. */
  get #isForQuestion(): boolean {
    const { shown, wantsWords } = this.#chat.inquiries
    return wantsWords && (this.#answers || this.#wordsFor === shown?.interaction.id)
  }

  /** Whether keys answer. */
  get #asked(): boolean {
    const { shown, wantsWords } = this.#chat.inquiries
    return (
      shown !== undefined && !wantsWords && this.#draft === undefined && (this.#answers || this.#composer.text === '')
    )
  }

  #interrupt(name: string, now: number): void {
    if (name === 'escape' && this.#selected !== undefined) return this.#select(undefined)
    if (this.#mode !== 'chat') return this.#show('chat')
    if (this.#draft !== undefined) return this.#endWriting()
    if (now - this.#interrupted <= twice) return this.#wish({ kind: 'leave' })
    this.#interrupted = now
    if (name === 'ctrl+c' && this.#chat.live === undefined) this.#composer.set('')
    this.#wish({ kind: 'stop' })
  }

  #helpKey(name: string): void {
    if (!this.#scroll(name, 'always')) this.#show('chat')
  }

  #runsKey(name: string): void {
    if (name === 'q' || name === 'ctrl+r') return this.#show('chat')
    const reaction = this.#chat.board.key(name)
    if (reaction === undefined || reaction === 'seen') return
    if (reaction.order === 'open') this.#show('chat')
    this.#wish({ kind: 'order', ...reaction })
  }

  /** Whether the key means something beside typing. */
  #chatKey(name: string, now: number): boolean {
    const empty = this.#composer.text === ''
    if (name === 'ctrl+r') return this.#done(() => this.#show('runs'))
    if (name === 'f1' || (name === '?' && empty && !this.#writes)) return this.#done(() => this.#show('help'))
    if (name === 'ctrl+o') return this.#done(() => this.#unfold())
    if (name === 'ctrl+d' && empty) return this.#done(() => this.#wish({ kind: 'leave' }))
    if (this.#asked && this.#inquiryKey(name, now)) return true
    if (name === 'tab' && this.#chat.inquiries.shown !== undefined && this.#draft === undefined) {
      this.#answers = !this.#answers
      return true
    }
    if (name === 'tab' || name === 'shift+tab') return this.#done(() => this.#choose(name === 'tab' ? -1 : 1))
    if (this.#selected !== undefined && this.#selectionKey(name)) return true
    return this.#scroll(name, empty ? 'always' : 'pages')
  }

  #inquiryKey(name: string, now: number): boolean {
    const reaction = this.#chat.inquiries.key(name, now)
    if (reaction === undefined) return false
    if (reaction === 'seen') return true
    if ('write' in reaction) {
      this.#draft = { text: this.#composer.text, question: this.#chat.inquiries.shown!.interaction.id }
      this.#composer.set('')
      return true
    }
    this.#answers = false
    this.#wish({ kind: 'answer', answering: reaction.answering })
    return true
  }

  #endWriting(): void {
    this.#composer.set(this.#draft?.text ?? '')
    this.#draft = undefined
  }

  #selectionKey(name: string): boolean {
    const entry = this.#selected!
    if (name === 'up' || name === 'down') this.#choose(name === 'up' ? -1 : 1)
    else if (name === 'enter' || name === 'space') {
      entry.open = !entry.open
      this.#chat.viewport.reveal(this.#indexOf(entry))
    } else return false
    return true
  }

  #scroll(name: string, when: 'always' | 'pages'): boolean {
    const view = this.#scrolled
    if (name === 'pageUp' || name === 'pageDown') view.page(name === 'pageUp' ? -1 : 1)
    else if (when === 'always' && name === 'home') view.toStart()
    else if (when === 'always' && name === 'end') view.toEnd()
    else if (this.#mode === 'help' && (name === 'up' || name === 'down')) view.scroll(name === 'up' ? -1 : 1)
    else return false
    return true
  }

  /** Chooses the next entry that can be unfolded, upwards or downwards. */
  #choose(step: 1 | -1): void {
    const { transcript, viewport } = this.#chat
    const chosen = this.#selected === undefined ? -1 : this.#indexOf(this.#selected)
    const from = chosen === -1 && step === -1 ? transcript.length : chosen
    for (let index = from + step; index >= 0 && index < transcript.length; index += step) {
      const entry = transcript.at(index)!
      if (!isFold(entry)) continue
      this.#select(entry)
      return viewport.reveal(index)
    }
  }

  #indexOf(entry: Entry): number {
    const { transcript } = this.#chat
    let index = transcript.length - 1
    while (index >= 0 && transcript.at(index) !== entry) index--
    return index
  }

  #select(entry: Fold | undefined): void {
    if (this.#selected !== undefined) this.#selected.selected = false
    this.#selected = entry
    if (entry !== undefined) entry.selected = true
  }

  #unfold(): void {
    const { transcript } = this.#chat
    this.#unfolded = !this.#unfolded
    for (let index = 0; index < transcript.length; index++) {
      const entry = transcript.at(index)!
      if (isFold(entry)) entry.open = this.#unfolded
    }
  }

  #show(mode: 'chat' | 'runs' | 'help'): void {
    if (this.#mode === 'runs' || mode === 'runs') this.#wish({ kind: 'list', listing: mode === 'runs' })
    if (mode === 'runs') this.#chat.board.choose(this.#chat.live?.run)
    if (mode === 'help') this.#help.toStart()
    this.#mode = mode
  }

  #body(width: number, height: number, now: number): readonly string[] {
    const { theme, board, live, viewport } = this.#chat
    if (this.#mode === 'help') return this.#help.rows(width, height).map(({ text }) => text)
    if (this.#mode === 'runs') {
      const title = oneLine(theme.strong('Runs'), width)
      return [title, ...board.lines(width, Math.max(1, height - 1), { now, mine: live?.run })]
    }
    const rows = viewport.rows(width, height)
    this.#rows = rows.map(({ block }) => block)
    return rows.map(({ text }) => text)
  }

  /** What stands at the bottom: the question, the composer, the state, the keys. */
  #foot(width: number, height: number, now: number): string[] {
    const state = { now, hint: this.#hint(now), more: this.#mode === 'chat' && !this.#chat.viewport.follows }
    const last = [statusLine(this.#chat, width, state), ...(height < 8 ? [] : [hintLine(this.#chat, width, state)])]
    if (this.#mode !== 'chat') return last
    const asked = this.#asked
    const composer = asked ? [] : this.#composing(width, Math.max(2, Math.floor(height / 2) - last.length))
    // At least two lines of the conversation stay in sight.
    const most = Math.max(4, Math.min(Math.floor(height * 0.7), height - last.length - composer.length - 2))
    const question = this.#chat.inquiries.lines(width, most, { focused: asked || this.#writes, now })
    return [...question, ...composer, ...last]
  }

  #composing(width: number, height: number): string[] {
    const { faint } = this.#chat.theme
    const label = this.#label()
    const rule = oneLine(faint(`── ${label} ${'─'.repeat(Math.max(0, width - label.length - 4))}`), width)
    return [rule, ...this.#composer.lines(width, Math.max(1, height - 1))]
  }

  #label(): string {
    const { inquiries, live } = this.#chat
    if (this.#draft !== undefined) return inquiries.shown?.interaction.kind === 'outcome' ? 'Its result' : 'Why not?'
    if (this.#writes) return 'Your answer'
    return live === undefined || live.stopping ? 'You' : 'You, into this turn'
  }

  #hint(now: number): string {
    if (now - this.#interrupted <= twice) return 'Once more leaves'
    if (this.#mode === 'help') return 'Any key: back'
    if (this.#mode === 'runs') return 'Enter open   c stop   p pause, go on   t try again   Esc back'
    if (this.#draft !== undefined) return 'Enter send   Esc back'
    if (this.#selected !== undefined) return 'Enter unfold   ↑ ↓ others   Esc done'
    if (this.#asked) return 'Esc stop   PgUp PgDn scroll   Ctrl-R runs   F1 keys'
    if (this.#chat.live !== undefined) return 'Enter say it now   Esc stop   Tab calls   Ctrl-R runs   F1 keys'
    return 'Enter send   PgUp scroll   Tab calls   Ctrl-R runs   F1 keys   Ctrl-D leave'
  }

  #done(work: () => void): true {
    work()
    return true
  }
}

function isFold(entry: Entry): entry is Fold {
  return entry.kind === 'call' || entry.kind === 'thought'
}
