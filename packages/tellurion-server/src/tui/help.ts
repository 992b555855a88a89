// The keys, as a page.

import { Remark } from './entry.ts'
import { oneLine, type Block } from './laid.ts'
import type { Theme } from './theme.ts'

const keys: readonly (readonly [string, string])[] = [
  ['Enter', 'send; while a turn is under way, say it into that turn'],
  ['Shift-Enter, Ctrl-J', 'a new line'],
  ['Esc, Ctrl-C', 'stop the turn; twice: leave'],
  ['Ctrl-D', 'leave, when nothing is typed'],
  ['↑ ↓', 'what you typed before'],
  ['PgUp PgDn', 'scroll; the mouse wheel does too'],
  ['Home End', 'the beginning, the end, when nothing is typed'],
  ['Tab, Shift-Tab', 'choose a tool call; Enter unfolds it'],
  ['Ctrl-O', 'unfold all tool calls, fold them again'],
  ['Ctrl-R', 'the runs: Enter opens one, c stops, p pauses, t tries again'],
  ['Ctrl-L', 'draw the screen anew'],
  ['Ctrl-Z', 'to the shell; its fg comes back'],
  ['F1, ?', 'this page, when nothing is typed'],
  ['/new', 'another conversation'],
  ['/runs /help /quit', 'the same as Ctrl-R, F1, Ctrl-D'],
]

/** The page as blocks of a window: keys beside what they do, or above it where there is no room. */
export function helpPage(theme: Theme): Block[] {
  const { strong, faint } = theme
  const title: Block = { lines: (width) => [oneLine(strong('Keys'), width)] }
  const rows = keys.map(([key, what]): Block => {
    const narrow = new Remark(`${key}: ${what}`, (text) => text)
    return {
      lines: (width) => (width < 70 ? narrow.lines(width) : [oneLine(`  ${key.padEnd(22)}${faint(what)}`, width)]),
    }
  })
  return [title, ...rows]
}
