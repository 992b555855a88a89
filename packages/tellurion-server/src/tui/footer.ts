// The last lines of the screen: how things stand, and which keys help now. Cut from the right where there is no room.

import { visibleWidth } from '@earendil-works/pi-tui'
import { inertLine } from '../terminal/inert.ts'
import { span } from '../terminal/table.ts'
import type { Chat } from './chat.ts'
import { oneLine } from './laid.ts'
import { amount } from './run-board.ts'

/** What the footer says beside the state of the chat. */
export interface FooterState {
  readonly now: number
  /** Keys that are good for something here. */
  readonly hint: string
  /** Whether there is more below what is seen. */
  readonly more: boolean
}

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

/** The line about the connection and the turn. */
export function statusLine(chat: Chat, width: number, { now, more }: FooterState): string {
  const { faint, warning } = chat.theme
  const state = stateOf(chat, now)
  const right = more ? warning('↓ more (End)') : ''
  const room = width - visibleWidth(right) - 1
  const left = oneLine(
    [state, ...figuresOf(chat).map(faint)].join(faint(' · ')),
    Math.max(1, right === '' ? width : room),
  )
  return right === ''
    ? left
    : `${left}${' '.repeat(Math.max(1, width - visibleWidth(left) - visibleWidth(right)))}${right}`
}

/** The line about keys. */
export function hintLine(chat: Chat, width: number, { hint }: FooterState): string {
  return oneLine(chat.theme.faint(hint), width)
}

function stateOf({ link, live, inquiries, theme }: Chat, now: number): string {
  const { accent, warning, bad, good, faint } = theme
  if (link.state.kind === 'connecting') return faint('connecting…')
  if (link.state.kind === 'lost') {
    const next = Math.ceil((link.state.retryAt - now) / 1000)
    return bad(
      `✗ the server is gone (${span(now - link.state.since)}), ${next > 0 ? `asked again in ${next}s` : 'asking again'}`,
    )
  }
  if (live === undefined) return good('● ready')
  if (live.stopping) return warning('stopping…')
  if (inquiries.count > 0) return warning(`? waits for you ${span(now - live.since)}`)
  if (live.doing === 'paused') return warning('paused')
  return accent(
    `${spinner[Math.floor(now / 1000) % spinner.length]} ${inertLine(live.doing)} ${span(now - live.since)}`,
  )
}

function figuresOf({ live, board, session }: Chat): string[] {
  const ticks = live === undefined ? undefined : board.ticksOf(live.run)
  return [
    ...(ticks === undefined ? [] : [`tick ${ticks}`]),
    ...(live === undefined || live.tokens === 0 ? [] : [`${amount(live.tokens)} tokens`]),
    ...othersOf(board.runs.filter(({ id, status }) => id !== live?.run && status === 'waiting').length),
    ...(session === undefined ? [] : [inertLine(session).slice(0, 16)]),
  ]
}

function othersOf(count: number): string[] {
  return count === 0 ? [] : [`${count} other ${count === 1 ? 'run waits' : 'runs wait'}`]
}
