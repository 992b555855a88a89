// A tool call on the screen: folded one line with its state, unfolded its exact arguments and what came of it.

import { visibleWidth } from '@earendil-works/pi-tui'
import type { Json } from 'tellurion/protocol'
import { exactJson, exactText, inertLine } from '../terminal/inert.ts'
import { exactLines } from './exact.ts'
import { Laid, oneLine, type Block } from './laid.ts'
import type { Theme } from './theme.ts'

/** Where a call stands. */
export type CallState = 'called' | 'asked' | 'allowed' | 'running' | 'done' | 'failed' | 'denied'

/** What is known of a call. */
export interface CallFacts {
  readonly toolName: string
  readonly input: Json
  readonly state: CallState
  /** What the tool or a sub-agent reported last. */
  readonly progress?: string
  /** Who denied it, and why. */
  readonly why?: string
  /** The result as the model sees it. */
  readonly content?: string
}

const glyphs: Readonly<Record<CallState, string>> = {
  called: '·',
  asked: '?',
  allowed: '·',
  running: '…',
  done: '✓',
  failed: '✗',
  denied: '⊘',
}

/** A tool call: folded one line with its state, unfolded its exact arguments and result. */
export class Call implements Block {
  readonly kind = 'call'
  readonly id: string
  readonly #theme: Theme
  readonly #laid = new Laid()
  #facts: CallFacts
  #open = false
  #selected = false

  constructor(id: string, facts: CallFacts, theme: Theme) {
    this.id = id
    this.#facts = facts
    this.#theme = theme
  }

  get facts(): CallFacts {
    return this.#facts
  }

  get open(): boolean {
    return this.#open
  }

  set open(open: boolean) {
    this.#open = open
    this.#laid.changed()
  }

  set selected(selected: boolean) {
    this.#selected = selected
    this.#laid.changed()
  }

  tell(news: Partial<CallFacts>): void {
    this.#facts = { ...this.#facts, ...news }
    this.#laid.changed()
  }

  lines(width: number): readonly string[] {
    return this.#laid.lines(width, () => (this.#open ? this.#unfolded(width) : [this.#folded(width)]))
  }

  #folded(width: number): string {
    const { input, state, progress, why, content } = this.#facts
    const { faint } = this.#theme
    const outcome =
      state === 'denied'
        ? why
        : state === 'asked'
          ? 'waits for your answer'
          : (content ?? (state === 'running' ? progress : undefined))
    const head = `${this.#head()} ${faint(exactJson(input))}`
    if (outcome === undefined) return oneLine(head, width)
    const more = outcome.trimEnd().split('\n').length - 1
    const tail = ` ${faint(`→ ${inertLine(outcome.trimStart().split('\n')[0] ?? '')}${more > 0 ? ` (+${more} lines)` : ''}`)}`
    // Long arguments leave room for what came of them.
    const room = Math.max(Math.ceil(width / 2), width - visibleWidth(tail))
    return oneLine(oneLine(head, room) + tail, width)
  }

  #unfolded(width: number): string[] {
    const { input, state, progress, why, content } = this.#facts
    const { faint, warning } = this.#theme
    const lines = [oneLine(this.#head(), width), ...exactLines('arguments', { width, by: 4, style: faint })]
    lines.push(...exactLines(exactJson(input, 2), { width, by: 6 }))
    if (why !== undefined) lines.push(...exactLines(`denied: ${inertLine(why)}`, { width, by: 4, style: warning }))
    if (content === undefined) {
      if (progress !== undefined) lines.push(...exactLines(inertLine(progress), { width, by: 4, style: faint }))
      return lines
    }
    lines.push(
      ...exactLines(state === 'failed' ? 'error' : 'result', { width, by: 4, style: faint }),
      ...exactLines(exactText(content), { width, by: 6 }),
    )
    return lines
  }

  #head(): string {
    const { toolName, state } = this.#facts
    const { accent, good, bad, warning, faint, strong } = this.#theme
    const style = {
      called: faint,
      asked: warning,
      allowed: faint,
      running: accent,
      done: good,
      failed: bad,
      denied: bad,
    }[state]
    return `${this.#selected ? accent('❯ ') : '  '}${style(glyphs[state])} ${strong(inertLine(toolName))}`
  }
}
