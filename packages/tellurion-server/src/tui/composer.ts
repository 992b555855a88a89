// Where a person types: pi-tui's editor, with its history, undo and wide characters, as few lines as there is room for.

import { CURSOR_MARKER, Editor, type TUI } from '@earendil-works/pi-tui'
import { inert } from '../terminal/inert.ts'
import type { Theme } from './theme.ts'
import type { Composer } from './view.ts'

/** Makes a composer. `onSubmit` is told what Enter sends. */
export function createComposer(tui: TUI, theme: Theme, onSubmit: (text: string) => void): Composer {
  const editor = new Editor(tui, theme.editor)
  editor.focused = true
  editor.onSubmit = onSubmit
  return {
    get text() {
      return editor.getText()
    },
    set: (text) => editor.setText(text),
    remember: (text) => editor.addToHistory(text),
    input: (data) => editor.handleInput(harmless(data)),
    lines(width, height) {
      // The first and the last are rules.
      const lines = editor.render(width).slice(1, -1)
      const cursor = Math.max(
        0,
        lines.findIndex((line) => line.includes(CURSOR_MARKER)),
      )
      const from = Math.max(0, Math.min(cursor - height + 1, lines.length - height))
      return lines.slice(from, from + height)
    },
  }
}

const paste = { begin: '\u001b[200~', end: '\u001b[201~' }

/** What is pasted may come from anywhere: only its text goes on the screen. Keys stay what they are. */
function harmless(data: string): string {
  const { begin, end } = paste
  if (data.startsWith(begin)) {
    // Terminals end pasted lines as Enter does.
    const text = data.slice(begin.length).replaceAll(end, '').replace(/\r\n?/g, '\n')
    return begin + inert(text) + end
  }
  return data.charCodeAt(0) > 0x7f ? inert(data) : data
}
