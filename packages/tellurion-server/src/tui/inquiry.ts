// What a person is asked, one question at a time: the exact arguments, and the keys that answer. Nothing is answered by a
// key that was meant for something else.

import { visibleWidth, wrapTextWithAnsi } from '@earendil-works/pi-tui'
import type { Interaction } from 'tellurion'
import type { Answer } from 'tellurion/agent'
import { exactJson, exactText, inert, inertLine } from '../terminal/inert.ts'
import { span } from '../terminal/table.ts'
import { taintLines } from '../terminal/taint.ts'
import { exactLines } from './exact.ts'
import { oneLine } from './laid.ts'
import type { Theme } from './theme.ts'

/** An open question, and the run that asks it. */
export interface Asked {
  readonly interaction: Interaction
  readonly run: string
}

/** An answer that is to be given. */
export interface Answering {
  readonly asked: Asked
  readonly answer: Answer
}

/** What a key did: an answer, the wish to write one, or just something seen. */
export type Reaction = { readonly answering: Answering } | { readonly write: true } | 'seen'

/** Milliseconds for which a question that has just come up takes no keys: they were meant for what was there before. */
const pause = 400
/** The most open questions that are kept; the server has the others. */
const most = 100

/** The open questions. */
export class Inquiries {
  readonly #theme: Theme
  #open: readonly Asked[] = []
  readonly #sent = new Set<string>()
  /** Answers that were taken: the events that say so may come much later. */
  readonly #taken = new Set<string>()
  #index = 0
  #since = 0
  #scroll = 0
  #choice = 0
  /** Rows of what can be scrolled, as last seen, and how many of them fit. */
  #rows = { all: 0, seen: 0 }
  #problem: string | undefined

  constructor(theme: Theme) {
    this.#theme = theme
  }

  /** The question that is seen. */
  get shown(): Asked | undefined {
    return this.#open[this.#index]
  }

  get count(): number {
    return this.#open.length
  }

  /** Whether the seen question is answered in words alone. */
  get wantsWords(): boolean {
    const interaction = this.shown?.interaction
    return interaction?.kind === 'question' && (interaction.choices ?? []).length === 0
  }

  /** Takes what a run asks; what is known stays as it is. */
  ask(run: string, interactions: readonly Interaction[], now: number): void {
    const known = new Set(this.#open.map(({ interaction }) => interaction.id))
    const isFresh = ({ id }: Interaction): boolean => !known.has(id) && !this.#taken.has(id)
    const fresh = interactions.filter(isFresh).map((interaction) => ({ interaction, run }))
    if (fresh.length > 0) this.#set([...this.#open, ...fresh].slice(0, most), now)
  }

  /** Forgets those that are not open any more. */
  close(isClosed: (asked: Asked) => boolean, now: number): void {
    const open = this.#open.filter((asked) => !isClosed(asked))
    if (open.length < this.#open.length) this.#set(open, now)
  }

  /** The answer has been sent, and nothing else is to be. */
  sent({ asked }: Answering): void {
    this.#sent.add(asked.interaction.id)
    this.#problem = undefined
  }

  /** The answer was taken. */
  taken({ asked: { interaction } }: Answering, now: number): void {
    this.#taken.add(interaction.id)
    this.close((asked) => asked.interaction.id === interaction.id, now)
  }

  /** An answer that was taken came to nothing: the question is asked again. */
  reopen(id: string): void {
    this.#taken.delete(id)
  }

  /** The answer was not taken. */
  refused({ asked }: Answering, problem: string): void {
    this.#sent.delete(asked.interaction.id)
    if (asked === this.shown) this.#problem = problem
  }

  /** The answer in words. */
  inWords(text: string): Answering | undefined {
    const asked = this.shown
    if (asked === undefined || this.#sent.has(asked.interaction.id)) return undefined
    return { asked, answer: asked.interaction.kind === 'approval' ? { deny: text } : { text } }
  }

  /** What a key means to the seen question; undefined for one that means nothing here. */
  key(name: string, now: number): Reaction | undefined {
    const asked = this.shown
    if (asked === undefined) return undefined
    if (this.#look(name, now)) return 'seen'
    if (this.#sent.has(asked.interaction.id) || now - this.#since < pause) return 'seen'
    const answer = this.#answerOf(name, asked.interaction)
    if (answer === undefined || answer === 'write') return answer && { write: true }
    return { answering: { asked, answer } }
  }

  /** The question in at most `height` lines. `focused` says whether keys go to it. */
  lines(
    width: number,
    height: number,
    { focused, now }: { readonly focused: boolean; readonly now: number },
  ): string[] {
    const asked = this.shown
    if (asked === undefined) return []
    const { warning, bad, faint } = this.#theme
    const { interaction } = asked
    const head = oneLine(warning(this.#title(interaction, now)), width)
    const problem = this.#problem === undefined ? [] : [oneLine(bad(inertLine(this.#problem)), width)]
    const hint = this.#sent.has(interaction.id)
      ? 'Your answer is on its way.'
      : focused
        ? this.#keys(interaction)
        : 'Tab: answer this'
    const foot = [...problem, ...wrapTextWithAnsi(faint(hint), width)]
    const body = this.#body(interaction, width)
    const room = Math.max(2, height - 1 - foot.length)
    // The line that says what is not seen takes the place of the last one.
    const fitting = body.length <= room ? body.length : room - 1
    this.#rows = { all: body.length, seen: fitting }
    this.#scroll = Math.max(0, Math.min(this.#scroll, body.length - fitting))
    if (body.length <= room) return [head, ...body, ...foot]
    const from = this.#scroll
    const to = from + fitting
    const more = oneLine(warning(`  lines ${from + 1}–${to} of ${body.length}: ↑ ↓ PgUp PgDn show the rest`), width)
    return [head, ...body.slice(from, to), more, ...foot]
  }

  #set(open: readonly Asked[], now: number): void {
    const before = this.shown
    const kept = before === undefined ? -1 : open.indexOf(before)
    this.#open = open
    this.#index = kept === -1 ? 0 : kept
    if (kept === -1) this.#came(now)
    for (const id of this.#sent) if (!open.some(({ interaction }) => interaction.id === id)) this.#sent.delete(id)
  }

  /** Another question is seen. */
  #came(now: number): void {
    this.#since = now
    this.#scroll = 0
    this.#choice = 0
    this.#problem = undefined
  }

  #look(name: string, now: number): boolean {
    const { choices = [] } = this.shown!.interaction
    const fits = this.#rows.all <= this.#rows.seen
    if (fits && name.startsWith('page')) return false
    const page = Math.max(1, this.#rows.seen - 1)
    if (name === 'up' && choices.length > 0) this.#choice = Math.max(0, this.#choice - 1)
    else if (name === 'down' && choices.length > 0) this.#choice = Math.min(choices.length - 1, this.#choice + 1)
    else if (name === 'up' || name === 'pageUp') this.#scroll = Math.max(0, this.#scroll - (name === 'up' ? 1 : page))
    else if (name === 'down' || name === 'pageDown') this.#scroll += name === 'down' ? 1 : page
    else if ((name === 'left' || name === 'right') && this.#open.length > 1) {
      this.#index = (this.#index + (name === 'left' ? this.#open.length - 1 : 1)) % this.#open.length
      this.#came(now)
    } else return false
    return true
  }

  #answerOf(name: string, { kind, choices = [], taint }: Interaction): Answer | 'write' | undefined {
    switch (kind) {
      case 'approval':
        if (name === 'y') return 'approve'
        if (name === 'n') return 'deny'
        // After strangers' words only what names its arguments stands.
        if (name === 'a') return taint === undefined ? { always: 'approve' } : undefined
        if (name === 's') return { always: 'approve', where: 'same' }
        return name === 'r' ? 'write' : undefined
      case 'outcome':
        if (name === 'y') return 'approve'
        if (name === 'n') return 'deny'
        return name === 't' ? 'write' : undefined
      case 'question': {
        const choice = choices[name === 'enter' ? this.#choice : /^[1-9]$/.test(name) ? Number(name) - 1 : -1]
        return choice === undefined ? undefined : { choice }
      }
      default:
        kind satisfies never
        return undefined
    }
  }

  #title({ kind, toolName = '', child, due }: Interaction, now: number): string {
    const which = this.#open.length > 1 ? `${this.#index + 1} of ${this.#open.length} · ` : ''
    const who = child === undefined ? '' : ' · asked by a sub-agent'
    const lapses = due === undefined ? '' : ` · lapses in ${span(due - now)}`
    const name = inertLine(toolName)
    const what = {
      approval: `Allow ${name}?`,
      outcome: `What became of ${name}?`,
      question: 'A question to you',
    }[kind]
    return `? ${which}${what}${who}${lapses}`
  }

  #keys({ kind, choices = [], taint }: Interaction): string {
    const next = this.#open.length > 1 ? '   ← → others' : ''
    const always = taint === undefined ? 'a always   ' : ''
    if (kind === 'approval') return `y yes   n no   r no, because…   ${always}s always with these arguments${next}`
    if (kind === 'outcome') return `y run it again   n take it as failed   t say its result…${next}`
    return choices.length === 0 ? `Write your answer, Enter sends it.${next}` : `1–9, or ↑ ↓ and Enter: choose${next}`
  }

  #body({ kind, prompt, input, choices = [], taint }: Interaction, width: number): string[] {
    const { accent, warning } = this.#theme
    if (kind === 'approval') {
      const sources = taintLines(taint).flatMap((line) => exactLines(line, { width, by: 2, style: warning }))
      return [...sources, ...exactLines(exactJson(input, 2), { width, by: 2 })]
    }
    const asked = exactLines(exactText(prompt), { width, by: 2 })
    if (kind === 'outcome') return [...asked, ...exactLines(exactJson(input, 2), { width, by: 2 })]
    const list = choices.flatMap((choice, index) => {
      const mark = index === this.#choice ? accent('❯ ') : '  '
      return [
        `${mark}${oneLine(`${index + 1} ${inert(choice).replace(/\s+/g, ' ')}`, Math.max(1, width - visibleWidth(mark)))}`,
      ]
    })
    return [...asked, ...list]
  }
}
