// `tellurion chat`: a conversation with an agent, here or on a server, at a terminal or through a pipe.

import type { EventResource } from 'tellurion/protocol'
import { faultText, type ExitCode } from './fault.ts'
import { inertLine } from '../terminal/inert.ts'
import { openLineInput, type LineInput } from './line-input.ts'
import { openChat, type ChatFlags, type ChatPlace } from './chat-place.ts'
import { runView } from './run-view.ts'
import { Screen } from './screen.ts'
import { tracer, type Host } from './setting.ts'
import { runTurn } from './turn.ts'

/** Milliseconds before each word of the demo at a terminal: a stream that can be seen, and stopped. */
const demoPace = 12

/** Options of `chat`. */
export interface LineChatFlags extends ChatFlags {
  /** Line by line at a terminal too. */
  readonly plain?: boolean
}

const help = [
  'Type a question and press Enter. /help shows this, /quit leaves.',
  'Ctrl-C stops an answer, twice leaves; Ctrl-D leaves.',
]

/**
 * Talks until the input ends; at a terminal that can be filled, on the whole of it. There a failed turn is told and the
 * chat goes on: 0. Through a pipe each line is answered in turn: 0 when all turns succeeded, 1 when one failed, 130 when it was interrupted.
 */
export async function chat(flags: LineChatFlags, host: Host): Promise<ExitCode> {
  const interactive = host.stdin.isTTY && host.stdout.isTTY
  // Large, and of no use where the cursor cannot be moved.
  if (interactive && flags.plain !== true && !/^(?:dumb)?$/.test(host.env['TERM'] ?? '')) {
    return (await import('./screen-chat.ts')).chatOnScreen(flags, host, { demoDelay: demoPace })
  }
  await using place = await openChat(flags, host, { demoDelay: interactive ? demoPace : 0 })
  return await new Chat(place, flags, host).run()
}

class Chat {
  readonly #place: ChatPlace
  readonly #verbose: boolean
  readonly #host: Host
  readonly #trace: (event: EventResource) => void
  readonly #answers: Screen
  readonly #remarks: Screen
  readonly #lines: LineInput
  #turn: AbortController | undefined
  /** Whether the last thing that was pressed is Ctrl-C. */
  #armed = false
  #code: ExitCode = 0

  constructor(place: ChatPlace, flags: ChatFlags, host: Host) {
    this.#place = place
    this.#verbose = flags.verbose === true
    this.#host = host
    this.#trace = tracer(flags, host)
    this.#answers = new Screen(host.stdout, host.env)
    this.#remarks = new Screen(host.stderr, host.env)
    this.#lines = openLineInput(host, this.#interrupt)
  }

  async run(): Promise<ExitCode> {
    this.#host.on('SIGINT', this.#interrupt)
    try {
      this.#welcome()
      const prompt = this.#answers.styled('> ', 'strong')
      for (;;) {
        const line = (await this.#lines.next(prompt))?.trim()
        if (line === undefined) return this.#code
        if (line === '') continue
        this.#armed = false
        if (!this.#lines.interactive) this.#answers.line(`> ${inertLine(line)}`)
        if (/^\/?(?:quit|exit)$/i.test(line)) return this.#code
        if (line === '/help') for (const text of help) this.#answers.line(text)
        else await this.#answer(line)
      }
    } finally {
      this.#host.off('SIGINT', this.#interrupt)
      this.#lines.close()
    }
  }

  async #answer(question: string): Promise<void> {
    const view = runView(this.#answers, this.#answers)
    const turn = new AbortController()
    this.#turn = turn
    try {
      const result = await runTurn(this.#place, question, {
        watch: (event) => {
          this.#trace(event)
          view(event)
        },
        desk: { screen: this.#answers, lines: this.#lines },
        signal: turn.signal,
      })
      this.#answers.endLine()
      if (result.status === 'cancelled') this.#answers.line('(stopped)', 'faint')
    } catch (error) {
      this.#answers.endLine()
      this.#remarks.line(faultText(error, { verbose: this.#verbose }), 'warning')
      if (!this.#lines.interactive) this.#code = 1
    } finally {
      this.#turn = undefined
    }
  }

  readonly #interrupt = (): void => {
    if (!this.#lines.interactive) {
      this.#code = 130
      this.#turn?.abort()
      this.#lines.close()
    } else if (this.#turn !== undefined && !this.#turn.signal.aborted) {
      this.#armed = true
      this.#turn.abort()
      this.#lines.cancel()
    } else if (this.#armed && !this.#lines.typing) this.#lines.close()
    else {
      this.#armed = true
      this.#lines.discard(this.#answers.styled('(Ctrl-C again leaves)', 'faint'))
    }
  }

  /** Who answers and what it may read: on the terminal, or beside the answers of a pipe. */
  #welcome(): void {
    const screen = this.#lines.interactive ? this.#answers : this.#remarks
    for (const text of this.#place.introduction) screen.note(text, 'plain')
    if (this.#lines.interactive) screen.line(help[1] ?? '', 'faint')
  }
}
